"""What moves while a network trains: progress, stage, replay, charts. One fragment, rerun by a clock only while it runs."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from statistics import fmean

import streamlit as st

from fmviz.errors import FmvizError
from fmviz.learning import Evaluation, LearnedModel, Report, RunStatus, log_spaced
from fmviz.learning.runs import KEPT_SNAPSHOTS
from fmviz.stage.payload import View
from fmviz.ui import player, state, train_charts, train_stage, training
from fmviz.ui.i18n import number, tr

__all__ = ["live", "report"]

TICK, HEARTBEAT = 0.23, 3.0
"""Seconds between two pictures of a running training; between two signs of life of a paused one."""
RECENT = 16
"""Points of the loss history that the loss shown is the mean of."""


def live(run: RunStatus | None, view: View) -> None:
    """Everything below the controls. A paused run only hears that its owner is there."""
    moving = run is not None and run.state in ("queued", "running")
    st.fragment(_live, run_every=TICK if moving else None)(view, moving)
    if run is not None and run.state == "paused":
        st.fragment(_heartbeat, run_every=HEARTBEAT)()


def _heartbeat() -> None:
    run = training.status(touch=True)
    if run is None or run.state != "paused":
        st.rerun()


def _live(view: View, moving: bool) -> None:
    run = training.status(touch=True)
    if moving and (run is None or run.state not in ("queued", "running")):
        st.rerun()
    now = state.current()
    try:
        seen = training.shown(run, now.train.replay)
    except FmvizError as error:
        _progress(run)
        st.error(training.explain(error), icon=":material/error:")
        return

    def picture() -> bytes:
        here = state.current()
        return train_stage.payload(here.scene, seen.model, moving, view, here.shell.language)

    # Everything is worked out before anything is sent: what reaches the browser in one burst is rendered once.
    tables = None
    with suppress(FmvizError):  # the stage will say why
        picture()
        if not now.shell.present:
            measured = report(training.exact_answers(), seen.model)
            tables = train_charts.tables(run, (seen.step, measured), now.train.steps)
    _progress(run)
    player.player("train_stage", "train", picture)
    if now.shell.present:
        return
    _replay(run)
    if tables is not None:
        train_charts.charts(tables, now.train.steps, seen.model.predicts)


@lru_cache(maxsize=16)
def report(answers: Evaluation, model: LearnedModel) -> Report:
    """What `model` does on fixed draws."""
    return answers.report(model)


def _progress(run: RunStatus | None) -> None:
    refused = training.refusal()
    if refused is not None:
        st.error(training.explain(refused), icon=":material/error:")
    if run is None:
        steps = state.current().train.steps
        st.progress(0.0, text=tr("train.progress_none", steps=steps))
        return
    if run.state == "failed":
        st.error(training.explain(run.failure), icon=":material/error:")
    parts = [tr(f"train.state.{run.state}"), tr("train.progress_step", step=run.step, steps=run.steps)]
    if run.history:
        recent = [loss for _, loss in run.history[-RECENT:]]  # the same for the same step, however the turns fell
        parts.append(tr("train.progress_loss", loss=number(fmean(recent))))
    if run.steps_per_second > 0:
        parts.append(tr("train.progress_speed", speed=f"{run.steps_per_second:.0f}"))
    if run.eta_seconds is not None:
        parts.append(tr("train.progress_left", seconds=f"{run.eta_seconds:.0f}"))
    st.progress(min(1.0, run.step / run.steps), text=" · ".join(parts))


def _replay(run: RunStatus | None) -> None:
    """The training step on stage, over the log-spaced steps that are kept."""
    view = state.current().train
    steps = log_spaced(view.steps, KEPT_SNAPSHOTS)
    chosen = steps[-1] if view.replay is None else max((s for s in steps if s <= view.replay), default=0)
    st.session_state["train.replay"] = chosen
    st.select_slider(
        tr("train.replay"),
        steps,
        key="train.replay",
        disabled=run is None,
        help=tr("train.replay_help"),
        on_change=lambda: _replayed(steps),
    )


def _replayed(steps: tuple[int, ...]) -> None:
    chosen = st.session_state["train.replay"]
    state.change("train", replay=None if chosen == steps[-1] else chosen)
