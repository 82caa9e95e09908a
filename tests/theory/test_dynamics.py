"""T17 and T21 by simulation: ODE and SDE particles have the law p_t, whatever sigma_t is."""

import pytest
import torch
from torch import Tensor

from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers, sigmas
from fmviz.theory.metrics import energy_distance
from fmviz.theory.solvers import sde_grid, solve_ode, solve_sde
from tests.theory import builders

FRAMES = [i / 20 for i in range(21)]
CHECKED = (5, 10, 15, 20)  # t = 0.25, 0.5, 0.75, 1
# The distance of one pair of samples scatters by half of its mean (one class drawn too often is enough): average it.
GROUPS, SIZE = 12, 300

CASES = [("linear", kind) for kind in ("ode", *sigmas.KINDS)]
CASES += [("sqrt", kind) for kind in ("ode", "constant", "beta", "reversal")]


def exact(path: ProbabilityPath, t: float, seed: int) -> Tensor:
    return path.sample(GROUPS * SIZE, t, generator=builders.seeded(seed))


def distance(x: Tensor, y: Tensor) -> float:
    """Mean energy distance of the groups of two samples."""
    pairs = zip(x.split(SIZE), y.split(SIZE), strict=True)
    return float(torch.stack([energy_distance(a, b) for a, b in pairs]).mean())


def floor(path: ProbabilityPath, t: float) -> float:
    """The distance of two exact samples."""
    return sum(distance(exact(path, t, 100 + s), exact(path, t, 200 + s)) for s in range(2)) / 2


@pytest.mark.slow
@pytest.mark.parametrize(("scheduler", "kind"), CASES)
def test_particles_follow_the_marginals(scheduler: str, kind: str) -> None:
    path = ProbabilityPath(GaussianMixture.standard(), presets.get("ring5"), schedulers.get(scheduler))
    x0 = path.p_init.sample(GROUPS * SIZE, generator=builders.seeded(0))
    if kind == "ode":
        particles, _ = solve_ode(path.marginal_velocity, x0, 60, "heun")
        index = [3 * i for i in range(21)]
    else:
        sigma = sigmas.get(kind, 1.0, path.scheduler)
        grid, index = sde_grid(sigma, path.stiffness, FRAMES, least=5)
        particles, _ = solve_sde(path.sde_drift(sigma), sigma, x0, generator=builders.seeded(1), times=grid)
    for i in CHECKED:
        t = FRAMES[i]
        assert distance(particles[index[i]], exact(path, t, 300)) < 2 * floor(path, t), t


def test_a_wrong_drift_is_noticed() -> None:
    path = ProbabilityPath(GaussianMixture.standard(), presets.get("ring5"), schedulers.get("linear"))
    x0 = path.p_init.sample(GROUPS * SIZE, generator=builders.seeded(0))
    # Noise without the score term that pays for it.
    particles, _ = solve_sde(path.marginal_velocity, lambda t: 1.0, x0, 100, generator=builders.seeded(1))
    assert distance(particles[-1], exact(path, 1.0, 300)) > 2 * floor(path, 1.0)
