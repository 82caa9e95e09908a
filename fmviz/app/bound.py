"""Widgets that show a field of the state and change it.

Before a widget is drawn its value is set from the state (a slider's only where it differs, see `slider_value`); when the user
moves it, a callback writes the state. So the state is the only source of values, and undo, links and the stage change
every widget with it.

Every message of the browser carries the values of all widgets. One that was sent for a fragment before the page arrived
that sets a widget anew looks as if the user had set it back, and the next one as if the user had chosen what the page shows;
`user_change` knows the difference.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st
from pydantic import ValidationError

from fmviz.app import order, press, state
from fmviz.app.i18n import tr

__all__ = ["choose", "number_input", "segmented", "show", "slide", "slider_value", "snap", "switch", "user_change"]

LIMITS, REPLACED, IGNORED = "fmviz_limits", "fmviz_replaced_values", "fmviz_ignored_values"
OVERTAKEN_SECONDS = 10.0
"""How long a message may be under way that was sent before the page which set a widget anew."""


def _value(part: str, field: str) -> Any:
    return getattr(getattr(state.current(), part), field)


def _pictured(part: str) -> bool:
    """Whether a part of the state makes the picture: then its changes are drawn before the rest of the page runs."""
    return bool(getattr(getattr(state.current(), part), "makes_picture", False))


def _show(part: str, field: str) -> str:
    key = f"{part}.{field}"
    show(key, _value(part, field))
    return key


def show(key: str, value: object) -> None:
    """Sets what a widget shows."""
    before = st.session_state.get(key, value)
    if before != value:
        st.session_state.setdefault(REPLACED, {})[key] = (before, value, time.monotonic())
        st.session_state.setdefault(IGNORED, {}).pop(key, None)
    st.session_state[key] = value


def user_change(key: str, change: Callable[[], None]) -> Callable[[], None]:
    """The callback of widget `key`, which lies outside all fragments: `change`, if it was the user who caused it."""

    def callback() -> None:
        before, shown, at = st.session_state.get(REPLACED, {}).get(key, (None, None, -OVERTAKEN_SECONDS))
        for_fragment = press.in_a_fragment()
        recent = time.monotonic() - at < OVERTAKEN_SECONDS
        ignored = st.session_state.setdefault(IGNORED, {})
        if for_fragment and recent and st.session_state[key] == before:
            ignored[key] = shown
        elif key not in ignored or ignored.pop(key) != st.session_state[key]:
            change()
            press.whole_page_follows()

    return callback


def slider_value(key: str, value: object, *limits: float) -> dict[str, Any]:
    """Keywords for a slider that shall show `value`; with other `limits` it is another widget to Streamlit.

    A value that is set goes to the browser over whatever the user has done there since, so that the second of two quick
    presses of an arrow key would be lost. One that is right already is only told as the default, for a browser that has
    not drawn the slider yet.
    """
    drawn: dict[str, tuple[float, ...]] = st.session_state.setdefault(LIMITS, {})
    if key in st.session_state and st.session_state[key] == value and drawn.get(key) == limits:
        return {"key": key, "value": value}
    show(key, value)
    drawn[key] = limits
    return {"key": key}


def _take(part: str, field: str) -> None:
    """Writes what the browser sent, unless it is outside the model's range (a browser can send anything)."""
    value = st.session_state[f"{part}.{field}"]
    try:
        if value is not None:
            state.change(part, **{field: value})
    except ValidationError:
        return


def _taking(part: str, field: str) -> Callable[[], None]:
    """The callback of a widget: a change of the picture shows there first."""
    take = order.picture_first(_take, part, field) if _pictured(part) else partial(_take, part, field)
    return user_change(f"{part}.{field}", take)


def choose(
    part: str, field: str, label: str, options: Sequence[str], names: str, *, take: Callable[[str], None] | None = None
) -> None:
    """A drop-down; the text of an option is the locale key ``<names>.<option>``.

    `take` writes the chosen option instead of the plain change of that field.
    """
    key = _show(part, field)
    texts = {option: tr(f"{names}.{option}") for option in options}

    def chosen() -> None:
        value = st.session_state[key]
        if value in texts:
            _take(part, field) if take is None else take(value)

    change = user_change(key, order.picture_first(chosen) if _pictured(part) else chosen)
    st.selectbox(label, options, format_func=lambda option: texts.get(option, option), key=key, on_change=change)


def segmented(part: str, field: str, label: str, texts: dict[str, str], *, collapsed: bool = False) -> None:
    """A choice of few, all visible, from option to text."""
    st.segmented_control(
        label,
        list(texts),
        format_func=texts.__getitem__,
        key=_show(part, field),
        on_change=_taking(part, field),
        label_visibility="collapsed" if collapsed else "visible",
        required=True,
    )


def slide(part: str, field: str, label: str, low: float, high: float, step: float) -> None:
    """A slider."""
    holding = slider_value(f"{part}.{field}", _value(part, field), low, high, step)
    st.slider(label, low, high, step=step, on_change=_taking(part, field), **holding)


def snap(part: str, field: str, label: str, stops: Sequence[int]) -> None:
    """A slider over unevenly spaced whole numbers; a value that a link brings is a stop as well."""
    value = _value(part, field)
    options = sorted({*stops, value})
    st.select_slider(label, options, on_change=_taking(part, field), **slider_value(f"{part}.{field}", value, *options))


def switch(part: str, field: str, label: str) -> None:
    """On or off."""
    st.toggle(label, key=_show(part, field), on_change=_taking(part, field))


def number_input(part: str, field: str, label: str, low: int, high: int) -> None:
    """A whole number."""
    st.number_input(label, low, high, step=1, key=_show(part, field), on_change=_taking(part, field))
