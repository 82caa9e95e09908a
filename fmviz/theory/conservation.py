r"""Conservation of probability, term by term (T17, T20, T21).

.. math::
    \partial_t p = \underbrace{-\nabla\cdot(p\,u)}_{\text{transport}}
        + \underbrace{\tfrac{\sigma^2}{2} \Delta p}_{\text{diffusion}}
        \underbrace{- \nabla\cdot(p\,\tfrac{\sigma^2}{2} s)}_{\text{score transport}}

On a path between Gaussian mixtures :math:`p = \sum_c \omega_c N_c`, and each term is :math:`\sum_c \omega_c N_c(x)\,
q_c(x)` with a quadratic form :math:`q_c`, so a term on a grid is **one matrix product** of coefficients with the weighted
densities, and a sum over :math:`x_1^2, x_1 x_2, x_2^2, x_1, x_2, 1`. The forms come from different sources, so that
a small residual is a real cancellation:

=================  =================================================================================================
rate               :math:`\partial_t` of the coefficients of :math:`\log \omega_c N_c`, by the schedule's derivatives
transport          :math:`-\mathrm{tr} A_c - (A_c x + b_c) \cdot g_c`, with the affine velocity of the pair (T16)
diffusion          trace of the Hessian, :math:`|P_c (x - m_c)|^2 - \mathrm{tr} P_c`
score transport    as transport, with the affine score in place of the velocity
=================  =================================================================================================

where :math:`P_c = C_c^{-1}` and :math:`g_c = \nabla \log N_c = -P_c (x - m_c)`. Everything is float64: a residual is
a difference of large numbers.

The marginal path has a density at every time in [0, 1]; where :math:`\dot\alpha` or :math:`\dot\beta` is infinite and
multiplies a mean other than zero it has no velocity. Given z, there is neither density nor velocity where beta = 0 (t = 1),
nor a velocity where a derivative is infinite. `solvable` says which times are left; the others raise.
"""

__all__ = [
    "MovingMixture",
    "TermFactors",
    "Terms",
    "flux_forms",
    "moving_conditional",
    "moving_marginal",
    "solvable",
    "terms",
    "weighted_sums",
]

import itertools
import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fmviz.errors import ParameterError, SingularTimeError
from fmviz.theory.arrays import Numbers, Points, TimeGrid, arraylike
from fmviz.theory.gaussians import matrices
from fmviz.theory.path import ProbabilityPath
from fmviz.theory.path_at_times import PathTimesCache
from fmviz.theory.reprs import one_line
from fmviz.theory.schedulers import ScheduleValues

_LOG_TWO_PI = math.log(2.0 * math.pi)
# Numbers of one (time, component, point) block worked on at a time; larger blocks leave the cache.
_BLOCK = 100_000


@dataclass(frozen=True, eq=False)
class MovingMixture:
    r"""C weighted Gaussians at T times, how they change, and the affine velocity A x + b that carries each; float64.

    Attributes:
        log_weights: (C,).
        mean: m, (T, C, 2).
        covariance: C, (T, C, 2, 2).
        mean_rate: the derivative of m in t.
        covariance_rate: the derivative of C in t.
        slope: A, (T, C, 2, 2).
        offset: b, (T, C, 2).
    """

    log_weights: Tensor
    mean: Tensor
    covariance: Tensor
    mean_rate: Tensor
    covariance_rate: Tensor
    slope: Tensor
    offset: Tensor

    __repr__ = one_line


@dataclass(frozen=True)
class TermFactors:
    """Factors of the velocity and of the score's part of the drift; with 1 and 1 the equation is that of p_t (T21)."""

    velocity: float = 1.0
    score: float = 1.0


@dataclass(frozen=True, eq=False)
class Terms:
    """The terms of the Fokker-Planck equation at N points and T times, each (T, N), float64.

    Attributes:
        density: p.
        rate: d/dt p.
        transport: -div(p u).
        diffusion: (sigma^2 / 2) Laplace p.
        score_transport: -div(p (sigma^2 / 2) s).
    """

    density: Tensor
    rate: Tensor
    transport: Tensor
    diffusion: Tensor
    score_transport: Tensor

    __repr__ = one_line

    def with_factors(self, law: TermFactors) -> "Terms":
        """The terms for a drift whose two parts are multiplied by the factors of `law`."""
        return replace(self, transport=law.velocity * self.transport, score_transport=law.score * self.score_transport)

    @property
    def total(self) -> Tensor:
        """The right-hand side, (T, N): the rate at which the dynamics would change p."""
        return self.transport + self.diffusion + self.score_transport

    @property
    def residual(self) -> Tensor:
        """d/dt p minus the right-hand side, (T, N); zero in exact arithmetic where the equation holds."""
        return self.rate - self.total


