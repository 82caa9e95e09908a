"""Likelihood along the flow (T46) against closed forms, the exact path, and itself."""

import itertools
import math

import pytest
import torch

from fmviz.errors import ParameterError
from fmviz.learning import LearnedModel
from fmviz.learning.networks import MLP, Architecture
from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers
from fmviz.theory.likelihood import flow_likelihood
from fmviz.theory.time_grids import KINDS, time_grid

STANDARD = GaussianMixture.standard(dtype=torch.float64)


def path(name: str = "linear", data: str = "ring8") -> ProbabilityPath:
    return ProbabilityPath(STANDARD, presets.get(data).to(torch.float64), schedulers.get(name))


@pytest.mark.parametrize("t", [0.0, 0.3, 1.0])
def test_a_linear_field_has_the_closed_form(t):
    """u = -theta x: X_t ~ N(0, exp(-2 theta t) I) (T3), and the divergence is -2 theta everywhere."""
    theta = 0.7
    x = torch.tensor([[0.3, -0.2], [1.5, 0.4]], dtype=torch.float64)
    found = flow_likelihood(lambda x, t: -theta * x, STANDARD, x, t, times=time_grid("uniform", 50))
    variance = math.exp(-2 * theta * t)
    exact = -x.square().sum(-1) / (2 * variance) - math.log(2 * math.pi * variance)
    torch.testing.assert_close(found.value, exact, rtol=0, atol=1e-6)
    torch.testing.assert_close(found.positions[found.at], x)
    assert float(found.times[found.at]) == t


@pytest.mark.parametrize("name", ["linear", "sqrt", "trig", "polynomial"])
@pytest.mark.parametrize("t", [0.2, 0.6, 0.95])
def test_the_exact_field_gives_the_exact_density(name, t):
    p = path(name)
    x = p.sample(64, t, generator=torch.Generator().manual_seed(0))
    found = flow_likelihood(p.marginal_velocity, STANDARD, x, t, times=time_grid("refined", 200))
    torch.testing.assert_close(found.value, p.log_density(x, t), rtol=0, atol=2e-3)


def test_the_whole_trajectory_carries_the_density():
    p = path()
    x = p.sample(16, 0.5, generator=torch.Generator().manual_seed(1))
    found = flow_likelihood(p.marginal_velocity, STANDARD, x, 0.5, times=time_grid("refined", 200))
    exact = torch.stack([p.log_density(at, float(t)) for at, t in zip(found.positions, found.times, strict=True)])
    torch.testing.assert_close(found.log_density, exact, rtol=0, atol=5e-3)
    assert bool((found.times.diff() > 0).all())
    assert (float(found.times[0]), float(found.times[-1])) == (0.0, 1.0)


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("midpoint", 2), ("heun", 2), ("rk4", 4)])
def test_the_error_falls_with_the_order_of_the_solver(method, order):
    p = path("trig")
    x = p.sample(32, 0.5, generator=torch.Generator().manual_seed(2))
    exact = p.log_density(x, 0.5)

    def error(steps: int) -> float:
        grid = time_grid("uniform", steps)
        value = flow_likelihood(p.marginal_velocity, STANDARD, x, 0.5, times=grid, method=method).value
        return float((value - exact).abs().mean())

    assert math.log2(error(80) / error(160)) == pytest.approx(order, abs=0.35)


def test_the_density_of_a_learned_field_integrates_to_one():
    """The flow of any smooth field has a density of total mass one, however wrong the field is."""
    architecture = Architecture((16, 16), "silu", "raw", (0.0, 0.0), 1.0, 1.0)
    weights = architecture.initial_weights(torch.Generator().manual_seed(0))
    model = LearnedModel(MLP(architecture, 2 * weights), "velocity", schedulers.get("linear"), True)
    side = torch.linspace(-8, 8, 97, dtype=torch.float64)
    x = torch.stack(torch.meshgrid(side, side, indexing="xy"), dim=-1).reshape(-1, 2)
    found = flow_likelihood(model.sampling_velocity, STANDARD, x, 1.0, times=time_grid("uniform", 20))
    mass = float(found.value.exp().sum()) * float(side[1] - side[0]) ** 2
    assert mass == pytest.approx(1.0, abs=2e-3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [1, 2, 7, 1000])
def test_grids_run_from_zero_to_one(kind, steps):
    grid = time_grid(kind, steps)
    assert len(grid) == steps + 1
    assert (grid[0], grid[-1]) == (0.0, 1.0)
    assert all(a < b for a, b in itertools.pairwise(grid))


def test_refined_steps_shrink_to_the_square():
    grid = time_grid("refined", 10)
    steps = [b - a for a, b in itertools.pairwise(grid)]
    assert all(a > b for a, b in itertools.pairwise(steps))
    assert steps[-1] == pytest.approx(0.01)


@pytest.mark.parametrize(
    "wrong",
    [
        {"x": torch.zeros(2)},
        {"t": 1.5},
        {"t": math.nan},
        {"times": [0.0, 0.5]},
        {"times": [0.0]},
        {"times": [0.0, 0.6, 0.5, 1.0]},
        {"method": "magic"},
    ],
    ids=str,
)
def test_wrong_arguments_are_named(wrong):
    good = {"x": torch.zeros(1, 2), "t": 0.7, "times": [0.0, 0.5, 1.0], "method": "rk4"} | wrong
    x, t = good.pop("x"), good.pop("t")
    with pytest.raises(ParameterError):
        flow_likelihood(lambda x, t: x, STANDARD, x, t, **good)


def test_wrong_grids_are_named():
    with pytest.raises(ParameterError, match="kind"):
        time_grid("magic", 3)
    with pytest.raises(ParameterError, match="steps"):
        time_grid("uniform", 0)
