"""Solvers: measured orders, exact step counts, and Ornstein-Uhlenbeck in closed form."""

import functools
import itertools
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.theory import ProbabilityPath, schedulers, solvers
from tests.theory import builders


def slope(errors: list[float], counts: list[int]) -> float:
    """Order of convergence: minus the slope of log error against log count, least squares."""
    x, y = torch.tensor(counts).double().log(), torch.tensor(errors).double().log()
    return -float(((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum())


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("midpoint", 2), ("heun", 2), ("rk4", 4)])
def test_orders_on_a_field_with_a_known_flow(method: str, order: int) -> None:
    """dx/dt = (1 + 2 t) R x with R a turn and a growth: x(1) = exp(2 R) x(0)."""
    generator = torch.tensor([[0.3, -1.5], [1.5, 0.3]], dtype=torch.float64)
    x0 = builders.points(5, 0)
    exact = x0 @ torch.linalg.matrix_exp(2 * generator).mT
    counts = [10, 20, 40, 80]
    errors = []
    for n in counts:
        trajectory, _ = solvers.solve_ode(lambda x, t: (1 + 2 * t) * x @ generator.mT, x0, n, method)
        errors.append(float((trajectory[-1] - exact).abs().max()))
    assert slope(errors, counts) == pytest.approx(order, abs=0.2)


@functools.cache
def fine_solution() -> Tensor:
    """What the next test converges to."""
    path = ProbabilityPath(builders.standard(), builders.random_mixture(3, 1), schedulers.get("trig"))
    return solvers.solve_ode(path.marginal_velocity, builders.points(20, 0, scale=1.0), 600, "rk4")[0]


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("midpoint", 2), ("heun", 2), ("rk4", 4)])
def test_orders_on_a_marginal_path(method: str, order: int) -> None:
    path = ProbabilityPath(builders.standard(), builders.random_mixture(3, 1), schedulers.get("trig"))
    x0 = builders.points(20, 0, scale=1.0)
    exact = fine_solution()
    counts = [40, 80, 160]
    errors = []
    for n in counts:
        trajectory, _ = solvers.solve_ode(path.marginal_velocity, x0, n, method)
        errors.append(float((trajectory[-1] - exact[-1]).norm(dim=-1).mean()))
    assert slope(errors, counts) == pytest.approx(order, abs=0.35)


def test_dopri5_meets_its_tolerance_and_stays_inside_the_interval() -> None:
    seen = []

    def field(x: Tensor, t: float) -> Tensor:
        seen.append(t)
        return -3.0 * x

    x0 = builders.points(5, 0)
    trajectory, times = solvers.solve_ode(field, x0, 7, "dopri5")
    wanted = x0 * torch.exp(-3.0 * times)[:, None, None]
    assert float((trajectory - wanted).abs().max()) < 1e-8
    assert 0.0 <= min(seen) <= max(seen) <= 1.0
    path = ProbabilityPath(builders.standard(), builders.random_mixture(3, 1), schedulers.get("sqrt"))
    ends, _ = solvers.solve_ode(path.marginal_velocity, x0, 4, "dopri5")
    fine, _ = solvers.solve_ode(path.marginal_velocity, x0, 300, "rk4")
    assert float((ends[-1] - fine[-1]).abs().max()) < 1e-5
    single, _ = solvers.solve_ode(path.marginal_velocity, x0.float(), 4, "dopri5")
    assert single.dtype == torch.float32
    assert float((single[-1] - fine[-1]).abs().max()) < 1e-3


@pytest.mark.parametrize(("dtype", "most"), [(torch.float64, 1e-8), (torch.float32, 1e-4)])
def test_dopri5_is_as_exact_as_its_dtype_allows(dtype: torch.dtype, most: float) -> None:
    """A slow turn, where steps could be long, and a decay to far below the start, against their closed forms."""
    x0 = builders.points(5, 0).to(dtype)
    turned, _ = solvers.solve_ode(lambda x, t: 6.0 * torch.stack((-x[:, 1], x[:, 0]), dim=-1), x0, 1, "dopri5")
    exact = x0.double()
    cos, sin = math.cos(6.0), math.sin(6.0)
    wanted = torch.stack((cos * exact[:, 0] - sin * exact[:, 1], sin * exact[:, 0] + cos * exact[:, 1]), dim=-1)
    assert float((turned[-1] - wanted).abs().max()) < most
    decayed, _ = solvers.solve_ode(lambda x, t: -40.0 * x, x0, 1, "dopri5")
    assert float(decayed[-1].abs().max()) < most / 5.0


