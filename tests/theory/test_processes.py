"""Brownian motion, Ornstein-Uhlenbeck, Langevin and the errors of Euler-Maruyama, against closed forms and Monte Carlo (T6 to T11)."""

import math

import numpy as np
import pytest
import torch

from fmviz.errors import ParameterError
from fmviz.theory import GaussianMixture, presets
from fmviz.theory.euler_maruyama_errors import (
    STEPS,
    GeometricBrownianMotion,
    OUEquation,
    ScalarSDE,
    euler_maruyama,
    measure_errors,
)
from fmviz.theory.metrics import energy_distance
from fmviz.theory.processes import Langevin, OrnsteinUhlenbeck, brownian_motion
from fmviz.theory.solvers import solve_ode, solve_sde
from tests.theory.builders import points, random_mixture, seeded

SIGMAS = 5.0
"""Monte Carlo errors allowed: five standard deviations of the mean."""


def brownian(levels: int, n: int, seed: int = 0) -> torch.Tensor:
    return brownian_motion(levels, (n,), generator=seeded(seed), dtype=torch.float64)


def test_brownian_covariance_is_the_smaller_time() -> None:
    """Cov(W_s, W_t) = min(s, t), which with Gaussian laws says everything: independent increments included."""
    n = 40_000
    w = brownian(3, n)
    t = torch.arange(9, dtype=torch.float64) / 8
    expected = torch.minimum(t[:, None], t)
    spread = (expected**2 + t[:, None] * t).sqrt()  # Var(XY) of jointly Gaussian X, Y with mean 0
    assert not bool(w[0].any())
    assert bool(((w @ w.mT / n - expected).abs() <= SIGMAS * spread / math.sqrt(n)).all())
    kurtosis = (w[5] ** 4).mean() / (w[5] ** 2).mean() ** 2
    assert float(kurtosis) == pytest.approx(3.0, abs=SIGMAS * math.sqrt(96 / n))


def test_a_finer_grid_keeps_the_path() -> None:
    coarse, fine = brownian(4, 7, seed=1), brownian(9, 7, seed=1)
    assert torch.equal(coarse, fine[::32])


def test_quadratic_variation_settles_while_the_length_grows() -> None:
    w = brownian(12, 200)
    steps = w.diff(dim=0)
    assert float(steps.square().sum(0).mean()) == pytest.approx(1.0, abs=SIGMAS * math.sqrt(2 / 4096 / 200))
    assert float(steps.abs().sum(0).mean()) == pytest.approx(math.sqrt(2 * 4096 / math.pi), rel=0.01)


def test_without_levels_only_both_ends_are_drawn() -> None:
    w = brownian(0, 3)
    assert w.shape == (2, 3)
    assert torch.equal(w, brownian(5, 3)[::32])


@pytest.mark.parametrize("levels", [-1, 25])
def test_levels_out_of_range_are_named(levels: int) -> None:
    with pytest.raises(ParameterError, match="levels"):
        brownian(levels, 1)


@pytest.mark.parametrize(("theta", "sigma"), [(0.3, 1.0), (1.0, 0.5), (4.0, 2.0)])
def test_ornstein_uhlenbeck_mean_variance_and_stationary_law(theta: float, sigma: float) -> None:
    """T9 within five Monte Carlo errors at several times, and the law of T -> infinity with its covariance in time."""
    n, process = 40_000, OrnsteinUhlenbeck(theta, sigma)
    x0 = torch.full((n,), 2.0, dtype=torch.float64)
    times = [0.0, 0.05, 0.4, 1.0, 30.0 / theta, 30.0 / theta + 0.5]
    x = process.simulate(x0, times, generator=seeded(2)).paths
    for k, t in enumerate(times):
        mean = 2.0 * math.exp(-theta * t)
        variance = sigma**2 / (2 * theta) * (1 - math.exp(-2 * theta * t))
        assert float(process.variance(torch.tensor(t))) == pytest.approx(variance, rel=1e-5, abs=1e-12)
        assert float(process.mean(torch.tensor(2.0), torch.tensor(t))) == pytest.approx(mean, rel=1e-5)
        assert float(x[k].mean()) == pytest.approx(mean, abs=SIGMAS * math.sqrt(variance / n) + 1e-12)
        assert float(x[k].var()) == pytest.approx(variance, abs=SIGMAS * variance * math.sqrt(2 / n) + 1e-12)
    late = x[4:]
    stationary = float(process.stationary.covariance[0, 0])
    assert stationary == pytest.approx(sigma**2 / (2 * theta))
    covariance = float((late[0] * late[1]).mean())
    assert covariance == pytest.approx(stationary * math.exp(-0.5 * theta), abs=SIGMAS * stationary * math.sqrt(2 / n))


