"""One run on a clock of its own: how it looks from outside, how long its bursts are and when it is saved."""

from __future__ import annotations

import dataclasses
import math
import threading

import pytest

from fmviz.errors import ParameterError
from fmviz.learning import Trainer, TrainSpec, objectives
from fmviz.learning import pool as pools
from fmviz.learning import runs as module
from fmviz.learning.pool import PoolFullError, TrainingPool, UnknownRunError
from fmviz.learning.runs import Run
from fmviz.theory import ProbabilityPath

SPEC = TrainSpec(hidden=(8,), batch_size=10, steps=1000, schedule="constant", learning_rate=1e-3, device="cpu")
LOCK = threading.Condition()


class Clock:
    """Stands in for the module `time`: it moves only when a training step is done, or when a test moves it."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    perf_counter = monotonic

    def sleep(self, seconds: float) -> None:
        """Does not wait."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(module, "time", found)
    return found


@pytest.fixture
def bursts(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of steps that were asked for; each step takes 1/64 of a second."""
    asked, advance = [], Trainer.advance

    def timed(trainer: Trainer, steps: int) -> int:
        asked.append(steps)
        done = advance(trainer, steps)
        clock.now += done / 64.0
        return done

    monkeypatch.setattr(Trainer, "advance", timed)
    return asked


def new(path: ProbabilityPath, spec: TrainSpec = SPEC, *, paused: bool = False) -> Run:
    return Run(1, path, spec, None, paused=paused, touched=0.0, present=lambda: False)


def test_a_turn_ends_on_time_and_the_rest_is_estimated_from_the_speed(
    ring8: ProbabilityPath, clock: Clock, bursts: list[int]
) -> None:
    run = new(ring8)
    before = run.status(clock.now)
    assert (before.state, before.step, before.eta_seconds, before.model) == ("queued", 0, None, None)
    assert math.isnan(before.loss)
    assert before.learning_rate == 1e-3
    run.run_slice(LOCK, 0.125)
    assert bursts == [1] * 8
    status = run.status(clock.now)
    assert (status.state, status.step, len(status.losses)) == ("running", 8, 8)
    assert status.steps_per_second == pytest.approx(64.0, rel=1e-12)
    assert status.eta_seconds == pytest.approx((1000 - 8) / 64.0, rel=1e-12)
    assert run.size == status.kept[0].model.network.weights.nbytes * len(status.kept) + 4 * 1000
    assert run.status(clock.now + 0.125).steps_per_second == pytest.approx(32.0, rel=1e-12)
    run.paused = True
    assert run.status(clock.now).state == "paused"
    assert run.status(clock.now).steps_per_second == 0.0
    run.in_turn = True
    assert run.status(clock.now).state == "running"


def test_kept_snapshots_that_are_dropped_are_no_memory(ring8: ProbabilityPath) -> None:
    run = new(ring8, dataclasses.replace(SPEC, steps=10))
    run.run_slice(LOCK, 10.0)
    assert len(run.status(0.0).kept) > 2
    run.drop_kept()
    assert (run.status(0.0).kept, run.size) == ((), 4 * 10)


def test_both_networks_of_a_run_with_an_average_count_as_memory(ring8: ProbabilityPath) -> None:
    run = new(ring8, dataclasses.replace(SPEC, ema=0.9, steps=10))
    run.run_slice(LOCK, 10.0)
    kept = run.status(0.0).kept
    assert run.size == 2 * kept[0].model.network.weights.nbytes * len(kept) + 4 * 10
    for width in (64, 128, 256, 512):
        wide = TrainSpec(hidden=(width,) * 4)
        size = objectives.architecture(ring8, wide).n_weights * 4
        plain, both = (len(module.snapshot_steps(ring8, dataclasses.replace(wide, ema=ema))) for ema in (0.0, 0.995))
        assert both * 2 * size <= max(module.KEPT_BYTES, 4 * 2 * size)
        assert plain == both if width <= 128 else plain > both >= 4


@pytest.mark.usefixtures("bursts")
def test_the_speed_is_that_of_the_last_three_seconds(
    ring8: ProbabilityPath, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "snapshot_steps", lambda path, spec: (0, spec.steps))
    run, seen = new(ring8), []
    for wait in (0.5, 2.75, 1.0, 1.5, 0.0, 5.0, 0.0):  # with the turn of 1/4 s, the first of the third is 3 s back
        run.run_slice(LOCK, 0.25)
        seen.append((clock.now, run.status(clock.now).step))
        within = [(at, step) for at, step in ((100.0, 0), *seen) if clock.now - at <= 3.0]
        began, first = within[0] if len(within) > 1 else (seen[-2] if len(seen) > 1 else (100.0, 0))
        wanted = (seen[-1][1] - first) / (clock.now - began)
        assert run.status(clock.now).steps_per_second == pytest.approx(wanted, rel=1e-9)
        clock.now += wait


def test_bursts_last_a_fifth_of_the_turn_and_stop_at_the_snapshots_that_are_kept(
    ring8: ProbabilityPath, bursts: list[int]
) -> None:
    run = new(ring8)
    run.run_slice(LOCK, 2.5)
    assert sum(bursts) >= 160
    assert 16 < max(bursts) <= 32
    done = list(module.snapshot_steps(ring8, SPEC))
    assert [kept.step for kept in run.status(0.0).kept] == [step for step in done if step <= sum(bursts)]


def test_single_steps_of_a_paused_run_are_counted(ring8: ProbabilityPath, clock: Clock, bursts: list[int]) -> None:
    run = new(ring8, paused=True)
    assert not run.runnable
    run.single_steps = 5
    assert run.runnable
    run.run_slice(LOCK, 10.0)
    assert (run.status(clock.now).step, run.single_steps) == (5, 0)
    assert not run.runnable


def test_a_run_is_saved_between_its_first_and_its_last_step_every_half_second(
    ring8: ProbabilityPath, clock: Clock, bursts: list[int]
) -> None:
    run = new(ring8, dataclasses.replace(SPEC, steps=70), paused=True)

    def after(steps: int) -> int | None:
        run.single_steps = steps
        run.run_slice(LOCK, 10.0)
        return None if run.saved is None else run.saved.step

    assert after(0) is None
    assert after(1) == 1
    clock.now = 200.0
    assert after(1) == 2
    clock.now = 200.0 + 2 / 64  # at the end of the step that was saved it was 200 and 1/64
    assert after(29) == 2
    clock.now = 200.0 + 32 / 64
    assert after(1) == 32
    clock.now = 300.0
    assert after(38) != 70
    assert run.status(clock.now).state == "finished"


def test_a_large_network_is_saved_a_mebibyte_a_second(ring8: ProbabilityPath, clock: Clock) -> None:
    run = new(ring8, dataclasses.replace(SPEC, hidden=(512, 512)), paused=True)
    steps = []
    for wait in (0.0, -1e-3, 2e-3):
        if run.saved is not None:
            clock.now = 100.0 + run.saved.weights.nbytes / 2**20 + wait
        run.single_steps = 1
        run.run_slice(LOCK, 10.0)
        assert run.saved is not None
        steps.append(run.saved.step)
    assert run.saved.weights.nbytes > 2**20
    assert steps == [1, 1, 3]


def test_silence_counts_from_the_last_sign_of_the_owner(
    ring8: ProbabilityPath, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looks are a second apart; seven seconds of silence end a run, and thirty are too long for what has ended."""
    monkeypatch.setattr(pools, "time", clock)
    with TrainingPool() as pool:
        run, other = (pool.submit(ring8, SPEC, paused=True) for _ in range(2))

        def look(now: float) -> None:
            clock.now = now
            pool.heartbeat(other)
            pool.forget(pool.submit(ring8, SPEC, paused=True))

        look(107.0)
        assert pool.status(run).state == "paused"
        look(107.5)
        assert pool.status(run).state == "paused"
        look(108.0)
        assert pool.status(run).state == "abandoned"
        look(130.0)
        assert pool.status(run).state == "abandoned"
        look(131.0)
        with pytest.raises(UnknownRunError):
            pool.status(run)
        assert pool.status(other).state == "paused"


@pytest.mark.parametrize("bound", ["max_waiting", "max_ended"])
def test_bounds_of_the_pool_go_from_1_to_1024(bound: str) -> None:
    for allowed in (1, 1024):
        TrainingPool(**{bound: allowed}).close()  # type: ignore[arg-type]
    for wrong in (0, 1025):
        with pytest.raises(ParameterError, match=bound):
            TrainingPool(**{bound: wrong})  # type: ignore[arg-type]


def test_the_numbers_of_steps_and_the_rates_that_a_run_takes(ring8: ProbabilityPath) -> None:
    with TrainingPool() as pool:
        run = pool.submit(ring8, SPEC, paused=True)
        pool.set_learning_rate(run, SPEC.learning_rate)
        assert not pool.status(run).rate_changed
        pool.set_learning_rate(run, 1000.0)
        assert pool.status(run).rate_changed
        assert pool.status(run).learning_rate == 1000.0
        pool.set_learning_rate(run, SPEC.learning_rate)
        assert pool.status(run).rate_changed  # it was another while the run was alive
        for wrong in (0, 1_000_001):
            with pytest.raises(ParameterError, match="steps"):
                pool.single_step(run, wrong)
        late = pool.submit(ring8, SPEC, paused=True)
        pool.cancel(late)
        pool.set_learning_rate(late, 0.5)
        assert not pool.status(late).rate_changed


def test_sixty_four_runs_take_turns_by_default_and_paused_ones_do_not_count(ring8: ProbabilityPath) -> None:
    with TrainingPool(owner_timeout=600.0) as pool:
        pool.submit(ring8, SPEC, paused=True)
        for _ in range(64):
            pool.submit(ring8, dataclasses.replace(SPEC, steps=200_000))
        with pytest.raises(PoolFullError):
            pool.submit(ring8, SPEC)
