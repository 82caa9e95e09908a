"""Two states side by side: A was pinned, B is the present one. What differs between them is said in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from pydantic import BaseModel

from fmviz.app import state
from fmviz.app.catalogue import catalogue, number
from fmviz.app.choices import PARTS, State, decode, encode
from fmviz.app.i18n import tr
from fmviz.app.press import ignore_duplicate_press
from fmviz.errors import FmvizError
from fmviz.scene import Clock, Shell, link
from fmviz.stage.payload import pair

__all__ = ["beside", "button", "differences", "line", "pinned"]

PINNED = "a"
"""The parameter of a link that holds the link of side A."""
VIEWS = ("layers", "chart", "axis", "stage")
"""Fields that say how something is looked at: no difference worth a word."""


def pinned() -> State | None:
    """The state of side A with the language and the clock of side B; None if nothing is pinned or the link of A is unusable."""
    now = state.current()
    if now.shell.pinned is None:
        return None
    found, problems = decode({**link.parameters(now.shell.pinned), PINNED: ""})
    if problems:
        return None
    return found.model_copy(update={"shell": now.shell.model_copy(update={"pinned": None}), "clock": now.clock})


def beside(payload: Callable[[], bytes]) -> bytes:
    """The picture that `payload` makes of the present state, with that of the pinned one beside it, if there is one.

    Raises:
        FmvizError: the present state has no picture. A pinned state without one is left out.
    """
    shown = payload()
    other = pinned()
    if other is None:
        return shown
    try:
        with state.standing_in(other):
            return pair(payload(), shown)
    except FmvizError:
        return shown


def button() -> None:
    """Pins the present state."""
    st.button(
        tr("compare.pin"),
        icon=":material/compare:",
        help=tr("compare.pin_help"),
        on_click=ignore_duplicate_press(_pin),
        key="compare_pin",
    )


def line(page: str) -> None:
    """What differs between A and B, and what can be done with them; nothing where nothing is pinned."""
    other = pinned()
    if other is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="compare"):
        found = differences(other, state.current(), page)
        st.text(" · ".join(found) if found else tr("compare.same"), width="stretch")
        for name, icon, act in (
            ("swap", ":material/swap_horiz:", _swap),
            ("unpin", ":material/close:", _unpin),
        ):
            st.button(
                tr(f"compare.{name}"),
                icon=icon,
                type="tertiary",
                on_click=ignore_duplicate_press(act),
                key=f"compare_{name}",
            )


def differences(a: State, b: State, page: str) -> tuple[str, ...]:
    """The settings in which two states differ, each as "name: value of A | value of B", those of other pages left out."""
    found = []
    for part, model in PARTS.items():
        if part not in ("scene", "path", page):
            continue
        for field in model.model_fields:
            one, other = getattr(getattr(a, part), field), getattr(getattr(b, part), field)
            if one != other and field not in VIEWS:
                found.append(f"{_label(part, field)}: {_value(part, field, one)} | {_value(part, field, other)}")
    return tuple(found)


def _label(part: str, field: str) -> str:
    """The name of a setting as its control has it, without formulas."""
    texts = catalogue(state.current().shell.language)
    text = texts.get(f"{part}.{field}", texts.get(f"compare.field.{field}", field))
    return text.split("$")[0].strip() or field


def _value(part: str, field: str, value: Any) -> str:
    """A value as its control shows it."""
    texts = catalogue(state.current().shell.language)
    if value is None:
        return "–"
    if isinstance(value, bool):
        return tr("compare.yes" if value else "compare.no")
    if isinstance(value, float):
        return number(value)
    if isinstance(value, str):
        for table in (f"{part}.{field}", f"{part}.{field}s", TABLES.get(field, field)):
            if f"{table}.{value}" in texts:
                return texts[f"{table}.{value}"].split(" (")[0]
        return value
    if isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
        return tr("scene.edited")
    return " ".join(str(part) for part in value) if isinstance(value, tuple) else str(value)


TABLES = {"data": "preset", "init": "preset"}
"""Tables of texts that are not called like the setting."""


def _link(of: State) -> str:
    # It stands inside a link that names it, so it leaves out what that leaves out.
    inside = of.model_copy(update={"shell": Shell(pinned=""), "clock": Clock()})
    return urlencode({name: value for name, value in encode(inside).items() if name != PINNED})


def _pin() -> None:
    state.change("shell", pinned=_link(state.current()))


def _unpin() -> None:
    state.change("shell", pinned=None)


def _swap() -> None:
    other, now = pinned(), state.current()
    if other is None:
        return
    state.open_link(encode(other), pinned=_link(now))
