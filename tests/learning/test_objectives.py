"""Draws, targets and prediction gains against the exact theory."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from fmviz.errors import FmvizError, ParameterError, SingularTimeError
from fmviz.learning import mixture_draws
from fmviz.learning.draws import Batches, draw_times
from fmviz.learning.model import LearnedModel
from fmviz.learning.networks import MLP
from fmviz.learning.objectives import Quantity, architecture, regression, require_trainable, time_range
from fmviz.learning.prediction_gains import MAX_GAIN, coefficients, finite_range
from fmviz.learning.spec import OBJECTIVES, T_SAMPLINGS, TrainSpec
from fmviz.learning.targets import MarginalTarget
from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers
from fmviz.theory.schedulers import Scheduler
from tests.theory.builders import random_mixture

SCHEDULERS = [schedulers.get(name) for name in schedulers.NAMES] + [schedulers.custom("sin(pi*t/2)", "sqrt(1-t)")]
QUANTITIES: tuple[Quantity, ...] = ("velocity", "score", "noise", "data")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def with_scheduler(path: ProbabilityPath, scheduler: Scheduler) -> ProbabilityPath:
    return ProbabilityPath(path.p_init, path.p_data, scheduler)


# ------------------------------------------------------------------- targets


@pytest.mark.parametrize("scheduler", SCHEDULERS, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("source", ["gaussian", "bridge"])
def test_marginal_target_is_the_exact_velocity(
    scheduler: Scheduler, source: str, course: ProbabilityPath, bridge: ProbabilityPath
) -> None:
    path = with_scheduler(course if source == "gaussian" else bridge, scheduler).to(torch.float64)
    t = torch.linspace(0.0, 1.0, 401, dtype=torch.float64)
    if source == "bridge":  # means that an infinite beta' multiplies: the velocity truly has no value at t = 1
        t = t[:-1]
    x = path.sample(len(t), t, generator=generator())
    found = MarginalTarget(path)(x[:, 0], x[:, 1], scheduler.evaluate(t))
    torch.testing.assert_close(found.T, path.marginal_velocity(x, t), atol=1e-8, rtol=1e-8)


def test_marginal_target_weighs_components_as_both_laws_do() -> None:
    """Uneven on either side, and so near each other that all of them count at every point."""
    path = ProbabilityPath(random_mixture(3, 1), random_mixture(4, 2), schedulers.get("trig"))
    t = torch.linspace(0.0, 1.0, 101, dtype=torch.float64)
    x = path.sample(len(t), t, generator=generator())
    found = MarginalTarget(path)(x[:, 0], x[:, 1], path.scheduler.evaluate(t))
    torch.testing.assert_close(found.T, path.marginal_velocity(x, t), atol=1e-8, rtol=1e-8)


def test_marginal_target_in_float32_and_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    path = ProbabilityPath(GaussianMixture.standard(), presets.get("spiral"), schedulers.get("linear"))
    t = torch.rand(3, 500, generator=generator())
    z, x0 = path.sample_pairs(1500, generator=generator(1))
    x = path.conditional_flow(x0.view(3, 500, 2), t, z.view(3, 500, 2))
    exact = path.to(torch.float64).marginal_velocity(x.double(), t.double())
    target = MarginalTarget(path)
    whole = target(x[..., 0], x[..., 1], path.scheduler.evaluate(t))
    assert float((whole.mT - exact).square().mean() / exact.square().mean()) < 1e-8
    monkeypatch.setattr("fmviz.learning.targets._BLOCK", 1000)
    torch.testing.assert_close(target(x[..., 0], x[..., 1], path.scheduler.evaluate(t)), whole)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_each_target_is_the_conditional_one(objective: str, ring8: ProbabilityPath) -> None:
    """Against the theory's own conditional velocity and score, which start from x and z."""
    path = ring8.to(torch.float64)
    t = torch.rand(200, generator=generator(), dtype=torch.float64) * 0.98
    z, eps = path.sample_pairs(200, generator=generator(1))
    x = path.conditional_flow(eps, t, z)
    spec = TrainSpec(objective=objective)
    v = path.scheduler.evaluate(t)
    found = regression(spec, v, z.T, eps.T, x.T, MarginalTarget(path))
    expected = {
        "cfm": path.conditional_velocity(x, t, z),
        "fm": path.marginal_velocity(x, t),
        "noise": eps,
        "data": z,
        "score": path.conditional_score(x, t, z) * v.beta[:, None],
    }[objective]
    torch.testing.assert_close(found.target.T, expected)
    assert objective == "score" or found.factor == 1.0
    if objective == "score":
        torch.testing.assert_close(found.factor, v.beta[None])
        plain = regression(dataclasses.replace(spec, score_weighting="plain"), v, z.T, eps.T, x.T, MarginalTarget(path))
        torch.testing.assert_close(plain.target.T, path.conditional_score(x, t, z))
        assert plain.factor == 1.0


