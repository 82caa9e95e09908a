r"""The equations of the course, checked at given points (T17, T19, T20, T21).

Derivatives are taken by automatic differentiation of the log density and of the fields, so they share no formula with
what they check. With :math:`\ell = \log p_t`,

.. math::
    \partial_t p = p \, \partial_t \ell, \qquad
    \mathrm{div}(p u) = p (\mathrm{div} u + u \cdot \nabla \ell), \qquad
    \Delta p = p (\Delta \ell + |\nabla \ell|^2).
"""

__all__ = [
    "ContinuityResidual",
    "FokkerPlanckResidual",
    "ScoreResidual",
    "continuity_residual",
    "divergence",
    "fokker_planck_residual",
    "score_residual",
]

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.errors import SingularTimeError
from fmviz.theory.arrays import Points, Time, arraylike
from fmviz.theory.path import ProbabilityPath
from fmviz.theory.reprs import one_line


@dataclass(frozen=True)
class ContinuityResidual:
    """The continuity equation (T17) term by term, each (...), float64.

    Attributes:
        density_rate: d/dt p_t.
        flux_divergence: div(p_t u_t).
    """

    density_rate: Tensor
    flux_divergence: Tensor

    __repr__ = one_line

    @property
    def residual(self) -> Tensor:
        """d/dt p_t + div(p_t u_t), zero in exact arithmetic."""
        return self.density_rate + self.flux_divergence

    @property
    def largest(self) -> float:
        """Largest absolute residual."""
        return float(self.residual.abs().max())


@dataclass(frozen=True)
class FokkerPlanckResidual:
    """The Fokker-Planck equation (T20) of the SDE of T21 term by term, each (...), float64.

    Attributes:
        density_rate: d/dt p_t.
        flux_divergence: div(p_t [u_t + (sigma^2 / 2) s_t]).
        diffusion: (sigma^2 / 2) Laplace p_t.
    """

    density_rate: Tensor
    flux_divergence: Tensor
    diffusion: Tensor

    __repr__ = one_line

    @property
    def residual(self) -> Tensor:
        """d/dt p_t + div(p_t drift) - (sigma^2 / 2) Laplace p_t, zero in exact arithmetic."""
        return self.density_rate + self.flux_divergence - self.diffusion

    @property
    def largest(self) -> float:
        """Largest absolute residual."""
        return float(self.residual.abs().max())


@dataclass(frozen=True)
class ScoreResidual:
    """The score (T19) against the gradient of the log density, each (..., 2), float64.

    Attributes:
        closed_form: s_t from the formula.
        autodiff: the gradient of log p_t by automatic differentiation.
    """

    closed_form: Tensor
    autodiff: Tensor

    __repr__ = one_line

    @property
    def residual(self) -> Tensor:
        """Length of the difference, (...)."""
        return (self.closed_form - self.autodiff).square().sum(dim=-1).sqrt()

    @property
    def largest(self) -> float:
        """Largest length of the difference."""
        return float(self.residual.max())


@arraylike
def continuity_residual(path: ProbabilityPath, x: Points, t: Time) -> ContinuityResidual:
    """d/dt p_t + div(p_t u_t) at points (T17).

    Args:
        path: the path.
        x: (..., 2); computed in float64.
        t: a float or a tensor broadcastable to ``x.shape[:-1]``.

    Raises:
        SingularTimeError: the velocity or the derivative of the density has no value at t that autodiff can find, which
            is where alpha' or beta' is infinite (t = 1 of the square root and VP schedulers).
    """
    points, density, rate = _density_rate(path, x, t)
    field = path.marginal_velocity(points, t)
    flux = _flux_divergence(path, points, t, density, field)
    return ContinuityResidual(rate, flux.detach())


@arraylike
def fokker_planck_residual(
    path: ProbabilityPath, x: Points, t: Time, sigma: float | Tensor | Callable[[float], Tensor]
) -> FokkerPlanckResidual:
    """d/dt p_t + div(p_t [u_t + (sigma^2 / 2) s_t]) - (sigma^2 / 2) Laplace p_t at points (T20, T21).

    Args:
        path: the path.
        x: (..., 2); computed in float64.
        t: a float or a tensor broadcastable to ``x.shape[:-1]``.
        sigma: its value at t, or a diffusion coefficient to be called with t.

    Raises:
        SingularTimeError: as `continuity_residual`.
    """
    value = sigma(t) if callable(sigma) else sigma  # type: ignore[arg-type]  # ours take tensors
    half_sigma_squared = 0.5 * torch.as_tensor(value, dtype=torch.float64, device=x.device).square()
    points, density, rate = _density_rate(path, x, t)
    velocity, score = path.velocity_and_score(points, t)
    flux = _flux_divergence(path, points, t, density, velocity + half_sigma_squared.unsqueeze(-1) * score)
    gradient = _gradient(path.log_density(points, t), points, keep=True)
    laplacian = density * (divergence(gradient, points) + gradient.square().sum(dim=-1))
    return FokkerPlanckResidual(rate, flux.detach(), (half_sigma_squared * laplacian).detach())


@arraylike
def score_residual(path: ProbabilityPath, x: Points, t: Time) -> ScoreResidual:
    """s_t against grad log p_t by automatic differentiation (T19).

    Args:
        path: the path.
        x: (..., 2); computed in float64.
        t: a float or a tensor broadcastable to ``x.shape[:-1]``.
    """
    points = _leaf(x, t)
    with torch.enable_grad():
        gradient = _gradient(path.log_density(points, t), points, keep=False)
    return ScoreResidual(path.marginal_score(points.detach(), t), gradient)


def divergence(field: Tensor, x: Tensor) -> Tensor:
    """div f at the points that f was computed from, by automatic differentiation (T46 needs it of u).

    Args:
        field: f(x), (..., 2), each row a differentiable function of the same row of x.
        x: (..., 2), requiring gradients.

    Returns:
        (...), differentiable again.
    """
    rows = (torch.autograd.grad(field[..., i].sum(), x, create_graph=True)[0][..., i] for i in range(2))
    return torch.stack(tuple(rows)).sum(dim=0)


def _leaf(x: Tensor, t: float | Tensor) -> Tensor:
    """A float64 copy of x, one point for each (x, t), that derivatives can be taken of."""
    batch = (x[..., 0] + t).shape
    return x.detach().double().expand(*batch, 2).clone().requires_grad_()


def _density_rate(path: ProbabilityPath, x: Tensor, t: float | Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Differentiable points, p_t there, and d/dt p_t."""
    points = _leaf(x, t)
    with torch.enable_grad():
        times = torch.as_tensor(t, dtype=torch.float64, device=x.device).detach()
        times = times.expand(points.shape[:-1]).clone().requires_grad_()
        log_density = path.log_density(points.detach(), times)
        (rate,) = torch.autograd.grad(log_density.sum(), times)
    if not bool(rate.isfinite().all()):
        raise SingularTimeError("the density has no derivative in t here that automatic differentiation can find")
    density = log_density.detach().exp()
    return points, density, density * rate


def _flux_divergence(
    path: ProbabilityPath, points: Tensor, t: float | Tensor, density: Tensor, field: Tensor
) -> Tensor:
    """div(p f) = p (div f + f . grad log p)."""
    gradient = _gradient(path.log_density(points, t), points, keep=False)
    return density * (divergence(field, points) + (field * gradient).sum(dim=-1))


def _gradient(values: Tensor, points: Tensor, keep: bool) -> Tensor:
    gradient: Tensor = torch.autograd.grad(values.sum(), points, create_graph=keep)[0]
    return gradient
