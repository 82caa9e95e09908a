"""What moves while a network trains: progress, stage, replay, charts.

The browser fetches what is new by itself (`fmviz.lessons.train.page.feed`). A clock only reports that the user is still
there, and takes over, slowly, where the feed does not reach the browser.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import streamlit as st

from fmviz.app import bound, player, state
from fmviz.app.i18n import tr
from fmviz.clips.learned import LIVE, STILL, UNTRAINED
from fmviz.errors import FmvizError
from fmviz.learning import RunStatus
from fmviz.learning.runs import snapshot_steps
from fmviz.lessons.train.compute import results
from fmviz.lessons.train.page import charts, feed, training
from fmviz.lessons.train.page.progress import FEED_NAME, progress
from fmviz.scene import scenes
from fmviz.stage.payload import View

__all__ = ["live"]

HEARTBEAT = 2.0
"""Seconds between two signs of life of a page whose run is not over."""


def live(run: RunStatus | None, view: View) -> None:
    """Everything below the controls."""
    moves = feed.moving(run)
    st.fragment(_live)(replace(view, feed=FEED_NAME) if moves else view, moves)
    if run is not None and run.alive:
        st.fragment(_heartbeat, run_every=HEARTBEAT)(moves)


def _heartbeat(shown_moving: bool) -> None:
    """Says that the owner is there, and has the page follow where the browser does not: no elements, so it costs little."""
    run = training.status(heartbeat=True)
    moves = feed.moving(run)
    if moves != shown_moving or (moves and feed.silent()):
        st.rerun()


def _live(view: View, moves: bool) -> None:
    run = training.status(heartbeat=True)
    if moves and not feed.moving(run):
        st.rerun()
    now = state.current()
    try:
        seen = training.shown(run, now.train)
    except FmvizError as error:
        _progress(run, None)
        st.error(training.explain(error), icon=":material/error:")
        return

    def picture() -> bytes:
        here = state.current()
        # Of the state beside this one it is another network.
        network = seen if here.train == now.train else training.shown(training.status(), here.train)
        finest = LIVE if moves else UNTRAINED if network.step == 0 else STILL
        return results.payload(here.scene, network.model, finest, view, here.shell.language)

    # Everything is worked out before anything is sent: what reaches the browser in one burst is rendered once.
    tables = None
    with suppress(FmvizError):  # the stage will say why
        picture()
    with suppress(FmvizError):  # what has no picture may still have losses
        if not now.shell.present:
            scene = scenes.learned_part(now.scene)
            reports = training.reports(run, now.train, scene), (seen.step, training.report(scene, seen.model))
            tables = charts.tables(run, *reports, now.train.steps, now.shell.language)
    _progress(run, feed.served(run, view) if moves and run is not None else None)
    player.player("train_stage", "train", picture)
    if now.shell.present:
        return
    _replay(run)
    if tables is not None:
        charts.charts(tables, now.train, seen.model.predicts)


def _progress(run: RunStatus | None, feed: str | None) -> None:
    refused = training.refusal()
    if refused is not None:
        st.error(training.explain(refused), icon=":material/error:")
    if run is not None and run.state == "failed":
        st.error(training.explain(run.failure), icon=":material/error:")
    now = state.current()
    progress(run, now.train.steps, now.shell.language, feed)


def _replay(run: RunStatus | None) -> None:
    """The training step on stage, over the log-spaced steps that are kept."""
    view = state.current().train
    steps = snapshot_steps(scenes.path(state.current().scene), training.run_spec())
    chosen = steps[-1] if view.replay is None else max((s for s in steps if s <= view.replay), default=0)
    st.select_slider(
        tr("train.replay"),
        steps,
        **bound.slider_value("train.replay", chosen, *steps),
        disabled=run is None,
        help=tr("train.replay_help"),
        on_change=lambda: _replayed(steps),
    )


def _replayed(steps: tuple[int, ...]) -> None:
    chosen = st.session_state["train.replay"]
    state.change("train", replay=None if chosen == steps[-1] else chosen)
