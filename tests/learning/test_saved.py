"""What leaves the process: saved runs that another one goes on with, and errors."""

from __future__ import annotations

import dataclasses
import math
import pickle
from typing import Any

import pytest
import torch

from fmviz.errors import FmvizError, ParameterError, ScheduleError, SingularTimeError
from fmviz.learning import Trainer, TrainingDivergedError, TrainSpec
from fmviz.theory import ProbabilityPath


@pytest.mark.parametrize(
    "change",
    [{}, {"ema": 0.99}, {"optimizer": "sgd"}, {"optimizer": "adamw"}, {"objective": "fm"}, {"gradient_clip": 1.0}],
    ids=str,
)
def test_a_saved_run_goes_on_as_if_it_had_never_stopped(ring8: ProbabilityPath, change: dict[str, Any]) -> None:
    """Saved in the middle of a chunk of batches, sent through pickle, and saved again at once."""
    spec = dataclasses.replace(TrainSpec(hidden=(16,), batch_size=100, steps=900), **change)
    whole = Trainer(ring8, spec)
    whole.advance(400)
    saved = pickle.loads(pickle.dumps(whole.save()))
    resumed = Trainer(ring8, spec, Trainer(ring8, spec, saved).save())
    assert resumed.step == 400
    assert resumed.snapshot().seconds == whole.snapshot().seconds == saved.seconds > 0.0
    whole.advance(500)
    resumed.advance(500)
    assert torch.equal(whole.snapshot().model.network.weights, resumed.snapshot().model.network.weights)


@pytest.mark.parametrize(
    "error",
    [
        ParameterError("steps", "positive", -1, key="positive"),
        ScheduleError("endpoint", "alpha does not end at 1", "α: 0.5 ≠ 1"),
        SingularTimeError("no velocity", "singular_data"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_arrives_whole(error: FmvizError) -> None:
    found = pickle.loads(pickle.dumps(error))
    assert type(found) is type(error)
    assert (str(found), found.key, dict(found.values)) == (str(error), error.key, dict(error.values))
    assert vars(found) == vars(error)


def test_an_error_of_training_brings_its_last_good_network(ring8: ProbabilityPath) -> None:
    good = Trainer(ring8, TrainSpec(hidden=(8,), steps=10)).snapshot()
    found = pickle.loads(pickle.dumps(TrainingDivergedError(3, math.inf, 0.1, good)))
    assert (found.step, found.loss, found.learning_rate, found.last_good.step) == (3, math.inf, 0.1, 0)
    assert torch.equal(found.last_good.model.network.weights, good.model.network.weights)


def test_a_path_is_sent_without_what_it_remembers(ring8: ProbabilityPath) -> None:
    path = ProbabilityPath(ring8.p_init, ring8.p_data, ring8.scheduler)
    fresh = pickle.dumps(path)
    times = torch.linspace(0.0, 1.0, 61).tolist()
    path.prepare(times)
    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    expected = [path.marginal_velocity(x, t) for t in times[:-1]]
    assert len(pickle.dumps(path)) == len(fresh)
    found = pickle.loads(pickle.dumps(path))
    assert all(torch.equal(found.marginal_velocity(x, t), u) for t, u in zip(times, expected, strict=False))
