"""What proves a sampler: the order of each solver, and the likelihood of the flow against the exact one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.theory import ProbabilityPath
from fmviz.theory.likelihood import flow_likelihood
from fmviz.theory.solvers import solve_ode
from fmviz.theory.time_grids import time_grid

__all__ = ["Checks", "LikelihoodCheck", "Order", "checks", "likelihood_check", "orders"]

EXPECTED = {"euler": 1, "midpoint": 2, "heun": 2, "rk4": 4}
COARSE, FINE, REFERENCE = 64, 128, 1024
LIKELIHOOD_TIMES = (0.5, 0.9, 1.0)


@dataclass(frozen=True)
class Order:
    """How fast a solver's error falls: `coarse` and `fine` are root mean square errors of X_1 at 64 and 128 steps."""

    method: str
    expected: int
    coarse: float
    fine: float

    @property
    def measured(self) -> float:
        """The power of the step that the error fell with."""
        return math.log2(self.coarse / self.fine) if self.fine > 0 and self.coarse > 0 else math.nan


def orders(path: ProbabilityPath, n: int = 64) -> tuple[Order, ...]:
    """T4 on the exact field, in float64, against RK4 with 1024 steps."""
    exact = path.to(torch.float64)
    x0 = exact.p_init.sample(n, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        end = solve_ode(exact.marginal_velocity, x0, REFERENCE, "rk4")[0][-1]

        def error(method: str, steps: int) -> float:
            found: Tensor = solve_ode(exact.marginal_velocity, x0, steps, method)[0][-1]
            return float((found - end).square().sum(-1).mean().sqrt())

        return tuple(Order(name, p, error(name, COARSE), error(name, FINE)) for name, p in EXPECTED.items())


@dataclass(frozen=True)
class LikelihoodCheck:
    """Largest and mean |log p by the flow - exact log p| at `points` exact samples of p_t, at time `t`."""

    t: float
    mean: float
    largest: float
    points: int


def likelihood_check(path: ProbabilityPath, t: float, n: int = 48, steps: int = 64) -> LikelihoodCheck:
    """T46 with the exact field and RK4 on the refined grid."""
    exact = path.to(torch.float64)
    x = exact.sample(n, t, generator=torch.Generator().manual_seed(0))
    found = flow_likelihood(exact.marginal_velocity, exact.p_init, x, t, times=time_grid("refined", steps))
    gap = (found.value - exact.log_density(x, t)).abs()
    return LikelihoodCheck(t, float(gap.mean()), float(gap.max()), n)


@dataclass(frozen=True)
class Checks:
    """The orders of all solvers, and the likelihood check at `LIKELIHOOD_TIMES`."""

    orders: tuple[Order, ...]
    likelihoods: tuple[LikelihoodCheck, ...]


def checks(path: ProbabilityPath) -> Checks:
    """All that proves the sampler on one path."""
    return Checks(orders(path), tuple(likelihood_check(path, t) for t in LIKELIHOOD_TIMES))
