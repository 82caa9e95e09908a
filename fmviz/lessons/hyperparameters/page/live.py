"""What moves while the cells are trained: progress, the stage, the map and the charts below it."""

from __future__ import annotations

import streamlit as st

from fmviz.app import player, state
from fmviz.lessons.hyperparameters.compute import numbers, pictures
from fmviz.lessons.hyperparameters.compute.plan import CellPlan, Plan, plan
from fmviz.lessons.hyperparameters.page import cells, charts, side, sweeps, words
from fmviz.stage.events import Clicked
from fmviz.stage.payload import View

__all__ = ["live"]

STAGE_EVERY, BELOW_EVERY = 0.8, 1.6
"""Seconds between two looks at a sweep. Whatever the page and the browser do, the training cannot."""


def live(asked: Plan, view: View) -> None:
    """Everything below the bar: the stage, and what is read below it, each at its own pace; then the pinned runs, which rest."""
    sweep = sweeps.shown(asked)
    moves = sweep is not None and sweep.live and not sweep.paused
    if not state.current().shell.present:
        side.stage_choice()
    st.fragment(_stage, run_every=STAGE_EVERY if moves else None)(asked, view)
    if not state.current().shell.present:
        st.fragment(_below, run_every=BELOW_EVERY if moves else None)(asked, moves)
        side.side_by_side(asked, cells.chosen(asked))


def _stage(asked: Plan, view: View) -> None:
    sweep = sweeps.shown(asked)
    if sweep is not None:
        sweep.touch()
    player.player("hyperparameters_stage", "hyperparameters", lambda: _picture(view), clicked=_click)


def _below(asked: Plan, moves: bool) -> None:
    cells.cells(asked, moves=moves)
    charts.charts(asked)


def _picture(view: View) -> bytes:
    if side.on_stage():
        return side.picture(view)
    now = state.current()
    asked = plan(now.scene, now.hyperparameters)  # of the state beside this one these are other cells
    found = sweeps.results(asked)
    titles = [_title(asked, cell, score) for cell, score in zip(asked.cells, numbers.scores(asked, found), strict=True)]
    return pictures.payload(asked, found, titles, now.scene.seed_start, view, now.shell.language)


def _title(asked: Plan, cell: CellPlan, score: numbers.Score) -> str:
    name = words.cell_name(asked, cell)
    if score.diverged:
        return f"{name}: ✕"
    return name if score.error != score.error else f"{name}: {words.percent(score.error)}"


def _click(clicked: Clicked) -> None:
    cells.take(lambda cell: pictures.panel_name(cell) == clicked.panel)
