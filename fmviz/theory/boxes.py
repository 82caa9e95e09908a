r"""Probability in a box and its flow through the sides (T17, T20 in integral form).

For a box :math:`B` the continuity equation says :math:`\tfrac{d}{dt} \int_B p = -\oint_{\partial B} p\,u \cdot n`, and
Fokker-Planck the same with the flux :math:`p (u + \tfrac{\sigma^2}{2} s) - \tfrac{\sigma^2}{2} \nabla p`. Both sides are
computed by ways that share no formula:

* the **mass** is a sum of bivariate normal probabilities (`bivariate_normal_cdf`, accurate to about 1e-15), and its
  **rate** the chain rule through means and covariances: with :math:`F(m, C)` the probability of the box under one
  Gaussian, :math:`\partial F / \partial C_{ij} = \tfrac12 \partial^2 F / \partial m_i \partial m_j`, in closed form;
* the **flux** is the density times the velocity, integrated along each side by Gauss-Legendre quadrature.
"""

__all__ = ["Box", "Fluxes", "bivariate_normal_cdf", "fluxes", "mass", "mass_rate"]

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.special import ndtr

from fmviz.errors import ParameterError
from fmviz.theory.arrays import Numbers, arraylike
from fmviz.theory.conservation import MovingMixture, TermFactors, flux_forms, weighted_sums
from fmviz.theory.reprs import one_line

_TWO_PI = 2.0 * math.pi
# Correlations above this are expanded about 1, as Genz does; below it 20 nodes give 15 digits.
_HIGH_CORRELATION, _CORRELATION_NODES = 0.925, 20
# A side is cut into pieces of at most so many standard deviations of the narrowest component. By the error formula of
# Gauss-Legendre quadrature, 12 nodes then integrate a Gaussian over a piece to 3e-12 of its height.
_PIECE, _PIECE_NODES = 4.0, 12
_MOST_PIECES = 128


@dataclass(frozen=True)
class Box:
    """A rectangle of the plane, x0 < x1 and y0 < y1."""

    x0: float
    x1: float
    y0: float
    y1: float

    def __post_init__(self) -> None:
        sides = (self.x0, self.x1, self.y0, self.y1)
        if not (all(map(math.isfinite, sides)) and self.x0 < self.x1 and self.y0 < self.y1):
            raise ParameterError("box", "finite x0 < x1 and y0 < y1", sides)


@dataclass(frozen=True, eq=False)
class Fluxes:
    r"""Outward flux through each side at T times, each (T, 4), float64; sides in the order left, right, bottom, top.

    Attributes:
        transport: of :math:`p\,u`.
        score_transport: of :math:`p \tfrac{\sigma^2}{2} s = \tfrac{\sigma^2}{2} \nabla p`.
        diffusion: of :math:`-\tfrac{\sigma^2}{2} \nabla p`, which cancels `score_transport`.
    """

    transport: Tensor
    score_transport: Tensor
    diffusion: Tensor

    __repr__ = one_line

    @property
    def total(self) -> Tensor:
        """Outward flux through each side, (T, 4)."""
        return self.transport + self.score_transport + self.diffusion

    @property
    def net(self) -> Tensor:
        """Outward flux through all four sides together, (T,)."""
        return self.total.sum(dim=-1)


def mass(motion: MovingMixture, box: Box) -> Tensor:
    """Probability of the box at T times, (T,), float64, to about 1e-14."""
    variances = motion.covariance.diagonal(dim1=-2, dim2=-1)
    correlation = motion.covariance[..., 0, 1] / variances.prod(-1).sqrt()
    corners = (_corners(box, motion.mean) - motion.mean) / variances.sqrt()
    inside = bivariate_normal_cdf(corners[..., 0], corners[..., 1], correlation.expand(corners.shape[:-1]))
    return _weighted(motion, _alternate(inside))


def mass_rate(motion: MovingMixture, box: Box) -> Tensor:
    r"""d/dt of `mass`, (T,), float64, in closed form.

    The derivatives in the mean are integrals of the density along sides, normal densities times conditional normal
    probabilities; the mixed second one is a sum of densities at the corners.
    """
    low, high = motion.mean.new_tensor((box.x0, box.y0)), motion.mean.new_tensor((box.x1, box.y1))
    twist = _alternate(_normal(motion, _corners(box, motion.mean)))
    m, c = motion.mean_rate, motion.covariance_rate
    rate = twist * c[..., 0, 1]
    for axis in (0, 1):
        first, bend = (
            b - a for a, b in zip(*(_side(motion, axis, end, low, high) for end in (low, high)), strict=True)
        )
        rate = rate - first * m[..., axis] + 0.5 * bend * c[..., axis, axis]
    return _weighted(motion, rate)


