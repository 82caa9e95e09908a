r"""Distances between two samples, and between a sample and a distribution (T47).

Energy distance, zero only between equal distributions, with :math:`X, X'` and :math:`Y, Y'` independent:

.. math:: E(P, Q) = 2 E|X - Y| - E|X - X'| - E|Y - Y'|.

Sliced Wasserstein-2: the root mean square, over directions in the plane, of the one-dimensional Wasserstein-2 distances
between the projections. Negative log density: :math:`-E \log p(X)`, exact in p, smallest (the entropy) when X follows
p.
"""

__all__ = ["energy_distance", "negative_log_density", "sliced_wasserstein"]

import math

import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.theory.arrays import Points, arraylike
from fmviz.theory.counts import as_count
from fmviz.theory.mixture import GaussianMixture

# Rows of a distance matrix held at once: 1024 rows against 10000 points take 80 MB.
_ROWS = 1024


@arraylike
def energy_distance(x: Points, y: Points) -> Tensor:
    """Energy distance between two samples: the V-statistic, which is that of the two empirical distributions.

    Never negative, zero for equal samples. Two samples of one distribution give about E|X - X'| (1/n + 1/m), not zero: compare
    with what two exact samples of the same sizes give.

    Args:
        x: (N, 2).
        y: (M, 2).

    Returns:
        Scalar tensor, float64.

    Raises:
        ParameterError: a sample is empty or not made of points in the plane.

    Example:
        >>> float(energy_distance(torch.zeros(3, 2), torch.tensor([[3.0, 4.0]])))  # 2 E|X - Y|
        10.0
    """
    _check("x", x)
    _check("y", y)
    first, second = x.double(), y.double()
    gap = 2.0 * _mean_distance(first, second) - _mean_distance(first, first) - _mean_distance(second, second)
    return gap.clamp(min=0.0)


@arraylike
def sliced_wasserstein(x: Points, y: Points, *, directions: int = 64) -> Tensor:
    """Sliced Wasserstein-2 distance between two samples, by POT.

    In the plane no random directions are needed: evenly spaced ones over half a turn are a quadrature of the average.

    Args:
        x: (N, 2).
        y: (M, 2).
        directions: number of directions, at least 1.

    Returns:
        Scalar tensor, float64.

    Raises:
        ParameterError: a sample is empty or not made of points in the plane, or `directions` is below 1.
    """
    import ot  # type: ignore[import-untyped, unused-ignore]  # here: importing POT is slow, and rarely needed

    _check("x", x)
    _check("y", y)
    directions = as_count("directions", directions, 1)
    angles = torch.arange(directions, dtype=torch.float64, device=x.device) * (math.pi / directions)
    projections = torch.stack((angles.cos(), angles.sin()))
    distance = ot.sliced_wasserstein_distance(x.double(), y.double(), projections=projections, p=2)
    return torch.as_tensor(distance, dtype=torch.float64)


@arraylike
def negative_log_density(law: GaussianMixture, x: Points) -> Tensor:
    """The mean of -log p(X) over a sample, with the exact p.

    Args:
        law: the distribution p.
        x: (N, 2).

    Returns:
        Scalar tensor, float64.
    """
    _check("x", x)
    return -law.log_density(x.double()).mean()


def _mean_distance(x: Tensor, y: Tensor) -> Tensor:
    """Mean of all distances; exact differences, since the matrix product form loses short distances."""
    starts = range(0, len(x), _ROWS)
    sums = [torch.cdist(x[i : i + _ROWS], y, compute_mode="donot_use_mm_for_euclid_dist").sum() for i in starts]
    return torch.stack(sums).sum() / (len(x) * len(y))


def _check(name: str, points: Tensor) -> None:
    if points.ndim != 2 or points.shape[0] == 0 or points.shape[1] != 2:
        raise ParameterError(name, "points of shape (N, 2), N >= 1", tuple(points.shape))
