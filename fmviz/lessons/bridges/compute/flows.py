"""What a panel shows of a coupling: its pairs, where their lines cross, the flow of its field, the density, and its costs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from fmviz.cache import shared
from fmviz.clips.clip import Floats
from fmviz.clips.extents import extent
from fmviz.clips.paths import Grid, Starts, as_array
from fmviz.clips.scales import cell_centres
from fmviz.lessons.bridges.compute.fields import Made, Side, bridge, made
from fmviz.scene import Scene, scenes
from fmviz.theory.couplings import pair_costs
from fmviz.theory.pair_field import PairField
from fmviz.theory.solvers import Velocity, solve_ode

__all__ = [
    "DRAWN",
    "Flow",
    "Mean",
    "Motion",
    "crossings",
    "flow",
    "flow_of",
    "mean_of",
    "motion",
    "straightness_along",
]

DRAWN = 60
"""Pairs that are drawn as lines."""
CELLS = 96


@dataclass(frozen=True)
class Mean:
    """A mean and its standard error."""

    value: float
    error: float


@dataclass(frozen=True, eq=False)
class Motion:
    """What a field does.

    Attributes:
        positions: of the particles, (T, N, 2).
        cost: of the flow, E|X_1 - X_0|^2.
        straightness: S of the flow (T55).
    """

    positions: Floats
    cost: Mean
    straightness: Mean


@dataclass(frozen=True, eq=False)
class Flow:
    """All that a panel shows.

    Attributes:
        starts, ends: the drawn pairs, (P, 2) each.
        crossed: where the lines of the drawn pairs cross, (K, 2).
        log_density: of blurred pairs, (T, H, W); None where the player has the law.
        pair_cost: E|z - x0|^2 of the pairs.
        motion: of its exact field.
    """

    starts: Floats
    ends: Floats
    crossed: Floats
    log_density: Floats | None
    pair_cost: Mean
    motion: Motion


@shared
def flow(scene: Scene, side: Side, with_density: bool = False) -> Flow:
    """The coupling of a scene, followed from the particles of the scene; the exact density of independent pairs if asked for."""
    found = flow_of(scene, made(scene, side))
    if not with_density or found.log_density is not None:
        return found
    grid = Grid(extent(scene), cells=CELLS)
    path, points = bridge(scene, side.gamma), grid.points(CELLS)
    with torch.inference_mode():
        log_density = path.log_density(points[None], grid.times()[:, None]).reshape(-1, CELLS, CELLS)
    return replace(found, log_density=as_array(log_density))


def flow_of(scene: Scene, found: Made) -> Flow:
    """A coupling that is there, followed from the particles of the scene."""
    with torch.inference_mode():
        starts, ends = found.x0[:DRAWN], found.z[:DRAWN]
        return Flow(
            as_array(starts),
            as_array(ends),
            as_array(crossings(starts, ends)),
            None if found.field is None else _density(found.field, Grid(extent(scene), cells=CELLS)),
            mean_of(pair_costs(found.x0, found.z)),
            motion(scene, found.velocity),
        )


def motion(scene: Scene, velocity: Velocity) -> Motion:
    """What a field does with the particles of the scene."""
    with torch.inference_mode():
        times = Grid(extent(scene)).times()
        x0 = Starts(scene.count, scene.seed_start).points(scenes.mixture(scene, "init"))
        line = solve_ode(velocity, x0, method="heun", times=times)[0]
        return Motion(
            as_array(line),
            mean_of(pair_costs(line[0], line[-1])),
            mean_of(straightness_along(velocity, line, times)),
        )


def mean_of(values: Tensor) -> Mean:
    """The mean of independent values, (N,)."""
    error = float(values.std()) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return Mean(float(values.mean()), error)


def straightness_along(velocity: Velocity, line: Tensor, times: Tensor) -> Tensor:
    """`fmviz.theory.couplings.straightness` of trajectories that are known already, (T, N, 2): (N,)."""
    chord = (line[-1] - line[0]).double()
    misses = [(chord - velocity(x, float(t)).double()).square().sum(-1) for x, t in zip(line, times, strict=True)]
    return torch.trapezoid(torch.stack(misses), times.double(), dim=0)


def crossings(starts: Tensor, ends: Tensor) -> Tensor:
    """The points where the straight lines of two pairs cross, (K, 2); pairs (P, 2) each."""
    first, second = torch.triu_indices(len(starts), len(starts), offset=1)
    along = (ends - starts).double()
    apart = (starts[second] - starts[first]).double()
    turn = _cross(along[first], along[second])
    turn = torch.where(turn == 0, torch.nan, turn)  # parallel lines
    s, t = _cross(apart, along[second]) / turn, _cross(apart, along[first]) / turn
    inside = (s > 0) & (s < 1) & (t > 0) & (t < 1)
    return starts[first][inside] + s[inside, None].to(starts.dtype) * (ends - starts)[first][inside]


def _cross(a: Tensor, b: Tensor) -> Tensor:
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]


def _density(field: PairField, grid: Grid) -> Floats:
    """The mixture of blurred pairs on the cells of a grid: a Gaussian in x times one in y, so one product a frame."""
    centres = cell_centres(grid.extent, grid.cells).reshape(grid.cells, grid.cells, 2)
    across, up = centres[0, :, 0], centres[:, 0, 1]
    frames = []
    for t in grid.times().tolist():
        mean = torch.lerp(field.x0, field.z, t)
        variance = field.variance(t)
        in_x, in_y = (
            (axis[:, None] - m).square().div_(-2.0 * variance).exp_()
            for axis, m in ((across, mean[:, 0]), (up, mean[:, 1]))
        )
        frames.append((in_y @ in_x.T) / (2.0 * np.pi * variance * len(mean)))
    return as_array(torch.stack(frames).log())
