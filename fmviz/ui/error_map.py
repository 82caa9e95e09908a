"""Numerical against training error on the page Sample: a map computed in the background, shown cell by cell (T22)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from fmviz import scenes
from fmviz.charts.error_map import best_cell, difference_map, distance_map
from fmviz.clips import error_map as work
from fmviz.clips.clip import Floats
from fmviz.clips.error_map import Cell, MapPlan
from fmviz.errors import FmvizError
from fmviz.specs import Scene, State
from fmviz.ui import jobs, presence
from fmviz.ui.i18n import number, tr
from fmviz.ui.jobs import Job
from fmviz.ui.learned import Learned
from fmviz.ui.press import once
from fmviz.ui.theme import theme

__all__ = ["error_map"]

JOB, BUSY = "fmviz_error_map", "fmviz_error_map_busy"
EVERY = 0.8
"""Seconds between two looks while it is computed."""

Key = tuple[Scene, MapPlan, Learned | None]


def error_map(current: State, found: Learned | None) -> None:
    """The maps, the buttons, and what they say; drawn again by itself only while cells are being computed."""
    st.subheader(tr("sample.map.title"), anchor=False)
    st.markdown(tr("sample.map.claim"))
    key = _key(current, found)
    job = _job(key)
    with st.container(horizontal=True, vertical_alignment="center", key="map_buttons"):
        if job is not None and job.alive:
            what, icon, act = "cancel", ":material/stop:", job.cancel
        else:
            what, icon, act = "start" if job is None else "again", ":material/grid_on:", partial(_start, key)
        st.button(tr(f"sample.map.{what}"), icon=icon, on_click=once(act), key="map_button")
        if found is None:
            st.caption(tr("sample.map.exact_only"))
    if st.session_state.pop(BUSY, False):
        st.warning(tr("sample.map.busy"))
    if job is not None:
        live = job.alive
        st.fragment(_progress, run_every=EVERY if live else None)(job, key, live)


def _key(current: State, found: Learned | None) -> Key:
    """What a map depends on: not the sampler's steps, nor the amplitude, which are its axes."""
    scene = current.scene
    plain = Scene()
    kind = "constant" if scene.sigma == "zero" else scene.sigma
    plan = MapPlan(kind=kind, grid=current.sample.grid, seed_noise=scene.seed_noise)
    unseen = ("count", "seed_start", "seed_noise", "seed_network", "sigma", "amplitude")
    scored = found if found is not None and found.model.gaussian_source else None
    return scene.model_copy(update={name: getattr(plain, name) for name in unseen}), plan, scored


def _job(key: Key) -> Job[Cell] | None:
    """The map of this session, if it is the one that is asked for; another one is no longer wanted."""
    job: Job[Cell] | None = st.session_state.get(JOB)
    if job is not None and job.key != key:
        job.cancel()
        return None
    return job


def _start(key: Key) -> None:
    scene, plan, learned = key
    old: Job[Cell] | None = st.session_state.get(JOB)
    if old is not None:
        old.cancel()
    try:
        path = scenes.path(scene)
    except FmvizError:
        return  # the stage says why
    model = None if learned is None else learned.model
    job: Job[Cell] = Job(key, partial(work.cells, path, plan, model), present=presence.watch())
    if jobs.start(job):
        st.session_state[JOB] = job
    else:
        st.session_state[BUSY] = True


@lru_cache(maxsize=16)
def _floor(scene: Scene, plan: MapPlan) -> float:
    return work.noise_floor(scenes.path(scene), plan)


def _progress(job: Job[Cell], key: Key, live: bool) -> None:
    """The maps as far as they are; when the last cell of a `live` one has come the page follows, and this is still again."""
    now, found = job.look()
    scene, plan, learned = key
    done = sum(plan.steps[cell.column] for cell in found)
    if now in ("queued", "running"):
        st.progress(done / plan.work, text=tr(f"sample.map.{now}", done=len(found), all=plan.cells))
    elif now == "failed":
        st.error(tr("sample.map.failed", reason=str(job.error or "")), icon=":material/error:")
    elif now in ("cancelled", "abandoned"):
        st.caption(tr(f"sample.map.{now}", done=len(found), all=plan.cells))
    if found:
        _maps(scene, plan, learned is not None, found)
    if live and not job.alive:
        st.rerun()


def _maps(scene: Scene, plan: MapPlan, with_learned: bool, found: tuple[Cell, ...]) -> None:
    exact, learned = (np.full((len(plan.amplitudes), len(plan.steps)), np.nan, np.float32) for _ in range(2))
    for cell in found:
        exact[cell.row, cell.column] = cell.exact
        learned[cell.row, cell.column] = np.nan if cell.learned is None else cell.learned
    floor = _floor(scene, plan)
    if not with_learned:
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


def _map(draw: Callable[..., go.Figure], name: str, values: Floats, plan: MapPlan, floor: float) -> None:
    st.markdown(f"**{tr(f'sample.map.{name}')}**")
    axes = {"x_title": tr("sample.map.x"), "y_title": tr("sample.map.y")}
    figure = draw(values, plan.amplitudes, plan.steps, floor, theme(), **axes)
    config = {"displayModeBar": False, "scrollZoom": False}
    st.plotly_chart(figure, key=f"map_{name}", theme=None, alt=tr(f"sample.map.{name}_alt"), config=config)
    best = best_cell(values)
    if name != "gap" and best is not None:
        row, column = best
        values_at = {"a": f"{plan.amplitudes[row]:g}", "n": plan.steps[column], "d": number(float(values[row, column]))}
        st.caption(tr("sample.map.best", **values_at))
    elif name == "gap":
        st.caption(tr("sample.map.gap_claim"))
