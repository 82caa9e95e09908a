"""Training on from what another run has learned: in a trainer, in both pools, and in the pool that takes a finished run in."""

from __future__ import annotations

import dataclasses
import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest
import torch

from fmviz.errors import ParameterError
from fmviz.learning import Evaluation, LearnedModel, RunStatus, Trainer, TrainingPool, TrainSpec, train
from fmviz.learning.continuation import continued
from fmviz.learning.process_pool import ProcessPool
from fmviz.learning.runs import KeptSnapshot
from fmviz.learning.training import initial_model
from fmviz.theory import ProbabilityPath

SPEC = TrainSpec(hidden=(16,), batch_size=50, steps=60, ema=0.9, device="cpu")


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPool]:
    with ProcessPool(owner_timeout=600.0) as made:
        yield made


def wait(pool: TrainingPool | ProcessPool, run: int, until: Callable[[RunStatus], bool]) -> RunStatus:
    deadline = time.monotonic() + 60.0
    while not until(status := pool.status(run)):
        assert time.monotonic() < deadline, status
        time.sleep(0.01)
    return status


def learned(path: ProbabilityPath, spec: TrainSpec = SPEC) -> LearnedModel:
    (last,) = train(path, spec, every=spec.steps)
    return last.model


def weights(model: LearnedModel | None) -> torch.Tensor:
    assert model is not None
    return model.network.weights


def test_it_begins_with_the_network_that_is_given_and_its_average_too(ring8: ProbabilityPath):
    model = learned(ring8)
    before = weights(model).clone()
    trainer = Trainer(ring8, SPEC, continued(ring8, SPEC, model))
    first = trainer.snapshot()
    assert first.step == 0
    assert torch.equal(weights(first.model), before)
    assert torch.equal(weights(first.raw), before)
    assert torch.equal(weights(continued(ring8, SPEC, model).good.raw), before)
    trainer.advance(SPEC.steps)
    assert trainer.finished
    assert torch.equal(weights(model), before), "the network that is given does not change"
    assert not torch.equal(weights(trainer.snapshot().model), before)


def test_from_the_initial_weights_it_is_the_run_itself(ring8: ProbabilityPath):
    trainer = Trainer(ring8, SPEC, continued(ring8, SPEC, initial_model(ring8, SPEC)))
    trainer.advance(SPEC.steps)
    assert torch.equal(weights(trainer.snapshot().model), weights(learned(ring8)))


def test_training_on_with_a_low_rate_makes_the_error_smaller(ring8: ProbabilityPath):
    spec = dataclasses.replace(SPEC, hidden=(32, 32), steps=300, learning_rate=3e-3)
    model, evaluation = learned(ring8, spec), Evaluation(ring8, points=500)
    trainer = Trainer(ring8, spec, continued(ring8, spec, model))
    trainer.advance(spec.steps)
    errors = [evaluation.report(one).velocity for one in (model, trainer.snapshot().model)]
    assert errors[0] is not None
    assert errors[1] is not None
    assert errors[1].total < 0.9 * errors[0].total


@pytest.mark.parametrize("change", [{"hidden": (8,)}, {"time_features": "raw"}, {"scaling": "none"}], ids=str)
def test_a_network_of_another_shape_is_refused(ring8: ProbabilityPath, change):
    with pytest.raises(ParameterError, match="shape"):
        continued(ring8, dataclasses.replace(SPEC, **change), learned(ring8))


def test_both_pools_go_on_from_it_and_keep_the_network_of_step_0(ring8: ProbabilityPath, pool: ProcessPool):
    model = learned(ring8)
    alone = Trainer(ring8, SPEC, continued(ring8, SPEC, model))
    alone.advance(SPEC.steps)
    with TrainingPool() as threads:
        for each in (threads, pool):
            run = each.submit(ring8, SPEC, saved=continued(ring8, SPEC, model), present=lambda: True)
            status = wait(each, run, lambda s: not s.alive)
            assert status.state == "finished"
            assert status.kept[0].step == 0
            assert torch.equal(weights(status.kept[0].model), weights(model))
            assert torch.equal(weights(status.model), weights(alone.snapshot().model))


def test_it_goes_on_from_it_again_when_its_process_dies_early(ring8: ProbabilityPath, pool: ProcessPool):
    model, spec = learned(ring8), dataclasses.replace(SPEC, steps=400)
    run = pool.submit(ring8, spec, saved=continued(ring8, spec, model), paused=True, present=lambda: True)
    pool.single_step(run)
    wait(pool, run, lambda s: s.step == 1)
    (pid,) = pool.pids
    os.kill(pid, signal.SIGKILL)
    wait(pool, run, lambda s: pool.pids not in ((), (pid,)))
    pool.resume(run)
    status = wait(pool, run, lambda s: not s.alive)
    alone = Trainer(ring8, spec, continued(ring8, spec, model))
    alone.advance(spec.steps)
    assert torch.equal(weights(status.model), weights(alone.snapshot().model))
    steps = [kept.step for kept in status.kept]
    assert steps == sorted(set(steps))
    assert steps[0] == 0


def test_a_run_from_elsewhere_is_one_that_has_finished(ring8: ProbabilityPath, pool: ProcessPool):
    (last,) = train(ring8, SPEC, every=SPEC.steps)
    kept = tuple(KeptSnapshot(step, last.model, None) for step in (0, SPEC.steps))
    run = pool.adopt(ring8, SPEC, kept, last.losses, seconds=1.5)
    status = pool.status(run)
    assert (status.state, status.step, status.alive, status.seconds) == ("finished", SPEC.steps, False, 1.5)
    assert status.model is last.model
    assert status.kept == kept
    assert torch.equal(status.losses, last.losses)
    assert status.history[-1] == (SPEC.steps, pytest.approx(float(last.losses[-1])))
    pool.pause(run)
    pool.resume(run)
    assert pool.status(run).state == "finished"
    with pytest.raises(ParameterError, match="snapshot of step"):
        pool.adopt(ring8, SPEC, kept[:1], last.losses)
    with pytest.raises(ParameterError, match="snapshot of step"):
        pool.adopt(ring8, SPEC, kept, last.losses[:5])
