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

__all__ = ["conditional_sde", "marginal_ode", "marginal_sde"]


CLOCK_STEP = 0.05
MAX_CLOCK_STEPS = 40


def marginal_ode(path: ProbabilityPath, x0: Tensor, times: Tensor) -> Tensor:
    """Heun's method on the exact marginal velocity, one step a frame: (T, N, 2)."""
    path.prepare(times.tolist())
    trajectory, _ = solve_ode(path.marginal_velocity, x0, method="heun", times=times)
    return trajectory


def marginal_sde(path: ProbabilityPath, sigma: Sigma, x0: Tensor, times: Tensor, generator: torch.Generator) -> Tensor:
    """Euler-Maruyama on the marginal SDE of T21: (T, N, 2)."""
    grid, frames = sde_grid(sigma, path.stiffness, times)
    path.prepare(grid)
    trajectory, _ = solve_sde(path.sde_drift(sigma), sigma, x0, generator=generator, times=grid)
    return trajectory[frames]


def conditional_sde(
    path: ProbabilityPath, sigma: Sigma, z: Tensor, x0: Tensor, times: Tensor, generator: torch.Generator
) -> Tensor:
    """The conditional SDE given `z` (2,), in law exact at every frame when p_init is one Gaussian: (T, N, 2)."""
    y, frames = x0, [x0]
    for a, b in zip(times[:-1].tolist(), times[1:].tolist(), strict=True):
        y = _langevin(path.p_init, y, _clock(path, sigma, a, b), generator)
        t = torch.tensor(b, dtype=times.dtype)
        frames.append(path.scheduler.alpha(t) * z + path.scheduler.beta(t) * y)
    return torch.stack(frames)


def _clock(path: ProbabilityPath, sigma: Sigma, a: float, b: float) -> float:
    r"""The clock :math:`\int_a^b \sigma^2/\beta^2\,dt` by the midpoint rule on eight panels; large where beta vanishes."""
    middle = torch.linspace(a, b, 17, dtype=torch.float64)[1::2]
    rate = torch.as_tensor(sigma(middle), dtype=torch.float64) ** 2 / path.scheduler.beta(middle) ** 2
    return float(rate.mean()) * (b - a)


def _langevin(p: GaussianMixture, y: Tensor, clock: float, generator: torch.Generator) -> Tensor:
    """Langevin dynamics on `p` for the time `clock` with unit noise: exact for one Gaussian, Euler-Maruyama otherwise.

    With several components at most MAX_CLOCK_STEPS steps of CLOCK_STEP standard units are made: beyond that the
    particles have long forgotten where they were.
    """
    if clock == 0.0:
        return y
    if p.n_components == 1:
        values, vectors = torch.linalg.eigh(p.covariances[0])
        decay = torch.exp(-clock / (2 * values))
        centred = (y - p.means[0]) @ vectors
        noise = torch.randn(y.shape, generator=generator, dtype=y.dtype)
        centred = decay * centred + torch.sqrt(values * (1 - decay**2)) * noise
        return torch.add(p.means[0], centred @ vectors.T)
    narrowest = float(torch.linalg.eigvalsh(p.covariances).min())
    h = min(clock, CLOCK_STEP * 4 * narrowest)
    for _ in range(min(MAX_CLOCK_STEPS, max(1, round(clock / h)))):
        y = y + h / 2 * p.score(y) + h**0.5 * torch.randn(y.shape, generator=generator, dtype=y.dtype)
    return y
