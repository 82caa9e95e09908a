r"""Where the end points of guidance on an interval lie, over the interval (T51): a map that is computed cell by cell.

Each cell is the sliced Wasserstein-2 distance of the end points of the guided ODE to p(. | y), with the scale w between t_lo and
t_hi and 1 elsewhere. Starting points and the sample that all cells are held against are the same for all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.theory import ProbabilityPath
from fmviz.theory.guidance import Guidance
from fmviz.theory.metrics import sliced_wasserstein
from fmviz.theory.solvers import solve_ode

__all__ = ["TIMES", "IntervalPlan", "cell", "floor"]

TIMES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Ends of the intervals."""
COUNT = 800
STEPS = 50
DIRECTIONS = 24
SEED = 8_000_009


@dataclass(frozen=True)
class IntervalPlan:
    """Which cells there are: all intervals between two of `TIMES`, for one label and scale."""

    label: int
    scale: float

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Positions in `TIMES` of t_lo and t_hi of each cell."""
        return tuple((low, high) for low in range(len(TIMES)) for high in range(low + 1, len(TIMES)))


def cell(path: ProbabilityPath, plan: IntervalPlan, low: int, high: int) -> float:
    """The distance of the end points to p(. | y) for one interval, infinite where particles have left the range of numbers.

    Args:
        path: the exact path.
        plan: label and scale.
        low, high: positions of the ends of the interval in `TIMES`.
    """
    own = ProbabilityPath(path.p_init, path.p_data, path.scheduler)  # its memory of times is this call's alone
    x0 = own.p_init.sample(COUNT, generator=torch.Generator().manual_seed(SEED))
    grid = [i / STEPS for i in range(STEPS + 1)]
    guidance = Guidance(own, plan.label, plan.scale, (TIMES[low], TIMES[high]))
    guidance.prepare(grid)
    with torch.inference_mode():
        return _distance(solve_ode(guidance.velocity, x0, times=grid)[0][-1], _target(own, plan.label, 0))


def floor(path: ProbabilityPath, label: int) -> float:
    """The distance of two exact samples of p(. | y) of that size."""
    return _distance(_target(path, label, 1), _target(path, label, 0))


def _target(path: ProbabilityPath, label: int, which: int) -> Tensor:
    return path.p_data.given(label).sample(COUNT, generator=torch.Generator().manual_seed(SEED + 1 + which))


def _distance(samples: Tensor, target: Tensor) -> float:
    if not bool(samples.isfinite().all()):
        return math.inf
    return float(sliced_wasserstein(samples, target, directions=DIRECTIONS))
