"""The numbers that prove an exact flow: another solution, its composition, and the volume it carries (T1 to T3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.clips.paths import Grid
from fmviz.theory.flows import AnalyticField, Field, Marginal, exact_flow, jacobian_determinant, volume_factor
from fmviz.theory.solvers import solve_ode

__all__ = ["REFERENCE", "Evidence", "evidence"]

REFERENCE = 240
"""Steps of RK4 that a flow without closed form is held against."""
SIDE, SHARE = 7, 0.7
"""The points: a square of so many a side over that part of the panel's width, or as many draws of p_init."""
MIDDLE = 0.4
"""Where the flow is cut in two."""


@dataclass(frozen=True)
class Evidence:
    """What was found at `points` points.

    Attributes:
        closed: whether the flow is in closed form.
        independent: largest distance at t = 1 to a solution by other means: dopri5 where the flow is in closed form,
            RK4 with `REFERENCE` steps where it is dopri5's.
        composition: largest distance between going to t = 1 at once and in two stretches.
        inverse: largest distance to the start after going to t = 1 and back.
        least, most: of the determinant of the flow's derivative at t = 1.
        liouville: its largest relative difference to Liouville's formula.
    """

    closed: bool
    independent: float
    composition: float
    inverse: float
    least: float
    most: float
    liouville: float
    points: int


def evidence(field: Field, grid: Grid) -> Evidence:
    """The exact flow of `field` put to the test in float64, over the panel of `grid` or where the scene has its points."""
    x0 = _points(field, grid)
    closed = isinstance(field, AnalyticField)
    with torch.no_grad():
        end = exact_flow(field, x0, (0.0, 1.0))[-1]
        if closed:
            other = solve_ode(field.velocity, x0, method="dopri5", times=(0.0, 1.0))[0][-1]
        else:
            field.prepare(i / (2 * REFERENCE) for i in range(2 * REFERENCE + 1))
            other = solve_ode(field.velocity, x0, REFERENCE, "rk4")[0][-1]
        middle = exact_flow(field, x0, (0.0, MIDDLE))[-1]
        two = exact_flow(field, middle, (MIDDLE, 1.0))[-1]
        back = exact_flow(field, end, (1.0, 0.0))[-1]
    determinant, volume = jacobian_determinant(field, x0, 1.0), volume_factor(field, x0, 1.0)
    return Evidence(
        closed,
        float((end - other).abs().max()),
        float((end - two).abs().max()),
        float((back - x0).abs().max()),
        float(determinant.min()),
        float(determinant.max()),
        float((determinant / volume - 1.0).abs().max()),
        len(x0),
    )


def _points(field: Field, grid: Grid) -> Tensor:
    if isinstance(field, Marginal):
        return field.path.p_init.sample(SIDE * SIDE, generator=torch.Generator().manual_seed(0)).double()
    e, line = grid.extent, SHARE / 2 * torch.linspace(-1.0, 1.0, SIDE, dtype=torch.float64)
    x, y = (e.x0 + e.x1) / 2 + line * (e.x1 - e.x0), (e.y0 + e.y1) / 2 + line * (e.y1 - e.y0)
    return torch.cartesian_prod(x, y)
