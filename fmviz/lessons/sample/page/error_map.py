"""Numerical against training error on the page Sample: a map computed in the background, shown cell by cell (T22).

A map belongs to the network that it was begun with. While a run goes on training its map stays, and says of which step it
is; another run, another file or another scene wants another map.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from fmviz.app import jobs, presence
from fmviz.app.catalogue import number
from fmviz.app.choices import State
from fmviz.app.explain import explain
from fmviz.app.i18n import tr
from fmviz.app.jobs import Job
from fmviz.app.network import Learned
from fmviz.app.press import ignore_duplicate_press
from fmviz.app.theme import theme
from fmviz.cache import shared
from fmviz.clips.clip import Floats
from fmviz.errors import FmvizError
from fmviz.lessons.sample.charts.error_map import Axes, best_cell, difference_map, distance_map
from fmviz.lessons.sample.compute import error_map as work
from fmviz.lessons.sample.compute.error_map import Cell, ErrorMapSpec
from fmviz.scene import Scene, scenes

__all__ = ["error_map"]

JOB, PRESSED = "fmviz_error_map", "fmviz_error_map_pressed"
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


def error_map(current: State, found: Learned | None) -> None:
    """The maps, the buttons, and what they say; drawn again by itself only while cells are being computed."""
    st.subheader(tr("sample.map.title"), anchor=False)
    st.markdown(tr("sample.map.claim"))
    asked = _asked(current, found)
    pressed = st.session_state.pop(PRESSED, False)
    refused = pressed and not _start(asked)
    job = _job(asked)
    with st.container(horizontal=True, vertical_alignment="center", key="map_buttons"):
        if job is not None and job.alive:
            what, icon, act = "cancel", ":material/stop:", job.cancel
        else:
            what, icon, act = "start" if job is None else "again", ":material/grid_on:", _press
        st.button(tr(f"sample.map.{what}"), icon=icon, on_click=ignore_duplicate_press(act), key="map_button")
        if found is None:
            st.caption(tr("sample.map.exact_only"))
    if refused:
        st.warning(tr("sample.map.busy"))
    if job is not None:
        live = job.alive
        st.fragment(_progress, run_every=EVERY if live else None)(job, asked.learned, live)


def _asked(current: State, found: Learned | None) -> Asked:
    """The map that this page would compute now: the sampler's steps and the amplitude are its axes."""
    scene = current.scene
    kind = "constant" if scene.sigma == "zero" else scene.sigma
    plan = ErrorMapSpec(kind=kind, grid=current.sample.grid, seed_noise=scene.seed_noise)
    scored = found if found is not None and found.model.gaussian_source else None
    return Asked(scenes.learned_part(scene), plan, None if scored is None else scored.stamp[0], scored)


def _job(asked: Asked) -> Job[Asked, Cell] | None:
    """The map of this session, if it is the one that is asked for; another one is no longer wanted."""
    job: Job[Asked, Cell] | None = st.session_state.get(JOB)
    if job is not None and job.key != asked:
        job.cancel()
        return None
    return job


def _press() -> None:
    """Asks the next run of the page to start the map, so that its network is the one that the page shows."""
    st.session_state[PRESSED] = True


def _start(asked: Asked) -> bool:
    """Begins the map in place of the old one; False if too many of other sessions are waiting."""
    old: Job[Asked, Cell] | None = st.session_state.get(JOB)
    if old is not None:
        old.cancel()
    try:
        path = scenes.path(asked.scene)
    except FmvizError:
        return True  # the stage says why
    model = None if asked.learned is None else asked.learned.model
    job: Job[Asked, Cell] = Job(
        asked, partial(work.cells, path, asked.plan, model), present=presence.connection_check()
    )
    if not jobs.start(job):
        return False
    st.session_state[JOB] = job
    return True


@shared
def _floor(scene: Scene, plan: ErrorMapSpec) -> float:
    return work.noise_floor(scenes.path(scene), plan)


def _progress(job: Job[Asked, Cell], shown: Learned | None, live: bool) -> None:
    """The maps as far as they are; when the last cell of a `live` one has come the page follows, and this is still again.

    `shown` is the network on the page, the same or a later step of the one that the map was begun with.
    """
    now, found = job.look()
    plan = job.key.plan
    done = sum(plan.steps[cell.column] for cell in found)
    if now in ("queued", "running"):
        st.progress(done / plan.work, text=tr(f"sample.map.{now}", done=len(found), all=plan.cells))
    elif now == "failed":
        unforeseen = job.error is None
        text = tr("sample.map.failed_unforeseen") if unforeseen else tr("sample.map.failed", reason=explain(job.error))
        st.error(text, icon=":material/error:")
    elif now in ("cancelled", "abandoned"):
        st.caption(tr(f"sample.map.{now}", done=len(found), all=plan.cells))
    if job.key.learned is not None and shown is not None:
        step = job.key.learned.step
        text = "sample.map.of_step" if shown.step == step else "sample.map.of_earlier"
        st.caption(tr(text, step=step, now=shown.step))
    if found:
        _maps(job.key, found)
    if live and not job.alive:
        st.rerun()


def _maps(asked: Asked, found: tuple[Cell, ...]) -> None:
    plan = asked.plan
    exact, learned = (np.full((len(plan.amplitudes), len(plan.steps)), np.nan, np.float32) for _ in range(2))
    for cell in found:
        exact[cell.row, cell.column] = cell.exact
        learned[cell.row, cell.column] = np.nan if cell.learned is None else cell.learned
    floor = _floor(asked.scene, plan)
    if asked.learned is None:
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
