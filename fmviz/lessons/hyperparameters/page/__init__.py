"""Hyperparameters: a grid of trainings, measured against the exact field, as small pictures and as a map."""

from __future__ import annotations

import streamlit as st

from fmviz.app import lesson, player, state
from fmviz.errors import FmvizError
from fmviz.lessons.hyperparameters.compute.plan import plan
from fmviz.lessons.hyperparameters.page import bar, checks, controls, live, words
from fmviz.lessons.hyperparameters.page.sweeps import sync
from fmviz.lessons.hyperparameters.script import sweep_script

__all__ = ["show"]


def show() -> None:
    """Draws the page."""
    current = state.current()
    view = player.visit_view("hyperparameters", "hyperparameters", acknowledge=False)
    lesson.opening("hyperparameters")
    try:
        asked = plan(current.scene, current.hyperparameters)
    except FmvizError as error:
        st.error(words.explained(error), icon=":material/error:")
    else:
        sync(asked)
        bar.bar(asked)
        live.live(asked, view)
    lesson.controls(controls.controls)
    lesson.notice("hyperparameters")
    lesson.check("hyperparameters", checks.table)
    lesson.code("hyperparameters", lambda: sweep_script(current.scene, current.hyperparameters))
