"""Numerical against training error on the page Sample: a map computed by helper processes, shown cell by cell (T22).

A map belongs to the network that it was begun with. While a run goes on training its map stays, and says of which step it
is; another run, another file or another scene wants another map.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from fmviz.app import measured, presence
from fmviz.app.catalogue import number
from fmviz.app.choices import State
from fmviz.app.explain import explain
from fmviz.app.i18n import tr
from fmviz.app.network import Learned
from fmviz.app.press import ignore_duplicate_press
from fmviz.app.theme import theme
from fmviz.charts.cells import best_cell
from fmviz.clips.clip import Floats
from fmviz.errors import FmvizError
from fmviz.lessons.sample.charts.error_map import Axes, difference_map, distance_map
from fmviz.lessons.sample.compute import results
from fmviz.lessons.sample.compute.error_map import ErrorMapSpec
from fmviz.scene import Scene, scenes
from fmviz.tasks.task import Task, UnforeseenError

__all__ = ["error_map"]

MAP, PRESSED = "fmviz_error_map", "fmviz_error_map_pressed"
EVERY = 0.8
"""Seconds between two updates while it is computed."""


@dataclass(frozen=True)
class Asked:
    """What a map depends on; equal for all steps of one run.

    Attributes:
        scene: without what is an axis of the map, or nothing to it.
        plan: the cells.
        network: the run or the file that the learned field comes from; None without one.
        learned: the network itself, at one step.
    """

    scene: Scene
    plan: ErrorMapSpec
    network: str | None
    learned: Learned | None = field(compare=False)


Place = tuple[int, int]
"""Row and column of a cell."""


@dataclass(eq=False)
class Map:
    """A map of this session, while it is computed and after.

    Attributes:
        asked: what it is of.
        found: the cells so far, of the exact field (False) and of the network (True).
        floor: once it is known.
        cancelled: whether its owner has had enough.
        error: why it cannot be computed.
    """

    asked: Asked
    found: dict[bool, dict[Place, float]] = field(default_factory=lambda: {False: {}, True: {}})
    floor: float | None = None
    cancelled: bool = False
    error: FmvizError | None = None

    @property
    def fields(self) -> tuple[bool, ...]:
        """Whose cells there are."""
        return (False,) if self.asked.learned is None else (False, True)

    @property
    def places(self) -> list[Place]:
        """All cells, the cheap ones first."""
        plan = self.asked.plan
        return [(row, column) for column in range(len(plan.steps)) for row in range(len(plan.amplitudes))]

    @property
    def done(self) -> list[Place]:
        """The cells that are whole."""
        return [place for place in self.places if all(place in self.found[whose] for whose in self.fields)]

    @property
    def live(self) -> bool:
        """Whether it is not at its end."""
        whole = self.floor is not None and len(self.done) == self.asked.plan.cells
        return not (whole or self.cancelled or self.error)

    def values(self, whose: bool) -> Floats:
        """The cells of one field, (rows, columns), without a number where there is none yet."""
        plan = self.asked.plan
        values = np.full((len(plan.amplitudes), len(plan.steps)), np.nan, np.float32)
        for place, value in self.found[whose].items():
            values[place] = value
        return values


def error_map(current: State, found: Learned | None) -> None:
    """The maps, the buttons, and what they say; drawn again by itself only while cells are being computed."""
    st.subheader(tr("sample.map.title"), anchor=False)
    st.markdown(tr("sample.map.claim"))
    asked = _asked(current, found)
    if st.session_state.pop(PRESSED, False):
        st.session_state[MAP] = Map(asked)
    shown: Map | None = st.session_state.get(MAP)
    if shown is not None and shown.asked != asked:
        shown = None
    with st.container(horizontal=True, vertical_alignment="center", key="map_buttons"):
        if shown is not None and shown.live:
            what, icon, act = "cancel", ":material/stop:", _cancel
        else:
            what, icon, act = "start" if shown is None else "again", ":material/grid_on:", _press
        st.button(tr(f"sample.map.{what}"), icon=icon, on_click=ignore_duplicate_press(act), key="map_button")
        if found is None:
            st.caption(tr("sample.map.exact_only"))
    if shown is not None:
        live = shown.live
        st.fragment(_progress, run_every=EVERY if live else None)(shown, asked.learned, live)


def _asked(current: State, found: Learned | None) -> Asked:
    """The map that this page would compute now: the sampler's steps and the amplitude are its axes."""
    scene = current.scene
    kind = "constant" if scene.sigma == "zero" else scene.sigma
    plan = ErrorMapSpec(kind=kind, grid=current.sample.grid, seed_noise=scene.seed_noise)
    scored = found if found is not None and found.model.gaussian_source else None
    return Asked(scenes.learned_part(scene), plan, None if scored is None else scored.stamp[0], scored)


