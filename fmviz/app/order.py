"""The order in which a change of the scene reaches the screen: the picture first, the rest of the page after it.

A control's callback asks for the stage's fragment alone; when the browser has drawn the new clip it says so, and then the
whole page runs. So the picture waits neither for the charts nor for the sidebar, and the browser, which already has the
clip, is not sent it again. In the same way the first run of a session ends with the stage: the picture moves before the
browser has loaded what the widgets are made of. Without a browser (`AppTest`, the agent API) pages run whole.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.errors import StreamlitAPIException

__all__ = [
    "STAGE",
    "drawn",
    "expect_stage",
    "nothing_drawn_yet",
    "nothing_to_draw",
    "page_has_stage",
    "page_run_pending",
    "picture_done",
    "picture_first",
    "stage_here",
    "stage_key",
    "wait_for_first_drawing",
    "whole_page",
]

STAGE = "stage"
HERE, COMING, DRAWS = "fmviz_stage_here", "fmviz_stage_comes", "fmviz_page_has_stage"
DRAWN, WAITING = "fmviz_stage_drawn", "fmviz_page_waits"


def whole_page() -> None:
    """At the start of a run of the whole page: nothing waits any more, and no stage has been met yet.

    Only the first run of a session waits for its drawing. Streamlit drops a message of the stage that meets a run of the
    whole page, as the one in which a reloaded tab claims what belongs to it: the page would wait for ever.
    """
    if st.session_state.get(WAITING):
        nothing_to_draw()
    st.session_state[HERE], st.session_state[WAITING], st.session_state[COMING] = None, False, False
    st.session_state[DRAWS] = False


def expect_stage() -> None:
    """This page will have a stage that says when it has drawn."""
    st.session_state[COMING] = True


def page_has_stage() -> bool:
    """Whether a stage has been drawn on this page."""
    return bool(st.session_state.get(DRAWS))


def stage_here(key: str, *, acknowledges: bool) -> None:
    """Notes that this page has a stage, and, if that says when it has drawn, that it is `key`."""
    st.session_state[DRAWS] = True
    if acknowledges:
        st.session_state[HERE] = key


def stage_key() -> str | None:
    """The stage of this page, None before it or on a page without one."""
    key: str | None = st.session_state.get(HERE)
    return key


def drawn(key: str) -> None:
    """In a callback of the stage: the browser has drawn what was asked for, so the page may follow."""
    st.session_state[DRAWN] = key
    if st.session_state.get(WAITING):
        st.rerun()


def picture_first(change: Callable[..., None], *args: object) -> Callable[[], None]:
    """A callback that makes a change of the scene and then runs the stage before the page."""

    def callback() -> None:
        change(*args)
        here = st.session_state.get(HERE)
        if here is None or here != st.session_state.get(DRAWN):
            return
        st.session_state[WAITING] = True
        try:
            st.rerun(STAGE)
        except StreamlitAPIException:  # the stage was not part of the last complete run: the page runs as always
            st.session_state[WAITING] = False

    return callback


def page_run_pending() -> bool:
    """Whether the stage alone is run now, and the page will be once it has been drawn: a draft will do till then."""
    return bool(st.session_state.get(WAITING))


def nothing_to_draw() -> None:
    """The page does not wait for a first drawing: none will come, or word of it may have been lost."""
    st.session_state.setdefault(DRAWN, None)


def nothing_drawn_yet() -> bool:
    """Whether this is the beginning of a session with a browser, which will draw its first clip and say so."""
    browser = (st.context.headers.get("Upgrade") or "").lower() == "websocket"
    return browser and DRAWN not in st.session_state and bool(st.session_state.get(COMING))


def wait_for_first_drawing() -> None:
    """After the stage, at the beginning of a session: ends the run; `drawn` asks for the whole page."""
    if nothing_drawn_yet():
        st.session_state[WAITING] = True
        st.stop()


def picture_done(*, drawn_anew: bool) -> None:
    """At the end of the stage's fragment: runs the page at once if there is nothing new that the browser could answer to."""
    if st.session_state.get(WAITING) and not drawn_anew:
        st.rerun()