@arraylike
def solvable(path: ProbabilityPath, times: TimeGrid, z: Points | None = None) -> Tensor:
    """Whether all terms have a value at each of the times (T,), booleans (T,); with z (2,), those of the path given z."""
    v = _values(path, times)
    finite_alpha, finite_beta = v.d_alpha.isfinite(), v.d_beta.isfinite()
    if z is not None:
        return finite_alpha & finite_beta & (v.beta > 0)
    centred_data, centred_init = not bool(path.p_data.means.any()), not bool(path.p_init.means.any())
    return (finite_alpha | centred_data) & (finite_beta | centred_init)


@arraylike
def moving_marginal(path: ProbabilityPath, times: TimeGrid) -> MovingMixture:
    """The pairs of components of p_t (T16) and their regression lines E[X' | X = x] = A x + b.

    Args:
        path: the path, C = J K pairs.
        times: (T,), within [0, 1].

    Raises:
        SingularTimeError: a time that is not `solvable`.
    """
    at = PathTimesCache(path.p_init, path.p_data, path.scheduler).at(_checked(times))
    v, pairs = at.values, at.pairs
    rows = at.velocity_map.exact  # raises where there is no velocity
    affine = rows.reshape(len(rows), 4, 2, -1)[:, :3]
    d_alpha, d_beta = (d.nan_to_num(posinf=0.0, neginf=0.0) for d in (v.d_alpha, v.d_beta))  # those multiply zero
    return MovingMixture(
        pairs.log_weights,
        at.mean.mT.contiguous(),
        matrices(at.covariance),
        pairs.mix(d_alpha, d_beta, pairs.means).mT.contiguous(),
        matrices(pairs.mix(2.0 * v.alpha_d_alpha, 2.0 * v.beta_d_beta, pairs.covariances)),
        affine[:, :2].permute(0, 3, 2, 1),
        affine[:, 2].mT,
    )


@arraylike
def moving_conditional(path: ProbabilityPath, z: Points, times: TimeGrid) -> MovingMixture:
    """The components of p_t(. | z) (T12, T14), all carried by the one velocity of T15.

    Args:
        path: the path; C = J components of p_init.
        z: data point, (2,).
        times: (T,), within [0, 1].

    Raises:
        SingularTimeError: a time that is not `solvable` given z.
    """
    if z.shape != (2,):
        raise ParameterError("z", "one data point of shape (2,)", tuple(z.shape))
    if not bool(solvable(path, times, z).all()):
        raise SingularTimeError("given z there is no velocity where beta = 0 or a derivative is infinite")
    v, point = _values(path, times), z.double()
    means, covariances = path.p_init.means.double(), path.p_init.covariances.double()
    alpha, beta, d_alpha, d_beta = (f.reshape(-1, 1, 1) for f in (v.alpha, v.beta, v.d_alpha, v.d_beta))
    shrink = d_beta / beta
    shape = (len(times), len(means), 2)
    return MovingMixture(
        path.p_init.weights.double().log(),
        alpha * point + beta * means,
        beta.square().unsqueeze(-1) * covariances,
        d_alpha * point + d_beta * means,
        2.0 * v.beta_d_beta.reshape(-1, 1, 1, 1) * covariances,
        (shrink.unsqueeze(-1) * torch.eye(2, dtype=torch.float64)).expand(*shape, 2),
        ((d_alpha - shrink * alpha) * point).expand(shape),
    )


@arraylike
def terms(motion: MovingMixture, x: Points, half_sigma_squared: Numbers) -> Terms:
    r"""All terms at points, the same at all times.

    Args:
        motion: T times C components.
        x: (N, 2); read as float64.
        half_sigma_squared: :math:`\sigma_t^2 / 2`, (T,).
    """
    precision = _inverse(motion.covariance)
    precision_mean = _apply(precision, motion.mean)
    forms = torch.stack(
        (
            _rate(motion, precision, precision_mean),
            -_divergence(motion.slope, motion.offset, precision, precision_mean),
            _laplacian(motion, precision),
            -_divergence(-precision, precision_mean, precision, precision_mean),
        ),
        dim=1,
    )  # (T, 4, C, 6)
    forms[:, 2:] *= half_sigma_squared.double().reshape(-1, 1, 1, 1)
    density, found = weighted_sums(motion, forms, x)
    return Terms(density, *found.unbind(1))


