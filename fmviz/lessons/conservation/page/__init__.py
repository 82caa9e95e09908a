"""Conservation: where probability comes from and goes to, term by term, and through the sides of a box."""

from fmviz.app import lesson, player, state
from fmviz.lessons.conservation.compute import results
from fmviz.lessons.conservation.page import checks, numbers, summary
from fmviz.lessons.conservation.script import conservation_script

__all__ = ["show"]


def show() -> None:
    """Draws the page."""
    current = state.current()
    view = player.visit_view("conservation", "conservation")
    lesson.opening("conservation")
    player.player(
        "conservation_stage",
        "conservation",
        lambda: results.payload(state.current(), view),
        moved=numbers.moved,
        boxed=numbers.boxed,
    )
    lesson.controls(lambda: numbers.controls(current.conservation))
    numbers.numbers(current)
    numbers.derivation(current)
    lesson.notice("conservation")
    lesson.check("conservation", lambda: checks.table(current))
    lesson.code("conservation", lambda: conservation_script(current.scene, current.conservation))
    summary.sheet(current)
