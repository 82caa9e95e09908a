"""The page Flows on one thread: its clip at default settings, that of the scene's field, and the measured orders."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from bench.report import Row, at_most, median_ms, note
from fmviz.app.catalogue import section
from fmviz.clips.clip import Clip
from fmviz.clips.extents import extent
from fmviz.clips.paths import Grid, as_array
from fmviz.lessons.flows.compute import clips
from fmviz.lessons.flows.compute.results import ARROWS
from fmviz.lessons.flows.settings import RATES
from fmviz.lessons.flows.settings import Settings as FlowsSettings
from fmviz.scene import Scene, scenes
from fmviz.stage.payload import Labels, View, encode
from fmviz.theory.convergence import convergence
from fmviz.theory.flows import Field, Marginal, analytic

__all__ = ["rows"]


def clip(field: Field, grid: Grid, view: FlowsSettings) -> Clip:
    """All panels at once, nothing kept from before."""
    x0 = torch.tensor(view.starts, dtype=torch.float64)
    found = clips.trajectories(field, clips.exact_trajectories(field, x0, grid), view.solvers, view.steps)
    panels = (clips.field_panel(clips.arrows(field, grid), found, grid), clips.mesh_panel(field, grid))
    return Clip(as_array(grid.times()), panels, clips.error_readouts(found, grid))


def marginal() -> tuple[Marginal, Grid]:
    """The field of the default scene, whose path remembers nothing yet."""
    scene = Scene()
    return Marginal(scenes.path(scene).to(torch.float64)), Grid(extent(scene), arrows=ARROWS)


def orders_off() -> float:
    """The largest distance of a measured order from the theory's, over the fields of the zoo at their defaults."""
    points = torch.tensor(FlowsSettings().starts)
    found = [one for name, known in RATES.items() for one in convergence(analytic(name, known.default), points)]
    return max(abs(one.measured - one.expected) for one in found if one.measured is not None)


def rows() -> Iterator[Row]:
    """The clip, its payload, the scene's field by dopri5, and the orders."""
    torch.set_num_threads(1)
    view, grid = FlowsSettings(), Grid(clips.EXTENT, arrows=ARROWS)
    field = analytic(view.field, view.chosen_rate)
    labels = Labels.from_mapping(section("en", "stage"), section("en", "layer"))
    ours, whole, scene = median_ms(
        lambda: clip(field, grid, view),
        lambda: encode(clip(field, grid, view), labels, View()),
        lambda: clip(*marginal(), view),
    )
    yield at_most("default clip of the page Flows", ours, "ms", 150)
    yield at_most("the same with its payload", whole, "ms", 150)
    yield note("the scene's marginal field instead, by dopri5", scene, "ms")
    with torch.inference_mode():
        yield at_most("measured orders, largest distance from the theory", orders_off(), "", 0.15)
        (slopes,) = median_ms(lambda: convergence(field, torch.tensor(view.starts)), repeats=3)
    yield note("errors of four solvers at seven step counts", slopes, "ms")
