"""A sweep at work in a real training pool: its numbers, its end, its owner, and what it does not do twice."""

import dataclasses
import os
import signal
import threading
from collections.abc import Iterator

import pytest
import torch

import fmviz
from fmviz.learning import Evaluation, TrainingPool, TrainSpec
from fmviz.learning.pool import PoolFullError
from fmviz.learning.process_pool import ProcessPool
from fmviz.lessons.hyperparameters.compute import evidence, running, timing
from fmviz.lessons.hyperparameters.compute.plan import Job
from fmviz.lessons.hyperparameters.compute.running import Done, Result, Sweep
from fmviz.scene import Scene, scenes

SCENE = scenes.learned_part(Scene(data="two_modes"))
SPEC = TrainSpec(hidden=(8,), batch_size=20, steps=30, device="cpu")
PATH = scenes.path(SCENE)
ANSWERS = Evaluation(PATH, points=1024)


def jobs(*rates: float, **changes: object) -> tuple[Job, ...]:
    return tuple((SCENE, dataclasses.replace(SPEC, learning_rate=rate, **changes)) for rate in rates)


def paths(job: Job):
    return scenes.path(job[0]), ANSWERS


@pytest.fixture
def pool() -> Iterator[TrainingPool]:
    with TrainingPool() as made:
        yield made


def until_ended(sweep: Sweep) -> None:
    pause = threading.Event()
    for _ in range(3000):
        if not sweep.live:
            return
        sweep.advance()
        pause.wait(0.01)
    pytest.fail("the sweep has not ended")


