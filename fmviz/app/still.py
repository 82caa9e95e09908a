"""The path of a scene as a figure for a paper: what "Copy link" offers beside the animation."""

from __future__ import annotations

from collections.abc import Callable

from fmviz.app import state
from fmviz.app.i18n import tr
from fmviz.errors import SingularTimeError
from fmviz.figures.figure import figure
from fmviz.scene import scenes

__all__ = ["FIGURE_FILE", "figure_of_scene"]

FIGURE_FILE = ("fmviz.svg", "image/svg+xml")
"""The name and the type of the file."""
MOST_PARTICLES = 300


def figure_of_scene() -> Callable[[], bytes]:
    """Makes an SVG of the path of the present scene, with its particles; without them where the velocity is infinite.

    What is returned may run in another thread, which knows nothing of this session.
    """
    scene, description = state.current().scene, tr("app.figure_description")

    def made() -> bytes:
        path, count = scenes.path(scene), min(scene.count, MOST_PARTICLES)
        try:
            found = figure(path, particles=count, seed=scene.seed_start, description=description)
        except SingularTimeError:
            found = figure(path, layers="density", description=description)
        return found.svg.encode()

    return made
