"""Pairs that share one covariance: the product of two short sums against the sum over all pairs."""

import math

import pytest
import torch
from torch import Tensor

from fmviz.theory import GaussianMixture, ProbabilityPath, path_at_times, presets, schedulers
from fmviz.theory.products import LARGEST_EXPONENT, ProductTable
from tests.theory import builders, plain

TIMES = (0.0, 1e-6, 0.5, 1 - 1e-6, 1.0)


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """However little there is to gain."""
    monkeypatch.setattr(path_at_times, "_WORTH_A_PRODUCT", -math.inf)


def alike(components: int, seed: int, variance: float = 0.3) -> GaussianMixture:
    """One correlated covariance, uneven weights, means off the centre; float64."""
    law = builders.random_mixture(components, seed)
    covariance = variance * torch.tensor([[1.0, 0.6], [0.6, 0.8]], dtype=torch.float64)
    return GaussianMixture(law.means + 1.0, covariance.expand(components, 2, 2), law.weights)


def made(path: ProbabilityPath, x: Tensor, t: float) -> ProductTable | None:
    """The table used at these points, if any."""
    at, layout = path._at(x, t)
    return at._product_for(layout.points)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("t", TIMES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_equals_the_sum_over_all_pairs(t: float, dtype: torch.dtype) -> None:
    init, data = alike(5, 1), alike(7, 2, variance=0.05)
    path = ProbabilityPath(init, data, schedulers.get("trig"))
    x = builders.points(40, 3).to(dtype)
    assert made(path, x, t) is not None
    wanted = plain.evaluate(path, x.double(), torch.tensor(t, dtype=torch.float64))
    rtol = 1e-10 if dtype == torch.float64 else 3e-6
    velocity, score = path.velocity_and_score(x, t)
    for ours, theirs in (
        (path.log_density(x, t), wanted.log_density),
        (velocity, wanted.velocity),
        (score, wanted.score),
        (path.marginal_velocity(x, t), wanted.velocity),
        (path.posterior_mean(x, t), wanted.posterior_mean),
    ):
        assert ours.dtype == dtype
        assert torch.allclose(ours.double(), theirs, rtol=rtol, atol=rtol * float(theirs.abs().max()))


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("t", [1e-6, 0.5, 1 - 1e-6])
def test_gradients_are_those_of_the_sum_over_all_pairs(t: float) -> None:
    path = ProbabilityPath(alike(3, 1), alike(4, 2, variance=0.05), schedulers.get("linear"))

    def log_density(x: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        return path.log_density(x, s), plain.evaluate(path, x, s).log_density

    def velocity(x: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        return path.marginal_velocity(x, s), plain.evaluate(path, x, s).velocity

    for both in (log_density, velocity):
        x = builders.points(20, 3).requires_grad_()
        s = torch.tensor(t, dtype=torch.float64, requires_grad=True)
        ours, theirs = (
            torch.autograd.grad((value * torch.arange(value.numel()).reshape(value.shape)).sum(), (x, s))
            for value in both(x, s)
        )
        for a, b in zip(ours, theirs, strict=True):
            assert torch.allclose(a, b, rtol=1e-8, atol=1e-8 * float(b.abs().max()))


@pytest.mark.usefixtures("always")
def test_many_times_and_points_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    path = ProbabilityPath(alike(5, 1), alike(7, 2), schedulers.get("linear"))
    x, times = builders.points(101, 0), torch.tensor(TIMES, dtype=torch.float64)[:, None]
    moving = x.expand(len(TIMES), 101, 2) + times[..., None]
    monkeypatch.setattr("fmviz.theory.gaussians._BLOCK_BYTES", 8 * 24 * 40)
    with torch.inference_mode():
        velocity, score = path.velocity_and_score(x, times)
        log_p, log_p_moving = path.log_density(x, times), path.log_density(moving, times)
    for i, t in enumerate(times[:, 0]):
        wanted = plain.evaluate(path, x, t)
        assert torch.allclose(log_p[i], wanted.log_density, rtol=1e-10)
        assert torch.allclose(velocity[i], wanted.velocity, rtol=1e-9, atol=1e-9)
        assert torch.allclose(score[i], wanted.score, rtol=1e-9, atol=1e-9)
        assert torch.allclose(log_p_moving[i], plain.evaluate(path, moving[i], t).log_density, rtol=1e-10)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize(
    ("init", "data", "x", "t"),
    [
        (alike(3, 1), alike(4, 2), torch.tensor([[1e5, 0.0]]), 0.5),  # far points
        (alike(3, 1, 1e-7), alike(4, 2, 1e-7), torch.zeros(1, 2), 0.5),  # narrow components: couplings out of range
        (alike(3, 1, 1e-7), alike(4, 2, 1e-7), torch.zeros(1, 2), 0.0),  # narrow, all couplings 1, exponents large
        (alike(3, 1), builders.random_mixture(4, 2), torch.zeros(1, 2), 0.5),  # several covariances
        (builders.standard(), alike(4, 2), torch.zeros(1, 2), 0.5),  # as many exponentials either way
        (alike(3, 1), alike(4, 2), torch.tensor([[math.nan, 0.0]]), 0.5),
        (alike(3, 1), alike(4, 2), torch.empty(0, 2), 0.5),
    ],
)
def test_not_used_where_it_would_lose_digits(init: GaussianMixture, data: GaussianMixture, x: Tensor, t: float) -> None:
    path = ProbabilityPath(init, data, schedulers.get("linear"))
    assert made(path, x.double(), t) is None
    assert path.log_density(x, t).shape == (len(x),)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize(("variance", "used"), [(0.3, True), (0.01, False)])
def test_not_used_where_the_couplings_leave_the_range_of_numbers(variance: float, used: bool) -> None:
    """Near the centre, so that no exponent is large; log2 of the largest over the smallest coupling by the formula of C."""
    init, data = alike(3, 1, variance), alike(4, 2, variance)
    path = ProbabilityPath(init, data, schedulers.get("linear"))
    precision = torch.linalg.inv(0.25 * init.covariances[0] + 0.25 * data.covariances[0])
    of_init, of_data = (0.5 * (law.means - law.means.mean(0)) for law in (init, data))
    couplings = -of_init @ precision @ of_data.mT / math.log(2.0)
    assert (float(couplings.max() - couplings.min()) < 900.0) == used
    x = 0.5 * (init.means.mean(0) + data.means.mean(0))[None]
    assert (made(path, x, 0.5) is not None) == used
    wanted = plain.evaluate(path, x, torch.tensor(0.5, dtype=torch.float64))
    assert torch.allclose(path.marginal_velocity(x, 0.5), wanted.velocity, rtol=1e-9)


@pytest.mark.usefixtures("always")
def test_exact_up_to_the_bound_on_exponents() -> None:
    """As far out as points may be, and one step farther, where the general form takes over."""
    path = ProbabilityPath(alike(5, 1), alike(7, 2, variance=0.01), schedulers.get("linear"))
    for t in (0.2, 0.5, 0.9):
        radius = 1.0
        while made(path, torch.tensor([[2 * radius, 0.0]]).double(), t) is not None:
            radius *= 2
        assert 8.0 < radius < LARGEST_EXPONENT
        for x in (torch.tensor([[radius, 0.0]]).double(), torch.tensor([[2 * radius, 0.0]]).double()):
            wanted = plain.evaluate(path, x, torch.tensor(t, dtype=torch.float64))
            assert torch.allclose(path.marginal_velocity(x, t), wanted.velocity, rtol=1e-9)
            assert torch.allclose(path.log_density(x, t), wanted.log_density, rtol=1e-11)


def test_used_where_it_saves_work() -> None:
    x = builders.points(9216, 0, scale=4.0)
    many = ProbabilityPath(presets.get("checkerboard"), presets.get("ring8"), schedulers.get("linear"))
    few = ProbabilityPath(presets.get("two_modes"), presets.get("checkerboard"), schedulers.get("linear"))
    assert made(many, x, 0.5) is not None
    assert made(many, x[:100], 0.5) is None
    assert made(few, x, 0.5) is None
