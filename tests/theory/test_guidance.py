"""Guidance against independent computations: another implementation, autodiff, finite differences, rejection."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from fmviz.errors import ParameterError
from fmviz.theory import GaussianMixture, ProbabilityPath, schedulers, sigmas
from fmviz.theory.conversions import coefficients
from fmviz.theory.guidance import Guidance, WeightedRun, simulate_weighted
from fmviz.theory.guided_fields import combined
from fmviz.theory.solvers import solve_ode, solve_sde
from tests.theory import builders, reference

SCALES = (-0.5, 0.0, 1.0, 2.5)
LABELS = torch.tensor([3, 7, 3, 5, 5])
SOURCES = {"standard": builders.standard(), "off the origin": builders.random_mixture(2, seed=6)}


def labelled(seed: int = 1) -> GaussianMixture:
    """Five components: two labels with two of them, one with one."""
    plain = builders.random_mixture(5, seed=seed)
    return GaussianMixture(plain.means, plain.covariances, plain.weights, LABELS)


def path_from(source: str, scheduler: str = "linear") -> ProbabilityPath:
    return ProbabilityPath(SOURCES[source], labelled(), schedulers.get(scheduler))


def chosen(mixture: GaussianMixture, label: int | None) -> list[int]:
    return [k for k in range(mixture.n_components) if label is None or int(mixture.labels[k]) == label]


def log_joint(path: ProbabilityPath, x: Tensor, t: float, label: int | None) -> Tensor:
    """log of the part of p_t(x) that the components of a label make, pair by pair with torch.distributions."""
    alpha, beta = float(path.scheduler.alpha(t)), float(path.scheduler.beta(t))
    terms = []
    for k in chosen(path.p_data, label):
        for j in range(path.p_init.n_components):
            law = MultivariateNormal(
                alpha * path.p_data.means[k] + beta * path.p_init.means[j],
                alpha**2 * path.p_data.covariances[k] + beta**2 * path.p_init.covariances[j],
            )
            terms.append(law.log_prob(x) + (path.p_data.weights[k] * path.p_init.weights[j]).log())
    return torch.stack(terms).logsumexp(dim=0)


def gradient(path: ProbabilityPath, x: Tensor, t: float, label: int | None) -> Tensor:
    at = x.clone().requires_grad_()
    return torch.autograd.grad(log_joint(path, at, t, label).sum(), at)[0]


def reference_velocity(path: ProbabilityPath, x: Tensor, t: float, label: int | None) -> Tensor:
    data = builders.to_reference(path.p_data)
    own = chosen(path.p_data, label)
    part = reference.Mixture(data.weights[own], data.means[own], data.covariances[own])
    init = builders.to_reference(path.p_init)
    return torch.stack([torch.as_tensor(reference.evaluate(init, part, "linear", p.numpy(), t).velocity) for p in x])


def distance(found: Tensor, wanted: Tensor) -> float:
    return float((found - wanted).abs().max() / wanted.abs().max().clamp(min=1.0))


@pytest.mark.parametrize("label", [3, 7])
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("t", [0.0, 0.2, 0.77, 1.0])
def test_fields_agree_with_another_implementation_and_with_autodiff(source: str, label: int, t: float) -> None:
    path, x = path_from(source), builders.points(9, seed=3)
    plain, own = (reference_velocity(path, x, t, y) for y in (None, label))
    score, own_score = (gradient(path, x, t, y) for y in (None, label))
    for w in SCALES:
        guided = Guidance(path, label, w)
        assert distance(guided.velocity(x, t), (1 - w) * plain + w * own) < 1e-9
        assert distance(guided.score(x, t), (1 - w) * score + w * own_score) < 1e-9
        rate = w * (w - 1) * ((own - plain) * (own_score - score)).sum(-1)
        assert distance(guided.weight_rate(x, t), rate) < 1e-9


@pytest.mark.parametrize("t", [0.0, 0.4, 1.0])
def test_scales_zero_and_one_are_the_exact_fields_to_the_bit(t: float) -> None:
    path, x = path_from("off the origin"), builders.points(50, seed=4).float()
    for w, exact in ((0.0, path), (1.0, Guidance(path, 5).conditional)):
        guided = Guidance(path, 5, w)
        assert torch.equal(guided.velocity(x, t), exact.marginal_velocity(x, t))
        assert torch.equal(guided.score(x, t), exact.marginal_score(x, t))
        times = torch.full((50,), t, dtype=torch.float64)
        assert torch.equal(guided.velocity(x, times), exact.marginal_velocity(x, times))
        assert not guided.weight_rate(x, t).any()


@pytest.mark.parametrize("scheduler", ["linear", "trig"])
def test_classifier_guidance_is_the_same_field(scheduler: str) -> None:
    """u + w b_t grad log p_t(y|x), the gradient of an independent classifier by autodiff."""
    path, x, w, t = path_from("standard", scheduler), builders.points(40, seed=5), 2.5, 0.35
    slope = gradient(path, x, t, 3) - gradient(path, x, t, None)
    wanted = path.marginal_velocity(x, t) + w * coefficients(path.scheduler, t).b * slope
    assert distance(Guidance(path, 3, w).velocity(x, t), wanted) < 1e-9


def test_the_classifier_is_the_share_of_each_label_in_the_density() -> None:
    path, x, t = path_from("off the origin"), builders.points(30, seed=6), 0.6
    found = path.classifier(x, t)
    assert path.p_data.classes == (3, 5, 7)
    for column, label in enumerate(path.p_data.classes):
        wanted = log_joint(path, x, t, label) - log_joint(path, x, t, None)
        assert distance(found[:, column], wanted.exp()) < 1e-9
        assert distance(Guidance(path, label).log_classifier(x, t), wanted) < 1e-9


def test_the_score_is_that_of_the_tilted_law() -> None:
    guided, t = Guidance(path_from("off the origin"), 3, 2.5), 0.7
    x = builders.points(20, seed=7).requires_grad_()
    slope = torch.autograd.grad(guided.log_tilted(x, t).sum(), x)[0]
    assert distance(guided.score(x.detach(), t), slope) < 1e-9
    wanted = -1.5 * log_joint(guided.path, x, t, None) + 2.5 * log_joint(guided.path, x, t, 3)
    assert distance(guided.log_tilted(x, t), wanted) < 1e-9


@pytest.mark.parametrize("source", SOURCES)
def test_the_tilted_law_moves_with_the_field_and_the_weights(source: str) -> None:
    """d/dt q + div(q u) = q (r - E[r]) by central differences: the error falls as the square of the step."""
    guided, t = Guidance(path_from(source), 3, 1.4), 0.5
    residuals = []
    for cells in (100, 200):
        side = torch.linspace(-7.0, 7.0, cells, dtype=torch.float64)
        step = float(side[1] - side[0])
        x = torch.stack(torch.meshgrid(side, side, indexing="xy"), dim=-1)

        def law(time: float, x: Tensor = x, step: float = step) -> Tensor:
            density = guided.log_tilted(x, time).exp()
            return density / (density.sum() * step**2)

        h = 0.05 * step
        q = law(t)
        flux = q.unsqueeze(-1) * guided.velocity(x, t)
        divergence = (flux[1:-1, 2:, 0] - flux[1:-1, :-2, 0] + flux[2:, 1:-1, 1] - flux[:-2, 1:-1, 1]) / (2 * step)
        rate = guided.weight_rate(x, t)
        mean = (q * rate).sum() * step**2
        change = (law(t + h) - law(t - h)) / (2 * h)
        gap = (change - q * (rate - mean))[1:-1, 1:-1] + divergence
        residuals.append(float(gap.abs().max() / change.abs().max()))
        assert float((q * (rate - mean)).abs().max() / change.abs().max()) > 0.02  # the weights are no rounding
    assert residuals[1] < 0.03
    assert residuals[0] / residuals[1] > 3.0


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


def three_modes() -> ProbabilityPath:
    means = torch.tensor([[-2.0, 0.0], [0.0, 0.0], [2.0, 0.0]], dtype=torch.float64)
    data = GaussianMixture(means, 0.49 * torch.eye(2, dtype=torch.float64).expand(3, 2, 2), torch.ones(3))
    return ProbabilityPath(builders.standard(), data, schedulers.get("linear"))


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
    exact = guided.sample_tilted(400_000, generator=builders.seeded(1))
    run = simulate_weighted(guided, path.p_init.sample(200_000, generator=builders.seeded(2)), steps=40)
    assert misses(run.positions[-1], run.weights[-1], exact) < 5.0
    assert misses(run.positions[-1], equal(exact[:200_000]), exact) > 20.0


def test_weights_repair_the_sde_as_they_repair_the_ode() -> None:
    path = three_modes()
    guided = Guidance(path, 2, 1.4)
    exact = guided.sample_tilted(100_000, generator=builders.seeded(1))
    x0 = path.p_init.sample(50_000, generator=builders.seeded(2))
    run = simulate_weighted(guided, x0, steps=150, sigma=sigmas.get("constant", 0.7), generator=builders.seeded(3))
    assert misses(run.positions[-1], run.weights[-1], exact) < 5.0
    assert misses(run.positions[-1], equal(x0), exact) > 20.0


def test_resampled_particles_sample_the_tilted_law_with_almost_equal_weights() -> None:
    path = three_modes()
    guided = Guidance(path, 2, 1.4)
    x0 = path.p_init.sample(50_000, generator=builders.seeded(2))
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
    x0 = path.p_init.sample(50_000, generator=builders.seeded(6))
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
    run = simulate_weighted(guided, path.p_init.sample(100_000, generator=builders.seeded(2)), steps=55)
    assert 0.3 in run.times
    assert 0.8 in run.times
    exact = path.p_data.given(2).sample(200_000, generator=builders.seeded(3))
    assert misses(run.positions[-1], run.weights[-1], exact) < 5.0
    assert misses(run.positions[-1], equal(run.positions[-1]), exact) > 20.0


def test_the_scale_holds_at_both_ends_of_its_interval_and_at_many_times_at_once() -> None:
    path, x = three_modes(), builders.points(5, seed=9)
    guided = Guidance(path, 2, 1.8, (0.3, 0.8))
    times = torch.tensor([0.0, 0.29, 0.3, 0.5, 0.8, 0.81, 1.0], dtype=torch.float64)
    scales = [1.0, 1.0, 1.8, 1.8, 1.8, 1.0, 1.0]
    assert guided.scale_at(times).tolist() == scales
    assert [guided.scale_at(float(t)) for t in times] == scales
    for t, scale in zip(times.tolist(), scales, strict=True):
        plain = Guidance(path, 2, scale)
        for together, alone in (
            (guided.velocity, plain.velocity),
            (guided.score, plain.score),
            (guided.weight_rate, plain.weight_rate),
            (guided.log_tilted, plain.log_tilted),
        ):
            found = together(x, torch.full((5,), t, dtype=torch.float64))
            assert distance(found, alone(x, t)) < 1e-12
            assert distance(together(x, t), alone(x, t)) < 1e-12
    assert torch.equal(Guidance(path, 2).velocity(x, 0.4), Guidance(path, 2, 1.0, (0.0, 1.0)).velocity(x, 0.4))


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


def test_end_points_of_the_guided_flow_do_not_depend_on_the_scheduler() -> None:
    x0, data = builders.points(20, seed=1, scale=1.0), labelled()
    ends = []
    for name in ("linear", "trig"):
        path = ProbabilityPath(builders.standard(), data, schedulers.get(name))
        guided = Guidance(path, 3, 2.5)
        guided.prepare([i / 400 for i in range(401)])
        ends.append(solve_ode(guided.velocity, x0, 200, "rk4")[0][-1])
    assert distance(ends[0], ends[1]) < 1e-7


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


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"label": 4}, "label: expected one of 0, 1, 2"),
        ({"scale": math.nan}, "scale: expected a finite number"),
        ({"interval": (0.8, 0.2)}, "interval: expected two times"),
        ({"interval": (0.0, 1.5)}, "interval: expected two times"),
        ({"interval": (math.nan, 1.0)}, "interval: expected two times"),
        ({"interval": (-0.1, 1.0)}, "interval: expected two times"),
        ({"interval": (0.5, 0.5)}, "interval: expected two times"),
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, object], complaint: str) -> None:
    with pytest.raises(ParameterError, match=complaint):
        Guidance(**({"path": three_modes(), "label": 0, "scale": 2.0} | wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize("share", [-0.005, 1.005, math.nan])
def test_shares_that_are_none_are_refused(share: float) -> None:
    with pytest.raises(ParameterError, match="resample_below"):
        simulate_weighted(Guidance(three_modes(), 0), torch.zeros(1, 2), 2, resample_below=share)


def test_one_time_is_no_simulation() -> None:
    for wrong in ({"steps": 0}, {"times": [0.5]}):
        with pytest.raises(ParameterError, match="times: expected at least two times"):
            simulate_weighted(Guidance(three_modes(), 0), torch.zeros(1, 2), **wrong)


def test_one_label_leaves_nothing_to_guide() -> None:
    data = GaussianMixture(
        labelled().means, labelled().covariances, labelled().weights, torch.zeros(5, dtype=torch.int64)
    )
    path = ProbabilityPath(builders.standard(), data, schedulers.get("linear"))
    x = builders.points(10, seed=1)
    assert distance(Guidance(path, 0, 5.0).velocity(x, 0.5), path.marginal_velocity(x, 0.5)) < 1e-12
    assert distance(Guidance(path, 0, 5.0).weight_rate(x, 0.5), torch.zeros(10)) < 1e-12


def test_given_keeps_the_components_of_the_label() -> None:
    mixture = labelled()
    part = mixture.given(5)
    independent = MixtureSameFamily(
        Categorical(mixture.weights[3:]), MultivariateNormal(mixture.means[3:], mixture.covariances[3:])
    )
    x = builders.points(20, seed=2)
    assert distance(part.log_density(x), independent.log_prob(x)) < 1e-12
    assert part.classes == (5,)
    with pytest.raises(ParameterError, match="label: expected one of 3, 5, 7, got 4"):
        mixture.given(4)


def test_one_side_alone_is_asked_where_the_scale_is_0_or_1_and_both_are_beside_it():
    def never() -> Tensor:
        raise AssertionError("asked for nothing")

    plain, own = torch.tensor([1.0]), torch.tensor([3.0])
    assert combined(0.0, lambda: plain, never) is plain
    assert combined(1.0, never, lambda: own) is own
    for scale in (0.01, 0.99, 1.01):
        assert combined(scale, lambda: plain, lambda: own).item() == pytest.approx(1.0 + 2.0 * scale)
