"""Guidance on an interval: a map of end-point distances, computed by helper processes and shown cell by cell."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np
import streamlit as st

from fmviz.app import measured, presence, state
from fmviz.app.catalogue import number
from fmviz.app.choices import State
from fmviz.app.explain import explain
from fmviz.app.i18n import tr
from fmviz.app.press import ignore_duplicate_press
from fmviz.app.theme import theme
from fmviz.charts.cells import best_cell
from fmviz.clips.clip import Floats
from fmviz.errors import FmvizError
from fmviz.lessons.guidance.charts.interval_map import interval_map
from fmviz.lessons.guidance.compute import interval, results
from fmviz.lessons.guidance.compute.interval import TIMES, IntervalPlan
from fmviz.scene import Scene, scenes
from fmviz.tasks.task import Task

__all__ = ["section"]

MAP = "fmviz_interval_map"
EVERY = 0.8
"""Seconds between two updates while it is computed."""
Place = tuple[int, int]
"""Positions of the ends of an interval in `TIMES`."""


@dataclass(eq=False)
class Map:
    """A map of this session, while it is computed and after.

    Attributes:
        scene: without what is nothing to the map.
        plan: label and scale.
        found: the cells so far.
        floor: once it is known.
        cancelled: whether its owner has had enough.
        error: why it cannot be computed.
    """

    scene: Scene
    plan: IntervalPlan
    found: dict[Place, float] = field(default_factory=dict)
    floor: float | None = None
    cancelled: bool = False
    error: FmvizError | None = None

    @property
    def live(self) -> bool:
        """Whether it is not at its end."""
        whole = self.floor is not None and len(self.found) == len(self.plan.pairs)
        return not (whole or self.cancelled or self.error)

    def values(self) -> Floats:
        """The cells, rows t_hi and columns t_lo, without a number where there is none."""
        values = np.full((len(TIMES), len(TIMES)), np.nan, np.float32)
        for (low, high), value in self.found.items():
            values[high, low] = value
        return values


def section(current: State) -> None:
    """The map, its button and what it says, in an expander."""
    if current.shell.present:
        return
    expander = st.expander(
        tr("guidance.map.title"), icon=":material/grid_on:", on_change="rerun", key="guidance_interval_map"
    )
    if not expander.open:
        return
    which = results.chosen(current.scene, current.guidance)
    scene, plan = scenes.learned_part(current.scene), IntervalPlan(which.label, which.scale)
    with expander:
        st.markdown(tr("guidance.map.claim", y=which.label, w=f"{which.scale:g}"))
        shown: Map | None = st.session_state.get(MAP)
        if shown is not None and (shown.scene, shown.plan) != (scene, plan):
            shown = None
        if shown is not None and shown.live:
            name, icon, act = "cancel", ":material/stop:", _cancel
        else:
            name, icon = "start" if shown is None else "again", ":material/grid_on:"
            act = partial(_start, scene, plan)
        st.button(
            tr(f"guidance.map.{name}"), icon=icon, on_click=ignore_duplicate_press(act), key="guidance_map_button"
        )
        if shown is not None:
            live = shown.live
            st.fragment(_progress, run_every=EVERY if live else None)(shown, live)


def _start(scene: Scene, plan: IntervalPlan) -> None:
    st.session_state[MAP] = Map(scene, plan)


def _cancel() -> None:
    st.session_state[MAP].cancelled = True


def _advance(shown: Map) -> None:
    """Asks for what is missing, and takes what has come."""
    there = presence.connection_check()

    def take(found: float | Task[float] | None) -> float | None:
        if isinstance(found, Task):
            shown.error = shown.error or found.error
            return None
        return found

    if shown.floor is None:
        shown.floor = take(measured.ask(results.interval_floor, shown.scene, shown.plan.label, present=there))
    for place in shown.plan.pairs:
        if place not in shown.found and shown.error is None:
            value = take(measured.ask(results.interval_cell, shown.scene, shown.plan, *place, present=there))
            if value is not None:
                shown.found[place] = value


def _progress(shown: Map, live: bool) -> None:
    """The map as far as it is; when the last cell of a `live` one has come the page follows."""
    if shown.live:
        _advance(shown)
    done, everything = len(shown.found), len(shown.plan.pairs)
    if shown.live:
        st.progress(done / everything, text=tr("guidance.map.running", done=done, all=everything))
    elif shown.error is not None:
        st.error(tr("guidance.map.failed", reason=explain(shown.error)), icon=":material/error:")
    elif shown.cancelled:
        st.caption(tr("guidance.map.ended", done=done, all=everything))
    if done and shown.floor is not None:
        _map(shown.values(), shown.floor)
    if live and not shown.live:
        st.rerun()


def _map(values: Floats, floor: float) -> None:
    figure = interval_map(values, TIMES, floor, theme(), x=tr("guidance.map.x"), y=tr("guidance.map.y"))
    config = {"displayModeBar": False, "scrollZoom": False}
    with st.container(width=480):
        st.plotly_chart(figure, key="guidance_map", theme=None, alt=tr("guidance.map.alt"), config=config)
    best = best_cell(values)
    if best is not None:
        high, low = best
        ends = {"low": f"{TIMES[low]:g}", "high": f"{TIMES[high]:g}"}
        st.markdown(tr("guidance.map.best", **ends, d=number(float(values[best])), floor=number(floor)))
        st.button(
            tr("guidance.map.take"),
            icon=":material/timeline:",
            key="guidance_map_take",
            on_click=partial(_take, (TIMES[low], TIMES[high])),
        )
    st.caption(tr("guidance.map.how", n=interval.COUNT))


def _take(chosen: tuple[float, float]) -> None:
    state.change("guidance", interval=chosen)