def test_the_exact_path_belongs_to_its_brownian_path() -> None:
    """The same W on a grid 64 times finer, by Euler-Maruyama: what is left is its strong error of order 1 (additive noise)."""
    process, n = OrnsteinUhlenbeck(1.5, 0.8), 400
    x0 = torch.full((n,), 1.0, dtype=torch.float64)
    gaps = []
    for steps in (256, 1024):
        driven = process.simulate(x0, [i / steps for i in range(steps + 1)], generator=seeded(3))
        solved = list(euler_maruyama(lambda x: -1.5 * x, lambda x: 0.8, x0, driven.brownian.diff(dim=0), 1.0 / steps))
        gaps.append(float((solved[-1] - driven.paths[-1]).abs().mean()))
    assert gaps[0] < 0.003
    assert gaps[0] / gaps[1] == pytest.approx(4.0, rel=0.15)


def test_exact_steps_of_any_length_have_the_same_distribution() -> None:
    """Chapman-Kolmogorov: a hundred short exact steps and one long one, and no trouble with steps that are tiny."""
    process, n = OrnsteinUhlenbeck(2.0, 1.0), 5_000
    x0 = torch.zeros(n, dtype=torch.float64)
    one = process.simulate(x0, [0.0, 0.5], generator=seeded(4)).paths[-1]
    many = process.simulate(x0, [0.5 * i / 100 for i in range(101)], generator=seeded(5)).paths[-1]
    assert float(one.var() / many.var()) == pytest.approx(1.0, abs=SIGMAS * math.sqrt(4 / n))
    tiny = process.simulate(x0, [0.0, 1e-12], generator=seeded(4))
    torch.testing.assert_close(tiny.paths[-1], tiny.brownian[-1], rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize(("theta", "h"), [(0.3, 0.05), (1.0, 0.5), (2.5, 1.7)])
def test_the_noise_of_an_exact_step_has_the_moments_of_its_integral(theta: float, h: float) -> None:
    r"""I = ∫ exp(-θ(h - s)) dW_s has Var I = ∫ exp(-2θ(h - s)) ds and Cov(I, W_h) = ∫ exp(-θ(h - s)) ds: by quadrature (T9)."""
    along, across = OrnsteinUhlenbeck(theta, 1.0).integral(h)
    nodes, weights = np.polynomial.legendre.leggauss(40)
    decay = np.exp(-theta * (h - h * (nodes + 1) / 2))
    variance, covariance = (float((weights * decay**power).sum()) * h / 2 for power in (2, 1))
    assert along * h == pytest.approx(covariance, rel=1e-12)
    assert along**2 * h + across**2 == pytest.approx(variance, rel=1e-12)


def test_trajectories_collapse_in_the_time_sigma_squared_t() -> None:
    """At fixed D the same draws give the same positions at equal sigma² t, whatever sigma is (T9)."""
    x0, pace = points(5, 0), [0.0, 0.1, 0.4, 1.0, 2.5]
    found = []
    for sigma in (0.5, 1.0, 2.0):
        times = [s / sigma**2 for s in pace]
        found.append(OrnsteinUhlenbeck(sigma**2 / (2 * 0.7), sigma).simulate(x0, times, generator=seeded(6)).paths)
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=1e-12)
    torch.testing.assert_close(found[0], found[2], rtol=0, atol=1e-12)


