r"""The order of a solver, measured (T4).

The global error of n steps at time t, :math:`e_n = (\tfrac1N \sum_i |X^i_n - \psi_t(x^i_0)|^2)^{1/2}`, falls like
:math:`n^{-p}` once n is large: p is the order, minus the slope of :math:`\log e_n` against :math:`\log n`. It is fitted
by least squares over the finest step counts whose error is still well above that of :math:`\psi_t` itself:
rounding where the flow is in closed form, the tolerance of dopri5 where it is not.
"""

__all__ = ["COUNTS", "ORDERS", "Convergence", "convergence", "measured_order"]

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.theory.arrays import Points, arraylike
from fmviz.theory.flows import AnalyticField, Field, exact_flow
from fmviz.theory.reprs import one_line
from fmviz.theory.solvers import solve_ode

ORDERS = {"euler": 1, "midpoint": 2, "heun": 2, "rk4": 4}
"""The theoretical order of each solver (T4)."""

COUNTS = (4, 8, 16, 32, 64, 128, 256)
"""Default step counts."""

# The slope is fitted to this many of the finest usable step counts: at coarser ones higher orders of the error still show.
_FITTED = 3
# Relative to the size of the points: errors below are rounding (closed form; some hundred steps of 1e-16 each), or too
# near to the error of dopri5 itself.
_ROUNDING, _TOLERANCE = 1e-12, 5e-9


@dataclass(frozen=True)
class Convergence:
    """How the error of one solver falls with the number of steps.

    Attributes:
        method: the solver.
        expected: the order by theory.
        counts: numbers of steps, rising.
        errors: root mean square error over the starting points at each.
        floor: errors up to this one may be those of the exact flow, and are left out of the fit.
    """

    method: str
    expected: int
    counts: tuple[int, ...]
    errors: tuple[float, ...]
    floor: float

    __repr__ = one_line

    @property
    def meaningful(self) -> tuple[tuple[int, float], ...]:
        """The pairs (count, error) whose error is finite and above the floor."""
        pairs = zip(self.counts, self.errors, strict=True)
        return tuple((n, e) for n, e in pairs if self.floor < e < math.inf)

    @property
    def measured(self) -> float | None:
        """The measured order; None where fewer than two errors are meaningful, as when every step is exact."""
        return measured_order(self.meaningful)


@arraylike
def convergence(
    field: Field, x0: Points, methods: Sequence[str] = tuple(ORDERS), counts: Sequence[int] = COUNTS, end: float = 1.0
) -> tuple[Convergence, ...]:
    """The errors and orders of several solvers on one field.

    Args:
        field: the field.
        x0: starting points, (N, 2); computed in float64.
        methods: keys of `ORDERS`.
        counts: numbers of steps, rising.
        end: the time at which the error is taken.

    Returns:
        One for each method, in their order.
    """
    exact = exact_flow(field, x0, (0.0, end))[-1]
    size = max(1.0, float(exact.abs().max()), float(x0.abs().max()))
    floor = size * (_ROUNDING if isinstance(field, AnalyticField) else _TOLERANCE)
    table = [_errors(field, x0.double(), methods, count, exact, end) for count in counts]
    return tuple(
        Convergence(method, ORDERS[method], tuple(counts), errors, floor)
        for method, errors in zip(methods, zip(*table, strict=True), strict=True)
    )


def measured_order(points: Sequence[tuple[int, float]]) -> float | None:
    """Minus the slope of log error against log count, by least squares over the finest three of rising counts.

    Returns:
        None if there are fewer than two.
    """
    if len(points) < 2:
        return None
    logs = torch.tensor([(math.log(n), math.log(e)) for n, e in points[-_FITTED:]], dtype=torch.float64)
    x, y = logs.unbind(dim=-1)
    centred = x - x.mean()
    return -float((centred * y).sum() / centred.square().sum())


def _errors(
    field: Field, x0: Tensor, methods: Sequence[str], count: int, exact: Tensor, end: float
) -> tuple[float, ...]:
    """Root mean square distance to `exact` (N, 2) after `count` steps, for each method."""
    times = [end * i / count for i in range(count + 1)]
    field.prepare(times + [a + 0.5 * (b - a) for a, b in itertools.pairwise(times)])
    ends = (solve_ode(field.velocity, x0, method=method, times=times)[0][-1] for method in methods)
    return tuple(float((last - exact).square().sum(dim=-1).mean().sqrt()) for last in ends)
