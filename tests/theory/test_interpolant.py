"""Paths with noise in between (stochastic interpolants) against direct formulas, autodiff, simulation and Monte Carlo."""

import math
import pickle

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from fmviz.errors import ParameterError, SingularTimeError
from fmviz.theory import GaussianMixture, ProbabilityPath, checks, presets, schedulers, sigmas
from fmviz.theory.metrics import energy_distance
from fmviz.theory.solvers import solve_ode, solve_sde
from tests.theory import builders

INIT, DATA = builders.random_mixture(3, seed=6), builders.random_mixture(4, seed=1)
X = builders.points(6, seed=2)


def bridge(gamma: float, name: str = "linear") -> ProbabilityPath:
    return ProbabilityPath(INIT, DATA, schedulers.get(name), gamma=gamma)


def direct(x: np.ndarray, t: float, gamma: float) -> tuple[float, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """log p, u, s, E[z|x] and the weights of the components of the data, for the linear scheduler, pair by pair."""
    pairs, velocities, scores, means, owners = [], [], [], [], []
    eye = np.eye(2)
    for v, m, S in zip(INIT.weights.numpy(), INIT.means.numpy(), INIT.covariances.numpy(), strict=True):
        for k, (w, mu, Sigma) in enumerate(
            zip(DATA.weights.numpy(), DATA.means.numpy(), DATA.covariances.numpy(), strict=True)
        ):
            centre = t * mu + (1 - t) * m
            C = t**2 * Sigma + (1 - t) ** 2 * S + gamma**2 * t * (1 - t) * eye
            # Half the derivative of C in t is the covariance of X' and X.
            D = t * Sigma - (1 - t) * S + 0.5 * gamma**2 * (1 - 2 * t) * eye
            residual = np.linalg.solve(C, x - centre)
            pairs.append(v * w * multivariate_normal(centre, C).pdf(x))
            velocities.append(mu - m + D @ residual)
            scores.append(-residual)
            means.append(mu + t * Sigma @ residual)
            owners.append(k)
    weights = np.array(pairs) / np.sum(pairs)
    average = lambda values: weights @ np.array(values)  # noqa: E731
    shares = np.bincount(owners, weights)
    return math.log(np.sum(pairs)), average(velocities), average(scores), average(means), shares


@pytest.mark.parametrize("gamma", [0.4, 2.0])
@pytest.mark.parametrize("t", [0.0, 0.01, 0.4, 0.99, 1.0])
def test_noise_in_between_agrees_with_the_direct_formulas(gamma: float, t: float) -> None:
    path = bridge(gamma)
    wanted = [np.array(of) for of in zip(*(direct(x, t, gamma) for x in X.numpy()), strict=True)]
    found = (
        path.log_density(X, t),
        path.marginal_velocity(X, t),
        path.marginal_score(X, t),
        path.posterior_mean(X, t),
        path.posterior(X, t),
    )
    for value, truth in zip(found, wanted, strict=True):
        assert value.numpy() == pytest.approx(truth, rel=1e-9, abs=1e-9)
    assert path.marginal(t).log_density(X).numpy() == pytest.approx(wanted[0], abs=1e-9)
    path.prepare([t])
    assert path.velocity_and_score(X, t)[0].numpy() == pytest.approx(wanted[1], rel=1e-9, abs=1e-9)


def test_many_components_with_one_covariance_are_the_same_mixture() -> None:
    source, data = presets.get("checkerboard"), presets.get("ring8")
    path = ProbabilityPath(source.to(torch.float64), data.to(torch.float64), schedulers.get("linear"), gamma=0.5)
    x = builders.points(2000, seed=3)
    law = path.marginal(0.3)
    assert torch.allclose(path.log_density(x, 0.3), law.log_density(x), atol=1e-8)
    assert torch.allclose(path.marginal_score(x, 0.3), law.score(x), atol=1e-7)


@pytest.mark.parametrize("name", ["linear", "trig"])
@pytest.mark.parametrize("t", [0.02, 0.5, 0.9])
def test_continuity_fokker_planck_and_score_hold(name: str, t: float) -> None:
    path = bridge(0.8, name)
    assert checks.continuity_residual(path, X, t).largest < 1e-6
    assert checks.fokker_planck_residual(path, X, t, 0.7).largest < 1e-6
    assert checks.score_residual(path, X, t).largest < 1e-9


def test_without_noise_nothing_changes_to_the_bit() -> None:
    plain, zero = ProbabilityPath(INIT, DATA, schedulers.get("linear")), bridge(0.0)
    for t in (0.0, 0.3, 1.0):
        for method in ("log_density", "marginal_velocity", "marginal_score", "posterior_mean", "posterior"):
            assert torch.equal(getattr(plain, method)(X, t), getattr(zero, method)(X, t)), method
    assert torch.equal(
        plain.sample(9, 0.4, generator=builders.seeded(1)), zero.sample(9, 0.4, generator=builders.seeded(1))
    )
    z = DATA.means[0]
    assert torch.equal(plain.conditional_score(X, 0.25, z), INIT.score((X - 0.25 * z) / 0.75) / 0.75)
    assert torch.equal(plain.conditional_velocity(X, 0.4, z), zero.conditional_velocity(X, 0.4, z))
    assert float(plain.irreducible_loss(0.4, generator=builders.seeded(1))) == float(
        zero.irreducible_loss(0.4, generator=builders.seeded(1))
    )


def test_conditional_forms_average_to_the_marginal_ones() -> None:
    path, t = bridge(0.8), 0.35
    z = DATA.means[1]
    law = path.conditional(z, t)
    assert torch.allclose(path.conditional_log_density(X, t, z), law.log_density(X))
    assert torch.allclose(path.conditional_score(X, t, z), law.score(X))
    # E[u_t(x|z) | x] = u_t(x), over exact draws of the posterior of z.
    draws, _ = path.sample_posterior(X, t, 40_000, generator=builders.seeded(0))
    given = path.conditional_velocity(X.expand_as(draws), t, draws)
    error = given.std(dim=0) / math.sqrt(len(given))
    assert bool(((given.mean(dim=0) - path.marginal_velocity(X, t)).abs() < 5.0 * error).all())
    missed = draws.mean(dim=0) - path.posterior_mean(X, t)
    assert bool((missed.abs() < 5.0 * draws.std(dim=0) / math.sqrt(len(draws))).all())
    # The conditional velocity carries the conditional law: rate of its log density against -div u - u . s.
    points = X.clone().requires_grad_()
    field = path.conditional_velocity(points, t, z)
    flux = -checks.divergence(field, points) - (field * path.conditional_score(points, t, z)).sum(-1)
    h = 1e-5
    rate = (path.conditional_log_density(X, t + h, z) - path.conditional_log_density(X, t - h, z)) / (2 * h)
    assert torch.allclose(rate, flux.detach(), rtol=1e-6, atol=1e-6)
    with pytest.raises(SingularTimeError):
        path.conditional_velocity(X, 1.0, z)


def test_posterior_draws_have_the_spread_of_weighted_pairs() -> None:
    """Second moments of (z, x0) given x, against independent pairs with the density of the noise that is left as their weight."""
    path, t, gamma, n = bridge(1.5), 0.35, 1.5, 400_000
    x = torch.tensor([0.3, -0.2], dtype=torch.float64)
    found = torch.cat(path.sample_posterior(x, t, 40_000, generator=builders.seeded(0)), dim=-1)
    z, x0 = path.sample_pairs(n, generator=builders.seeded(1))
    miss = (x - t * z - (1 - t) * x0) / (gamma * math.sqrt(t * (1 - t)))
    weights = torch.softmax(-0.5 * miss.square().sum(-1), 0)
    prior = torch.cat((z, x0), dim=-1)
    wanted = weights @ prior.square()
    error = (found.square().var(dim=0) / len(found) + weights.square() @ (prior.square() - wanted).square()).sqrt()
    assert bool(((found.square().mean(dim=0) - wanted).abs() < 5.0 * error).all())
    left = x - t * found[:, :2] - (1 - t) * found[:, 2:]
    spread = gamma**2 * t * (1 - t) * (weights @ (miss - weights @ miss).square())
    assert torch.allclose(left.var(dim=0), spread, rtol=0.05)


def test_times_that_are_prepared_together_are_those_of_each_alone() -> None:
    together, times = bridge(0.8), [0.1, 0.4, 0.9]
    together.prepare(times)
    for t in times:
        for method in ("marginal_velocity", "marginal_score", "target_covariance_trace"):
            alone = getattr(bridge(0.8), method)(X, t)
            assert torch.allclose(getattr(together, method)(X, t), alone, rtol=1e-12, atol=1e-12), (method, t)


def test_the_irreducible_loss_is_the_scatter_of_the_targets() -> None:
    path, t, n = bridge(0.8), 0.3, 200_000
    g = builders.seeded(4)
    z, x0 = path.sample_pairs(n, generator=g)
    xi = torch.randn(n, 2, generator=g, dtype=torch.float64)
    slope = 0.8 * (1 - 2 * t) / (2 * math.sqrt(t * (1 - t)))
    x = path.interpolate(x0, t, z, xi)
    gaps = (z - x0 + slope * xi - path.marginal_velocity(x, t)).square().sum(-1)
    scatter = path.target_covariance_trace(x, t)
    assert abs(float((gaps - scatter).mean())) < 5.0 * float((gaps - scatter).std()) / math.sqrt(n)
    for singular in (lambda: path.target_covariance_trace(X, 0.0), path.irreducible_loss):
        with pytest.raises(SingularTimeError):
            singular()
    assert math.isfinite(float(path.irreducible_loss(t_range=(0.01, 0.99), n=1000, generator=g)))


def test_ode_and_sde_carry_the_same_laws() -> None:
    path, n = bridge(0.8), 2000
    sigma = sigmas.get("constant", amplitude=0.8, scheduler=schedulers.get("linear"))
    x0 = INIT.sample(n, generator=builders.seeded(0))
    times = torch.linspace(0.0, 1.0, 401, dtype=torch.float64)
    ode = solve_ode(path.marginal_velocity, x0, method="heun", times=times)[0]
    sde = solve_sde(path.sde_drift(sigma), sigma, x0, generator=builders.seeded(1), times=times)[0]
    for frame in (100, 200, 300, 400):
        t = float(times[frame])
        draws = [path.sample(n, t, generator=builders.seeded(seed)) for seed in range(5, 17)]
        pairs = zip(draws[::2], draws[1::2], strict=True)
        floor = float(torch.stack([energy_distance(a, b) for a, b in pairs]).mean())
        for moved in (ode[frame], sde[frame]):
            found = float(torch.stack([energy_distance(moved, draw) for draw in draws]).mean())
            assert found < 2.0 * floor, (t, found, floor)


def test_samples_follow_the_density() -> None:
    path = bridge(1.5)
    found = path.sample(20_000, 0.5, generator=builders.seeded(3))
    law = path.marginal(0.5)
    error = found.std(dim=0) / math.sqrt(len(found))
    assert bool(((found.mean(dim=0) - law.mean).abs() < 5.0 * error).all())
    assert torch.allclose(torch.cov(found.T), law.covariance, rtol=0.05, atol=0.1)


def test_gamma_travels_with_the_path_and_is_checked() -> None:
    path = bridge(0.7)
    for other in (path.to(torch.float32), pickle.loads(pickle.dumps(path))):
        assert other.gamma == 0.7
        assert torch.allclose(other.log_density(X, 0.5), path.log_density(X, 0.5), atol=1e-4)
    with pytest.raises(ParameterError, match="gamma"):
        path.conditional_flow(X, 0.5, X)
    for wrong in (-0.1, math.nan, math.inf):
        with pytest.raises(ParameterError, match="gamma"):
            bridge(wrong)


def test_standard_source_is_only_a_slower_noise() -> None:
    """From N(0, I) the noise in between changes C_jk as a larger beta does."""
    data = GaussianMixture(torch.zeros(1, 2), torch.eye(2)[None], torch.ones(1)).to(torch.float64)
    path = ProbabilityPath(builders.standard(), data, schedulers.get("linear"), gamma=1.0)
    t = 0.25
    variance = t**2 + (1 - t) ** 2 + t * (1 - t)
    assert torch.allclose(path.marginal_score(X, t), -X / variance)
