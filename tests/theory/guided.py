"""What the tests of guidance and of its weights both guide."""

import torch
from torch import Tensor

from fmviz.theory import GaussianMixture, ProbabilityPath, schedulers
from tests.theory import builders

LABELS = torch.tensor([3, 7, 3, 5, 5])


def labelled(seed: int = 1) -> GaussianMixture:
    """Five components: two labels with two of them, one with one."""
    plain = builders.random_mixture(5, seed=seed)
    return GaussianMixture(plain.means, plain.covariances, plain.weights, LABELS)


def three_modes() -> ProbabilityPath:
    means = torch.tensor([[-2.0, 0.0], [0.0, 0.0], [2.0, 0.0]], dtype=torch.float64)
    data = GaussianMixture(means, 0.49 * torch.eye(2, dtype=torch.float64).expand(3, 2, 2), torch.ones(3))
    return ProbabilityPath(builders.standard(), data, schedulers.get("linear"))


def distance(found: Tensor, wanted: Tensor) -> float:
    return float((found - wanted).abs().max() / wanted.abs().max().clamp(min=1.0))
