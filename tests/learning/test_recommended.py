"""The recommended settings do what they are recommended for."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from fmviz.errors import ParameterError
from fmviz.learning import Evaluation, recommended, train
from fmviz.theory import ProbabilityPath
from fmviz.theory.metrics import energy_distance
from fmviz.theory.solvers import solve_ode


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_recommended_run_comes_below_half_a_per_cent(seed: int, course: ProbabilityPath) -> None:
    spec = dataclasses.replace(recommended(seed), device="cpu")
    *_, last = train(course, spec, every=100)
    assert Evaluation(course, points=4096).report(last.model).own.total < 0.005
    assert spec.seed == seed


def test_the_samples_of_the_run_for_samples_are_nearly_as_close_to_the_data_as_exact_ones(
    ring8: ProbabilityPath,
) -> None:
    *_, last = train(ring8, dataclasses.replace(recommended(goal="samples"), device="cpu"), every=3000)
    generator = torch.Generator().manual_seed(0)
    learned, exact = [], []
    for _ in range(8):
        first, second = (ring8.p_data.sample(1000, generator=generator) for _ in range(2))
        x0 = ring8.p_init.sample(1000, generator=generator)
        samples = solve_ode(last.model.sampling_velocity, x0, steps=40)[0][-1]
        learned.append(energy_distance(samples, first))
        exact.append(energy_distance(first, second))
    assert torch.stack(learned).mean() < 1.5 * torch.stack(exact).mean()


def test_an_unknown_goal_is_refused() -> None:
    with pytest.raises(ParameterError, match="field, samples"):
        recommended(goal="fame")
