"""The arrays of the space-time view: the law of one coordinate against time, and trajectories of that coordinate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from fmviz.clips.clip import Floats
from fmviz.clips.particles import marginal_ode
from fmviz.clips.paths import Grid, Starts, as_array
from fmviz.theory import ProbabilityPath

__all__ = ["SpaceTime", "space_time"]

TRAJECTORIES = 60


@dataclass(frozen=True)
class SpaceTime:
    """times (T,), coordinate (H,), density (H, T) of that coordinate, trajectories (T, N) of ODE particles."""

    times: Floats
    coordinate: Floats
    density: Floats
    trajectories: Floats


def space_time(path: ProbabilityPath, axis: int, grid: Grid, starts: Starts) -> SpaceTime:
    """The marginal path seen along one coordinate.

    The coordinate of a Gaussian mixture is itself a one-dimensional mixture with the means and variances of that
    coordinate, so the density is exact.
    """
    times = grid.times()
    low, high = (grid.extent.x0, grid.extent.x1) if axis == 0 else (grid.extent.y0, grid.extent.y1)
    y = low + (torch.arange(2 * grid.cells) + 0.5) * (high - low) / (2 * grid.cells)
    columns = []
    for t in times.tolist():
        p = path.marginal(t)
        mean, variance = p.means[:, axis], p.covariances[:, axis, axis]
        log_n = -((y[:, None] - mean) ** 2) / (2 * variance) - 0.5 * torch.log(2 * math.pi * variance)
        columns.append(torch.logsumexp(log_n + p.weights.log(), dim=-1).exp())
    x0 = Starts(TRAJECTORIES, starts.seed_start, starts.seed_noise).points(path.p_init)
    trajectories = marginal_ode(path, x0, times)[..., axis]
    return SpaceTime(as_array(times), as_array(y), as_array(torch.stack(columns, dim=1)), as_array(trajectories))
