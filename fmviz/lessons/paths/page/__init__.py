"""Probability paths: conditional and marginal side by side, under one clock."""

from fmviz.app import clips, lesson, player, state
from fmviz.lessons.paths.page import checks, views
from fmviz.scene.code import paths_script

__all__ = ["show"]


def show() -> None:
    """Draws the page."""
    current = state.current()
    view = player.visit_view("paths", "paths")

    def payload() -> bytes:
        now = state.current()
        z = clips.conditional_point(now.scene, now.paths.z)
        return clips.paths_payload(now.scene, z, now.paths.click, view, now.shell.language, draft=player.draft())

    lesson.opening("paths", general_source=not current.scene.gaussian_source)
    player.player("paths_stage", "paths", payload)
    views.charts(current)
    lesson.notice("paths")
    lesson.check("paths", lambda: checks.table(current.scene))
    lesson.code("paths", lambda: paths_script(current.scene, current.paths))