def _press() -> None:
    """Asks the next run of the page to start the map, so that its network is the one that the page shows."""
    st.session_state[PRESSED] = True


def _cancel() -> None:
    st.session_state[MAP].cancelled = True


def _advance(shown: Map) -> bool:
    """Asks for what is missing, and takes what has come; whether any of it is being computed."""
    asked, there, running = shown.asked, presence.connection_check(), False

    def take(found: float | Task[float] | None) -> float | None:
        nonlocal running
        if isinstance(found, Task):
            running |= found.state == "running"
            shown.error = shown.error or found.error
            return None
        return found

    if shown.floor is None:
        shown.floor = take(measured.ask(results.noise_floor, asked.scene, asked.plan, present=there))
    for place in shown.places:
        for whose in shown.fields:
            if place in shown.found[whose]:
                continue
            if whose:
                of_network = (asked.scene, asked.plan, asked.learned, *place)
                value = take(measured.ask_once(results.learned_cell, *of_network, present=there))
            else:
                value = take(measured.ask(results.exact_cell, asked.scene, asked.plan, *place, present=there))
            if value is not None:
                shown.found[whose][place] = value
            if shown.error is not None:
                return False
    return running


def _progress(shown: Map, now: Learned | None, live: bool) -> None:
    """The maps as far as they are; when the last cell of a `live` one has come the page follows, and this is still again.

    `now` is the network on the page, the same or a later step of the one that the map was begun with.
    """
    running = shown.live and _advance(shown)
    plan, done = shown.asked.plan, shown.done
    if shown.live:
        state = "running" if running or done else "queued"
        fraction = sum(plan.steps[column] for _, column in done) / plan.work
        st.progress(fraction, text=tr(f"sample.map.{state}", done=len(done), all=plan.cells))
    elif isinstance(shown.error, UnforeseenError):
        st.error(tr("sample.map.failed_unforeseen"), icon=":material/error:")
    elif shown.error is not None:
        st.error(tr("sample.map.failed", reason=explain(shown.error)), icon=":material/error:")
    elif shown.cancelled:
        st.caption(tr("sample.map.cancelled", done=len(done), all=plan.cells))
    if shown.asked.learned is not None and now is not None:
        step = shown.asked.learned.step
        text = "sample.map.of_step" if now.step == step else "sample.map.of_earlier"
        st.caption(tr(text, step=step, now=now.step))
    if done and shown.floor is not None:
        _maps(shown, shown.floor)
    if live and not shown.live:
        st.rerun()


def _maps(shown: Map, floor: float) -> None:
    plan, exact, learned = shown.asked.plan, shown.values(False), shown.values(True)
    if shown.asked.learned is None:
        left, _ = st.columns([2, 1])
        with left:
            _map(distance_map, "exact", exact, plan, floor)
    else:
        columns = st.columns(3, gap="small")
        with np.errstate(invalid="ignore"):
            difference = learned - exact
        for column, (draw, name, values) in zip(
            columns,
            ((distance_map, "exact", exact), (distance_map, "learned", learned), (difference_map, "gap", difference)),
            strict=True,
        ):
            with column:
                _map(draw, name, values, plan, floor)
    st.caption(tr("sample.map.how", n=plan.count, floor=number(floor), sigma=tr(f"sigma.{plan.kind}")))


def _map(draw: Callable[..., go.Figure], name: str, values: Floats, plan: ErrorMapSpec, floor: float) -> None:
    st.markdown(f"**{tr(f'sample.map.{name}')}**")
    axes = Axes(plan.amplitudes, plan.steps, tr("sample.map.x"), tr("sample.map.y"))
    figure = draw(values, axes, floor, theme())
    config = {"displayModeBar": False, "scrollZoom": False}
    st.plotly_chart(figure, key=f"map_{name}", theme=None, alt=tr(f"sample.map.{name}_alt"), config=config)
    best = best_cell(values)
    if name != "gap" and best is not None:
        row, column = best
        values_at = {"a": f"{plan.amplitudes[row]:g}", "n": plan.steps[column], "d": number(float(values[row, column]))}
        st.caption(tr("sample.map.best", **values_at))
    elif name == "gap":
        st.caption(tr("sample.map.gap_claim"))