def test_cfm_target_keeps_its_digits_near_the_end(ring8: ProbabilityPath) -> None:
    """At 1 - t = 1e-6 in float32, where the (beta'/beta) form has lost them ("Delicate numbers")."""
    t = torch.full((1000,), 1.0 - 1e-6)
    z, eps = ring8.sample_pairs(1000, generator=generator())
    v = ring8.scheduler.evaluate(t)
    x = ring8.conditional_flow(eps, t, z)
    found = regression(TrainSpec(), v, z.T, eps.T, x.T, MarginalTarget(ring8)).target
    torch.testing.assert_close(found.T, z - eps, atol=1e-6, rtol=1e-6)
    by_division = v.d_alpha[:, None] * z + (v.d_beta / v.beta)[:, None] * (x - v.alpha[:, None] * z)
    assert float((by_division - (z - eps)).abs().max()) > 0.05


def test_time_range_shuns_infinite_targets(course: ProbabilityPath, ring8: ProbabilityPath) -> None:
    assert time_range(ring8, TrainSpec()) == (0.0, 1.0)
    assert time_range(course, TrainSpec()) == (0.0, 1.0 - 1e-4)
    assert time_range(course, TrainSpec(objective="noise")) == (0.0, 1.0)
    assert time_range(ring8, TrainSpec(objective="score")) == (0.0, 1.0)
    assert time_range(ring8, TrainSpec(objective="score", score_weighting="plain")) == (0.0, 1.0 - 1e-4)
    assert time_range(course, TrainSpec(classify=2)) == (0.0, 1.0), "a class probability is finite everywhere"


def test_score_matching_needs_a_gaussian_source(bridge: ProbabilityPath) -> None:
    with pytest.raises(ParameterError, match="T18"):
        require_trainable(bridge, TrainSpec(objective="score"))
    require_trainable(bridge, TrainSpec(objective="noise"))


# --------------------------------------------------------------------- draws


def test_draws_have_the_moments_of_the_path(bridge: ProbabilityPath) -> None:
    spec = TrainSpec(objective="data", batch_size=1000, scaling="none", time_features="raw")
    batches = Batches(bridge, spec, architecture(bridge, spec), generator())
    chunks = [batches.draw() for _ in range(6)]
    z = torch.cat([chunk.target.mT.reshape(-1, 2) for chunk in chunks]).double()
    inputs = torch.cat([chunk.inputs.mT.reshape(-1, 4) for chunk in chunks]).double()
    x, t = inputs[:, :2], inputs[:, 2]
    assert torch.equal(inputs[:, 3], torch.ones(len(inputs), dtype=torch.float64))
    eps = (x - t[:, None] * z) / (1.0 - t[:, None])
    eps = eps[t < 0.9]
    for found, law in ((z, bridge.p_data), (eps, bridge.p_init)):
        spread = law.covariance.double().diagonal().max().sqrt()
        allowed = 5.0 * float(spread) / len(found) ** 0.5
        torch.testing.assert_close(found.mean(0), law.mean.double(), atol=allowed, rtol=0.0)
        torch.testing.assert_close(
            found.T.cov(), law.covariance.double(), atol=10.0 * allowed * float(spread), rtol=0.0
        )


