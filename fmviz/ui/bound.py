"""Widgets that show a field of the state and change it.

Before a widget is drawn its value is set from the state; when the user moves it, a callback writes the state. So the
state is the only truth, and undo, links and the stage change every widget with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st
from pydantic import ValidationError

from fmviz.ui import order, state
from fmviz.ui.i18n import tr

__all__ = ["choose", "segmented", "slide", "snap", "switch", "type_number"]

PICTURED = frozenset({"scene", "flows", "noise", "conservation"})
"""Parts of the state that make the picture: their changes are drawn before the rest of the page runs."""


def _show(part: str, field: str) -> str:
    key = f"{part}.{field}"
    st.session_state[key] = getattr(getattr(state.current(), part), field)
    return key


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
    return order.picture_first(_take, part, field) if part in PICTURED else partial(_take, part, field)


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

    change = order.picture_first(chosen) if part in PICTURED else chosen
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
    st.slider(label, low, high, step=step, key=_show(part, field), on_change=_taking(part, field))


def snap(part: str, field: str, label: str, stops: Sequence[int]) -> None:
    """A slider over unevenly spaced whole numbers; a value that a link brings is a stop as well."""
    key = _show(part, field)
    options = sorted({*stops, st.session_state[key]})
    st.select_slider(label, options, key=key, on_change=_taking(part, field))


def switch(part: str, field: str, label: str) -> None:
    """On or off."""
    st.toggle(label, key=_show(part, field), on_change=_taking(part, field))


def type_number(part: str, field: str, label: str, low: int, high: int) -> None:
    """A whole number."""
    st.number_input(label, low, high, step=1, key=_show(part, field), on_change=_taking(part, field))
