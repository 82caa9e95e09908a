"""The state of one session: one frozen `State`, its undo history, and its copy in the address.

Widgets show the state and change it through callbacks; nothing else holds a choice. The address is written after every
run, and read at the start of a session or when the browser brings another one (a pasted link, the back button).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlencode, urlsplit

import streamlit as st
from pydantic import BaseModel

from fmviz.app import tabs
from fmviz.app.choices import State, decode, encode
from fmviz.errors import ScheduleError
from fmviz.scene import Scene, scenes

__all__ = [
    "change",
    "current",
    "dismiss_problems",
    "links_read",
    "open_link",
    "problems",
    "put",
    "query",
    "read_address",
    "remember_scene",
    "report",
    "standing_in",
    "undo",
    "undoable",
    "write_address",
]

STATE, HISTORY, ADDRESS = "fmviz_state", "undo", "fmviz_address"
BEFORE = "fmviz_address_before"
PROBLEMS, LINKS = "fmviz_problems", "fmviz_links"
MAX_HISTORY = 50
OVERTAKEN_SECONDS = 3.0
"""How long an answer of the browser to an older picture may take."""


_stand_in: ContextVar[State | None] = ContextVar("stand_in", default=None)


@contextmanager
def standing_in(other: State) -> Iterator[None]:
    """Within it `other` is what `current` returns: to draw the picture of a state that is not chosen. Nothing may be changed."""
    token = _stand_in.set(other)
    try:
        yield
    finally:
        _stand_in.reset(token)


def current() -> State:
    """The state of this session."""
    other = _stand_in.get()
    if other is not None:
        return other
    state: State = st.session_state.setdefault(STATE, State())
    return state


def put(scene: Scene, *, remember: bool = True) -> None:
    """Replaces the scene. It can be undone unless `remember` is False (the many steps of one drag count as one)."""
    if remember and scene != current().scene:
        remember_scene(current().scene)
    _replace("scene", scene)


def _replace(part: str, value: BaseModel) -> None:
    st.session_state[STATE] = current().model_copy(update={part: value})


def change(part: str, **updates: Any) -> None:
    """Changes fields of one part of the state, checked by its model.

    Raises:
        pydantic.ValidationError: a value does not fit; nothing is changed.
    """
    model: BaseModel = getattr(current(), part)
    old = {name: getattr(model, name) for name in type(model).model_fields}
    new = type(model).model_validate(old | updates)
    if isinstance(new, Scene):
        put(new)
    else:
        _replace(part, new)


def remember_scene(scene: Scene) -> None:
    """Puts `scene` into the undo history, for a drag whose steps were not remembered."""
    history = tabs.belonging(HISTORY, list[Scene])
    history.append(scene)
    del history[:-MAX_HISTORY]


def undo() -> None:
    """Takes the last change of the scene back."""
    history = tabs.belonging(HISTORY, list[Scene])
    if history:
        put(history.pop(), remember=False)


def undoable() -> bool:
    """Whether there is a change of the scene to take back."""
    return bool(tabs.belonging(HISTORY, list[Scene]))


def problems() -> tuple[str, ...]:
    """The names of the parameters of the last link that could not be used."""
    found: tuple[str, ...] = st.session_state.get(PROBLEMS, ())
    return found


def report(name: str) -> None:
    """Adds a parameter of the last link that could not be used."""
    st.session_state[PROBLEMS] = (*problems(), name)


def dismiss_problems() -> None:
    """Forgets the parameters that could not be used."""
    st.session_state[PROBLEMS] = ()


def links_read() -> int:
    """How many addresses this session has taken its state from."""
    count: int = st.session_state.get(LINKS, 0)
    return count


def _usable(state: State) -> tuple[State, tuple[str, ...]]:
    """`state` with the default scheduler in place of a typed one that cannot be used."""
    try:
        scenes.scheduler(state.scene)
    except ScheduleError:
        plain = state.scene.model_copy(update={"scheduler": "linear", "alpha": Scene().alpha, "beta": Scene().beta})
        return state.model_copy(update={"scene": plain}), ("alpha", "beta")
    return state, ()


def read_address(*apart: str) -> bool:
    """Takes the state from the address if it is not the one this session wrote; whether it did.

    The parameters `apart` are no part of the state.

    An empty address, as after changing pages, is ignored.
    """
    found = st.query_params.to_dict()
    for name in apart:
        found.pop(name, None)
    if STATE in st.session_state and (not found or found == st.session_state.get(ADDRESS) or _overtaken(found)):
        return False
    state, bad = decode(found)
    _take(state, bad)
    st.session_state[ADDRESS] = found
    return True


def open_link(parameters: Mapping[str, str], **shell: Any) -> None:
    """Takes the state from a link, as if it had been opened. A changed scene can be undone.

    Args:
        parameters: of the link.
        shell: fields of the shell; the others, the language among them, stay as they are.
    """
    state, bad = decode(parameters)
    before = current()
    if state.scene != before.scene:
        remember_scene(before.scene)
    _take(
        state.model_copy(update={"shell": before.shell.model_copy(update={"pinned": state.shell.pinned} | shell)}), bad
    )


def _take(state: State, bad: tuple[str, ...]) -> None:
    """Replaces the whole state by one from outside; the stage then starts as that has it."""
    state, unusable = _usable(state)
    st.session_state[STATE], st.session_state[PROBLEMS] = state, bad + unusable
    st.session_state[LINKS] = links_read() + 1


def _overtaken(found: dict[str, str]) -> bool:
    """Whether the browser asked for this run before it had heard of the address just written, and so names the last one.

    On another page than that address was written for, somebody has gone back.
    """
    before, page, written_at = st.session_state.get(BEFORE, (None, "", 0.0))
    return bool(found == before) and page == _page() and time.monotonic() - written_at < OVERTAKEN_SECONDS


def _page() -> str:
    """The path of the page's address in the browser."""
    return urlsplit(str(st.context.url or "")).path


def query() -> str:
    """The state as the query of an address, without the question mark."""
    return urlencode(encode(current()))


def write_address() -> None:
    """Writes the state into the address, if it is not there already."""
    written = encode(current())
    if st.query_params.to_dict() != written:
        st.query_params.from_dict(written)
    if written != st.session_state.get(ADDRESS):
        st.session_state[BEFORE] = (st.session_state.get(ADDRESS), _page(), time.monotonic())
    st.session_state[ADDRESS] = written