def test_ornstein_uhlenbeck_is_langevin_on_its_stationary_law() -> None:
    """T11: the drifts agree, the stationary score by automatic differentiation."""
    process, x = OrnsteinUhlenbeck(1.3, 0.9), points(50, 1)
    leaf = x.clone().requires_grad_()
    process.stationary.log_density(leaf).sum().backward()
    assert leaf.grad is not None
    torch.testing.assert_close(process.drift(x, 0.0), 0.5 * 0.9**2 * leaf.grad)
    torch.testing.assert_close(process.langevin().drift(x, 0.0), process.drift(x, 0.0))
    assert process.langevin().diffusion(0.0) == process.diffusion(0.0) == 0.9


def test_langevin_leaves_its_distribution_invariant_by_fokker_planck() -> None:
    """T10 with T20: -div(p drift) + (sigma² / 2) Laplace p = 0, by automatic differentiation, no formula shared."""
    p, sigma = random_mixture(4, 2), 1.7
    dynamics, x = Langevin(p, sigma), points(200, 2).requires_grad_()
    density = p.log_density(x).exp()
    gradient = torch.autograd.grad(density.sum(), x, create_graph=True)[0]
    flux = density[:, None] * dynamics.drift(x, 0.0) - 0.5 * sigma**2 * gradient
    divergence = sum(torch.autograd.grad(flux[:, i].sum(), x, retain_graph=True)[0][:, i] for i in range(2))
    assert isinstance(divergence, torch.Tensor)
    assert float(divergence.abs().max()) < 1e-12


def test_langevin_reaches_two_modes_at_moderate_separation() -> None:
    """Issue 4: from a standard Gaussian, at long time, within twice the floor of the energy distance."""
    p, n = presets.get("two_modes"), 800
    dynamics = Langevin(p, 1.0)
    x0 = GaussianMixture.standard(dtype=torch.float32).sample(n, generator=seeded(0))
    times = [20.0 * i / 800 for i in range(801)]
    with torch.inference_mode():
        end = solve_sde(dynamics.drift, dynamics.diffusion, x0, generator=seeded(1), times=times)[0][-1]
    exact = [p.sample(n, generator=seeded(10 + i)) for i in range(16)]
    floor = sum(float(energy_distance(a, b)) for a, b in zip(exact[::2], exact[1::2], strict=True)) / 8
    found = sum(float(energy_distance(end, a)) for a in exact) / 16
    start = sum(float(energy_distance(x0, a)) for a in exact) / 16
    assert found < 2 * floor < start / 20


def test_the_longest_step_of_langevin_is_where_it_overshoots() -> None:
    p = GaussianMixture(torch.zeros(1, 2), torch.diag(torch.tensor([0.04, 1.0]))[None], torch.ones(1))
    dynamics = Langevin(p, 1.5)
    x0 = torch.tensor([[0.1, 0.0]], dtype=torch.float64)
    for factor, grows in ((0.99, False), (1.01, True)):
        times = [factor * dynamics.max_stable_step * i for i in range(300)]
        x, _ = solve_ode(dynamics.drift, x0, method="euler", times=times)
        assert bool(x[-1].abs().max() > x0.abs().max()) == grows
    assert Langevin(p, 0.0).max_stable_step == math.inf


@pytest.mark.parametrize("drift", [OrnsteinUhlenbeck(1.0, 0.0).drift, Langevin(random_mixture(3, 1), 1.0).drift])
def test_without_noise_the_sde_is_the_ode_bit_for_bit(drift) -> None:
    """T7, whatever the dtype and the noise that is drawn and not used."""
    for x0 in (points(20, 3), points(20, 3).float()):
        ode, _ = solve_ode(drift, x0, steps=37, method="euler")
        sde, _ = solve_sde(drift, lambda t: 0.0, x0, steps=37, generator=seeded(9))
        assert torch.equal(ode, sde)


