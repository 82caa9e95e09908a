"""A tab of a browser, and what belongs to it rather than to one connection: its training runs and its undo history.

A session of Streamlit ends with a reload, and is unknown to a server that was started again. So each tab keeps a secret
token in its own storage (`js/tab.js`). A new session that is told a known token takes over what belongs to it. Links do not
carry the token, so that a copied link starts fresh. Whoever closes the tab or leaves the page says so in leaving; whoever
is cut off, or closes the lid of a laptop, is waited for (`PATIENCE`).
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fmviz.app import presence

__all__ = ["PATIENCE", "TAB", "TAB_ROUTES", "Tab", "belonging", "current", "forget_lost", "lost", "mount", "restarted"]

PATIENCE = 600.0
"""Seconds for which somebody whose connection was lost is waited for: `server.disconnectedSessionTTL` of the configuration."""
TAB, LOST, RESTARTED, ANSWERED = "fmviz_tab", "fmviz_lost_run", "fmviz_restarted", "fmviz_claim_answered"
KEY, FOLDER = "tab", "tab"

T = TypeVar("T")


class Tab:
    """One tab of a browser.

    Attributes:
        token: its secret name.
        belongings: what outlives a session, by name.
    """

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(24)
        self.belongings: dict[str, Any] = {}
        self._seen, self._left = -math.inf, False
        self._connected: Callable[[], bool] = lambda: False
        _TABS[self.token] = self

    def attach(self, connected: Callable[[], bool]) -> None:
        """From now on a session of which `connected` tells whether its browser is connected has this tab."""
        self._connected, self._left = connected, False
        self.present()

    def leave(self) -> None:
        """Notes that the page was closed or left."""
        self._left = True

    @property
    def connected(self) -> bool:
        """Whether the browser is connected now."""
        return self._connected()

    def present(self) -> bool:
        """Whether somebody is there or is waited for; may be called from any thread."""
        now = time.monotonic()
        if self.connected:
            self._seen, self._left = now, False
            return True
        return not self._left and now - self._seen < PATIENCE


_TABS: WeakValueDictionary[str, Tab] = WeakValueDictionary()
"""All tabs. A session that has lost its connection is kept for `PATIENCE`, and its tab with it."""


def current() -> Tab:
    """The tab of this session."""
    if TAB not in st.session_state:
        tab = Tab()
        tab.attach(presence.connection_check())
        st.session_state[TAB] = tab
    found: Tab = st.session_state[TAB]
    return found


def belonging(name: str, make: Callable[[], T]) -> T:
    """What belongs to this tab under `name`, made when it is first asked for."""
    found: T = current().belongings.setdefault(name, make())
    return found


def lost() -> bool:
    """Whether a training run of this tab was lost because the server was started again."""
    return bool(st.session_state.get(LOST))


def restarted() -> bool:
    """Whether the server was started again under an open page; True once."""
    return bool(st.session_state.pop(RESTARTED, False))


def forget_lost() -> None:
    """The loss has been told, or made good."""
    st.session_state.pop(LOST, None)


# ------------------------------------------------------------------ the browser's side


@cache
def _script() -> str:
    return (files("fmviz.app") / "js" / "tab.js").read_text(encoding="utf-8")


_MOUNT = st.components.v2.component("fmviz_tab", js=_script())


def mount(
    training: bool, present: bool, story: str | None, restore: Callable[[str], None], show: Callable[[bool], None]
) -> None:
    """The invisible component in which the browser keeps what belongs to the tab and to the user.

    Args:
        training: whether a run would be lost with the server.
        present: whether the page is being presented.
        story: the user's own story, None where there is none.
        restore: is given the story that the browser has kept, where it has one and the session has none.
        show: is told to begin presenting, or to end it.
    """
    token = current().token
    data = {
        "token": token,
        "farewell": f"{FOLDER}/{token}",
        "training": training,
        "answered": st.session_state.get(ANSWERED),
        "story": story,
        "present": present,
    }
    _MOUNT(
        key=KEY,
        data=data,
        on_claim_change=_claimed,
        on_story_change=lambda: _kept(restore),
        on_present_change=lambda: _presents(show),
    )


def _told(name: str) -> object:
    """What the browser says under `name`."""
    value = st.session_state.get(KEY)
    return value.get(name) if isinstance(value, Mapping) else None


def _presents(show: Callable[[bool], None]) -> None:
    value = _told("present")
    if isinstance(value, bool):
        show(value)


def _kept(restore: Callable[[str], None]) -> None:
    text = _told("story")
    if isinstance(text, str):
        restore(text)


def _claimed() -> None:
    """The browser holds another token than this session's: from before a reload, or from a server that is no more."""
    claim = _told("claim")
    if not isinstance(claim, Mapping) or not isinstance(claim.get("token"), str):
        return
    st.session_state[ANSWERED] = claim["token"]
    known = _TABS.get(claim["token"])
    if known is None:
        st.session_state[LOST] = claim.get("training") is True
        st.session_state[RESTARTED] = claim.get("reloaded") is not True
    elif (
        claim.get("left") is True or not known.connected
    ):  # a tab that was duplicated holds the token of one that is open
        known.attach(presence.connection_check())
        st.session_state[TAB] = known


async def _farewell(request: Request) -> Response:
    tab = _TABS.get(request.path_params["token"])
    if tab is not None:
        tab.leave()
    return Response(status_code=204)


TAB_ROUTES = [
    Route(f"/{FOLDER}/{{token}}", _farewell, methods=["POST"]),
    Route(f"/{{base:path}}/{FOLDER}/{{token}}", _farewell, methods=["POST"]),
]
"""For `st.App`, also where it is served below a base path."""
