"""Final samples against p_data: how often each mode is hit, and how far the two laws are apart (T47)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor

from fmviz.clips.clip import Floats
from fmviz.clips.paths import as_array
from fmviz.lessons.sample.compute.quasi_random import sobol_sample
from fmviz.theory import GaussianMixture
from fmviz.theory.metrics import energy_distance, negative_log_density, sliced_wasserstein

__all__ = ["PAIRS", "Distances", "Floor", "distances", "diverged_count", "floor", "occupancy"]

PAIRS = 4
"""Exact samples that every distance is averaged over, and pairs of them that the floor is."""
ENTROPY_POINTS = 8192


@dataclass(frozen=True)
class Distances:
    """Distances of a sample to p_data; infinite if any point of it has left the range of numbers.

    Attributes:
        sliced: sliced Wasserstein-2, a length.
        energy: energy distance.
        negative_log_likelihood: -E log p_data(X), in nats. Samples that keep to the middle of the modes go below the exact value.
    """

    sliced: float
    energy: float
    negative_log_likelihood: float


@dataclass(frozen=True)
class Floor(Distances):
    """What exact samples give; of the negative log-likelihood the expectation itself.

    Attributes:
        negative_log_likelihood_error: standard deviation of the negative log-likelihood of exact samples around it.
    """

    negative_log_likelihood_error: float


def _exact(p_data: GaussianMixture, count: int, first: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(7_000_003 + first)
    return [p_data.sample(count, generator=generator) for _ in range(PAIRS)]


def distances(p_data: GaussianMixture, samples: Tensor) -> Distances:
    """The distances of `samples` (N, 2), averaged over `PAIRS` exact samples of the same size."""
    if not bool(samples.isfinite().all()):
        return Distances(math.inf, math.inf, math.inf)
    exact = _exact(p_data, len(samples), 0)
    return Distances(
        fmean(float(sliced_wasserstein(samples, other)) for other in exact),
        fmean(float(energy_distance(samples, other)) for other in exact),
        float(negative_log_density(p_data, samples)),
    )


def floor(p_data: GaussianMixture, count: int) -> Floor:
    """What exact samples of that size give, averaged over `PAIRS` independent pairs; of -E log p the law of the mean."""
    pairs = list(zip(_exact(p_data, count, 0), _exact(p_data, count, 1), strict=True))
    negative_log_likelihood = -p_data.log_density(sobol_sample(p_data, ENTROPY_POINTS).double())
    return Floor(
        fmean(float(sliced_wasserstein(a, b)) for a, b in pairs),
        fmean(float(energy_distance(a, b)) for a, b in pairs),
        float(negative_log_likelihood.mean()),
        float(negative_log_likelihood.std()) / math.sqrt(count),
    )


def occupancy(p_data: GaussianMixture, samples: Tensor) -> Floats:
    """The share of the samples that each component explains, (K,): the mean of the exact responsibilities.

    Points that have left the range of numbers belong to none, so the shares may sum to less than one.
    """
    finite = samples[samples.isfinite().all(dim=-1)]
    if not len(finite):
        return as_array(torch.zeros(p_data.n_components))
    return as_array(p_data.responsibilities(finite).sum(dim=0) / len(samples))


def diverged_count(samples: Tensor) -> int:
    """How many points have left the range of numbers."""
    return int((~samples.isfinite().all(dim=-1)).sum())
