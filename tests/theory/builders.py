"""Random mixtures for the tests of the theory."""

import math

import torch

from fmviz.theory import GaussianMixture
from tests.theory import reference


def seeded(seed: int) -> torch.Generator:
    """A generator of its own for each use."""
    return torch.Generator().manual_seed(seed)


def random_mixture(components: int, seed: int, *, centred: bool = False) -> GaussianMixture:
    """Means within [-3, 3], correlated covariances with standard deviations 0.3 to 1, uneven weights; float64."""
    g = seeded(seed)
    means = 6.0 * torch.rand(components, 2, generator=g, dtype=torch.float64) - 3.0
    angle = math.pi * torch.rand(components, generator=g, dtype=torch.float64)
    std = 0.3 + 0.7 * torch.rand(components, 2, generator=g, dtype=torch.float64)
    turn = torch.stack((angle.cos(), -angle.sin(), angle.sin(), angle.cos()), dim=-1).reshape(-1, 2, 2)
    covariances = turn @ torch.diag_embed(std.square()) @ turn.mT
    weights = 0.2 + torch.rand(components, generator=g, dtype=torch.float64)
    return GaussianMixture(torch.zeros_like(means) if centred else means, covariances, weights)


def standard() -> GaussianMixture:
    """N(0, I) in float64."""
    return GaussianMixture.standard(dtype=torch.float64)


def to_reference(mixture: GaussianMixture) -> reference.Mixture:
    """The same mixture for the independent implementation."""
    m = mixture.to(torch.float64)
    return reference.Mixture(m.weights.numpy(), m.means.numpy(), m.covariances.numpy())


def points(n: int, seed: int, scale: float = 2.0) -> torch.Tensor:
    """Normal points, float64."""
    return scale * torch.randn(n, 2, generator=seeded(seed), dtype=torch.float64)
