"""Paths that the tests of learning share."""

from __future__ import annotations

import math

import pytest
import torch

from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def course() -> ProbabilityPath:
    """The course's setting: five modes on radius 10, std 1, square root scheduler."""
    angles = torch.arange(5) * (2 * math.pi / 5)
    means = 10.0 * torch.stack([angles.cos(), angles.sin()], dim=-1)
    p_data = GaussianMixture(means, torch.eye(2).expand(5, 2, 2), torch.ones(5))
    return ProbabilityPath(GaussianMixture.standard(), p_data, schedulers.get("sqrt"))


@pytest.fixture(scope="session")
def ring8() -> ProbabilityPath:
    """Eight modes, linear scheduler."""
    return ProbabilityPath(GaussianMixture.standard(), presets.get("ring8"), schedulers.get("linear"))


@pytest.fixture(scope="session")
def bridge() -> ProbabilityPath:
    """From a mixture with correlated components to another: no Gaussian source (T33)."""
    covariances = torch.tensor([[[0.5, 0.2], [0.2, 0.3]], [[0.2, -0.1], [-0.1, 0.4]]])
    p_init = GaussianMixture(torch.tensor([[-2.0, 0.0], [1.0, 1.0]]), covariances, torch.tensor([0.3, 0.7]))
    return ProbabilityPath(p_init, presets.get("moons"), schedulers.get("linear"))
