"""Weighted particles of guidance and exact draws of the law they stand for, against rejection and each other."""

import math

import pytest
import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.theory import GaussianMixture, ProbabilityPath, schedulers, sigmas
from fmviz.theory.guidance import Guidance, WeightedRun, simulate_weighted
from fmviz.theory.solvers import solve_ode, solve_sde
from tests.theory import builders
from tests.theory.guided import LABELS, distance, labelled, three_modes


def moments(x: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """First and second moments (x, y, x², xy, y²) under normalised weights, and their standard errors."""
    values = torch.stack((x[:, 0], x[:, 1], x[:, 0] ** 2, x[:, 0] * x[:, 1], x[:, 1] ** 2), dim=-1).double()
    mean = weights @ values
    return mean, (weights.square() @ (values - mean).square()).sqrt()


def equal(x: Tensor) -> Tensor:
    return torch.full((len(x),), 1.0 / len(x), dtype=torch.float64)


def misses(x: Tensor, weights: Tensor, exact: Tensor) -> float:
    """Largest difference of a moment from that of exact draws, in standard errors."""
    (found, error), (wanted, own) = moments(x, weights), moments(exact, equal(exact))
    return float(((found - wanted).abs() / (error.square() + own.square()).sqrt()).max())


def two_of_five() -> ProbabilityPath:
    """A label of two components among five, and a source off the origin."""
    source = GaussianMixture(torch.tensor([[0.5, -1.0]]).double(), torch.eye(2).double()[None] * 1.5, torch.ones(1))
    data = labelled()
    wide = data.covariances + 0.3 * torch.eye(2, dtype=torch.float64)
    return ProbabilityPath(source, GaussianMixture(data.means, wide, data.weights, LABELS), schedulers.get("trig"))


@pytest.mark.parametrize(("path", "label", "scale"), [(three_modes(), 2, 1.4), (two_of_five(), 5, 1.3)])
def test_weighted_end_points_sample_the_tilted_law_and_unweighted_ones_do_not(
    path: ProbabilityPath, label: int, scale: float
) -> None:
    guided = Guidance(path, label, scale)
    exact = guided.sample_tilted(200_000, generator=builders.seeded(1))
    run = simulate_weighted(guided, path.p_init.sample(50_000, generator=builders.seeded(2)), steps=40)
    assert misses(run.positions[-1], run.weights[-1], exact) < 5.0
    assert misses(run.positions[-1], equal(exact[:50_000]), exact) > 20.0


def test_weights_repair_the_sde_as_they_repair_the_ode() -> None:
    path = three_modes()
    guided = Guidance(path, 2, 1.4)
    exact = guided.sample_tilted(100_000, generator=builders.seeded(1))
    x0 = path.p_init.sample(20_000, generator=builders.seeded(2))
    run = simulate_weighted(guided, x0, steps=100, sigma=sigmas.get("constant", 0.7), generator=builders.seeded(3))
    assert misses(run.positions[-1], run.weights[-1], exact) < 5.0
    assert misses(run.positions[-1], equal(x0), exact) > 20.0


def test_resampled_particles_sample_the_tilted_law_with_almost_equal_weights() -> None:
    path = three_modes()
    guided = Guidance(path, 2, 1.4)
    x0 = path.p_init.sample(20_000, generator=builders.seeded(2))
    run = simulate_weighted(guided, x0, steps=60, resample_below=0.7, resampler=builders.seeded(3))
    carried = simulate_weighted(guided, x0, steps=60)
    assert run.resampled.any()
    assert not carried.resampled.any()
    assert not run.resampled[-1]
    assert run.effective[-1] > 1.5 * carried.effective[-1]
    assert (run.effective[:-1][~run.resampled[:-1]] >= 0.7 * len(x0)).all()
    mean = (run.weights[-1] @ run.positions[-1])[0]
    exact = guided.sample_tilted(200_000, generator=builders.seeded(1))
    assert abs(float(mean - exact[:, 0].mean())) < 0.02  # descendants of one ancestor are no independent draws
    assert abs(float(run.positions[-1, :, 0].mean() - exact[:, 0].mean())) < abs(
        float(carried.positions[-1, :, 0].mean() - exact[:, 0].mean())
    )
    first = int(run.resampled.nonzero()[0])
    assert torch.equal(run.positions[first], carried.positions[first][run.parents[first]])


def test_the_mean_weight_is_the_ratio_of_the_normalising_constants() -> None:
    """E[W] = E_p[p(y|z)^w] / p(y)^w, with and without resampling."""
    path = three_modes()
    guided = Guidance(path, 2, 1.4)
    z = path.p_data.sample(400_000, generator=builders.seeded(5))
    wanted = float(path.classifier(z, 1.0)[:, 2].pow(1.4).mean()) / math.exp(1.4 * guided.log_share)
    x0 = path.p_init.sample(20_000, generator=builders.seeded(6))
    for share in (0.0, 0.8):
        run = simulate_weighted(guided, x0, steps=60, resample_below=share, resampler=builders.seeded(7))
        weights = run.log_weights[-1].exp()
        assert abs(float(weights.mean()) - wanted) < 0.05 * wanted


def test_guidance_on_an_interval_is_plain_outside_and_its_weights_jump() -> None:
    """On [0.3, 0.8] the law is p_t(. | y) before and after, so weighted end points sample p_data(. | y)."""
    path, x = three_modes(), builders.points(10, seed=9)
    guided = Guidance(path, 2, 1.8, (0.3, 0.8))
    own = guided.conditional
    for t in (0.29, 0.81):
        assert torch.equal(guided.velocity(x, t), own.marginal_velocity(x, t))
        assert not guided.weight_rate(x, t).any()
    for t in (0.3, 0.8):
        assert torch.equal(guided.velocity(x, t), Guidance(path, 2, 1.8).velocity(x, t))
    times = torch.tensor([0.29, 0.5, 0.81], dtype=torch.float64).unsqueeze(-1)
    together = guided.velocity(x, times)
    assert distance(together, torch.stack([guided.velocity(x, float(t)) for t in times])) < 1e-12
    run = simulate_weighted(guided, path.p_init.sample(30_000, generator=builders.seeded(2)), steps=55)
    assert 0.3 in run.times
    assert 0.8 in run.times
    exact = path.p_data.given(2).sample(200_000, generator=builders.seeded(3))
    assert misses(run.positions[-1], run.weights[-1], exact) < 5.0
    assert misses(run.positions[-1], equal(run.positions[-1]), exact) > 20.0


def test_weights_of_an_interval_are_their_integral_and_jump_by_the_classifier() -> None:
    """Against the sum of rates and jumps along the same particles, which turn on at 0, 0.25 and 0.5 and off before the end."""
    path = three_modes()
    x0 = path.p_init.sample(20, generator=builders.seeded(2))
    for low, high in ((0.0, 0.5), (0.25, 0.75), (0.5, 1.0)):
        guided = Guidance(path, 2, 1.8, (low, high))
        run = simulate_weighted(guided, x0, 200)
        whole, inside = Guidance(path, 2, 1.8), (run.times >= low) & (run.times <= high)
        times, at = run.times[inside].tolist(), run.positions[inside]
        rates = torch.stack([whole.weight_rate(x, t) for x, t in zip(at, times, strict=True)])
        wanted = torch.trapezoid(rates, run.times[inside], dim=0)
        if low > 0.0:
            wanted = wanted + 0.8 * guided.log_classifier(at[0], low)
        if high < 1.0:
            wanted = wanted - 0.8 * guided.log_classifier(at[-1], high)
        assert distance(run.log_weights[-1], wanted) < 1e-3
        assert not run.log_weights[0].any()


def test_ends_of_the_interval_are_steps_only_within_the_times_asked_for() -> None:
    path = three_modes()
    x0 = path.p_init.sample(4, generator=builders.seeded(1))
    run = simulate_weighted(Guidance(path, 2, 1.8, (0.1, 0.45)), x0, times=[0.2, 0.6])
    assert run.times.tolist() == [0.2, 0.45, 0.6]
    assert simulate_weighted(Guidance(path, 2), x0, 1).times.tolist() == [0.0, 1.0]
    assert len(simulate_weighted(Guidance(path, 2), x0).times) == 101


def test_resampling_below_the_whole_happens_between_all_steps_but_not_at_the_ends() -> None:
    path = three_modes()
    x0 = path.p_init.sample(50, generator=builders.seeded(1))
    run = simulate_weighted(Guidance(path, 2, 1.8), x0, 6, resample_below=1.0, resampler=builders.seeded(2))
    assert run.resampled.tolist() == [False, *[True] * 5, False]
    assert (run.log_weights[1:-1].std(dim=-1) == 0.0).all()
    assert (run.weights.sum(dim=-1) - 1.0).abs().max() < 1e-12
    for step in range(1, 6):
        before = simulate_weighted(
            Guidance(path, 2, 1.8), run.positions[step - 1], times=run.times[step - 1 : step + 1].tolist()
        )
        assert distance(run.positions[step], before.positions[-1][run.parents[step]]) < 1e-12
        mean = (run.log_weights[step - 1] + before.log_weights[-1]).exp().mean()
        assert distance(run.log_weights[step].exp(), mean.expand(50)) < 1e-12


def test_draws_at_scales_zero_and_one_are_those_of_the_data() -> None:
    path = three_modes()
    for scale, law in ((0.0, path.p_data), (1.0, path.p_data.given(1))):
        found = Guidance(path, 1, scale).sample_tilted(50, generator=builders.seeded(1))
        assert torch.equal(found, law.sample(50, generator=builders.seeded(1)))
    for scale in (0.0, 0.5, 3.0):
        assert Guidance(path, 1, scale).sample_tilted(0).shape == (0, 2)
        with pytest.raises(ParameterError, match="n: expected a count"):
            Guidance(path, 1, scale).sample_tilted(-1)


@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0, 3.0])
def test_tilted_draws_match_plain_rejection_from_the_data(scale: float) -> None:
    path = three_modes()
    found = Guidance(path, 1, scale).sample_tilted(60_000, generator=builders.seeded(1))
    g = builders.seeded(2)
    z = path.p_data.sample(400_000, generator=g)
    keep = torch.rand(len(z), generator=g, dtype=torch.float64) < path.classifier(z, 1.0)[:, 1].pow(scale)
    assert found.shape == (60_000, 2)
    assert misses(found, equal(found), z[keep]) < 5.0


