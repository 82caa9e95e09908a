"""Noise: Brownian motion, Ornstein–Uhlenbeck, Euler–Maruyama and Langevin dynamics."""

from fmviz.app import lesson, player, state
from fmviz.lessons.noise.compute import results
from fmviz.lessons.noise.page import checks, controls, evidence
from fmviz.lessons.noise.script import noise_script

__all__ = ["show"]


def show() -> None:
    """Draws the page."""
    current = state.current()
    process = current.noise.process
    span = results.span(current.noise)
    view = player.visit_view(f"noise_{process}", "noise", span=span)

    lesson.opening("noise", strip=f"noise_{process}")
    player.player(
        "noise_stage",
        "noise",
        lambda: results.payload(state.current(), view),
        moved=controls.move_start,
        span=span,
    )
    lesson.controls(lambda: controls.controls(current))
    if not current.shell.present:
        evidence.show(current)
    lesson.notice(f"noise_{process}")
    lesson.check("noise", lambda: checks.table(current))
    lesson.code("noise", lambda: noise_script(current.scene, current.noise))
