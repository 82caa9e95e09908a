"""Effective sample size and systematic resampling."""

import pytest
import torch

from fmviz.errors import ParameterError
from fmviz.theory.weights import effective_sample_size, systematic_resample
from tests.theory import builders


def test_effective_sample_size_is_that_of_kish() -> None:
    weights = torch.tensor([[1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 0.0, 0.0], [3.0, 1.0, 0.0, 0.0]]).double()
    found = effective_sample_size(weights.log() + 900.0)
    assert torch.allclose(found, torch.tensor([4.0, 1.0, 1.6], dtype=torch.float64), rtol=1e-12)


def test_systematic_resampling_draws_each_as_often_as_it_weighs() -> None:
    weights = torch.rand(500, generator=builders.seeded(1), dtype=torch.float64).square()
    expected = 2000 * weights / weights.sum()
    for seed in range(20):
        index = systematic_resample(weights.log() - 700.0, 2000, generator=builders.seeded(seed))
        counts = torch.bincount(index, minlength=500)
        assert len(index) == 2000
        assert (counts >= expected.floor()).all()
        assert (counts <= expected.ceil()).all()


def test_systematic_resampling_has_no_bias() -> None:
    weights, n = torch.tensor([0.17, 0.5, 0.33]), 3000
    g = builders.seeded(2)
    draws = torch.cat([systematic_resample(weights.log(), 1, generator=g) for _ in range(n)])
    shares = torch.bincount(draws, minlength=3) / n
    assert ((shares - weights).abs() < 5 * (weights * (1 - weights) / n).sqrt()).all()


def test_rounding_never_draws_a_particle_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The largest uniform number below 1, above ten tenths added up."""
    log_weights = torch.zeros(10)
    assert float(torch.softmax(log_weights.double(), dim=-1).cumsum(0)[-1]) < 1.0
    monkeypatch.setattr(torch, "rand", lambda *_, **__: torch.tensor(1.0 - 2.0**-53, dtype=torch.float64))
    assert systematic_resample(log_weights).tolist()[-1] == 9


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(wrong: float) -> None:
    with pytest.raises(ParameterError, match="log_weights"):
        systematic_resample(torch.tensor([0.0, wrong]))