def test_a_negative_scale_has_no_exact_draws() -> None:
    guided = Guidance(three_modes(), 0, -0.5)
    with pytest.raises(ParameterError, match="unbounded"):
        guided.sample_tilted(10)
    assert len(Guidance(three_modes(), 0, -0.5, (0.1, 0.9)).sample_tilted(10)) == 10  # plain at the end


def test_hopeless_rejection_gives_up() -> None:
    """A rare label hidden under a common one: hardly a draw has p(y|z)^7 far from zero."""
    covariances = torch.eye(2).expand(2, 2, 2)
    data = GaussianMixture(torch.zeros(2, 2), covariances, torch.tensor([1e-4, 1.0]))
    guided = Guidance(ProbabilityPath(builders.standard(), data, schedulers.get("linear")), 0, 8.0)
    with pytest.raises(ParameterError, match=r"keeps 10 of 4\d+ proposals") as refused:
        guided.sample_tilted(10)
    made = int(str(refused.value).split(" of ")[1].split()[0])
    assert 4_194_304 <= made < 4_194_304 + 2**16  # the first batch may be small


def test_the_solvers_drive_guidance() -> None:
    path = three_modes()
    guided, sigma = Guidance(path, 2, 1.5), sigmas.get("constant", 0.5)
    x0 = path.p_init.sample(64, generator=builders.seeded(1))
    run: WeightedRun = simulate_weighted(guided, x0, 40)
    assert distance(run.positions, solve_ode(guided.velocity, x0, 40)[0]) < 1e-12
    assert run.effective[0] == 64.0
    walked = simulate_weighted(guided, x0, 40, sigma=sigma, generator=builders.seeded(2))
    paths, _ = solve_sde(guided.sde_drift(sigma), sigma, x0, 40, generator=builders.seeded(2))
    assert distance(walked.positions, paths) < 1e-12


@pytest.mark.parametrize("share", [-0.005, 1.005, math.nan])
def test_shares_that_are_none_are_refused(share: float) -> None:
    with pytest.raises(ParameterError, match="resample_below"):
        simulate_weighted(Guidance(three_modes(), 0), torch.zeros(1, 2), 2, resample_below=share)


def test_one_time_is_no_simulation() -> None:
    for wrong in ({"steps": 0}, {"times": [0.5]}):
        with pytest.raises(ParameterError, match="times: expected at least two times"):
            simulate_weighted(Guidance(three_modes(), 0), torch.zeros(1, 2), **wrong)
