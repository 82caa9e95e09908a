"""Start: a path that moves, and the way into the lessons."""

import streamlit as st

from fmviz.app import lesson, player, state
from fmviz.app.i18n import tr
from fmviz.clips.paths import SIMULATED
from fmviz.lessons import LESSONS
from fmviz.lessons.start import compute
from fmviz.scene import Scene
from fmviz.stage.payload import View

__all__ = ["show", "warm_up"]


def warm_up(view: View) -> None:
    """The picture of the default scene."""
    compute.payload(Scene(), view, "en")


def show() -> None:
    """Draws the page."""
    current = state.current()
    view = player.visit_view("start", "path")
    lesson.opening("start")
    player.player(
        "start_stage",
        "path",
        lambda: compute.payload(
            state.current().scene, view, current.shell.language, player.sent("path", SIMULATED), draft=player.draft()
        ),
    )
    if not current.shell.present:
        _cards()
    lesson.notice("start")
    if not current.shell.present:
        st.caption(tr("start.how"))


def _cards() -> None:
    """The way into the lessons."""
    st.subheader(tr("start.lessons"), anchor=False)
    with st.grid("auto", min_column_width=280):
        for other in LESSONS[1:]:
            with st.container(border=True, height="stretch"):
                st.markdown(f"**{tr(f'{other.name}.nav')}**")
                st.markdown(tr(f"{other.name}.card"))
                st.page_link(other.file, label=tr("start.open"), icon=":material/arrow_forward:")