@pytest.mark.parametrize("equation", [OUEquation(), GeometricBrownianMotion()], ids=["additive", "multiplicative"])
@pytest.mark.parametrize("seed", [0, 1])
def test_orders_of_euler_maruyama(equation: ScalarSDE, seed: int) -> None:
    """T8: weak order 1; strong order 1/2 in general, 1 for additive noise."""
    found = measure_errors(equation, generator=seeded(seed), paths=20_000)
    for order in (found.strong_order, found.weak_order):
        assert order.measured == pytest.approx(order.expected, abs=0.15)
    assert (found.strong_order.expected, found.weak_order.expected) == (
        (1.0, 1.0) if isinstance(equation, OUEquation) else (0.5, 1.0)
    )


def test_orders_are_fitted_with_the_weight_that_each_error_deserves() -> None:
    """Against numpy's weighted least squares: log(error) is known to its standard error over itself."""
    found = measure_errors(OUEquation(), generator=seeded(4), steps=(2, 6, 30), paths=200)
    for errors, deviations, order in (
        (found.strong, found.strong_error, found.strong_order),
        (found.weak, found.weak_error, found.weak_order),
    ):
        weights = np.array(errors) / np.array(deviations)
        slope, covariance = np.polyfit(np.log(found.steps), np.log(errors), 1, w=weights, cov="unscaled")
        assert order.measured == pytest.approx(-slope[0], rel=1e-9)
        assert order.error == pytest.approx(math.sqrt(covariance[0, 0]), rel=1e-9)


def test_one_step_and_two_paths_are_enough() -> None:
    found = measure_errors(OUEquation(), generator=seeded(0), steps=(1, 2), paths=2)
    assert (found.steps, found.paths) == ((1, 2), 2)


def test_by_default_each_number_of_steps_is_twice_the_last() -> None:
    assert list(STEPS) == [8 * 2**k for k in range(6)]


def test_weak_errors_are_those_of_the_known_means() -> None:
    """The mean of Euler-Maruyama on a linear drift is (1 + h mu)^n, the exact one e^mu."""
    for equation, rate in ((OUEquation(1.2, 0.7, 1.5), -1.2), (GeometricBrownianMotion(0.8, 0.6, 1.5), 0.8)):
        found = measure_errors(equation, generator=seeded(3), steps=(4, 16, 64), paths=20_000)
        for n, value, error in zip(found.steps, found.weak, found.weak_error, strict=True):
            exact = 1.5 * abs((1 + rate / n) ** n - math.exp(rate))
            assert value == pytest.approx(exact, abs=SIGMAS * error)


def test_a_pull_may_be_as_weak_as_one_likes():
    process = OrnsteinUhlenbeck(1e-6, 1.0)
    torch.testing.assert_close(
        process.variance(torch.tensor([2.0])), torch.tensor([2.0]), rtol=1e-5, atol=0.0
    )  # Brownian


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: OrnsteinUhlenbeck(0.0, 1.0), "theta"),
        (lambda: OrnsteinUhlenbeck(1.0, -1.0), "sigma"),
        (lambda: OrnsteinUhlenbeck(1.0, 0.0).stationary, "sigma"),
        (lambda: OrnsteinUhlenbeck(1.0, 1.0).simulate(torch.zeros(2), [0.0, 0.0], generator=seeded(0)), "times"),
        (lambda: Langevin(presets.get("ring5"), math.nan), "sigma"),
        (lambda: measure_errors(OUEquation(), generator=seeded(0), steps=(4, 6)), "steps"),
        (lambda: measure_errors(OUEquation(), generator=seeded(0), steps=(0, 6)), "steps"),
        (lambda: measure_errors(OUEquation(), generator=seeded(0), steps=(6,)), "steps"),
        (lambda: measure_errors(OUEquation(), generator=seeded(0), steps=()), "steps"),
        (lambda: measure_errors(OUEquation(), generator=seeded(0), paths=1), "paths"),
    ],
)
def test_parameters_that_make_no_sense_are_named(call, name) -> None:
    with pytest.raises(ParameterError, match=name):
        call()
