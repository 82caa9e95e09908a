"""The controls of the page Noise: which process, and its parameters; and what is dragged on its stage."""

from __future__ import annotations

import streamlit as st

from fmviz.app import bound, state
from fmviz.app.catalogue import number
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.lessons.noise.compute import results
from fmviz.lessons.noise.settings import (
    EM_STEPS,
    GRIDS,
    HORIZONS,
    LANGEVIN_STEPS,
    MAX_SIGMA,
    MAX_THETA,
    PROCESSES,
    SHOWN,
    STARTS,
)
from fmviz.stage.events import Moved

__all__ = ["controls", "move_start"]

CHOSEN = "noise_process"
SAFE = 0.5
"""Fraction of the longest stable step of Euler-Maruyama above which its distribution is visibly too wide."""


def _chooser(current: State) -> None:
    """The four views. Each has layers of its own, so another one begins with all that matter to it."""
    bound.show(CHOSEN, current.noise.process)
    texts = {name: tr(f"noise.processes.{name}") for name in PROCESSES}

    def switch() -> None:
        chosen = st.session_state[CHOSEN]
        if chosen in PROCESSES:
            state.change("noise", process=chosen, layers=SHOWN)

    st.segmented_control(
        tr("noise.process"),
        PROCESSES,
        format_func=texts.__getitem__,
        key=CHOSEN,
        on_change=bound.user_change(CHOSEN, switch),
        required=True,
        wrap=True,
    )


def controls(current: State) -> None:
    """What is shown, and its parameters."""
    _chooser(current)
    {"brownian": _brownian, "langevin": _langevin}.get(current.noise.process, _ou)(current)


def _brownian(current: State) -> None:
    bound.snap("noise", "grid", tr("noise.grid"), GRIDS)
    st.caption(tr("noise.grid_help"))


def _ou(current: State) -> None:
    bound.slide("noise", "theta", tr("noise.theta"), 0.1, MAX_THETA, 0.1)
    bound.slide("noise", "sigma", tr("noise.sigma"), 0.0, MAX_SIGMA, 0.1)
    bound.slide("noise", "time", tr("noise.time"), 0.5, 10.0, 0.5)
    if current.noise.process == "ou":
        bound.snap("noise", "em_steps", tr("noise.em_steps"), EM_STEPS)
    of = results.process(current.noise)
    st.caption(tr("noise.stationary", d=number(of.stationary_variance), relaxation=number(1.0 / of.theta)))


def _langevin(current: State) -> None:
    bound.choose("noise", "langevin_start", tr("noise.start"), STARTS, "noise.starts")
    bound.slide("noise", "langevin_sigma", tr("noise.sigma"), 0.0, MAX_SIGMA, 0.1)
    bound.snap("noise", "langevin_time", tr("noise.time"), HORIZONS)
    bound.snap("noise", "langevin_steps", tr("noise.langevin_steps"), LANGEVIN_STEPS)
    step = current.noise.langevin_time / current.noise.langevin_steps
    longest = results.dynamics(current.scene, current.noise).max_stable_step
    if step > SAFE * longest:
        st.warning(tr("noise.too_long", h=number(step), longest=number(longest)), icon=":material/explosion:")


def move_start(moved: Moved) -> None:
    """A dragged start: in the plane both coordinates, over time the first one."""
    _, y = state.current().noise.start
    if moved.name == "plane_start":
        state.change("noise", start=(moved.x, moved.y))
    elif moved.name == "start":
        state.change("noise", start=(moved.y, y))
