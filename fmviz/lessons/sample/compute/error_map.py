r"""Numerical against training error (T22): the distance to p_data over the amplitude of sigma_t and the number of steps.

With the exact field what remains is the solver's error; with a learned field the network's is added, part of which the
noise corrects. So that the map shows these and not the luck of a draw, starting points, Brownian noise and the sample of
p_data that all cells are held against are spread evenly (`fmviz.lessons.sample.compute.quasi_random`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fmviz.learning import LearnedModel
from fmviz.lessons.sample.compute.clips import exact_dynamics, learned_dynamics
from fmviz.lessons.sample.compute.quasi_random import array_rqmc_euler_maruyama, sobol_sample
from fmviz.theory import ProbabilityPath
from fmviz.theory.metrics import sliced_wasserstein
from fmviz.theory.sigmas import Sigma
from fmviz.theory.time_grids import time_grid

__all__ = ["ErrorMapSpec", "cell", "noise_floor"]

REFERENCE = 4096
DIRECTIONS = 24
FLOOR_DRAWS = 4


@dataclass(frozen=True)
class ErrorMapSpec:
    """Which cells there are, and how each is computed.

    Attributes:
        kind: of sigma_t, one of `fmviz.theory.sigmas.KINDS` but "zero".
        amplitudes: of sigma_t, one row each; 0 is Euler's method for the ODE.
        steps: of Euler-Maruyama, one column each.
        grid: where the steps lie.
        count: particles, best a power of two.
        seed_noise: of the Brownian noise.
    """

    kind: str = "constant"
    amplitudes: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0, 2.0, 3.0)
    steps: tuple[int, ...] = (4, 8, 16, 32, 64, 128)
    grid: str = "uniform"
    count: int = 2048
    seed_noise: int = 0

    @property
    def work(self) -> int:
        """All steps together: the measure of progress."""
        return len(self.amplitudes) * sum(self.steps)

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return len(self.amplitudes) * len(self.steps)


def cell(path: ProbabilityPath, plan: ErrorMapSpec, row: int, column: int, model: LearnedModel | None = None) -> float:
    """One cell: the sliced Wasserstein-2 distance to p_data with the exact field, or with that of `model`.

    Returns:
        The distance; infinite where the particles have left the range of numbers, no number where the network gives no SDE.

    Raises:
        FmvizError: the path allows no SDE.
    """
    own = replace(path)  # its memory of times is this call's alone
    times = time_grid(plan.grid, plan.steps[column])
    sigma = Sigma(plan.kind, plan.amplitudes[row], own.scheduler)
    own.prepare(times)
    drift = (exact_dynamics(own, sigma) if model is None else learned_dynamics(model, sigma)).drift
    if drift is None:
        return math.nan
    x0, target = sobol_sample(own.p_init, plan.count), sobol_sample(own.p_data, REFERENCE)
    noise = torch.Generator().manual_seed(plan.seed_noise)
    with torch.inference_mode():
        return _distance(array_rqmc_euler_maruyama(drift, sigma, x0, times, noise), target)


def noise_floor(path: ProbabilityPath, plan: ErrorMapSpec) -> float:
    """The distance that independent exact samples of the plan's size have to the common target, on average."""
    target = sobol_sample(path.p_data, REFERENCE)
    generator = torch.Generator().manual_seed(11_000_027)
    drawn = [_distance(path.p_data.sample(plan.count, generator=generator), target) for _ in range(FLOOR_DRAWS)]
    return sum(drawn) / len(drawn)


def _distance(samples: Tensor, target: Tensor) -> float:
    if not bool(samples.isfinite().all()):
        return math.inf
    return float(sliced_wasserstein(samples, target, directions=DIRECTIONS))