def test_the_times_kept_do_not_change_the_steps_of_dopri5() -> None:
    def evaluations(kept: int) -> list[float]:
        seen: list[float] = []

        def field(x: Tensor, t: float) -> Tensor:
            seen.append(t)
            return -3.0 * x

        solvers.solve_ode(field, builders.points(5, 0), kept, "dopri5")
        return seen

    assert evaluations(1) == evaluations(2) == evaluations(9)


@pytest.mark.parametrize(
    ("method", "evaluations"),
    [("euler", [0.0]), ("midpoint", [0.0, 0.5]), ("heun", [0.0, 1.0]), ("rk4", [0.0, 0.5, 0.5, 1.0])],
)
def test_exactly_n_steps_at_the_stated_times(method: str, evaluations: list[float]) -> None:
    seen: list[float] = []

    def field(x: Tensor, t: float) -> Tensor:
        seen.append(t)
        return torch.ones_like(x)

    trajectory, times = solvers.solve_ode(field, torch.zeros(3, 2), 5, method)
    assert trajectory.shape == (6, 3, 2)
    assert times.tolist() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert seen == pytest.approx([(i + e) / 5 for i in range(5) for e in evaluations])
    assert torch.allclose(trajectory[-1], torch.ones(3, 2))


def test_given_times_forwards_and_backwards() -> None:
    x0 = builders.points(4, 0)
    grid = [0.0, 0.1, 0.15, 0.5, 2.0]
    trajectory, times = solvers.solve_ode(lambda x, t: torch.full_like(x, 2 * t), x0, method="heun", times=grid)
    assert torch.allclose(trajectory, x0 + times[:, None, None] ** 2)
    path = ProbabilityPath(builders.standard(), builders.random_mixture(3, 1), schedulers.get("linear"))
    there, _ = solvers.solve_ode(path.marginal_velocity, x0, 200, "rk4")
    back, _ = solvers.solve_ode(path.marginal_velocity, there[-1], method="rk4", times=torch.linspace(1, 0, 201))
    assert torch.allclose(back[-1], x0, atol=1e-5)


def test_ornstein_uhlenbeck_moments() -> None:
    """T9 by Euler-Maruyama: means and variances within five standard errors, plus the O(h) weak error of the scheme."""
    theta, sigma, n = 1.5, 0.8, 40_000
    x0 = torch.tensor([1.5, -0.5], dtype=torch.float64).expand(n, 2)
    grid = [2.0 * i / 400 for i in range(401)]
    trajectory, times = solvers.solve_sde(
        lambda x, t: -theta * x, lambda t: sigma, x0, generator=builders.seeded(0), times=grid
    )
    for i in (50, 100, 200, 400):
        decay = math.exp(-theta * float(times[i]))
        variance = sigma**2 / (2 * theta) * (1 - decay**2)
        weak = theta * (grid[1] - grid[0])  # relative error of the scheme, to first order
        mean_error = (trajectory[i].mean(0) - decay * x0[0]).abs()
        assert bool((mean_error < 5 * math.sqrt(variance / n) + weak * decay * x0[0].abs()).all())
        variance_error = (trajectory[i].var(0) - variance).abs()
        assert bool((variance_error < 5 * variance * math.sqrt(2 / n) + weak * variance).all())


def test_brownian_increments_are_independent_with_variance_h() -> None:
    n = 20_000
    trajectory, times = solvers.solve_sde(
        lambda x, t: torch.zeros_like(x), lambda t: 1.0, torch.zeros(n, 1).double(), 4, generator=builders.seeded(1)
    )
    increments = trajectory.diff(dim=0)[:, :, 0]
    assert torch.allclose(torch.cov(increments), 0.25 * torch.eye(4).double(), atol=5 * 0.25 * math.sqrt(2 / n))
    assert times.tolist() == [0, 0.25, 0.5, 0.75, 1]


