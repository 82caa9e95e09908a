"""The recommended settings do what they are recommended for."""

from __future__ import annotations

import dataclasses

import pytest

from fmviz.learning import Evaluation, recommended, train
from fmviz.theory import ProbabilityPath


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_recommended_run_comes_below_half_a_per_cent(seed: int, course: ProbabilityPath) -> None:
    spec = dataclasses.replace(recommended(seed), device="cpu")
    *_, last = train(course, spec, every=100)
    assert Evaluation(course, points=4096).report(last.model).own.total < 0.005
    assert spec.seed == seed