def fluxes(motion: MovingMixture, box: Box, half_sigma_squared: Tensor, law: TermFactors | None = None) -> Fluxes:
    r"""Outward flux through each side by quadrature.

    Args:
        motion: T times C components.
        box: the box.
        half_sigma_squared: :math:`\sigma_t^2 / 2`, (T,).
        law: factors of the two parts of the drift; by default both are 1, the dynamics that carry p.
    """
    law = law or TermFactors()
    variance = motion.covariance
    # Determinant over trace lies between half the smaller eigenvalue and all of it.
    narrowest = float((_determinant(variance) / variance.diagonal(dim1=-2, dim2=-1).sum(-1)).min().sqrt())
    sides = []
    for axis, (low, high) in ((0, (box.y0, box.y1)), (1, (box.x0, box.x1))):
        along, weights = _composite(low, high, _PIECE * narrowest)
        forms = flux_forms(motion, axis)
        for at, outward in (((box.x0, -1), (box.x1, 1)), ((box.y0, -1), (box.y1, 1)))[axis]:
            across = torch.full_like(along, at)
            points = torch.stack((across, along) if axis == 0 else (along, across), dim=-1)
            carried, gradient = weighted_sums(motion, forms, points)[1].unbind(1)
            sides.append(torch.stack((carried @ weights, gradient @ weights)) * outward)
    transport, gradient = torch.stack(sides, dim=-1)  # each (T, 4)
    factor = half_sigma_squared.double().unsqueeze(-1)
    return Fluxes(law.velocity * transport, law.score * factor * gradient, -factor * gradient)


@arraylike
def bivariate_normal_cdf(h: Numbers, k: Numbers, correlation: Numbers) -> Tensor:
    """P(X < h, Y < k) for standard normal X and Y with a correlation in (-1, 1); float64, to about 1e-15.

    The three have the same shape, which is that of the result.

    Drezner and Wesolowsky's integral over the correlation with Genz's expansion near 1 (A. Genz, Numerical computation of
    rectangular bivariate and trivariate normal and t probabilities, Statistics and Computing 14, 2004, section 2.4).
    """
    high = correlation.abs() > _HIGH_CORRELATION
    moderate = _moderate(h, k, correlation.masked_fill(high, 0.0))
    if not bool(high.any()):
        return moderate
    return torch.where(high, _strong(-h, -k, torch.where(high, correlation, _HIGH_CORRELATION)), moderate)


def _moderate(h: Tensor, k: Tensor, correlation: Tensor) -> Tensor:
    nodes, weights = _gauss_legendre(_CORRELATION_NODES)
    angle = correlation.asin().unsqueeze(-1)
    sine = (0.5 * angle * (nodes + 1.0)).sin()
    product, squares = (h * k).unsqueeze(-1), 0.5 * (h * h + k * k).unsqueeze(-1)
    integrand = ((sine * product - squares) / (1.0 - sine * sine)).exp()
    apart: Tensor = ndtr(h) * ndtr(k)
    return apart + (integrand @ weights) * angle.squeeze(-1) / (2.0 * _TWO_PI)


def _strong(h: Tensor, k: Tensor, correlation: Tensor) -> Tensor:
    """P(X > h, Y > k) near a correlation of 1, or of -1 by reflecting k. Names are those of Genz."""
    k = k * correlation.sign()
    product, left = h * k, (1.0 - correlation) * (1.0 + correlation)
    gap = (h - k).abs()
    square = gap * gap
    c, d = (4.0 - product) / 8.0, (12.0 - product) / 16.0
    root = left.sqrt()
    series = 1.0 - c * (square - left) * (1.0 - d * square / 5.0) / 3.0 + c * d * left * left / 5.0
    found = root * (-0.5 * (square / left + product)).exp() * series
    # Below -100 what follows is zero to all digits, but would be computed as infinity times zero.
    near = product.clamp(min=-100.0)
    tail = 1.0 - c * square * (1.0 - d * square / 5.0) / 3.0
    edge = (-0.5 * near).exp() * math.sqrt(_TWO_PI) * ndtr(-gap / root) * gap * tail
    found = found - edge.masked_fill(product < -100.0, 0.0)
    nodes, weights = _gauss_legendre(_CORRELATION_NODES)
    xs = (0.5 * root.unsqueeze(-1) * (nodes + 1.0)).square()
    rs = (1.0 - xs).sqrt()
    product, square, c, d = (v.unsqueeze(-1) for v in (product, square, c, d))
    fall = -0.5 * (square / xs + product)
    exact = (fall - product * xs / (2.0 * (1.0 + rs).square())).exp() / rs
    found = found + 0.5 * root * ((exact - fall.exp() * (1.0 + c * xs * (1.0 + d * xs))) @ weights)
    found = -found / _TWO_PI
    positive = found + ndtr(-torch.maximum(h, k))
    negative = (ndtr(k) - ndtr(h)).clamp(min=0.0) - found
    return torch.where(correlation > 0, positive, negative)