def weighted_sums(motion: MovingMixture, forms: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """The density at points, and the sum over the components of quadratic forms times their weighted densities.

    Args:
        motion: T times C components.
        forms: coefficients of the monomials of `_basis`, F forms, (T, F, C, 6), float64.
        x: the points, the same at all times, (N, 2); read as float64.

    Returns:
        (T, N) and (T, F, N).
    """
    basis = _basis(x.double())
    precision = _inverse(motion.covariance)
    log_form = _log_form(motion, precision, _apply(precision, motion.mean))
    count, kinds, components, _ = forms.shape
    n = basis.shape[1]
    density, found = basis.new_empty(count, n), basis.new_empty(count, kinds, n)
    width = max(1, min(n, _BLOCK // components))
    height = max(1, _BLOCK // (components * width))
    for start, left in itertools.product(range(0, count, height), range(0, n, width)):
        rows, columns = slice(start, start + height), slice(left, left + width)
        weighted = (log_form[rows] @ basis[:, columns]).exp_()  # (T', C, N')
        density[rows, columns] = weighted.sum(dim=1)
        sums = forms[rows].mT.flatten(1, 2) @ weighted  # (T', 6 F, N')
        found[rows, :, columns] = torch.sum(sums.view(len(sums), kinds, 6, -1).mul_(basis[:, columns]), dim=2)
    return density, found


def flux_forms(motion: MovingMixture, axis: int) -> Tensor:
    """For `weighted_sums`: the components along an axis of p u and of grad p, (T, 2, C, 6)."""
    precision = _inverse(motion.covariance)
    flat = torch.zeros_like(precision)
    carried = _form(flat, motion.slope[..., axis, :], motion.offset[..., axis])
    gradient = _form(flat, -precision[..., axis, :], _apply(precision, motion.mean)[..., axis])
    return torch.stack((carried, gradient), dim=1)


def _basis(x: Tensor) -> Tensor:
    """The monomials that a form's six coefficients multiply, (6, N)."""
    if x.ndim != 2 or x.shape[1] != 2:
        raise ParameterError("x", "points of shape (N, 2)", tuple(x.shape))
    one, two = x.unbind(-1)
    return torch.stack((one * one, one * two, two * two, one, two, torch.ones_like(one)))


def _form(matrix: Tensor, linear: Tensor, constant: Tensor) -> Tensor:
    """x^T M x + l . x + k as coefficients of the basis, (T, C, 6)."""
    mixed = matrix[..., 0, 1] + matrix[..., 1, 0]
    squares = (matrix[..., 0, 0], mixed, matrix[..., 1, 1])
    return torch.stack((*squares, linear[..., 0], linear[..., 1], constant), dim=-1)


def _log_form(motion: MovingMixture, precision: Tensor, precision_mean: Tensor) -> Tensor:
    """log of the weighted component density."""
    constant = motion.log_weights - _LOG_TWO_PI - 0.5 * _determinant(motion.covariance).log()
    return _form(-0.5 * precision, precision_mean, constant - 0.5 * (motion.mean * precision_mean).sum(-1))


def _rate(motion: MovingMixture, precision: Tensor, precision_mean: Tensor) -> Tensor:
    """The derivative of `_log_form` in t, coefficient by coefficient: P' = -P C' P, and (log det C)' by its minors."""
    c, d = motion.covariance, motion.covariance_rate
    precision_rate = -precision @ d @ precision
    minors = d[..., 0, 0] * c[..., 1, 1] + c[..., 0, 0] * d[..., 1, 1] - 2.0 * c[..., 0, 1] * d[..., 0, 1]
    turned = _apply(precision_rate, motion.mean)
    constant = -0.5 * minors / _determinant(c) - 0.5 * (motion.mean * turned).sum(-1)
    constant = constant - (motion.mean_rate * precision_mean).sum(-1)
    return _form(-0.5 * precision_rate, turned + _apply(precision, motion.mean_rate), constant)


def _divergence(slope: Tensor, offset: Tensor, precision: Tensor, precision_mean: Tensor) -> Tensor:
    """div(N (A x + b)) / N = tr A + (A x + b) . (-P x + P m)."""
    linear = _apply(slope.mT, precision_mean) - _apply(precision, offset)
    trace = slope.diagonal(dim1=-2, dim2=-1).sum(-1)
    return _form(-slope.mT @ precision, linear, trace + (offset * precision_mean).sum(-1))


def _laplacian(motion: MovingMixture, precision: Tensor) -> Tensor:
    """Laplace N / N = |P (x - m)|^2 - tr P."""
    square = precision @ precision
    turned = _apply(square, motion.mean)
    trace = precision.diagonal(dim1=-2, dim2=-1).sum(-1)
    return _form(square, -2.0 * turned, (motion.mean * turned).sum(-1) - trace)


def _inverse(matrix: Tensor) -> Tensor:
    a, b, c = matrix[..., 0, 0], matrix[..., 0, 1], matrix[..., 1, 1]
    adjugate = torch.stack((c, -b, -b, a), dim=-1).reshape(matrix.shape)
    return adjugate / _determinant(matrix)[..., None, None]


def _determinant(matrix: Tensor) -> Tensor:
    return matrix[..., 0, 0] * matrix[..., 1, 1] - matrix[..., 0, 1].square()


def _apply(matrix: Tensor, vector: Tensor) -> Tensor:
    return (matrix * vector.unsqueeze(-2)).sum(-1)


def _checked(times: Tensor) -> Tensor:
    if times.ndim != 1 or not bool(((times >= 0) & (times <= 1)).all()):
        raise ParameterError("times", "times in [0, 1], of shape (T,)", times)
    return times.double()


def _values(path: ProbabilityPath, times: Tensor) -> ScheduleValues:
    return path.scheduler.evaluate(_checked(times))
