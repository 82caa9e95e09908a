r"""Particles of a probability path, simulated at the frames of a clip.

The marginal SDE of T21 is stiff where a component is narrow, so its Euler-Maruyama steps are chosen per frame interval
from the largest eigenvalue of the inverse covariances. The conditional one needs no small steps: in the coordinate
:math:`Y = (X - \alpha_t z)/\beta_t` it is Langevin dynamics on p_init run by the clock
:math:`\tau = \int \sigma_t^2/\beta_t^2\,dt`,

.. math:: dY = \tfrac12 \nabla\log p_{init}(Y)\,d\tau + dW_\tau ,

which for one Gaussian is an Ornstein-Uhlenbeck process with a known transition (T9), exact for any step.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fmviz.theory import GaussianMixture, ProbabilityPath
from fmviz.theory.sigmas import Sigma
from fmviz.theory.solvers import sde_grid, solve_ode, solve_sde

__all__ = ["Langevin", "conditional_sde", "marginal_ode", "marginal_sde", "time_changes"]


CLOCK_STEP = 0.2
"""Step of the clock in units of the narrowest variance of p_init."""
MAX_CLOCK_STEPS = 40


def marginal_ode(path: ProbabilityPath, x0: Tensor, times: Tensor) -> Tensor:
    """Heun's method on the exact marginal velocity, one step a frame: (T, N, 2)."""
    path.prepare(times.tolist())
    trajectory, _ = solve_ode(path.marginal_velocity, x0, method="heun", times=times)
    return trajectory


def marginal_sde(path: ProbabilityPath, sigma: Sigma, x0: Tensor, times: Tensor, generator: torch.Generator) -> Tensor:
    """Euler-Maruyama on the marginal SDE of T21: (T, N, 2)."""
    path.prepare(times.tolist())
    grid, frames = sde_grid(sigma, path.stiffness, times)
    path.prepare(grid)
    trajectory, _ = solve_sde(path.sde_drift(sigma), sigma, x0, generator=generator, times=grid)
    return trajectory[frames]


def conditional_sde(
    path: ProbabilityPath, sigma: Sigma, z: Tensor, x0: Tensor, times: Tensor, generator: torch.Generator
) -> Tensor:
    """The conditional SDE given `z` (2,), in law exact at every frame when p_init is one Gaussian: (T, N, 2)."""
    y, frames = x0, [x0]
    langevin = Langevin(path.p_init)
    alpha, beta = path.scheduler.alpha(times), path.scheduler.beta(times)
    for k, clock in enumerate(time_changes(path, sigma, times), start=1):
        y = langevin.run(y, clock, generator)
        frames.append(alpha[k] * z + beta[k] * y)
    return torch.stack(frames)


def time_changes(path: ProbabilityPath, sigma: Sigma, times: Tensor) -> list[float]:
    r"""The clock :math:`\int \sigma^2/\beta^2\,dt` over each frame interval, by the midpoint rule on eight panels.

    In the last interval it is infinite where beta vanishes; the rule makes it merely so large that nothing is remembered.
    """
    start, step = times[:-1, None].double(), times.diff()[:, None].double()
    middle = start + step * (torch.arange(8, dtype=torch.float64) + 0.5) / 8
    rate = (torch.as_tensor(sigma(middle)) / path.scheduler.beta(middle)).square()
    lengths: list[float] = (rate.mean(dim=1) * step[:, 0]).tolist()
    return lengths


class Langevin:
    """Langevin dynamics on `p` with unit noise: exact for one Gaussian, Euler-Maruyama otherwise.

    With several components at most MAX_CLOCK_STEPS steps are made at once: beyond that the particles have long
    forgotten where they were.
    """

    def __init__(self, p: GaussianMixture) -> None:
        self.p = p
        self.variances, self.axes = torch.linalg.eigh(p.covariances)

    def run(self, y: Tensor, clock: float, generator: torch.Generator) -> Tensor:
        """`y` (N, 2) after the time `clock`."""
        if clock == 0.0:
            return y
        if self.p.n_components == 1:
            decay = torch.exp(-clock / (2 * self.variances[0]))
            noise = torch.randn(y.shape, generator=generator, dtype=y.dtype)
            centred = decay * ((y - self.p.means[0]) @ self.axes[0])
            centred = centred + torch.sqrt(self.variances[0] * (1 - decay**2)) * noise
            return torch.add(self.p.means[0], centred @ self.axes[0].T)
        h = min(clock, CLOCK_STEP * float(self.variances.min()))
        for _ in range(min(MAX_CLOCK_STEPS, max(1, round(clock / h)))):
            y = y + h / 2 * self.p.score(y) + h**0.5 * torch.randn(y.shape, generator=generator, dtype=y.dtype)
        return y
