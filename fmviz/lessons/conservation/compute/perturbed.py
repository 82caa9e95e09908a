r"""Particles of dynamics that break the law on purpose: the velocity scaled, or the score dropped from the drift.

Given z the SDE is solved in :math:`Y = (X - \alpha_t z)/\beta_t`, in which the true dynamics are Langevin's on p_init
(`fmviz.clips.particles`), and what is too much of the velocity,
:math:`(c - 1)(\dot\alpha z + \dot\beta Y)/\beta`, is linear. The two are split, each is solved over a frame in closed
form, the second with the ratio of the derivatives at the frame's middle. So nothing is stiff near t = 1.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor

from fmviz.clips.particles import Langevin, conditional_sde, marginal_ode, marginal_sde, time_changes
from fmviz.theory import ProbabilityPath
from fmviz.theory.conservation import TermFactors
from fmviz.theory.sigmas import Sigma
from fmviz.theory.solvers import sde_grid, solve_ode, solve_sde

__all__ = ["conditional_particles", "marginal_particles"]


def marginal_particles(
    path: ProbabilityPath, sigma: Sigma, law: TermFactors, x0: Tensor, times: Tensor, generator: torch.Generator
) -> Tensor:
    """Particles at the frames, (T, N, 2): the ODE by Heun where sigma is of kind "zero", else the SDE by Euler-Maruyama."""
    if sigma.kind == "zero":
        if law == TermFactors():
            return marginal_ode(path, x0, times)
        path.prepare(times.tolist())
        return solve_ode(lambda x, t: law.velocity * path.marginal_velocity(x, t), x0, method="heun", times=times)[0]
    if law == TermFactors():
        return marginal_sde(path, sigma, x0, times, generator)

    def drift(x: Tensor, t: float) -> Tensor:
        velocity, score = path.velocity_and_score(x, t)
        return torch.add(law.velocity * velocity, score, alpha=law.score * 0.5 * float(sigma(t)) ** 2)

    grid, frames = sde_grid(sigma, path.stiffness, times)
    path.prepare(grid)
    return solve_sde(drift, sigma, x0, generator=generator, times=grid)[0][frames]


def conditional_particles(
    path: ProbabilityPath,
    sigma: Sigma,
    law: TermFactors,
    z: Tensor,
    x0: Tensor,
    times: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """The same given `z` (2,), (T, N, 2); at t = 1 every dynamics here has collapsed onto z."""
    if law == TermFactors():
        if sigma.kind == "zero":
            return path.conditional_flow(x0[None], times[:, None], z)
        return conditional_sde(path, sigma, z, x0, times, generator)
    langevin = Langevin(path.p_init)
    alpha, beta = path.scheduler.alpha(times), path.scheduler.beta(times)
    y, frames = x0, [x0]
    for k, (clock, ends) in enumerate(
        zip(time_changes(path, sigma, times), pairwise(times.tolist()), strict=True), start=1
    ):
        if law.score == 1.0:
            y = langevin.run(y, clock, generator)
        else:
            y = y + math.sqrt(clock) * torch.randn(y.shape, generator=generator, dtype=y.dtype)
        y = _excess(path, law, z, y, *ends)
        frames.append(alpha[k] * z + beta[k] * y)
    return torch.stack(frames)


def _excess(path: ProbabilityPath, law: TermFactors, z: Tensor, y: Tensor, start: float, end: float) -> Tensor:
    r"""y after a frame of the part of the velocity that is too much.

    With :math:`\kappa = c - 1`, :math:`\dot y = \kappa (\dot\alpha z + \dot\beta y) / \beta`: the part in y is a factor
    of :math:`(\beta_{end}/\beta_{start})^\kappa`, and z takes the place of y in the ratio of the derivatives.
    """
    excess = law.velocity - 1.0
    v = path.scheduler.evaluate(torch.tensor([start, 0.5 * (start + end), end], dtype=torch.float64))
    keep: float = float(v.beta[2] / v.beta[0]) ** excess
    d_alpha, d_beta = float(v.d_alpha[1]), float(v.d_beta[1])
    gain = (keep - 1.0) * d_alpha / d_beta if d_beta else excess * (end - start) * d_alpha / float(v.beta[1])
    return keep * y + gain * z
