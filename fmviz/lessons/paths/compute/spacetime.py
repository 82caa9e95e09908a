"""The arrays of the space-time view: the law of one coordinate against time, and trajectories of that coordinate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from fmviz.clips.clip import Floats
from fmviz.clips.paths import Grid, as_array
from fmviz.theory import ProbabilityPath

__all__ = ["SpaceTime", "space_time"]

TRAJECTORIES = 24


@dataclass(frozen=True)
class SpaceTime:
    """times (T,), coordinate (H,), density (H, T) of that coordinate, trajectories (T, N) of ODE particles."""

    times: Floats
    coordinate: Floats
    density: Floats
    trajectories: Floats


def space_time(path: ProbabilityPath, axis: int, grid: Grid, particles: Floats) -> SpaceTime:
    """The marginal path seen along one coordinate, 0 or 1.

    A coordinate of a Gaussian mixture is itself a one-dimensional mixture, with the means and variances of that
    coordinate, so the density is exact. `particles` (T, N, 2) are the clip's ODE particles, of which a few are drawn.
    """
    times = grid.times()
    low, high = (grid.extent.x0, grid.extent.x1) if axis == 0 else (grid.extent.y0, grid.extent.y1)
    y = low + (torch.arange(grid.cells) + 0.5) * (high - low) / grid.cells
    alpha, beta = (f(times)[:, None, None] for f in (path.scheduler.alpha, path.scheduler.beta))
    data, init = path.p_data, path.p_init
    mean = (alpha * data.means[:, axis] + beta * init.means[:, axis, None]).flatten(1)
    variance = alpha**2 * data.covariances[:, axis, axis] + beta**2 * init.covariances[:, axis, axis, None]
    variance, weight = variance.flatten(1), (init.weights[:, None] * data.weights).flatten()
    exponent = -((y[:, None, None] - mean) ** 2) / (2 * variance)
    density = (weight / torch.sqrt(2 * math.pi * variance) * exponent.exp()).sum(dim=-1)
    return SpaceTime(as_array(times), as_array(y), as_array(density), particles[:, :TRAJECTORIES, axis])