def _corners(box: Box, like: Tensor) -> Tensor:
    """The corners in the order of `_alternate`, (4, 1, 1, 2)."""
    corners = ((box.x1, box.y1), (box.x0, box.y1), (box.x1, box.y0), (box.x0, box.y0))
    return like.new_tensor(corners).reshape(4, 1, 1, 2)


def _alternate(corners: Tensor) -> Tensor:
    """The double difference over the box of a function given at its corners."""
    return corners[0] - corners[1] - corners[2] + corners[3]


def _weighted(motion: MovingMixture, values: Tensor) -> Tensor:
    return (values * motion.log_weights.exp()).sum(-1)


def _side(motion: MovingMixture, axis: int, end: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """The integral of each component's density along one side, and its derivative in the position of the side; (T, C)."""
    other = 1 - axis
    variance, mixed = motion.covariance[..., axis, axis], motion.covariance[..., 0, 1]
    away = end[axis] - motion.mean[..., axis]
    ahead = motion.mean[..., other] + mixed / variance * away
    spread = (motion.covariance[..., other, other] - mixed.square() / variance).sqrt()
    here = (-0.5 * away.square() / variance).exp() / (_TWO_PI * variance).sqrt()
    lower, upper = (((limit[other] - ahead) / spread) for limit in (low, high))
    first = here * (ndtr(upper) - ndtr(lower))
    ends = here * ((-0.5 * upper.square()).exp() - (-0.5 * lower.square()).exp()) / (math.sqrt(_TWO_PI) * spread)
    return first, -(away * first + mixed * ends) / variance


def _normal(motion: MovingMixture, points: Tensor) -> Tensor:
    """The density of each component at points (N, 1, 1, 2), (N, T, C)."""
    c, determinant = motion.covariance, _determinant(motion.covariance)
    x, y = (points - motion.mean).unbind(-1)
    form = (c[..., 1, 1] * x * x - 2.0 * c[..., 0, 1] * x * y + c[..., 0, 0] * y * y) / determinant
    return (-0.5 * form).exp() / (_TWO_PI * determinant.sqrt())


def _determinant(matrix: Tensor) -> Tensor:
    return matrix[..., 0, 0] * matrix[..., 1, 1] - matrix[..., 0, 1].square()


def _composite(low: float, high: float, piece: float) -> tuple[Tensor, Tensor]:
    """Nodes and weights of a rule on [low, high] that is Gauss-Legendre on equal pieces, none longer than `piece`."""
    pieces = min(_MOST_PIECES, max(1, math.ceil((high - low) / piece)))
    nodes, weights = _gauss_legendre(_PIECE_NODES)
    half = 0.5 * (high - low) / pieces
    middles = low + half * (2.0 * torch.arange(pieces, dtype=torch.float64) + 1.0)
    return (middles.unsqueeze(-1) + half * nodes).flatten(), (half * weights).repeat(pieces)


@lru_cache(maxsize=4)
def _gauss_legendre(count: int) -> tuple[Tensor, Tensor]:
    """Nodes in (-1, 1) and weights, from the eigenvalues of the Jacobi matrix (Golub and Welsch)."""
    with torch.inference_mode(False):  # kept, so autograd must be able to use it later
        n = torch.arange(1, count, dtype=torch.float64)
        beside = n / (4.0 * n * n - 1.0).sqrt()
        nodes, vectors = torch.linalg.eigh(torch.diag(beside, 1) + torch.diag(beside, -1))
        return nodes, 2.0 * vectors[0].square()
