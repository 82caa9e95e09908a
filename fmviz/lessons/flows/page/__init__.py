"""Flows: vector fields, the exact flow, and what a solver's steps make of it."""

from fmviz.app import lesson, player, state
from fmviz.lessons.flows.compute import results
from fmviz.lessons.flows.page import checks, controls, orders
from fmviz.lessons.flows.script import flows_script

__all__ = ["show", "warm_up"]

warm_up = results.warm_up


def show() -> None:
    """Draws the page."""
    current = state.current()
    view = player.visit_view("flows", "flows")

    lesson.opening("flows")
    player.player(
        "flows_stage",
        "flows",
        lambda: results.payload(state.current(), view),
        moved=controls.move,
        clicked=controls.launch,
    )
    lesson.controls(lambda: controls.controls(current))
    orders.errors(current)
    lesson.notice("flows")
    lesson.check("flows", lambda: checks.table(current))
    lesson.code("flows", lambda: flows_script(current.scene, current.flows))
