"""Distances between samples against direct sums and closed forms."""

import math

import pytest
import torch

from fmviz.errors import ParameterError
from fmviz.theory import GaussianMixture, metrics
from tests.theory import builders


def test_energy_distance_is_the_double_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = builders.points(23, 0), builders.points(31, 1) + 0.5

    def mean(a: torch.Tensor, b: torch.Tensor) -> float:
        return sum(float((p - q).norm()) for p in a for q in b) / (len(a) * len(b))

    wanted = 2 * mean(x, y) - mean(x, x) - mean(y, y)
    assert float(metrics.energy_distance(x, y)) == pytest.approx(wanted, rel=1e-12)
    monkeypatch.setattr(metrics, "_ROWS", 7)
    assert float(metrics.energy_distance(x, y)) == pytest.approx(wanted, rel=1e-12)
    assert float(metrics.energy_distance(x, x)) == pytest.approx(0.0, abs=1e-12)


def test_two_samples_of_one_distribution_are_as_far_apart_as_stated() -> None:
    n = 1000
    values = [
        float(
            metrics.energy_distance(
                *(builders.standard().sample(n, generator=builders.seeded(s + d)) for d in (0, 100))
            )
        )
        for s in range(10)
    ]
    spread = math.sqrt(math.pi)  # E|X - X'| of N(0, I) in the plane
    assert sum(values) / 10 == pytest.approx(2 * spread / n, rel=0.3)


def test_sliced_wasserstein_of_a_shift_and_a_scaling() -> None:
    x = builders.points(500, 0)
    shift = torch.tensor([3.0, 4.0], dtype=torch.float64)
    assert float(metrics.sliced_wasserstein(x, x + shift)) == pytest.approx(5 / math.sqrt(2), rel=1e-9)
    size = float((x.square().sum(-1).mean() / 2).sqrt())
    assert float(metrics.sliced_wasserstein(x, 3 * x)) == pytest.approx(2 * size, rel=1e-9)
    assert float(metrics.sliced_wasserstein(x.float(), x.float())) == pytest.approx(0.0, abs=1e-9)


def test_one_direction_is_the_first_axis_and_two_are_both() -> None:
    """Sorted coordinates, as W_2 on a line has it: a shift by (3, 4) is 3 along x, and (9 + 16) / 2 in the mean of both."""
    x = builders.points(50, 0)
    moved = x + torch.tensor([3.0, 4.0], dtype=torch.float64)
    assert float(metrics.sliced_wasserstein(x, moved, directions=1)) == pytest.approx(3.0, rel=1e-12)
    assert float(metrics.sliced_wasserstein(x, moved, directions=2)) == pytest.approx(math.sqrt(12.5), rel=1e-12)


def test_by_default_there_are_64_directions() -> None:
    x, y = builders.points(40, 0), builders.points(50, 1)
    sliced = metrics.sliced_wasserstein
    assert float(sliced(x, y)) == float(sliced(x, y, directions=64)) != float(sliced(x, y, directions=65))


def test_negative_log_density_of_exact_samples_is_the_entropy() -> None:
    n = 50_000
    law = GaussianMixture(torch.zeros(1, 2), torch.diag(torch.tensor([4.0, 0.25]))[None], torch.ones(1))
    found = metrics.negative_log_density(law, law.sample(n, generator=builders.seeded(0)))
    assert float(found) == pytest.approx(1 + math.log(2 * math.pi), abs=5 / math.sqrt(n))


@pytest.mark.parametrize("bad", [torch.zeros(0, 2), torch.zeros(3, 3), torch.zeros(2)])
def test_wrong_samples_are_named(bad: torch.Tensor) -> None:
    with pytest.raises(ParameterError, match="x: "):
        metrics.energy_distance(bad, torch.zeros(2, 2))
    with pytest.raises(ParameterError, match="y: "):
        metrics.sliced_wasserstein(torch.zeros(2, 2), bad)
    with pytest.raises(ParameterError, match="directions"):
        metrics.sliced_wasserstein(torch.zeros(2, 2), torch.zeros(2, 2), directions=0)
