"""Above the stage: how much it is, how long it will take, Start, Pause and Cancel."""

from __future__ import annotations

from functools import partial

import streamlit as st

from fmviz.app import measured, state
from fmviz.app.i18n import tr
from fmviz.app.press import ignore_duplicate_press
from fmviz.learning.cluster_pool import ClusterPool
from fmviz.lessons.hyperparameters.compute.plan import Job, Plan
from fmviz.lessons.hyperparameters.compute.running import Sweep
from fmviz.lessons.hyperparameters.compute.timing import Shape, job_seconds, job_shape
from fmviz.lessons.hyperparameters.page import sweeps, words

__all__ = ["EVERY", "bar"]

HEIGHT = 40
EVERY = 0.7
"""Seconds between two looks at a sweep."""
KNOWN = 0.1
"""The part of a sweep after which its own pace says how long it will take."""


def bar(plan: Plan) -> None:
    """What the page begins with."""
    _bar(plan)
    _cluster(plan)


def _bar(plan: Plan) -> None:
    """One row: the button, and what it will do."""
    sweep = sweeps.shown(plan)
    left = sweeps.unfinished(plan)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="hyper_bar"):
        if sweep is not None and sweep.live:
            name, icon, act = "cancel", ":material/stop:", partial(sweeps.cancel, plan)
        else:
            name = "go_on" if 0 < len(left) < len(plan.jobs) else "start"
            icon, act = ":material/play_arrow:", partial(sweeps.start, plan)
        st.button(
            tr(f"hyperparameters.{name}"),
            icon=icon,
            type="primary",
            on_click=ignore_duplicate_press(act),
            disabled=not left,
            key="hyper_go",
        )
        if sweep is not None and sweep.live:
            _pause(plan, sweep)
            with st.container(width=420):
                st.fragment(_progress, run_every=None if sweep.paused else EVERY)(plan, sweep)
            return
        if sweep is not None and sweep.cancelled:
            st.caption(
                tr("hyperparameters.cancelled", done=len(plan.jobs) - len(left), all=len(plan.jobs)), width="content"
            )
        if state.current().shell.present:
            return
        if not left:
            st.caption(tr("hyperparameters.all_done", cells=len(plan.cells), runs=len(plan.jobs)), width="content")
        else:
            measured.show("hyper_time", job_seconds, _shapes(plan), draw=partial(_said, plan, left), height=HEIGHT)


def _cluster(plan: Plan) -> None:
    """Which cluster trains, or that it does not; nothing where this server has none."""
    there, sweep = sweeps.cluster(), sweeps.shown(plan)
    if there is not None and not state.current().shell.present:
        moves = there.state == "connecting" or (sweep is not None and sweep.live and not sweep.paused)
        st.fragment(_about, run_every=EVERY if moves else None)(there, there.state)


def _about(there: ClusterPool, drawn: str) -> None:
    if there.state != drawn:
        st.rerun()
    if drawn == "away":
        st.warning(tr("hyperparameters.cluster.away"), icon=":material/cloud_off:")
    else:
        st.caption(tr(f"hyperparameters.cluster.{drawn}", n=there.threads))


def _pause(plan: Plan, sweep: Sweep) -> None:
    if sweep.paused:
        name, icon, act = "resume", ":material/play_arrow:", sweeps.resume
    else:
        name, icon, act = "pause", ":material/pause:", sweeps.pause
    st.button(
        tr(f"hyperparameters.{name}"),
        icon=icon,
        on_click=ignore_duplicate_press(partial(act, plan)),
        key="hyper_pause",
        help=tr(f"hyperparameters.{name}_help"),
    )


def _progress(plan: Plan, sweep: Sweep) -> None:
    """How far it is, and for how long it will still go on; when it has ended the page follows."""
    if not sweep.live:
        st.rerun()
    fresh, found = sweep.fresh, sweep.results()
    ended = sum(job in found and found[job].ended for job in fresh)
    cost = _expected(plan)
    whole = sum(cost.get(job, 1.0) for job in fresh)
    done = sum(
        cost.get(job, 1.0) * (1.0 if found[job].ended else found[job].step / job[1].steps)
        for job in fresh
        if job in found
    )
    share = min(1.0, done / whole)
    left = (
        sweep.seconds * (1.0 - share) / share
        if share > KNOWN
        else (whole - done) / sweeps.processes()
        if cost
        else None
    )
    state_of = "paused" if sweep.paused else "running"
    text = tr(f"hyperparameters.{state_of}", done=ended, all=len(fresh))
    if left is not None:
        text = tr(f"hyperparameters.{state_of}_left", done=ended, all=len(fresh), time=words.seconds(left))
    st.progress(share, text=text)


def _shapes(plan: Plan) -> tuple[Shape, ...]:
    return tuple(dict.fromkeys(job_shape(job) for job in plan.jobs))


def _expected(plan: Plan) -> dict[Job, float]:
    """Seconds for each run on one core; nothing before they have been measured."""
    shapes = _shapes(plan)
    found = job_seconds.kept(shapes)
    if found is None:
        return {}
    of_shape = dict(zip(shapes, found, strict=True))
    return {job: of_shape[job_shape(job)] for job in plan.jobs}


def _said(plan: Plan, left: tuple[Job, ...], found: tuple[float, ...]) -> None:
    of_shape = dict(zip(_shapes(plan), found, strict=True))
    whole = sum(of_shape[job_shape(job)] for job in left) / sweeps.processes()
    there = sweeps.cluster()
    where = "will_there" if there is not None and there.threads else "will"
    st.caption(
        tr(f"hyperparameters.{where}", cells=len(plan.cells), runs=len(left), time=words.seconds(whole)),
        width="content",
        help=tr("hyperparameters.will_help"),
    )
