"""Start: a path that moves, and the way into the lessons."""

import streamlit as st

from fmviz.app import clips, lesson, player, state
from fmviz.app.i18n import tr

__all__ = ["show"]


def show() -> None:
    """Draws the page."""
    current = state.current()
    view = player.visit_view("start", "paths")
    lesson.opening("start")
    player.player(
        "start_stage",
        "paths",
        lambda: clips.marginal_payload(state.current().scene, view, current.shell.language, draft=player.draft()),
    )
    lesson.cards()
    lesson.notice("start")
    if not current.shell.present:
        st.caption(tr("start.how"))
