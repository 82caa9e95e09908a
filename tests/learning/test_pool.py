"""The pool: fair, bounded, obedient, and forgetful."""

from __future__ import annotations

import dataclasses
import gc
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import torch

from fmviz.errors import FmvizError, ParameterError
from fmviz.learning import Trainer, TrainSpec
from fmviz.learning import pool as pools
from fmviz.learning.evaluation import Evaluation
from fmviz.learning.pool import PoolFullError, TrainingPool, UnknownRunError
from fmviz.learning.runs import HISTORY, KEPT_BYTES, History, RunStatus, snapshot_steps
from fmviz.learning.training import Snapshot
from fmviz.theory import ProbabilityPath

SPEC = TrainSpec(hidden=(16, 16), batch_size=100, steps=200_000, schedule="constant", learning_rate=1e-3, device="cpu")


@pytest.fixture
def pool() -> Iterator[TrainingPool]:
    with TrainingPool(slice_seconds=0.02) as pool:
        yield pool


def wait(
    pool: TrainingPool, run: int, until: Callable[[RunStatus], bool], seconds: float = 20.0, *, heartbeat: bool = True
) -> RunStatus:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if heartbeat:
            pool.heartbeat(run)
        if until(status := pool.status(run)):
            return status
        time.sleep(0.01)
    raise AssertionError(f"still {pool.status(run)}")


def ended(status: RunStatus) -> bool:
    return not status.alive


def test_finishes_with_the_losses_of_a_lone_run(pool: TrainingPool, ring8: ProbabilityPath) -> None:
    spec = dataclasses.replace(SPEC, steps=150)
    run = pool.submit(ring8, spec, evaluation=Evaluation(ring8, points=500))
    status = wait(pool, run, ended)
    assert (status.state, status.step, status.steps) == ("finished", 150, 150)
    trainer = Trainer(ring8, spec)
    trainer.advance(150)
    alone = trainer.snapshot()
    assert status.model is not None
    assert torch.equal(status.model.network.weights, alone.model.network.weights)
    assert [loss for _, loss in status.history] == alone.losses.tolist()
    assert [kept.step for kept in status.kept][:3] == [0, 1, 2]
    assert status.kept[-1].step == 150
    assert all(kept.report is not None for kept in status.kept)


def test_thirty_runs_all_progress(ring8: ProbabilityPath) -> None:
    with TrainingPool(slice_seconds=0.02, owner_timeout=600.0) as pool:
        runs = [pool.submit(ring8, dataclasses.replace(SPEC, seed=seed)) for seed in range(30)]
        for run in runs:
            wait(pool, run, lambda status: status.step >= 20, seconds=60.0)
        steps = sorted(pool.status(run).step for run in runs)
        assert steps[0] * 60 > steps[-1]  # turns are of equal time; on a busy machine some hold few steps
        losses = {pool.status(run).loss for run in runs}
        assert len(losses) == 30


def test_pause_step_resume_cancel(pool: TrainingPool, ring8: ProbabilityPath) -> None:
    run = pool.submit(ring8, SPEC, paused=True)
    time.sleep(0.1)
    assert pool.status(run).state == "paused"
    assert pool.status(run).step == 0
    pool.single_step(run)
    assert wait(pool, run, lambda s: s.state == "paused").step == 1
    pool.single_step(run, 7)
    assert wait(pool, run, lambda s: s.state == "paused").step == 8
    pool.resume(run)
    wait(pool, run, lambda s: s.step > 50)
    running = pool.status(run)
    assert running.state == "running"
    assert running.steps_per_second > 0.0
    assert running.eta_seconds is not None
    pool.pause(run)
    stopped = wait(pool, run, lambda status: status.state == "paused").step
    time.sleep(0.1)
    assert pool.status(run).step == stopped
    assert pool.status(run).steps_per_second == 0.0
    pool.cancel(run)
    status = pool.status(run)
    assert status.state == "cancelled"
    assert status.model is not None
    pool.resume(run)
    pool.single_step(run)
    time.sleep(0.1)
    assert pool.status(run).step == stopped


