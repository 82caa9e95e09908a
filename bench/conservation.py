"""The page Conservation on one thread: its clip from nothing, and what moving the box costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import torch

from bench.report import Row, at_most, median_ms
from fmviz.app.choices import State
from fmviz.clips.clip import Clip
from fmviz.clips.extents import extent
from fmviz.clips.laws import law_of
from fmviz.clips.paths import Grid, Starts
from fmviz.lessons.conservation.compute import clips, results
from fmviz.lessons.conservation.compute.clips import Experiment
from fmviz.lessons.conservation.compute.summary import NAMES, summary_clip
from fmviz.lessons.conservation.settings import Settings as ConservationSettings
from fmviz.scene import Scene, scenes
from fmviz.stage.payload import View
from fmviz.theory import ProbabilityPath, boxes
from fmviz.theory.conservation import TermFactors

__all__ = ["rows"]

EXPERIMENTS = {
    "default clip: 6 maps of 56² cells, 41 frames, 500 SDE particles": Experiment(),
    "the same for the continuity equation": Experiment(diffusive=False),
    "the same given z": Experiment(z=(2.0, 1.0)),
    "the same with the score dropped": Experiment(law=TermFactors(score=0.0)),
}


def clip_of(scene: Scene, what: Experiment) -> Clip:
    """The clip from nothing: no path and no map is kept between two calls."""
    known, sigma = scenes.path(scene), scenes.sigma(scene)
    path = ProbabilityPath(known.p_init, known.p_data, known.scheduler)
    grid = Grid(extent(scene), frames=results.FRAMES, cells=results.CELLS)
    found = clips.maps(clips.solution(path, sigma, what, grid), what)
    density = clips.density_panel(path, sigma, found, Starts(scene.count))
    box = boxes.Box(*ConservationSettings().box)
    numbers = clips.box_numbers(path, sigma, what, box, grid.times())
    return clips.clip(found, density, box, numbers, law_of(path, what.z or (0.0, 0.0)))


def moving_box() -> Callable[[], bytes]:
    """Payloads of the page whose box is somewhere else at every call, as in a drag."""
    step = count()

    def draw() -> bytes:
        x = 0.01 * next(step)
        return results.payload(State(conservation=ConservationSettings(box=(x, x + 2.0, -1.0, 1.0))), View())

    return draw


def rows() -> Iterator[Row]:
    """The clip of each kind, one step of a drag, a scene of 60 components, and the sheet."""
    torch.set_num_threads(1)
    scene, many = Scene(), Scene(data="spiral")
    for name, what in EXPERIMENTS.items():
        (took,) = median_ms(lambda what=what: clip_of(scene, what))  # type: ignore[misc]
        yield at_most(name, took, "ms", 150)
    (moved,) = median_ms(moving_box())
    yield at_most("one step of dragging the box: its numbers, the payload", moved, "ms", 50)
    (large,) = median_ms(lambda: clip_of(many, Experiment()))
    yield at_most("60 components", large, "ms", 300)
    texts = dict.fromkeys(NAMES, ("", ""))
    grid = Grid(extent(scene), frames=41, cells=56, arrows=13)
    (sheet,) = median_ms(lambda: summary_clip(scenes.path(scene), scenes.sigma(scene), (2.0, 1.0), grid, texts))
    yield at_most("sheet of six pictures", sheet, "ms", 150)
