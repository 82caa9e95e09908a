"""What moves while the cells are trained: progress, the stage, the map and the charts below it."""

from __future__ import annotations

import streamlit as st

from fmviz.app import player, state
from fmviz.lessons.hyperparameters.compute import numbers, pictures
from fmviz.lessons.hyperparameters.compute.plan import CellPlan, Plan, plan
from fmviz.lessons.hyperparameters.page import bar, cells, charts, sweeps, words
from fmviz.stage.events import Clicked
from fmviz.stage.payload import View

__all__ = ["live"]


def live(asked: Plan, view: View) -> None:
    """Everything below the bar."""
    sweep = sweeps.shown(asked)
    moves = sweep is not None and sweep.live
    st.fragment(_live, run_every=bar.EVERY if moves else None)(asked, view, moves)


def _live(asked: Plan, view: View, moves: bool) -> None:
    sweep = sweeps.shown(asked)
    if sweep is not None:
        sweep.touch()
    if moves and (sweep is None or not sweep.live):
        st.rerun()
    player.player("hyperparameters_stage", "hyperparameters", lambda: _picture(view), clicked=_click)
    if state.current().shell.present:
        return
    cells.cells(asked, moves=moves)
    charts.charts(asked)


def _picture(view: View) -> bytes:
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
    column, row = clicked.panel.removeprefix("cell").split("_")
    cells.take((int(column), int(row)))