def test_a_run_is_paused_only_when_its_last_step_can_be_seen(
    pool: TrainingPool, ring8: ProbabilityPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_snapshot, go_on = threading.Event(), threading.Event()
    snapshot = Trainer.snapshot

    def held(trainer: Trainer) -> Snapshot:
        if trainer.step:
            at_snapshot.set()
            assert go_on.wait(20.0)
        return snapshot(trainer)

    monkeypatch.setattr(Trainer, "snapshot", held)
    run = pool.submit(ring8, SPEC, paused=True)
    pool.single_step(run)
    assert at_snapshot.wait(20.0)
    assert pool.status(run).state == "running"
    go_on.set()
    assert wait(pool, run, lambda s: s.state == "paused").step == 1


def test_learning_rate_changes_while_running(pool: TrainingPool, ring8: ProbabilityPath) -> None:
    run = pool.submit(ring8, dataclasses.replace(SPEC, warm_up=0.0))
    wait(pool, run, lambda s: s.step > 5)
    pool.set_learning_rate(run, 2e-3)
    wait(pool, run, lambda s: s.learning_rate == 2e-3)
    with pytest.raises(ParameterError, match="learning_rate"):
        pool.set_learning_rate(run, 0.0)


def test_a_diverging_run_explains_itself_and_spares_the_others(pool: TrainingPool, course: ProbabilityPath) -> None:
    other = pool.submit(course, SPEC)
    run = pool.submit(course, dataclasses.replace(SPEC, learning_rate=100.0, hidden=(64, 64, 64, 64), warm_up=0.0))
    status = wait(pool, run, ended)
    assert status.state == "failed"
    assert status.error is not None
    assert "learning rate" in status.error
    assert status.model is not None
    assert bool(status.model.network.weights.isfinite().all())
    before = pool.status(other).step
    wait(pool, other, lambda s: s.step > before)


@pytest.mark.parametrize(("rate", "state"), [(1e-3, "finished"), (1000.0, "failed")])
def test_whoever_waits_for_a_run_hears_of_its_end(
    rate: float, state: str, pool: TrainingPool, ring8: ProbabilityPath
) -> None:
    heard = threading.Event()
    run = pool.submit(
        ring8, dataclasses.replace(SPEC, learning_rate=rate, steps=100), present=lambda: True, notify=heard.set
    )
    assert heard.wait(60.0)
    assert pool.status(run).state == state


def test_a_run_that_cannot_start_fails_with_the_reason(pool: TrainingPool, bridge: ProbabilityPath) -> None:
    run = pool.submit(bridge, dataclasses.replace(SPEC, objective="score"))
    status = wait(pool, run, ended)
    assert status.state == "failed"
    assert status.error is not None
    assert "T18" in status.error


def test_a_silent_owner_loses_only_that_owners_run(ring8: ProbabilityPath) -> None:
    with TrainingPool(slice_seconds=0.02, owner_timeout=0.5) as pool:
        present = pool.submit(ring8, SPEC)
        wait(pool, present, lambda status: status.step > 0)  # the first of all runs waits for torch's imports
        silent, waiting = (pool.submit(ring8, SPEC, paused=paused) for paused in (False, True))
        end = time.monotonic() + 1.2
        while time.monotonic() < end:
            pool.heartbeat(present)
            time.sleep(0.02)
        assert pool.status(silent).state == "abandoned"
        assert pool.status(waiting).state == "abandoned"
        assert pool.status(present).state == "running"


def test_a_silent_owner_who_is_there_keeps_the_run_until_leaving(ring8: ProbabilityPath) -> None:
    there, asked_often, asked = threading.Event(), threading.Event(), []
    there.set()

    def present() -> bool:
        asked.append(time.monotonic())
        if len(asked) == 3:
            asked_often.set()
        return there.is_set()

    with TrainingPool(slice_seconds=0.02, owner_timeout=0.1) as pool:
        run = pool.submit(ring8, SPEC, present=present)
        assert asked_often.wait(20)
        assert pool.status(run).alive
        there.clear()
        assert wait(pool, run, ended, heartbeat=False).state == "abandoned"


def test_an_owner_whose_presence_cannot_be_checked_counts_as_gone(ring8: ProbabilityPath) -> None:
    def present() -> bool:
        raise RuntimeError("no server")

    with TrainingPool(slice_seconds=0.02, owner_timeout=0.1) as pool:
        run = pool.submit(ring8, SPEC, present=present)
        assert wait(pool, run, ended, heartbeat=False).state == "abandoned"
        other = pool.submit(ring8, dataclasses.replace(SPEC, steps=20))
        assert wait(pool, other, ended).state == "finished", "the worker lives"


def test_the_run_longest_not_asked_about_is_forgotten_first(ring8: ProbabilityPath) -> None:
    spec = dataclasses.replace(SPEC, steps=10)
    weights = Trainer(ring8, spec).snapshot().model.network.architecture.n_weights
    size = 4 * (len(snapshot_steps(ring8, spec)) * weights + spec.steps)
    for kept, bounds in (
        (2, {"max_ended": 2}),
        (2, {"max_ended_bytes": 2 * size}),
        (1, {"max_ended_bytes": 2 * size - 1}),
    ):
        with TrainingPool(slice_seconds=0.02, **bounds) as pool:
            first = pool.submit(ring8, spec, paused=True)
            others = [pool.submit(ring8, dataclasses.replace(spec, seed=seed)) for seed in (1, 2, 3, 4)]
            wait(pool, others[-1], ended)
            pool.resume(first)
            assert wait(pool, first, ended).step == 10, "begun first, ended last"
            for forgotten in others[: 4 - (kept - 1)]:
                with pytest.raises(UnknownRunError):
                    pool.status(forgotten)
            for run in [*others, first][-kept:]:
                assert pool.status(run).state == "finished"


def test_the_networks_of_an_owner_who_is_gone_are_forgotten(
    ring8: ProbabilityPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "ENDED_TIMEOUT", 0.2)
    there = threading.Event()
    there.set()
    with TrainingPool(slice_seconds=0.02, owner_timeout=0.1) as pool:
        stays, goes = (
            pool.submit(ring8, dataclasses.replace(SPEC, steps=10), present=present)
            for present in (there.is_set, lambda: False)
        )
        wait(pool, stays, ended)
        with pytest.raises(UnknownRunError):
            wait(pool, goes, lambda status: False, heartbeat=False)
        assert pool.status(stays).state == "finished"
        there.clear()
        with pytest.raises(UnknownRunError):
            wait(pool, stays, lambda status: False, heartbeat=False)


def test_a_single_step_of_a_running_run_is_one_step(pool: TrainingPool, ring8: ProbabilityPath) -> None:
    run = pool.submit(ring8, SPEC)
    for _ in range(5):
        before = wait(pool, run, lambda status: status.step > 0)
        pool.single_step(run)
        after = wait(pool, run, lambda status: status.state == "paused")
        pool.pause(run)
        first = pool.status(run).step
        assert first == after.step > before.step
        pool.single_step(run)
        assert wait(pool, run, lambda status: status.state == "paused").step == first + 1
        pool.resume(run)


def test_a_run_that_is_resumed_again_and_again_has_one_place_in_the_queue(
    pool: TrainingPool, ring8: ProbabilityPath
) -> None:
    for _ in range(3):
        pool.submit(ring8, SPEC)
    with pool._changed:  # nobody takes a turn meanwhile
        for run in [*pool._runs.values()] * 3:
            pool._enqueue(run)
        assert sorted(run.id for run in pool._queue) == sorted(run.id for run in pool._runs.values() if not run.in_turn)


def test_what_a_step_costs_is_the_size_of_the_network(
    ring8: ProbabilityPath, monkeypatch: pytest.MonkeyPatch, pool: TrainingPool
) -> None:
    spec = dataclasses.replace(SPEC, steps=1)
    size = Trainer(ring8, spec).snapshot().model.network.weights.numel()
    monkeypatch.setattr(pools, "MAX_COST", spec.batch_size * size)
    assert wait(pool, pool.submit(ring8, spec), ended).state == "finished"
    monkeypatch.setattr(pools, "MAX_COST", spec.batch_size * size - 1)
    with pytest.raises(ParameterError, match="shared machine"):
        pool.submit(ring8, spec)


def test_a_marginal_target_costs_as_much_again_for_each_pair_of_components(
    ring8: ProbabilityPath, monkeypatch: pytest.MonkeyPatch, pool: TrainingPool
) -> None:
    spec = dataclasses.replace(SPEC, steps=1, objective="fm")
    size = Trainer(ring8, spec).snapshot().model.network.weights.numel()
    monkeypatch.setattr(pools, "MAX_COST", spec.batch_size * (size + 40 * ring8.n_pairs))
    assert wait(pool, pool.submit(ring8, spec), ended).state == "finished"
    monkeypatch.setattr(pools, "MAX_COST", spec.batch_size * (size + 40 * ring8.n_pairs) - 1)
    with pytest.raises(ParameterError, match="shared machine"):
        pool.submit(ring8, spec)


def test_a_caller_that_polls_does_not_block_the_workers(pool: TrainingPool, ring8: ProbabilityPath) -> None:
    run, deadline = pool.submit(ring8, dataclasses.replace(SPEC, steps=200)), time.monotonic() + 30.0
    while pool.status(run).alive:
        assert time.monotonic() < deadline


def test_kept_snapshots_that_are_taken_are_kept_no_longer(pool: TrainingPool, ring8: ProbabilityPath) -> None:
    run = pool.submit(ring8, dataclasses.replace(SPEC, steps=150))
    whole = wait(pool, run, ended)
    taken = pool.take(run)
    assert len(taken.kept) > 2
    assert taken.kept == whole.kept
    assert taken.kept[-1].step == taken.step == 150
    assert (pool.take(run).kept, pool.status(run).kept) == ((), ())


def test_the_losses_of_all_steps_are_kept(pool: TrainingPool, ring8: ProbabilityPath) -> None:
    spec = dataclasses.replace(SPEC, steps=HISTORY + 500)
    run = pool.submit(ring8, spec)
    early = wait(pool, run, lambda status: status.step > 100)
    assert early.losses.shape == (early.step,)
    copy = early.losses.clone()
    last = wait(pool, run, ended)
    trainer = Trainer(ring8, spec)
    trainer.advance(spec.steps)
    assert torch.equal(last.losses, trainer.snapshot().losses)
    assert torch.equal(early.losses, copy)


def test_bounds(ring8: ProbabilityPath) -> None:
    with TrainingPool(max_waiting=2, max_ended=3) as pool:
        first, second = pool.submit(ring8, SPEC), pool.submit(ring8, SPEC)
        with pytest.raises(PoolFullError, match="busy"):
            pool.submit(ring8, SPEC)
        pool.submit(ring8, SPEC, paused=True)
        pool.cancel(first)
        pool.submit(ring8, SPEC)
        pool.pause(second)
        pool.submit(ring8, SPEC)
        with pytest.raises(ParameterError, match="batch_size, hidden"):
            pool.submit(ring8, TrainSpec(batch_size=16_384, hidden=(512,) * 8))
        with pytest.raises(UnknownRunError, match="not known"):
            pool.status(999)
    assert issubclass(UnknownRunError, FmvizError)
    with pytest.raises(PoolFullError, match="closed"):
        pool.submit(ring8, SPEC)
    with pytest.raises(ParameterError, match="workers"):
        TrainingPool(workers=0)


def test_two_workers_share_the_runs(ring8: ProbabilityPath) -> None:
    with TrainingPool(workers=2, slice_seconds=0.01) as pool:
        spec = dataclasses.replace(SPEC, steps=100)
        runs = [pool.submit(ring8, dataclasses.replace(spec, seed=seed)) for seed in range(6)]
        weights = [wait(pool, run, ended).model for run in runs]
    for seed, model in enumerate(weights):
        trainer = Trainer(ring8, dataclasses.replace(spec, seed=seed))
        trainer.advance(100)
        assert model is not None
        assert torch.equal(model.network.weights, trainer.snapshot().model.network.weights)


def test_memory_is_flat_over_a_hundred_runs(ring8: ProbabilityPath) -> None:
    def alive(kind: type) -> int:
        gc.collect()
        return sum(type(thing) is kind for thing in gc.get_objects())

    trainers = alive(Trainer)
    with TrainingPool(slice_seconds=0.02, max_ended=5) as pool:
        for turn in range(100):
            run = pool.submit(ring8, dataclasses.replace(SPEC, steps=10, seed=turn))
            if turn % 3 == 0:
                pool.cancel(run)
            elif turn % 3 == 1:
                wait(pool, run, ended)
        wait(pool, run, ended)
        time.sleep(0.1)
        assert len(pool._runs) <= 6
        assert alive(Trainer) <= trainers + 1


def test_history_keeps_means_of_equal_stretches() -> None:
    history = History()
    losses = [float(i) for i in range(10 * HISTORY + 37)]
    for start in range(0, len(losses), 13):
        history.add(losses[start : start + 13])
    points = history.points()
    stride = points[0][0]
    assert len(points) <= HISTORY
    assert all(step == stride * (index + 1) for index, (step, _) in enumerate(points))
    assert all(mean == pytest.approx(step - (stride + 1) / 2) for step, mean in points)


def test_a_large_network_keeps_fewer_snapshots_but_always_four(ring8: ProbabilityPath) -> None:
    """Up to 40 of a small one, equal steps counted once; the largest has 7 MB, of which two would fill the 16 MB that are meant for a run."""
    small = snapshot_steps(ring8, dataclasses.replace(SPEC, steps=100_000))
    largest = snapshot_steps(ring8, dataclasses.replace(SPEC, hidden=(512,) * 8, steps=100_000))
    assert 30 < len(small) <= 40
    assert len(largest) == 4
    assert small[-1] == largest[-1] == 100_000


def test_between_the_two_the_snapshots_of_a_run_fill_the_memory_meant_for_it(ring8: ProbabilityPath) -> None:
    spec = dataclasses.replace(SPEC, hidden=(512, 512), steps=100_000)
    snapshot = Trainer(ring8, spec).snapshot().model.network.weights.nbytes
    assert 4 < KEPT_BYTES // snapshot < 40
    assert len(snapshot_steps(ring8, spec)) == KEPT_BYTES // snapshot
