"""Train: a network learns the field of the scene while one watches."""

import streamlit as st

from fmviz.app import lesson, player, tabs
from fmviz.app.i18n import tr
from fmviz.app.press import ignore_duplicate_press
from fmviz.learning import RunStatus
from fmviz.lessons.train.page import anatomy, bar, checks, exports, live, training
from fmviz.stage.payload import View

__all__ = ["show", "warm_up"]


def warm_up(_: View) -> None:
    """The processes that train."""
    training.warm_up()


def show() -> None:
    """Draws the page."""
    view = player.visit_view("train", "train", acknowledge=False)
    training.sync()
    run = training.status(heartbeat=True)
    lesson.opening("train")
    _lost(run)
    bar.bar(run)
    live.live(run, view)
    lesson.controls(bar.controls)
    exports.exports(run)
    anatomy.anatomy_of_a_step()
    lesson.notice("train")
    lesson.check("train", checks.table)
    lesson.code("train", exports.script, intro="train.export.script_help")


def _lost(run: RunStatus | None) -> None:
    """Says that the server no longer has the run of this tab, and offers to begin it again."""
    if run is None and tabs.lost():
        with st.container(horizontal=True, vertical_alignment="center", key="train_lost"):
            st.warning(tr("train.lost"), icon=":material/restart_alt:")
            st.button(tr("train.lost_start"), on_click=ignore_duplicate_press(training.start), key="train_lost_start")