def test_noise_depends_on_the_generator_only() -> None:
    def run(sigma: Callable[[float], float]) -> Tensor:
        return solvers.solve_sde(lambda x, t: 0 * x, sigma, torch.zeros(3, 2), 5, generator=builders.seeded(3))[0]

    assert torch.allclose(2 * run(lambda t: 1.0), run(lambda t: 2.0))
    assert not bool(run(lambda t: 0.0).any())


@pytest.mark.parametrize("times", [[0.0], [0.0, 0.0, 1.0], [0.0, 0.5, 0.2], [0.0, math.nan], []])
def test_wrong_grids_are_named(times: list[float]) -> None:
    for call in (
        lambda: solvers.solve_ode(lambda x, t: x, torch.zeros(1, 2), times=times),
        lambda: solvers.solve_sde(lambda x, t: x, lambda t: 0.0, torch.zeros(1, 2), times=times),
    ):
        with pytest.raises(ParameterError, match="times"):
            call()


def test_wrong_methods_and_counts_are_named() -> None:
    with pytest.raises(ParameterError, match="method"):
        solvers.solve_ode(lambda x, t: x, torch.zeros(1, 2), method="leapfrog")
    with pytest.raises(ParameterError, match="steps"):
        solvers.solve_ode(lambda x, t: x, torch.zeros(1, 2), steps=0)
    with pytest.raises(ParameterError, match="times"):
        solvers.solve_sde(lambda x, t: x, lambda t: 0.0, torch.zeros(1, 2), times=[1.0, 0.0])


def test_by_default_there_are_fifty_steps() -> None:
    _, times = solvers.solve_ode(lambda x, t: x, torch.ones(1, 2, dtype=torch.float64))
    assert torch.equal(times, torch.arange(51, dtype=torch.float64) / 50)


def test_a_single_step_is_allowed() -> None:
    """One Euler step of dx = x dt over [0, 1] doubles x."""
    x0 = torch.tensor([[1.0, -3.0]], dtype=torch.float64)
    trajectory, _ = solvers.solve_ode(lambda x, t: x, x0, method="euler", steps=1)
    assert torch.equal(trajectory, torch.stack([x0, 2.0 * x0]))


def test_sde_grid_keeps_the_frames_and_bounds_the_steps() -> None:
    frames = [i / 10 for i in range(11)]
    grid, index = solvers.sde_grid(lambda t: 2.0 * t, lambda t: 30.0, frames, step=0.1, least=2, most=50)
    assert [grid[i] for i in index] == frames
    counts = [b - a for a, b in itertools.pairwise(index)]
    assert counts == sorted(counts)
    assert counts[0] == 2
    assert counts[-1] == 50
    for i in (1, 2, 3):
        assert 0.1 / counts[i] * 0.5 * (2.0 * frames[i + 1]) ** 2 * 30.0 <= 0.1 + 1e-12


def test_dopri5_first_met_under_inference_mode_can_be_differentiated_later(fresh):
    script = """
import torch
from fmviz.theory.solvers import solve_ode
x = torch.ones(1, 2, dtype=torch.float64)
with torch.inference_mode():
    solve_ode(lambda x, t: -x, x, method="dopri5")
x.requires_grad_()
end = solve_ode(lambda x, t: -x, x, method="dopri5")[0][-1]
(slope,) = torch.autograd.grad(end.sum(), x)
print(float(slope[0, 0]))
"""
    assert float(fresh.printed(script)) == pytest.approx(math.exp(-1.0), rel=1e-6)


def test_dopri5_leaves_scipy_out_and_its_own_solver_whole(fresh):
    script = """
import sys, torch, numpy
from fmviz.theory.solvers import solve_ode
solve_ode(lambda x, t: -x, torch.ones(1, 2, dtype=torch.float64), method="dopri5")
print("scipy" in sys.modules)
import torchdiffeq
end = torchdiffeq.odeint(
    lambda t, x: -x, torch.ones(1), torch.tensor([0.0, 1.0]), method="scipy_solver", options={"solver": "RK45"}
)
print(float(end[-1]))
import scipy.integrate
print(scipy.integrate.quad(numpy.exp, 0.0, 1.0)[0])
"""
    before, end, area = fresh.printed(script).split()
    assert before == "False"
    assert float(end) == pytest.approx(math.exp(-1.0), rel=1e-3)
    assert float(area) == pytest.approx(math.e - 1.0)