def test_every_cell_has_the_errors_and_the_network_of_the_library_s_own_sweep(pool):
    asked = jobs(0.003, 0.03)
    sweep = Sweep(asked, paths, pool, lambda: True, Done())
    until_ended(sweep)
    wanted = {cell.spec: cell for cell in fmviz.sweep(PATH, SPEC, {"learning_rate": [0.003, 0.03]}) if cell.ended}
    found = sweep.results()
    for job in asked:
        cell, result = wanted[job[1]], found[job]
        assert (result.step, result.ended, result.failure) == (30, True, None)
        assert 0.0 < result.seconds < sweep.seconds
        assert result.errors[0][0] == 0
        assert result.errors[-1] == (30, pytest.approx(cell.report.velocity.total, rel=1e-3))
        torch.testing.assert_close(result.model.network.weights, cell.model.network.weights, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("objective", ["cfm", "data"])
def test_independent_draws_find_the_same_error(objective):
    scene = scenes.learned_part(Scene(data="two_modes", scheduler="vp"))
    model = fmviz.learning.training.initial_model(scenes.path(scene), dataclasses.replace(SPEC, objective=objective))
    ((mean, error),) = evidence.independent(((scene, model),))
    curve = Evaluation(scenes.path(scene), points=8192).report(model).velocity
    assert curve is not None
    assert mean == pytest.approx(curve.total, abs=4.0 * error)
    assert 0.0 < error < 0.3 * mean


def test_a_run_that_diverges_ends_alone_and_says_so(pool):
    asked = jobs(0.01, 1000.0, steps=200)
    sweep = Sweep(asked, paths, pool, lambda: True, Done())
    until_ended(sweep)
    good, bad = (sweep.results()[job] for job in asked)
    assert good.failure is None
    assert isinstance(bad.failure, fmviz.learning.TrainingDivergedError)
    assert bad.ended


def test_what_is_done_is_not_done_again_and_is_out_of_the_pool(pool):
    done = Done()
    until_ended(Sweep(jobs(0.01), paths, pool, lambda: True, done))
    assert not pool._runs
    again = Sweep(jobs(0.01, 0.02), paths, pool, lambda: True, done)
    assert again.fresh == jobs(0.02)
    assert again.results()[jobs(0.01)[0]].ended
    until_ended(again)
    assert not Sweep(jobs(0.02, 0.01), paths, pool, lambda: True, done).live


def test_few_runs_are_in_the_pool_at_a_time(pool):
    sweep = Sweep(jobs(0.01, 0.02, 0.03, 0.04, steps=5000), paths, pool, lambda: True, Done(), at_once=lambda: 2)
    sweep.advance()
    assert len(pool._runs) == 2
    sweep.cancel()
    assert not sweep.live
    assert sweep.cancelled
    assert not pool._runs
    sweep.advance()
    assert not pool._runs


def until(sweep: Sweep, reached) -> None:
    pause = threading.Event()
    for _ in range(3000):
        sweep.advance()
        if reached():
            return
        pause.wait(0.01)
    pytest.fail("it has not come so far")


def test_a_paused_sweep_stands_still_and_gives_the_same_numbers_when_it_goes_on(pool):
    asked = jobs(0.003, 0.01, 0.03, steps=400)
    alone = Sweep(asked, paths, pool, lambda: True, Done())
    until_ended(alone)
    sweep = Sweep(asked, paths, pool, lambda: True, Done(), at_once=lambda: 2)
    until(sweep, lambda: any(result.step > 0 for result in sweep.results().values()))
    sweep.pause()
    assert sweep.paused
    sweep.advance()
    at, begun, worked = [result.step for result in sweep.results().values()], sweep.begun, sweep.seconds
    assert min(at) < 400
    threading.Event().wait(0.1)
    sweep.advance()
    assert [result.step for result in sweep.results().values()] == at
    assert (sweep.begun, sweep.seconds, sweep.live) == (begun, worked, True)
    sweep.resume()
    assert not sweep.paused
    until_ended(sweep)
    assert sweep.seconds > worked
    for job in asked:
        assert sweep.results()[job].errors == alone.results()[job].errors
    sweep.pause()
    assert not sweep.paused, "there is nothing left to be stopped"


def test_a_sweep_outlives_a_helper_process_that_is_killed(pool):
    asked = jobs(0.003, 0.01, 0.03, steps=500)
    alone = Sweep(asked, paths, pool, lambda: True, Done())
    until_ended(alone)
    with ProcessPool(owner_timeout=600.0) as helpers:
        sweep = Sweep(asked, paths, helpers, lambda: True, Done())
        until(sweep, lambda: any(result.step > 0 for result in sweep.results().values()))
        assert sweep.live, "only two runs are under way at a time"
        (pid,) = helpers.pids
        os.kill(pid, signal.SIGKILL)
        until_ended(sweep)
        assert helpers.pids != (pid,)
    assert not sweep.cancelled
    for job in asked:
        found, wanted = sweep.results()[job], alone.results()[job]
        assert (found.step, found.failure) == (500, None)
        assert found.errors == wanted.errors
        assert torch.equal(found.model.network.weights, wanted.model.network.weights)


def test_other_cells_keep_what_is_done_and_at_work(pool):
    done = Done()
    short, long, dropped, waiting = (*jobs(0.01), *jobs(0.02, 0.03, 0.04, steps=100_000))
    sweep = Sweep((short, long, dropped, waiting), paths, pool, lambda: True, done, at_once=lambda: 2)
    until(sweep, lambda: short in sweep.results() and sweep.results()[short].ended and len(pool._runs) == 2)
    at_work = next(run for run in pool._runs.values() if run.spec == long[1])
    (new,) = jobs(0.05)
    sweep.pause()
    sweep.change((new, short, long))
    assert sweep.jobs == (new, short, long)
    assert list(pool._runs.values()) == [at_work], "what nobody asks for has ended"
    assert set(sweep.fresh) == {new, short, long}
    sweep.advance()
    assert sweep.begun == 2, "the new one waits as long as the sweep is paused"
    sweep.resume()
    until(sweep, lambda: new in sweep.results() and sweep.results()[new].ended)
    assert at_work in pool._runs.values()
    sweep.change((short, new))
    assert not sweep.live
    assert not sweep.cancelled
    assert not pool._runs
    sweep.change((dropped,))
    assert sweep.jobs == (short, new), "it has ended"


def test_a_sweep_whose_owner_is_gone_ends_and_one_that_is_heard_from_does_not(pool, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(running.time, "monotonic", lambda: now[0])
    gone, heard = (Sweep(jobs(rate, steps=100_000), paths, pool, lambda: False, Done()) for rate in (0.01, 0.02))
    for sweep in (gone, heard):
        sweep.advance()
    for second in range(1, 9):
        now[0] = float(second)
        heard.touch()
        gone.advance()
        heard.advance()
    assert gone.cancelled
    assert heard.live
    heard.cancel()


def test_a_full_pool_is_asked_again_and_other_refusals_are_final():
    class Refusing:
        full = True

        def submit(self, path, spec, **_):
            if self.full:
                raise PoolFullError("busy")
            raise fmviz.errors.ParameterError("objective", "another one", spec.objective)

    pool = Refusing()
    sweep = Sweep(jobs(0.01), paths, pool, lambda: True, Done())
    sweep.advance()
    assert sweep.live
    assert not sweep.results()
    pool.full = False
    sweep.advance()
    assert not sweep.live
    (result,) = sweep.results().values()
    assert result.ended
    assert isinstance(result.failure, fmviz.errors.ParameterError)


def test_one_thread_looks_after_all_sweeps_and_leaves(pool):
    sweeps = [Sweep(jobs(rate), paths, pool, lambda: True, Done()) for rate in (0.01, 0.02)]
    before = threading.active_count()
    for sweep in sweeps:
        running.drive(sweep)
    assert threading.active_count() <= before + 1
    pause = threading.Event()
    for _ in range(3000):
        if not any(thread.name == "fmviz-sweeps" for thread in threading.enumerate()):
            break
        pause.wait(0.01)
    assert not any(sweep.live for sweep in sweeps)
    assert all(len(sweep.results()) == 1 for sweep in sweeps)
    assert not running._LIVE


def test_the_next_run_begins_as_soon_as_one_has_ended(pool, monkeypatch):
    monkeypatch.setattr(running, "TICK", 600.0)
    sweep = Sweep(jobs(0.003, 0.01, 0.02, 0.03), paths, pool, lambda: True, Done(), at_once=lambda: 1)
    sweep.advance()
    running.drive(sweep)
    pause = threading.Event()
    for _ in range(6000):
        if not sweep.live:
            break
        pause.wait(0.01)
    assert not sweep.live
    assert len(sweep.results()) == 4


def test_sweeps_at_once_all_get_on_where_there_is_room_for_two_runs(monkeypatch):
    """None is done before all have something to show."""
    monkeypatch.setattr(running, "TICK", 0.01)
    with TrainingPool(max_waiting=2) as pool:
        sweeps = [Sweep(jobs(0.01, 0.02, 0.03, seed=n, steps=60), paths, pool, lambda: True, Done()) for n in range(6)]
        running._LIVE.extend(sweeps)  # all at once: one after the other, the first could end before the last has come
        threading.Thread(target=running._look_after, daemon=True).start()
        pause, begun_at_first_end = threading.Event(), 0
        for _ in range(6000):
            if not begun_at_first_end and not all(sweep.live for sweep in sweeps):
                begun_at_first_end = sum(bool(sweep.results()) for sweep in sweeps)
            if not any(sweep.live for sweep in sweeps):
                break
            pause.wait(0.005)
    assert all(len(sweep.results()) == 3 and not sweep.cancelled for sweep in sweeps)
    assert begun_at_first_end == 6


def test_a_place_that_becomes_free_is_for_whoever_has_had_least(monkeypatch):
    """And not for a sweep that happens to ask a moment later."""

    class OneRefused(TrainingPool):
        refuses, taken = False, ()

        def submit(self, path, spec, **options):
            if self.refuses:
                self.refuses = False
                raise PoolFullError("busy")
            self.taken += (spec.seed,)
            return super().submit(path, spec, **options)

    monkeypatch.setattr(running, "TICK", 0.01)
    with OneRefused() as pool:
        most = 2
        rich, poor = (
            Sweep(jobs(*rates, seed=seed), paths, pool, lambda: True, Done(), at_once=lambda: most)
            for seed, rates in enumerate([(0.01, 0.02, 0.03), (0.01,)])
        )
        rich.advance()
        assert pool.taken == (0, 0)
        pool.refuses, most = True, 3
        running._LIVE.extend([rich, poor])
        running._look_after()
    assert pool.taken == (0, 0, 1, 0)
    assert not rich.live
    assert not poor.live


def test_kept_results_are_bounded_in_number_and_size(monkeypatch):
    monkeypatch.setattr(running, "MOST_KEPT", 3)
    done, asked = Done(), jobs(0.01, 0.02, 0.03, 0.04)
    for job in asked:
        done.put(job, Result(1, (), None, True))
    assert [done.get(job) is not None for job in asked] == [False, True, True, True]
    monkeypatch.setattr(running, "MOST_BYTES", 0)
    model = fmviz.learning.training.initial_model(PATH, SPEC)
    done.put(asked[0], Result(1, (), model, True))
    assert done.get(asked[0]) is None


def test_the_expected_time_is_positive_and_grows_with_the_work():
    """Not a measurement of speed: sixteen times the draws cannot take less than half as long."""
    short, long = timing.job_seconds(
        tuple(timing.job_shape((SCENE, dataclasses.replace(SPEC, hidden=(64,) * 3, batch_size=b))) for b in (64, 2048))
    )
    assert 0.0 < short < 2.0 * long
    other = scenes.learned_part(Scene(init="ring5"))
    assert timing.job_seconds((timing.job_shape((other, dataclasses.replace(SPEC, objective="score"))),)) == (0.0,)
    assert timing.job_shape(jobs(0.01)[0]) == timing.job_shape(jobs(3.0, seed=4)[0])
