"""The settings of a run: what each may be at most and at least, and what it is unless it is said."""

import math

import pytest

from fmviz.errors import ParameterError
from fmviz.learning.spec import TrainSpec

EDGES: dict[str, tuple[tuple[object, ...], tuple[object, ...]]] = {
    "hidden": (((), (1,), (512,) * 8), ((64,) * 9, (513,), (0,))),
    "batch_size": ((1, 16_384), (0, 16_385)),
    "steps": ((1, 200_000), (0, 200_001)),
    "seed": ((0, 2**63 - 1), (-1, 2**63)),
    "learning_rate": ((1e-9, 1000.0), (0.0, -1.0, 1001.0, math.inf, math.nan)),
    "warm_up": ((0.0, 0.999), (-0.001, 1.0, math.nan)),
    "ema": ((0.0, 0.9999), (-0.001, 1.0, math.nan)),
    "weight_decay": ((0.0, 1.0), (-0.001, 1.001, math.nan)),
    "gradient_clip": ((None, 1e-3, 1e9), (0.0, -1.0, math.inf, math.nan)),
}


@pytest.mark.parametrize("name", EDGES)
def test_the_last_that_is_allowed_and_the_first_that_is_refused(name: str) -> None:
    within, beyond = EDGES[name]
    for value in within:
        assert getattr(TrainSpec(**{name: value}), name) == value  # type: ignore[arg-type]
    for value in beyond:
        with pytest.raises(ParameterError, match=f"^{name}: "):
            TrainSpec(**{name: value})  # type: ignore[arg-type]


def test_little_noise_in_between_is_noise_too() -> None:
    assert not TrainSpec().own_quantity_only
    assert TrainSpec(gamma=0.005).own_quantity_only
