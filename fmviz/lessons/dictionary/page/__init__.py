"""Dictionary: two conventions of the literature, side by side."""

import streamlit as st

from fmviz.app import lesson, player, state
from fmviz.app.i18n import tr
from fmviz.lessons.dictionary.compute import results
from fmviz.lessons.dictionary.page import controls, curves, predictions

__all__ = ["show"]


def show() -> None:
    """Draws the page."""
    current = state.current()
    view = player.visit_view("dictionary", "dictionary")

    lesson.opening("dictionary")
    player.player(
        "dictionary_stage", "dictionary", lambda: results.payload(state.current(), view), clicked=controls.click
    )
    lesson.controls(lambda: controls.controls(current))
    if not current.shell.present:
        if not current.scene.gaussian_source:
            st.info(tr("dictionary.gaussian_only"), icon=":material/info:")
        predictions.table(current)
        curves.show(current)
        predictions.errors(current)
    lesson.notice("dictionary")
