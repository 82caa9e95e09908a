"""Probability paths: conditional and marginal side by side, under one clock."""

from fmviz.specs.script import paths_script
from fmviz.ui import clips, lesson, path_charts, path_checks, player, state

current = state.current()
view = player.visit_view("paths", "paths")


def payload() -> bytes:
    now = state.current()
    z = clips.conditional_point(now.scene, now.paths.z)
    return clips.paths_payload(now.scene, z, now.paths.click, view, now.shell.language, draft=player.draft())


lesson.opening("paths", general_source=not current.scene.gaussian_source)
player.player("paths_stage", "paths", payload)
path_charts.charts(current)
lesson.notice("paths")
lesson.check("paths", lambda: path_checks.table(current.scene))
lesson.code("paths", lambda: paths_script(current.scene, current.paths))
