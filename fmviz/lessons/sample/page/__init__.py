"""Sample: solvers at work on the exact and on a learned field, and which error comes from which."""

from fmviz.app import learned, lesson, player, state
from fmviz.lessons.sample.compute import results
from fmviz.lessons.sample.page import checks, controls, error_map, evidence, own
from fmviz.lessons.sample.script import sample_script

__all__ = ["show"]


def show() -> None:
    """Draws the page."""
    current = state.current()
    found = learned.latest(current.scene)
    view = player.visit_view("sample", "sample")

    def payload() -> bytes:
        """The network that the whole page shows, also when the stage alone is drawn again; another scene has its own."""
        now = state.current()
        return results.payload(now, found if now.scene == current.scene else learned.latest(now.scene), view)

    lesson.opening("sample")
    player.player("sample_stage", "sample", payload)
    lesson.controls(lambda: controls.controls(current, found))
    if not current.shell.present:
        evidence.final_samples(current, found)
        evidence.likelihood(current, found)
        error_map.error_map(current, found)
        own.section(current)
    lesson.notice("sample")
    lesson.check("sample", lambda: checks.table(current.scene))
    lesson.code("sample", lambda: sample_script(current.scene, current.sample, learned=found is not None))
