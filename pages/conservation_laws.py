"""Conservation: where probability comes from and goes to, term by term, and through the sides of a box."""

from fmviz.specs.conservation_script import conservation_script
from fmviz.ui import conservation, conservation_checks, conservation_clips, lesson, player, state, summary

current = state.current()
view = player.visit_view("conservation", "conservation")

lesson.opening("conservation")
conservation.controls(current.conservation)
player.player(
    "conservation_stage",
    "conservation",
    lambda: conservation_clips.payload(state.current(), view),
    moved=conservation.moved,
    boxed=conservation.boxed,
)
conservation.numbers(current)
conservation.derivation(current)
lesson.notice("conservation")
lesson.check("conservation", lambda: conservation_checks.table(current))
lesson.code("conservation", lambda: conservation_script(current.scene, current.conservation))
summary.sheet(current)
