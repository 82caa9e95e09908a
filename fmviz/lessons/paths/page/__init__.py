"""Probability paths: conditional and marginal side by side, under one clock."""

from fmviz.app import lesson, player, state
from fmviz.app.clips import conditional_point
from fmviz.clips.paths import SIMULATED
from fmviz.lessons.paths.compute import results
from fmviz.lessons.paths.page import checks, views
from fmviz.lessons.paths.script import paths_script
from fmviz.scene import Scene
from fmviz.stage.events import Clicked
from fmviz.stage.payload import View

__all__ = ["show", "warm_up"]


def warm_up(view: View) -> None:
    """The picture of the default scene."""
    results.payload(Scene(), conditional_point(Scene(), None), None, view, "en")


def _click(clicked: Clicked) -> None:
    state.change("paths", click=(clicked.x, clicked.y, min(1.0, max(0.0, clicked.t))))


def show() -> None:
    """Draws the page."""
    current = state.current()
    view = player.visit_view("paths", "path")

    def payload() -> bytes:
        now = state.current()
        z = conditional_point(now.scene, now.path.z)
        return results.payload(
            now.scene,
            z,
            now.paths.click,
            view,
            now.shell.language,
            player.sent("path", SIMULATED),
            draft=player.draft(),
        )

    lesson.opening("paths", general_source=not current.scene.gaussian_source)
    player.player("paths_stage", "path", payload, clicked=_click)
    views.charts(current)
    lesson.notice("paths")
    lesson.check("paths", lambda: checks.table(current.scene))
    lesson.code("paths", lambda: paths_script(current.scene, current.paths))
