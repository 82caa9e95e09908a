"""Guidance: the guided field at work beside the distribution that it is said to sample."""

from fmviz.app import lesson, player, state
from fmviz.lessons.guidance.compute import results
from fmviz.lessons.guidance.page import charts, checks, controls, interval_map, learned
from fmviz.lessons.guidance.script import guidance_script
from fmviz.stage.events import Clicked

__all__ = ["show"]


def _click(clicked: Clicked) -> None:
    state.change("guidance", click=(clicked.x, clicked.y, min(1.0, max(0.0, clicked.t))))


def show() -> None:
    """Draws the page."""
    current = state.current()
    view = player.visit_view("guidance", "guidance")

    def payload() -> bytes:
        return results.payload(state.current(), view)

    lesson.opening("guidance", strip="guidance" if current.scene.gaussian_source else "guidance_general")
    player.player("guidance_stage", "guidance", payload, clicked=_click)
    lesson.controls(lambda: controls.controls(current))
    charts.charts(current)
    interval_map.section(current)
    learned.section(current)
    lesson.notice("guidance")
    lesson.check("guidance", lambda: checks.table(current))
    label = results.label_of(current.scene, current.guidance)
    lesson.code("guidance", lambda: guidance_script(current.scene, current.guidance, label))
