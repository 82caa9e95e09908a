r"""The density of a flow along its trajectories, computed without a formula for that density (T46).

For :math:`\dot X = u_t(X)` started from a known distribution,

.. math:: \frac{d}{dt} \log p_t(X_t) = -\mathrm{div}\, u_t(X_t), \qquad
          \log p_t(x) = \log p_0(X_0) - \int_0^t \mathrm{div}\, u_s(X_s)\, ds,

with :math:`X` the trajectory through :math:`X_t = x`, followed back to time 0. The divergence is exact, by automatic
differentiation in each of the two coordinates, so the only errors are the solver's and, for a learned field, that of
the field: what comes out then is the log density of the *model*, which need not be that of the data.
"""

__all__ = ["FlowLikelihood", "flow_likelihood"]

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.theory.arrays import Points, Time, arraylike, one_time
from fmviz.theory.checks import divergence
from fmviz.theory.mixture import GaussianMixture
from fmviz.theory.reprs import one_line
from fmviz.theory.solvers import Velocity, solve_ode


@dataclass(frozen=True)
class FlowLikelihood:
    """Trajectories through given points, with the log density of the flow along them, float64.

    Attributes:
        times: (S,), rising from 0 to 1, including the time of the given points.
        positions: (S, N, 2), X at these times.
        log_density: (S, N), log p_t(X_t) of the flow at these times.
        at: index into `times` of the time at which the points were given.
    """

    times: Tensor
    positions: Tensor
    log_density: Tensor
    at: int

    __repr__ = one_line

    @property
    def value(self) -> Tensor:
        """log p_t at the given points, (N,)."""
        return self.log_density[self.at]


@arraylike
def flow_likelihood(
    velocity: Velocity,
    p_init: GaussianMixture,
    x: Points,
    t: Time,
    *,
    times: Sequence[float],
    method: str = "rk4",
) -> FlowLikelihood:
    """log p_t along the trajectories with X_t = x, for the flow of `velocity` from `p_init`.

    The solver goes back from t to 0, where the density is known, and on from t to 1, over the times of the grid.

    Args:
        velocity: u(x, t), differentiable in x row by row; called in float64.
        p_init: the distribution at time 0. (Where alpha_0 is not 0, as for VP, the path's own p_0 differs from it slightly.)
        x: (N, 2).
        t: time in [0, 1].
        times: the solver's grid, strictly increasing from 0 to 1; t is added to it.
        method: one of `fmviz.theory.solvers.METHODS`.

    Raises:
        ParameterError: x is not (N, 2), t outside [0, 1], a grid that does not run from 0 to 1, unknown method.
    """
    if x.ndim != 2 or x.shape[1] != 2:
        raise ParameterError("x", "points of shape (N, 2)", tuple(x.shape))
    t, times = one_time("t", t), [float(s) for s in times]
    if not 0.0 <= t <= 1.0:
        raise ParameterError("t", "a time in [0, 1]", t)
    if len(times) < 2 or times[0] != 0.0 or times[-1] != 1.0:
        raise ParameterError("times", "a grid from 0 to 1", times[:8])
    start = torch.cat((x.double(), torch.zeros(len(x), 1, dtype=torch.float64, device=x.device)), dim=1)

    def solve(grid: list[float]) -> Tensor:
        if len(grid) == 1:
            return start[None]
        return solve_ode(_Augmented(velocity), start, method=method, times=grid)[0]

    before = [t, *(s for s in reversed(times) if s < t)]
    after = [t, *(s for s in times if s > t)]
    back, onward = solve(before).flip(0), solve(after)
    whole = torch.cat((back, onward[1:]))
    gained = whole[..., 2] - whole[0, :, 2]
    return FlowLikelihood(
        times=torch.tensor([*reversed(before), *after[1:]], dtype=torch.float64),
        positions=whole[..., :2],
        log_density=p_init.to(torch.float64).log_density(whole[0, :, :2]) + gained,
        at=len(before) - 1,
    )


@dataclass(frozen=True)
class _Augmented:
    """d/dt (X, log p) = (u, -div u) for states (N, 3)."""

    velocity: Velocity

    def __call__(self, state: Tensor, t: float) -> Tensor:
        with torch.enable_grad():
            x = state[:, :2].detach().requires_grad_()
            u = self.velocity(x, t)
            rate = -divergence(u, x)
        return torch.cat((u, rate[:, None]), dim=1).detach()
