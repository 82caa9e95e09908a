"""The controls of the page Flows, and what a click and a drag on its stage mean."""

from __future__ import annotations

import streamlit as st
from pydantic import ValidationError

from fmviz.app import bound, state
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.app.order import picture_first
from fmviz.lessons.flows.settings import BESIDE, FLOWS, MAX_STARTS, RATES, STARTS
from fmviz.scene.views import METHODS
from fmviz.stage.events import Clicked, Moved

__all__ = ["controls", "launch", "move"]

STEPS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 25, 32, 40, 50, 64, 80, 100, 128, 160, 200)
RATE, SOLVERS = "flows.rate", "flows.solvers"
RATE_STEP = 0.1


def launch(clicked: Clicked) -> None:
    """A point more that starts where was clicked; the oldest one gives way when there are too many."""
    starts = (*state.current().flows.starts, (clicked.x, clicked.y))
    state.change("flows", starts=starts[-MAX_STARTS:])


def move(moved: Moved) -> None:
    """A dragged start, or the z of the conditional field, which the page on probability paths shares."""
    if moved.name == "z":
        state.change("path", z=(moved.x, moved.y))
        return
    starts = list(state.current().flows.starts)
    for i in range(len(starts)):
        if moved.name == f"start{i}":
            starts[i] = (moved.x, moved.y)
    state.change("flows", starts=tuple(starts))


def controls(current: State) -> None:
    """What the stage shows, in the sidebar."""
    bound.choose("flows", "field", tr("flows.field"), FLOWS, "flows.fields", take=_pick)
    _rate(current)
    bound.show(SOLVERS, list(current.flows.solvers))
    st.pills(
        tr("flows.solvers"),
        METHODS,
        format_func=lambda name: tr("flows.rk4_short") if name == "rk4" else tr(f"solver.{name}"),
        selection_mode="multi",
        key=SOLVERS,
        on_change=bound.user_change(SOLVERS, picture_first(_take_solvers)),
        wrap=True,
    )
    bound.snap("flows", "steps", tr("flows.steps"), STEPS)
    bound.segmented("flows", "beside", tr("flows.beside"), {name: tr(f"flows.beside_{name}") for name in BESIDE})
    starts = current.flows.starts
    with st.container(horizontal=True, gap="small", key="flows_starts"):
        _start_button("clear", (), disabled=not starts)
        _start_button("reset", STARTS, disabled=starts == STARTS)
    st.caption(tr("flows.hint"))


def _start_button(name: str, starts: tuple[tuple[float, float], ...], *, disabled: bool) -> None:
    change = picture_first(_start_at, starts)
    st.button(tr(f"flows.{name}"), key=f"flows_{name}", on_click=change, disabled=disabled)


def _pick(field: str) -> None:
    """A field chosen anew has the parameter that suits it."""
    state.change("flows", field=field, rate=None)


def _rate(current: State) -> None:
    known = RATES.get(current.flows.field)
    if known is None:
        st.caption(tr("flows.of_scene"))
        return
    holding = bound.slider_value(RATE, current.flows.chosen_rate, known.low, known.high)
    label = tr(f"flows.rates.{current.flows.field}")
    change = bound.user_change(RATE, picture_first(_take_rate))
    st.slider(label, known.low, known.high, step=RATE_STEP, on_change=change, **holding)


def _take_rate() -> None:
    try:
        state.change("flows", rate=st.session_state[RATE])
    except ValidationError:  # a browser can send anything
        return


def _take_solvers() -> None:
    try:
        state.change("flows", solvers=tuple(st.session_state[SOLVERS]))
    except ValidationError:
        return


def _start_at(starts: tuple[tuple[float, float], ...]) -> None:
    state.change("flows", starts=starts)
