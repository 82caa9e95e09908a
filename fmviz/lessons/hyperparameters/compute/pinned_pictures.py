"""The stage with the pinned runs: a panel for each, the learned field and the particles that follow it, on one clock.

All have the same starting points and, on the same path, arrows of one scale. Behind them lies the exact density, or the
components of the data where the runs have learned different paths.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from fmviz.app.clips import labels
from fmviz.cache import shared
from fmviz.clips.clip import Clip, PlanePanel, Vectors
from fmviz.clips.extents import extent
from fmviz.clips.paths import Grid, arrow_scale, as_array
from fmviz.clips.scales import scale_times
from fmviz.learning import LearnedModel
from fmviz.lessons.hyperparameters.compute.pictures import FRAMES, components, ground, particles
from fmviz.lessons.hyperparameters.compute.pins import LETTERS, Pin
from fmviz.scene import Scene, scenes
from fmviz.scene.views import Language
from fmviz.stage.payload import View, encode

__all__ = ["payload"]

ARROWS, PARTICLES = 13, 300
LONGEST = 1.4
"""Of an arrow, in cells of the grid on which they stand."""


def payload(pins: Sequence[Pin], titles: Sequence[str], seed: int, view: View, language: Language) -> bytes:
    """The stage.

    Args:
        pins: the runs, at least one.
        titles: of their panels.
        seed: of the starting points.
        view: how it is first shown.
        language: of the labels.
    """
    paths = [pin.job[0] for pin in pins]
    alike = len(set(paths)) == 1
    law, density = ground(paths[0])
    panels = [
        PlanePanel(
            f"pin{letter}",
            title,
            extent(scene),
            (
                density if alike else components(scene),
                _field(scene, pin.model),
                particles(scene, seed, pin.model, PARTICLES),
            ),
        )
        for letter, pin, title, scene in zip(LETTERS, pins, titles, paths, strict=False)
    ]
    times = as_array(Grid(extent(paths[0]), FRAMES).times())
    return encode(Clip(times, tuple(panels), (), law=law if alike else None), labels(language), view)


@shared
@torch.inference_mode()
def _field(scene: Scene, model: LearnedModel) -> Vectors:
    """Arrows of what a network has learned, as long as the exact ones would be drawn."""
    path, window = scenes.path(scene), extent(scene)
    grid = Grid(window, FRAMES, arrows=ARROWS)
    at, times = grid.points(grid.arrows), grid.times()
    exact = path.marginal_velocity(at[None], scale_times(path, FRAMES)[:, None])
    learned = model.to("cpu").sampling_velocity(at.expand(FRAMES, *at.shape), times[:, None])
    longest = LONGEST * (window.x1 - window.x0) / ARROWS
    shown = as_array(torch.where(learned.isfinite(), learned, torch.nan))
    return Vectors("learned_velocity", "learned", as_array(at), shown, arrow_scale(exact, grid), longest)