def test_each_component_is_drawn_as_often_as_it_weighs_whichever_way_it_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weights = torch.tensor([0.5, 0.3, 0.15, 0.05])
    mixture = GaussianMixture(torch.arange(8.0).reshape(4, 2), torch.eye(2).expand(4, 2, 2), weights)
    found = []
    for few in (3, 2):
        monkeypatch.setattr(mixture_draws, "FEW", few)
        draws = mixture_draws.MixtureDraws(mixture, torch.device("cpu"))
        found.append(draws.labelled((40, 500), torch.Generator().manual_seed(0)))
    (points, components), (again, searched) = found
    assert torch.equal(components, searched)
    assert torch.equal(points, again)
    shares = torch.bincount(components.reshape(-1), minlength=4) / components.numel()
    torch.testing.assert_close(shares, weights, atol=0.015, rtol=0.0)
    offsets = points.movedim(1, 2) - mixture.means[components]
    torch.testing.assert_close(offsets.square().mean(), torch.tensor(1.0), atol=0.03, rtol=0.0)


@pytest.mark.parametrize("how", T_SAMPLINGS)
def test_times(how: str) -> None:
    t = draw_times(how, (50, 1000), (0.0, 0.5), generator())
    assert float(t.min()) >= 0.0
    assert float(t.max()) <= 0.5
    assert abs(float(t.double().mean()) - 0.25) < 0.003
    if how == "stratified":
        assert float((2000 * t - torch.arange(1000) - 0.5).abs().max()) <= 0.5 + 1e-3
    if how == "logit_normal":
        assert float(((t > 0.125) & (t < 0.375)).float().mean()) > 0.7


def test_scaling_makes_inputs_and_targets_of_size_one(course: ProbabilityPath) -> None:
    spec = TrainSpec()
    built = architecture(course, spec)
    batches = Batches(course, spec, built, generator())
    chunk = batches.draw()
    assert 0.9 < float(chunk.inputs[:, :2].square().mean().sqrt()) < 1.1
    assert 0.7 < float(chunk.target.square().mean().sqrt()) / built.output_scale < 1.4


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_scaling_is_by_the_moments_of_the_path(objective: str, bridge: ProbabilityPath) -> None:
    """Those of the exact p_t at many times, and of many draws for the output; both laws are off the origin."""
    path = with_scheduler(bridge, schedulers.get("trig")).to(torch.float64)
    built = architecture(path, TrainSpec(objective=objective))
    laws = [path.marginal(t) for t in torch.linspace(0.0, 1.0, 101).tolist()]
    centre = torch.stack([law.mean for law in laws]).mean(0)
    squares = [float(law.covariance.trace() + (law.mean - centre).square().sum()) / 2.0 for law in laws]
    assert built.centre == pytest.approx(centre.tolist(), rel=1e-6, abs=1e-9)
    assert built.input_scale**2 == pytest.approx(sum(squares) / len(squares), rel=1e-6)
    z, eps = path.sample_pairs(100_000, generator=generator(7))
    size = {"cfm": z - eps, "fm": z - eps, "data": z}.get(objective)
    wanted = 1.0 if size is None else float(size.square().mean().sqrt())
    assert built.output_scale == pytest.approx(wanted, rel=0.01)
    plain = architecture(path, TrainSpec(objective=objective, scaling="none"))
    assert (plain.centre, plain.input_scale, plain.output_scale) == ((0.0, 0.0), 1.0, 1.0)


# --------------------------------------------------------------- conversions


