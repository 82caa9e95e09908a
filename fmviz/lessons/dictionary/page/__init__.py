"""Dictionary: two conventions of the literature, side by side."""

import streamlit as st

from fmviz.app import learned, lesson, player, state
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.app.network import Learned
from fmviz.lessons.dictionary.compute import results
from fmviz.lessons.dictionary.page import checks, controls, curves, predictions, steps, terms, ways
from fmviz.lessons.dictionary.script import dictionary_script, library_script

__all__ = ["show"]


def show() -> None:
    """Draws the page."""
    current = state.current()
    shown = current.dictionary.view
    span = results.span(current.dictionary)
    network = _network(current)
    view = player.visit_view(f"dictionary_{shown}", "dictionary", span=span)

    lesson.opening("dictionary")
    player.player(
        "dictionary_stage",
        "dictionary",
        lambda: results.payload(state.current(), view, _network(state.current())),
        clicked=controls.click,
        span=span,
    )
    lesson.controls(lambda: controls.controls(current))
    if not current.shell.present:
        if not current.scene.gaussian_source:
            st.info(tr("dictionary.gaussian_only"), icon=":material/info:")
        match shown:
            case "clocks":
                predictions.table(current)
                curves.show(current)
                predictions.errors(current)
            case "forward":
                learned.chooser(current.scene, network)
                ways.show(current, network)
            case "steps":
                steps.show(current)
    lesson.notice("dictionary")
    if not current.shell.present:
        terms.table(current)
    lesson.check("dictionary", lambda: checks.table(current))
    lesson.code("dictionary", lambda: dictionary_script(current.scene, current.dictionary))
    if not current.shell.present:
        _library(current)


def _network(chosen: State) -> Learned | None:
    """The network of this session for the scene, where a picture shows one."""
    return learned.latest(chosen.scene) if chosen.dictionary.view == "forward" else None


def _library(current: State) -> None:
    """The program in the words of convention A."""
    folded = st.expander(
        tr("dictionary.code_there"), icon=":material/translate:", on_change="rerun", key="code_dictionary_library"
    )
    if folded.open:
        with folded:
            st.caption(tr("dictionary.library_intro"))
            st.code(library_script(current.scene, current.dictionary), language="python")
