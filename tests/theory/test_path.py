"""Probability paths against an independent implementation, autodiff and Monte Carlo."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from fmviz.errors import ParameterError, SingularTimeError
from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers
from tests.theory import builders, reference

SCHEDULERS = ("linear", "sqrt", "trig")
TIMES = (0.0, 0.001, 0.3, 0.7, 0.999, 1.0)
INITS = {
    "standard": builders.standard(),
    "centred mixture": builders.random_mixture(3, seed=5, centred=True),
    "mixture": builders.random_mixture(3, seed=6),
}


def relative(found: Tensor, wanted: np.ndarray) -> float:
    """Largest error over the largest size of what is compared (at least 1 for logarithms near zero)."""
    truth = torch.as_tensor(wanted, dtype=torch.float64)
    return float((found.double() - truth).abs().max() / truth.abs().max())


def scenes() -> list[tuple[str, str, float]]:
    return [
        (init, name, t)
        for init in INITS
        for name in SCHEDULERS
        for t in TIMES
        if not (init == "mixture" and name == "sqrt" and t == 1.0)  # truly singular, tested below
    ]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
@pytest.mark.parametrize(("init", "name", "t"), scenes())
def test_agrees_with_the_independent_implementation(
    init: str, name: str, t: float, dtype: torch.dtype, tolerance: float
) -> None:
    for seed in (0, 1):
        # Rounded to the dtype first, so that both sides are given the same problem.
        p_init, p_data = INITS[init].to(dtype), builders.random_mixture(4, seed=seed).to(dtype)
        path = ProbabilityPath(p_init, p_data, schedulers.get(name))
        x = builders.points(5, seed=seed).to(dtype)
        wanted = [
            reference.evaluate(
                builders.to_reference(p_init), builders.to_reference(p_data), name, point.double().numpy(), t
            )
            for point in x
        ]
        velocity, score = path.velocity_and_score(x, t)
        assert velocity.dtype == dtype
        found = {
            "log_density": path.log_density(x, t),
            "posterior": path.posterior(x, t),
            "posterior_mean": path.posterior_mean(x, t),
            "score": path.marginal_score(x, t),
        }
        for key, value in found.items():
            assert relative(value, np.array([getattr(w, key) for w in wanted])) < tolerance, key
        velocities = np.array([w.velocity for w in wanted])
        if np.abs(velocities).max() < 1e-12:  # trig at t = 1 stands still
            assert float(velocity.abs().max()) < 1e-12
        else:
            assert relative(velocity, velocities) < tolerance
            assert relative(path.marginal_velocity(x, t), velocities) < tolerance
        assert torch.allclose(score, found["score"], rtol=1e-5 if dtype == torch.float32 else 1e-12)


@pytest.mark.parametrize("std", [0.12, 0.3])
@pytest.mark.parametrize("t", [0.9, 0.99, 0.999, 1.0])
def test_float32_keeps_four_digits_for_narrow_components_far_out(t: float, std: float) -> None:
    angle = torch.arange(8) * (math.pi / 4)
    means = 3.5 * torch.stack((angle.cos(), angle.sin()), dim=-1)
    data = GaussianMixture(means, std**2 * torch.eye(2).expand(8, 2, 2), torch.ones(8))
    path = ProbabilityPath(GaussianMixture.standard(), data, schedulers.get("linear"))
    x = torch.cat((path.sample(500, t, generator=builders.seeded(0)), builders.points(500, 1).float()))
    for method in (path.log_density, path.marginal_velocity, path.marginal_score, path.posterior_mean, path.posterior):
        exact = method(x.double(), t)
        assert float(((method(x, t) - exact).abs() / exact.abs().amax()).max()) < 1e-4


@pytest.mark.parametrize("name", schedulers.NAMES)
def test_batches_agree_with_single_calls(name: str) -> None:
    path = ProbabilityPath(
        builders.random_mixture(2, 3, centred=True), builders.random_mixture(5, 4), schedulers.get(name)
    )
    x, times = builders.points(40, 0), torch.tensor([0.0, 0.2, 0.5, 0.9, 1.0], dtype=torch.float64)
    per_time = times[:, None]
    each = torch.rand(40, generator=builders.seeded(2), dtype=torch.float64)
    moving = torch.stack([x + i for i in range(5)])
    cube = x.reshape(4, 10, 2)
    for method in (path.log_density, path.marginal_velocity, path.marginal_score, path.posterior, path.posterior_mean):
        single = torch.stack([method(x, float(t)) for t in times])
        assert torch.allclose(method(x, per_time), single, rtol=1e-12, atol=1e-12)
        assert torch.allclose(
            method(moving, per_time),
            torch.stack([method(m, float(t)) for m, t in zip(moving, times, strict=True)]),
            rtol=1e-12,
            atol=1e-12,
        )
        pointwise = torch.stack([method(p, float(t)) for p, t in zip(x, each, strict=True)])
        assert torch.allclose(method(x, each), pointwise, rtol=1e-11, atol=1e-12)
        assert torch.allclose(
            method(cube, per_time[:4]),
            torch.stack([method(c, float(t)) for c, t in zip(cube, times, strict=False)]),
            rtol=1e-12,
            atol=1e-12,
        )
        assert torch.equal(method(x, torch.tensor(0.3, dtype=torch.float64)), method(x, 0.3))
    assert path.log_density(x[0], 0.5).shape == ()
    assert path.marginal_velocity(x[0], per_time).shape == (5, 1, 2)


def test_no_points_and_far_points() -> None:
    path = ProbabilityPath(GaussianMixture.standard(), presets.get("moons"), schedulers.get("linear"))
    assert path.log_density(torch.empty(0, 2), 0.5).shape == (0,)
    assert path.marginal_velocity(torch.empty(3, 0, 2), torch.rand(3, 1)).shape == (3, 0, 2)
    far = torch.tensor([[1e25, 0.0], [1e6, 1e6]])
    assert path.log_density(far, 0.5)[0] == -math.inf
    assert bool(path.marginal_velocity(far[1:], 0.5).isfinite().all())


@pytest.mark.parametrize("t", TIMES)
def test_marginal_is_the_mixture_of_the_path(t: float) -> None:
    data = GaussianMixture(
        torch.tensor([[1.0, 2.0], [-1.0, 0.5]]), torch.eye(2).expand(2, 2, 2), torch.ones(2), torch.tensor([7, 3])
    )
    path = ProbabilityPath(builders.random_mixture(3, 1), data.to(torch.float64), schedulers.get("trig"))
    x, law = builders.points(10, 0), path.marginal(t)
    assert law.n_components == 6
    assert law.labels.tolist() == [7, 3] * 3
    assert torch.allclose(law.log_density(x), path.log_density(x, t), rtol=1e-10)
    assert torch.allclose(law.score(x), path.marginal_score(x, t), rtol=1e-10)


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("t", [0.0, 0.3, 0.999])
def test_conditional_path(name: str, t: float) -> None:
    path = ProbabilityPath(builders.random_mixture(3, 1), builders.random_mixture(4, 2), schedulers.get(name))
    z, x = torch.tensor([0.7, -1.1], dtype=torch.float64), builders.points(10, 0)
    law, s = path.conditional(z, t), reference.schedule(name, t)
    assert torch.allclose(path.conditional_log_density(x, t, z), law.log_density(x), rtol=1e-9)
    assert torch.allclose(path.conditional_score(x, t, z), law.score(x), rtol=1e-9)
    ratio = s.d_beta / s.beta
    wanted = (s.d_alpha - ratio * s.alpha) * z + ratio * x  # the other form of T15
    assert torch.allclose(path.conditional_velocity(x, t, z), wanted, rtol=1e-9)
    assert torch.allclose(path.conditional_flow(x, t, z), s.alpha * z + s.beta * x)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_conditional_flow_follows_the_conditional_velocity(name: str) -> None:
    path = ProbabilityPath(builders.standard(), builders.random_mixture(4, 2), schedulers.get(name))
    z, x0, t, h = builders.points(5, 1), builders.points(5, 0), 0.6, 1e-5
    slope = (path.conditional_flow(x0, t + h, z) - path.conditional_flow(x0, t - h, z)) / (2 * h)
    assert torch.allclose(path.conditional_velocity(path.conditional_flow(x0, t, z), t, z), slope, rtol=1e-8)


def test_marginal_velocity_and_score_are_averages_over_posterior_draws() -> None:
    path = ProbabilityPath(builders.random_mixture(2, 1), builders.random_mixture(3, 2), schedulers.get("linear"))
    x, n = builders.points(4, 0, scale=1.0), 40_000
    for t in (0.3, 0.8):
        z, x0 = path.sample_posterior(x, t, n, generator=builders.seeded(1))
        assert z.shape == (n, 4, 2)
        assert torch.allclose(path.conditional_flow(x0, t, z), x.expand(n, 4, 2), atol=1e-12)
        for draws, exact in (
            (z, path.posterior_mean(x, t)),
            (path.conditional_velocity(x, t, z), path.marginal_velocity(x, t)),
            (path.conditional_score(x, t, z), path.marginal_score(x, t)),
        ):
            error = (draws.mean(0) - exact).abs()
            assert bool((error < 5 * draws.std(0) / math.sqrt(n)).all())
    z, x0 = path.sample_posterior(x[0], 1.0, 10, generator=builders.seeded(1))
    assert torch.allclose(z, x[0].expand(10, 2))
    z, x0 = path.sample_posterior(x, 0.0, 10, generator=builders.seeded(1))
    assert torch.allclose(x0, x.expand(10, 4, 2))
    per_time, _ = path.sample_posterior(x, torch.tensor([[0.2], [0.9]]), 10, generator=builders.seeded(1))
    assert per_time.shape == (10, 2, 4, 2)


def test_samples_have_the_moments_of_the_marginal() -> None:
    path = ProbabilityPath(builders.random_mixture(2, 1), builders.random_mixture(3, 2), schedulers.get("sqrt"))
    n = 100_000
    for t in (0.0, 0.4, 1.0):
        x, law = path.sample(n, t, generator=builders.seeded(3)), path.marginal(t)
        assert bool(((x.mean(0) - law.mean).abs() < 5 * x.std(0) / math.sqrt(n)).all())
        assert torch.allclose(torch.cov(x.T), law.covariance, rtol=0.05, atol=0.05)
    assert path.sample(5, torch.rand(5)).shape == (5, 2)
    assert path.sample(5, torch.rand(3, 1)).shape == (3, 5, 2)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_conditional_variance_agrees_with_the_independent_implementation(name: str) -> None:
    p_init, p_data = builders.random_mixture(2, 1), builders.random_mixture(3, 2)
    path, x = ProbabilityPath(p_init, p_data, schedulers.get(name)), builders.points(6, 0)
    for t in (0.0, 0.001, 0.3, 0.7, 0.999):
        wanted = [
            reference.evaluate(
                builders.to_reference(p_init), builders.to_reference(p_data), name, p.numpy(), t
            ).variance
            for p in x
        ]
        assert relative(path.target_covariance_trace(x, t), np.array(wanted)) < 1e-8


@pytest.mark.parametrize("name", ["linear", "trig"])
def test_irreducible_loss_is_the_cfm_loss_of_the_exact_velocity(name: str) -> None:
    path = ProbabilityPath(builders.standard(), builders.random_mixture(4, 2), schedulers.get(name))
    n, g = 60_000, builders.seeded(4)
    for t in (None, 0.4):
        times = (
            torch.rand(n, generator=g, dtype=torch.float64) if t is None else torch.full((n,), t, dtype=torch.float64)
        )
        z, x0 = path.sample_pairs(n, generator=g)
        v = path.scheduler.evaluate(times)
        target = v.d_alpha[:, None] * z + v.d_beta[:, None] * x0
        losses = (path.marginal_velocity(path.conditional_flow(x0, times, z), times) - target).square().sum(-1)
        found = float(path.irreducible_loss(t, n=20_000, generator=g))
        # Both are Monte Carlo; the exact covariances vary less than the losses, of which there are three times as many.
        assert abs(found - float(losses.mean())) < 5 * float(losses.std()) / math.sqrt(20_000)


def test_irreducible_loss_of_one_gaussian_in_closed_form() -> None:
    path = ProbabilityPath(builders.standard(), builders.standard(), schedulers.get("linear"))
    for t in (0.0, 0.25, 1.0):  # (alpha' beta - alpha beta')^2 tr(I) / (t^2 + (1-t)^2)
        assert float(path.irreducible_loss(t, n=50)) == pytest.approx(2 / (t**2 + (1 - t) ** 2), rel=1e-12)
    with pytest.raises(SingularTimeError):
        ProbabilityPath(builders.standard(), builders.standard(), schedulers.get("sqrt")).irreducible_loss(n=10)


def test_true_singularities_raise() -> None:
    z, x = torch.zeros(2, dtype=torch.float64), builders.points(3, 0)
    for name in schedulers.NAMES:
        path = ProbabilityPath(builders.standard(), builders.random_mixture(3, 2), schedulers.get(name))
        for call in (
            lambda path=path: path.conditional(z, 1.0),
            lambda path=path: path.conditional_velocity(x, 1.0, z),
            lambda path=path: path.conditional_score(x, 1.0, z),
            lambda path=path: path.conditional_log_density(x, torch.tensor([0.5, 0.5, 1.0]), z),
        ):
            with pytest.raises(SingularTimeError):
                call()
        for t in (0.0, 1.0):
            assert bool(path.marginal_velocity(x, t).isfinite().all())
    off_centre = ProbabilityPath(builders.random_mixture(2, 1), builders.random_mixture(3, 2), schedulers.get("sqrt"))
    with pytest.raises(SingularTimeError):
        off_centre.marginal_velocity(x, 1.0)
    off_centre.prepare([0.5, 1.0])
    with pytest.raises(SingularTimeError):
        off_centre.velocity_and_score(x, 1.0)
    assert bool(off_centre.marginal_score(x, 1.0).isfinite().all())


@pytest.mark.parametrize("t", [-0.1, 1.1, math.nan, torch.tensor([0.5, 2.0])])
def test_wrong_times_raise(t: float | Tensor) -> None:
    path = ProbabilityPath(builders.standard(), builders.random_mixture(3, 2), schedulers.get("linear"))
    with pytest.raises(ParameterError, match="t: "):
        path.marginal_velocity(builders.points(2, 0), t)


def test_wrong_points_raise() -> None:
    path = ProbabilityPath(builders.standard(), builders.random_mixture(3, 2), schedulers.get("linear"))
    for x in (torch.zeros(3, 3), torch.zeros(4, 2, dtype=torch.int64), torch.tensor(1.0)):
        with pytest.raises(ParameterError, match="x: "):
            path.log_density(x, 0.5)
    with pytest.raises(ParameterError, match="t: "):
        path.log_density(torch.zeros(3, 2), torch.zeros(2))
    with pytest.raises(ParameterError, match="z: "):
        path.conditional(torch.zeros(3, 2), 0.5)


def test_stiffness_is_the_largest_inverse_eigenvalue() -> None:
    path = ProbabilityPath(builders.random_mixture(2, 1), builders.random_mixture(3, 2), schedulers.get("trig"))
    for t in (0.0, 0.6, 1.0):
        wanted = torch.linalg.eigvalsh(path.marginal(t).covariances).amin().reciprocal()
        assert float(path.stiffness(t)) == pytest.approx(float(wanted), rel=1e-10)
    assert path.stiffness(torch.tensor([[0.1], [0.2]])).shape == (2, 1)