@pytest.mark.parametrize("scheduler", SCHEDULERS, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("known", QUANTITIES)
@pytest.mark.parametrize("wanted", QUANTITIES)
def test_exact_quantities_convert_into_each_other(
    scheduler: Scheduler, known: Quantity, wanted: Quantity, course: ProbabilityPath
) -> None:
    path = with_scheduler(course, scheduler).to(torch.float64)
    t = torch.linspace(0.05, 0.95, 91, dtype=torch.float64)
    x = path.sample(len(t), t, generator=generator())
    v = scheduler.evaluate(t)
    velocity, score = path.velocity_and_score(x, t)
    exact = {"velocity": velocity, "score": score, "noise": -v.beta[:, None] * score, "data": path.posterior_mean(x, t)}
    c = coefficients(known, wanted, v)
    found = c.x[:, None] * x + c.q[:, None] * exact[known]
    torch.testing.assert_close(found, exact[wanted], atol=1e-8, rtol=1e-6)


LIMITS = [
    (schedulers.get("sqrt"), 1.0),
    (schedulers.VariancePreserving(), 1.0),
    *((schedulers.get("polynomial", exponent=n), 0.0) for n in (2.0, 3.0)),
    (schedulers.get("linear"), 0.0),
    (schedulers.get("trig"), 0.0),
]


@pytest.mark.parametrize(("scheduler", "t"), LIMITS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("wanted", ["score", "noise"])
def test_conversions_have_their_limits_at_the_ends_of_time(
    scheduler: Scheduler, t: float, wanted: Quantity, course: ProbabilityPath
) -> None:
    path = with_scheduler(course, scheduler).to(torch.float64)
    x = path.sample(50, t, generator=generator())
    velocity, score = path.velocity_and_score(x, t)
    v = scheduler.evaluate(torch.tensor(t, dtype=torch.float64))
    c = coefficients("velocity", wanted, v)
    expected = score if wanted == "score" else -v.beta * score
    torch.testing.assert_close(c.x * x + c.q * velocity, expected, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("scheduler", SCHEDULERS, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("t", [0.0, 1.0])
def test_a_velocity_tells_the_data_at_both_ends_of_time(
    scheduler: Scheduler, t: float, course: ProbabilityPath
) -> None:
    """At t = 1 by E[z|x] = x, whatever beta' is; at t = 0 where alpha' is not 0."""
    path = with_scheduler(course, scheduler).to(torch.float64)
    x = path.sample(50, t, generator=generator())
    v = scheduler.evaluate(torch.tensor(t, dtype=torch.float64))
    c = coefficients("velocity", "data", v)
    if float(v.d_alpha) == 0.0 and t == 0.0:
        assert not bool(c.q.isfinite())
    else:
        found = c.x * x + c.q * path.marginal_velocity(x, t)
        torch.testing.assert_close(found, path.posterior_mean(x, t), atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("objective", ["cfm", "score", "noise", "data"])
def test_the_drift_adds_half_sigma_squared_times_the_score(objective: str, course: ProbabilityPath) -> None:
    model = untrained(course, objective)
    x = torch.randn(20, 2, generator=generator())
    for t in (0.0, 0.4, 0.8, 1.0):
        for sigma in (0.0, 0.7, 2.0):
            wanted = model.sampling_velocity(x, t) + 0.5 * sigma**2 * model.sampling_score(x, t)
            torch.testing.assert_close(model.drift(lambda _, s=sigma: torch.tensor(s))(x, t), wanted)


def test_noise_and_data_convert_from_any_source(bridge: ProbabilityPath) -> None:
    path = bridge.to(torch.float64)
    t = torch.linspace(0.0, 1.0, 51, dtype=torch.float64)
    x = path.sample(len(t), t, generator=generator())
    c = coefficients("velocity", "data", path.scheduler.evaluate(t))
    found = c.x[:, None] * x + c.q[:, None] * path.marginal_velocity(x, t)
    torch.testing.assert_close(found, path.posterior_mean(x, t), atol=1e-9, rtol=1e-9)


def untrained(path: ProbabilityPath, objective: str) -> LearnedModel:
    spec = TrainSpec(objective=objective, hidden=(16,))
    built = architecture(path, spec)
    network = MLP(built, built.initial_weights(generator()))
    predicts: dict[str, Quantity] = {"cfm": "velocity", "score": "score", "noise": "noise", "data": "data"}
    return LearnedModel(network, predicts[objective], path.scheduler, path.p_init.is_standard)


@pytest.mark.parametrize("scheduler", SCHEDULERS, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("objective", ["cfm", "score", "noise", "data"])
def test_sampling_forms_are_finite_to_both_ends_and_exact_between(
    scheduler: Scheduler, objective: str, course: ProbabilityPath
) -> None:
    path = with_scheduler(course, scheduler)
    model = untrained(path, objective)
    x = torch.randn(20, 2, generator=generator())
    drift = model.drift(lambda t: torch.tensor(1.0))
    for t in (0.0, 1e-7, 0.3, 0.5, 1.0 - 1e-7, 1.0):
        for values in (model.sampling_velocity(x, t), model.sampling_score(x, t), drift(x, t)):
            assert bool(values.isfinite().all())
            assert float(values.abs().max()) < 2.0 * MAX_GAIN * 50.0
    torch.testing.assert_close(model.sampling_velocity(x, 0.5), model.velocity(x, 0.5))
    torch.testing.assert_close(model.sampling_score(x, 0.5), model.score(x, 0.5))
    low, high = finite_range(model.predicts, "velocity", scheduler)
    assert low < 0.1
    assert high > 0.9


def test_conversions_are_held_where_a_coefficient_passes_fifty() -> None:
    """Of the linear path: E[z|x] = x + (1 - t) u everywhere; u = (x - eps) / t from t = 1/50, and (z - x) / (1 - t) to 49/50."""
    linear = schedulers.get("linear")
    assert finite_range("velocity", "data", linear) == (0.0, 1.0)
    assert finite_range("noise", "velocity", linear) == pytest.approx((0.02, 1.0), abs=1 / 4000)
    assert finite_range("data", "velocity", linear) == pytest.approx((0.0, 0.98), abs=1 / 4000)


def test_singular_times_are_named(ring8: ProbabilityPath) -> None:
    x = torch.randn(4, 2, generator=generator())
    noise, data, velocity = (untrained(ring8, name) for name in ("noise", "data", "cfm"))
    with pytest.raises(SingularTimeError, match="noise E"):
        noise.velocity(x, 0.0)
    with pytest.raises(SingularTimeError, match="T23"):
        noise.posterior_mean(x, torch.tensor([0.5, 0.0, 0.5, 0.5]))
    with pytest.raises(SingularTimeError):
        data.velocity(x, 1.0)
    with pytest.raises(SingularTimeError):
        velocity.score(x, 1.0)
    for finite in (velocity.velocity, velocity.noise, velocity.posterior_mean, noise.noise, data.posterior_mean):
        for t in (0.0, 1.0):
            assert bool(finite(x, t).isfinite().all())
    assert float(noise.error_gain("velocity", 0.01)) == pytest.approx(100.0)


def test_no_score_without_a_gaussian_source(bridge: ProbabilityPath) -> None:
    model = untrained(bridge, "cfm")
    x = torch.randn(4, 2, generator=generator())
    assert model.velocity(x, 0.5).shape == (4, 2)
    assert model.posterior_mean(x, 0.5).shape == (4, 2)
    for ask in (
        lambda: model.score(x, 0.5),
        lambda: model.sampling_score(x, 0.5),
        lambda: model.drift(lambda t: x[0, 0]),
    ):
        with pytest.raises(FmvizError, match=r"N\(0, I\).*T33"):
            ask()
