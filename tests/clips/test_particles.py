"""The particles of the conditional path, whose noise is that of Langevin dynamics."""

import math

import pytest
import torch

from fmviz.clips.particles import CLOCK_STEP, MAX_CLOCK_STEPS, Langevin, conditional_sde, time_changes
from fmviz.theory import GaussianMixture, ProbabilityPath, schedulers, sigmas


def test_on_one_gaussian_distances_decay_along_each_axis() -> None:
    """With the same noise two particles come nearer at the rate 1 / (2 v) along an axis of variance v (T9, T11)."""
    variances, clock = (0.25, 4.0), 0.7
    p = GaussianMixture(torch.tensor([[1.0, -2.0]]), torch.diag(torch.tensor(variances))[None], torch.ones(1))
    starts = torch.tensor([[0.3, 0.4], [1.5, -1.0]])
    first, second = (
        Langevin(p).run(start[None], clock, torch.Generator().manual_seed(0))[0] for start in starts.unbind()
    )
    wanted = [float(gap) * math.exp(-clock / (2 * v)) for gap, v in zip(starts[0] - starts[1], variances, strict=True)]
    assert (first - second).tolist() == pytest.approx(wanted, rel=1e-5)


def test_one_gaussian_is_left_invariant() -> None:
    """The exact step keeps the mean and the covariance, off the origin and correlated, whatever the clock (T10)."""
    covariance = torch.tensor([[1.0, 0.6], [0.6, 0.8]], dtype=torch.float64)
    p = GaussianMixture(torch.tensor([[3.0, -2.0]], dtype=torch.float64), covariance[None], torch.ones(1))
    n = 40_000
    start = p.sample(n, generator=torch.Generator().manual_seed(1))
    for clock in (0.05, 1.0, 100.0):
        moved = Langevin(p).run(start, clock, torch.Generator().manual_seed(2))
        torch.testing.assert_close(moved.mean(0), p.means[0], rtol=0, atol=5 / n**0.5)
        torch.testing.assert_close(moved.T.cov(), covariance, rtol=0, atol=10 / n**0.5)
    still = Langevin(p).run(start, 0.0, torch.Generator())
    assert torch.equal(still, start)
    a_moment = Langevin(p).run(start, 0.005, torch.Generator().manual_seed(3)) - start
    assert float(a_moment.square().mean()) == pytest.approx(0.005, rel=0.05), "Brownian motion for so short a time"


@pytest.mark.parametrize("clock", [0.01, 0.05, 0.3])
def test_several_gaussians_are_followed_in_steps_of_a_fifth_of_the_narrowest_variance(clock: float) -> None:
    """Far in one of two components the score is that of the component alone: its mean after n explicit steps is known."""
    variances = (0.25, 1.0)
    p = GaussianMixture(
        torch.tensor([[50.0, 0.0], [-50.0, 0.0]], dtype=torch.float64),
        torch.stack([v * torch.eye(2, dtype=torch.float64) for v in variances]),
        torch.ones(2),
    )
    n, offset = 40_000, 2.0
    start = (p.means[0] + torch.tensor([offset, 0.0], dtype=torch.float64)).repeat(n, 1)
    h = min(clock, CLOCK_STEP * 0.25)
    steps = round(clock / h)
    factor = 1.0 - h / (2 * 0.25)
    moved = Langevin(p).run(start, clock, torch.Generator().manual_seed(4)) - p.means[0]
    spread = h * sum(factor ** (2 * k) for k in range(steps))
    assert float(moved[:, 0].mean()) == pytest.approx(offset * factor**steps, abs=5 * (spread / n) ** 0.5)
    assert float(moved.var(dim=0).mean()) == pytest.approx(spread, rel=5 / n**0.5)


def test_long_clocks_are_cut_to_forty_steps() -> None:
    p = GaussianMixture(torch.tensor([[50.0, 0.0], [-50.0, 0.0]]), torch.eye(2).repeat(2, 1, 1), torch.ones(2))
    start, long = torch.zeros(5, 2) + 50.0, MAX_CLOCK_STEPS * CLOCK_STEP
    ends = [Langevin(p).run(start, clock, torch.Generator().manual_seed(5)) for clock in (long, 10 * long)]
    assert torch.equal(*ends)
    assert torch.equal(Langevin(p).run(start, 0.0, torch.Generator()), start), "no time, no step"
    assert not torch.equal(ends[0], Langevin(p).run(start, 0.5 * long, torch.Generator().manual_seed(5)))


def test_the_clock_is_the_integral_of_sigma_squared_over_beta_squared() -> None:
    """With beta = 1 - t and sigma constant it is s² (1 / (1 - b) - 1 / (1 - a)); where sigma = s beta it is s² (b - a)."""
    laws = (GaussianMixture.standard(), GaussianMixture.standard())
    path = ProbabilityPath(*laws, schedulers.get("linear"))
    times = torch.tensor([0.0, 0.1, 0.25, 0.3, 0.5])
    wanted = [4.0 * (1 / (1 - b) - 1 / (1 - a)) for a, b in zip(times[:-1].tolist(), times[1:].tolist(), strict=True)]
    assert time_changes(path, sigmas.get("constant", 2.0), times) == pytest.approx(wanted, rel=2e-3)
    even = time_changes(path, sigmas.get("beta", 2.0, schedulers.get("linear")), times)
    assert even == pytest.approx((4.0 * times.diff()).tolist(), rel=1e-6)
    slope = time_changes(path, lambda t: (1.0 - t) * t.sqrt(), times)  # type: ignore[arg-type]
    exact = [(b * b - a * a) / 2 for a, b in zip(times[:-1].tolist(), times[1:].tolist(), strict=True)]
    assert slope == pytest.approx(exact, rel=1e-6), "the midpoint rule is exact for a rate of t"


def test_without_noise_the_conditional_sde_is_the_conditional_flow() -> None:
    """X_t = alpha z + beta x_0 (T14), on the points where it started."""
    path = ProbabilityPath(GaussianMixture.standard(), GaussianMixture.standard(), schedulers.get("sqrt"))
    x0, z, times = torch.tensor([[1.0, 0.5], [-2.0, 3.0]]), torch.tensor([1.0, -1.0]), torch.tensor([0.0, 0.36, 0.84])
    found = conditional_sde(path, sigmas.get("zero"), z, x0, times, torch.Generator())
    wanted = torch.stack([t * z + (1.0 - t).sqrt() * x0 for t in times])
    torch.testing.assert_close(found, wanted)
