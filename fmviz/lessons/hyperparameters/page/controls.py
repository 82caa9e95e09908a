"""The controls of the page, in the sidebar: what varies, over which values, and what stays as it is."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st
from pydantic import ValidationError

from fmviz.app import bound, state
from fmviz.app.catalogue import number
from fmviz.app.i18n import tr
from fmviz.app.press import ignore_duplicate_press
from fmviz.lessons.hyperparameters.page import words
from fmviz.lessons.hyperparameters.settings import (
    ALONE,
    AXES,
    LARGEST,
    MAX_CELLS,
    MAX_SEEDS,
    NAMES,
    PLAIN,
    Settings,
    canonical,
)

__all__ = ["EXPERIMENTS", "controls"]

PART = "hyperparameters"
REFUSED = "fmviz_hyper_refused"
EXPERIMENTS: dict[str, dict[str, Any]] = {
    "rates": {"x": "learning_rate", "y": "batch_size"},
    "capacity": {"x": "width", "y": "steps"},
    "objectives": {"x": "objective", "y": "scheduler", "chart": "distance"},
}
"""What varies in the prepared experiments; all else is as the page opens with it."""
FRESH = {"guess": None, "cell": None}
"""Cells of other axes are other cells."""


def controls() -> None:
    """What varies, the prepared experiments, and the settings of all cells."""
    view: Settings = state.current().hyperparameters
    st.caption(tr("hyperparameters.prepared"))
    with st.container(horizontal=True, gap="xsmall", key="hyper_prepared"):
        for name, fields in EXPERIMENTS.items():
            st.button(
                tr(f"hyperparameters.experiment.{name}"),
                key=f"hyper_{name}",
                type="secondary",
                on_click=ignore_duplicate_press(partial(_prepare, fields)),
            )
    bound.choose(PART, "x", tr("hyperparameters.x"), AXES, "hyperparameters.axis", take=_take_x)
    _values(view, "x", MAX_CELLS)
    bound.choose(
        PART,
        "y",
        tr("hyperparameters.y"),
        ("none", *(a for a in AXES if a != view.x)),
        "hyperparameters.axis",
        take=_take_y,
    )
    if len(view.axes) == 2:
        _values(view, "y", MAX_CELLS // len(view.axes[0].values))
    _refusal()
    if all(axis.name != "seed" for axis in view.axes):
        bound.segmented(PART, "seeds", tr("hyperparameters.seeds"), {n: str(n) for n in range(1, MAX_SEEDS + 1)})  # type: ignore[misc]
    fixed = st.popover(tr("hyperparameters.fixed"), icon=":material/tune:", on_change="rerun", key="hyper_fixed")
    if fixed.open:
        with fixed:
            _fixed(view)


def _prepare(fields: dict[str, Any]) -> None:
    layers = state.current().hyperparameters.layers
    plain = {name: field.default for name, field in Settings.model_fields.items()}
    state.change(PART, **plain | fields | {"layers": layers})


def _take_x(name: str) -> None:
    """Another first axis; the same as the second one: they change places."""
    view = state.current().hyperparameters
    if name == view.y:
        state.change(PART, x=view.y, x_values=view.y_values, y=view.x, y_values=view.x_values, **FRESH)
    else:
        state.change(PART, x=name, x_values=None, y_values=None, **FRESH)


def _take_y(name: str) -> None:
    state.change(PART, y=name, y_values=None, **FRESH)


def _values(view: Settings, which: str, most: int) -> None:
    """The values of one axis: proposals, and whatever is typed."""
    axis = view.axes[0 if which == "x" else 1]
    key = f"hyper_{which}_{axis.name}"
    proposals = NAMES.get(axis.name) or ALONE[axis.name]
    options = [*dict.fromkeys((*proposals, *axis.values))]
    bound.show(key, list(axis.values))
    st.multiselect(
        tr("hyperparameters.values", axis=words.axis_name(axis.name)),
        options,
        format_func=lambda value: words.value_name(axis.name, value) if value in options else value,
        key=key,
        max_selections=most,
        accept_new_options=axis.name not in NAMES,
        on_change=bound.user_change(key, partial(_take_values, axis.name, which, key, most)),
        placeholder=tr("hyperparameters.values_none"),
    )


def _take_values(axis: str, which: str, key: str, most: int) -> None:
    if getattr(state.current().hyperparameters, which) != axis:  # another axis was chosen with the same message
        return
    found: list[str] = []
    for text in st.session_state[key]:
        try:
            found.append(canonical(axis, text))
        except ValueError:
            st.session_state[REFUSED] = (axis, str(text)[:20])
    chosen = list(dict.fromkeys(found))[:most]
    if axis not in NAMES:
        chosen.sort(key=float)
    update: dict[str, Any] = {f"{which}_values": tuple(chosen) or None, **FRESH}
    try:
        state.change(PART, **update)
    except ValidationError:  # with so many, the second axis has room for fewer
        state.change(PART, **update, y_values=None)


def _refusal() -> None:
    """Says what was typed and is no value."""
    refused: tuple[str, str] | None = st.session_state.pop(REFUSED, None)
    if refused is not None:
        axis, text = refused
        low, high = LARGEST[axis]
        st.warning(
            tr(
                "hyperparameters.refused",
                text=f"`{text.replace('`', '')}`",
                axis=words.axis_name(axis),
                low=number(low),
                high=number(high),
            ),
            icon=":material/error:",
        )


def _fixed(view: Settings) -> None:
    st.caption(tr("hyperparameters.fixed_help"))
    varied = {axis.name for axis in view.axes}
    with st.grid(2):
        for name in ("learning_rate", "ema"):
            if name not in varied:
                _pick(name)
        for name in ("batch_size", "width", "depth", "steps"):
            if name not in varied:
                low, high = LARGEST[name]
                bound.number_input(PART, name, words.axis_name(name), int(low), int(high))
        for name in (name for name in NAMES if name in PLAIN):
            if name not in varied:
                names = "train.objectives" if name == "objective" else f"train.{name}"
                bound.choose(PART, name, words.axis_name(name), NAMES[name], names)


def _pick(name: str) -> None:
    """A number among the proposals, and the one that a link brought."""
    key, chosen = f"{PART}.{name}", getattr(state.current().hyperparameters, name)
    bound.show(key, chosen)
    options = sorted({*map(float, ALONE[name]), chosen})
    st.selectbox(
        words.axis_name(name),
        options,
        format_func=number,
        key=key,
        on_change=bound.user_change(key, lambda: state.change(PART, **{name: st.session_state[key]})),
    )
