"""The field of blurred pairs against the weighted mean written out, and the continuity equation."""

import math
from typing import Any

import pytest
import torch

from fmviz.errors import ParameterError
from fmviz.theory.pair_field import PairField
from tests.theory import builders


def test_the_field_of_pairs_is_the_weighted_mean_of_their_velocities() -> None:
    g = builders.seeded(0)
    x0, z, x = (torch.randn(n, 2, generator=g, dtype=torch.float64) for n in (30, 30, 7))
    field, t, h, gamma = PairField(x0, z, 0.4, 0.8), 0.3, 0.4, 0.8
    variance = h**2 + gamma**2 * t * (1 - t)
    apart = x[:, None] - (1 - t) * x0 - t * z
    densities = (-apart.square().sum(-1) / (2 * variance)).exp()
    weights = (densities / densities.sum(1, keepdim=True)).unsqueeze(-1)
    velocities = (z - x0) + 0.5 * gamma**2 * (1 - 2 * t) / variance * apart
    assert torch.allclose(field.velocity(x, t), (weights * velocities).sum(1), atol=1e-10)
    assert torch.allclose(field.score(x, t), -(weights * apart).sum(1) / variance, atol=1e-10)
    assert torch.allclose(field.posterior(x, t), weights.squeeze(-1), atol=1e-12)
    wanted = (densities.mean(1) / (2 * math.pi * variance)).log()
    assert torch.allclose(field.log_density(x, t), wanted, atol=1e-10)


def test_the_field_of_pairs_is_there_from_the_first_time_to_the_last() -> None:
    field = PairField(torch.zeros(1, 2), torch.ones(1, 2), 0.5)
    for t in (0.0, 1.0):
        assert torch.equal(field.posterior(torch.zeros(3, 2), t), torch.ones(3, 1))
    for t in (-1e-9, 1.0 + 1e-9, math.nan):
        with pytest.raises(ParameterError, match="t: expected"):
            field.posterior(torch.zeros(3, 2), t)


def test_the_field_of_pairs_carries_their_density() -> None:
    g = builders.seeded(1)
    x0, z = (torch.randn(20, 2, generator=g, dtype=torch.float64) for _ in range(2))
    field, t, e = PairField(x0, z, 0.5, 0.6), 0.4, 1e-5
    x = torch.randn(8, 2, generator=g, dtype=torch.float64).requires_grad_()
    velocity = field.velocity(x, t)
    divergence = sum(torch.autograd.grad(velocity[:, i].sum(), x, retain_graph=True)[0][:, i] for i in range(2))
    rate = (field.log_density(x, t + e) - field.log_density(x, t - e)) / (2 * e)
    assert torch.allclose(rate, -divergence - (velocity * field.score(x, t)).sum(-1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("wrong", [{"blur": 0.0}, {"gamma": -1e-9}, {"z": torch.zeros(2, 2)}])
def test_what_is_no_field_of_pairs_is_refused(wrong: dict[str, Any]) -> None:
    given: dict[str, Any] = {"x0": torch.zeros(3, 2), "z": torch.zeros(3, 2), "blur": 0.1} | wrong
    with pytest.raises(ParameterError):
        PairField(**given)
    assert PairField(**given | {"blur": 1e-9, "gamma": 0.0, "z": torch.zeros(3, 2)}).blur == 1e-9
    with pytest.raises(ParameterError):
        PairField(torch.zeros(1, 2), torch.zeros(1, 2), 0.1).velocity(torch.zeros(1, 2), 1.5)
