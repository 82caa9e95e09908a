"""Training in other processes: the numbers of a lone run, whatever becomes of the processes."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from fmviz.learning import Evaluation, RunStatus, TrainingDivergedError, TrainingPool, TrainSpec, train, worker
from fmviz.learning.pool import PoolFullError, UnknownRunError
from fmviz.learning.process_pool import ProcessDiedError, ProcessPool
from fmviz.theory import ProbabilityPath

SPEC = TrainSpec(hidden=(16,), batch_size=64, steps=400)
LONG = dataclasses.replace(SPEC, steps=200_000)


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPool]:
    with ProcessPool(owner_timeout=600.0, together=3, max_queued=2) as pool:
        yield pool


@pytest.fixture
def submit(pool: ProcessPool, ring8: ProbabilityPath) -> Iterator[Callable[..., int]]:
    """Submits runs that are forgotten after the test."""
    runs = []

    def submit(spec: TrainSpec = LONG, **options: object) -> int:
        runs.append(pool.submit(ring8, spec, **options))  # type: ignore[arg-type]
        return runs[-1]

    yield submit
    for run in runs:
        pool.forget(run)


def wait(pool: ProcessPool, run: int, until: Callable[[RunStatus], bool], seconds: float = 30.0) -> RunStatus:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if until(status := pool.status(run)):
            return status
        time.sleep(0.01)
    raise AssertionError(f"still {pool.status(run)}")


def ended(status: RunStatus) -> bool:
    return not status.alive


def test_the_losses_and_weights_of_a_lone_run(pool: ProcessPool, submit: Callable[..., int], ring8: ProbabilityPath):
    status = wait(pool, submit(SPEC, evaluation=Evaluation(ring8, points=100)), ended)
    (alone,) = train(ring8, SPEC, every=SPEC.steps)
    assert status.state == "finished"
    assert torch.equal(status.losses, alone.losses)
    assert status.model is not None
    assert torch.equal(status.model.network.weights, alone.model.network.weights)
    assert (status.kept[0].step, status.kept[-1].step) == (0, SPEC.steps)
    assert all(kept.report is not None for kept in status.kept)
    assert len(status.history) == SPEC.steps
    assert 0.0 < status.seconds < 30.0
    assert [status.raw, *(kept.raw for kept in status.kept)] == [None] * (1 + len(status.kept))


def test_the_raw_network_travels_beside_the_averaged_one(
    pool: ProcessPool, submit: Callable[..., int], ring8: ProbabilityPath
):
    spec = dataclasses.replace(SPEC, ema=0.9)
    status = wait(pool, submit(spec), ended)
    (alone,) = train(ring8, spec, every=spec.steps)
    for found, expected in ((status, alone), (status.kept[-1], alone)):
        assert found.model is not None
        assert found.raw is not None
        assert expected.raw is not None
        assert torch.equal(found.model.network.weights, expected.model.network.weights)
        assert torch.equal(found.raw.network.weights, expected.raw.network.weights)
    first, second, *_ = status.kept
    assert first.raw is not None
    assert second.raw is not None
    assert torch.equal(first.raw.network.weights, first.model.network.weights)
    assert not torch.equal(second.raw.network.weights, second.model.network.weights)


def test_pause_step_resume_cancel(pool: ProcessPool, submit: Callable[..., int]):
    run = submit(paused=True)
    assert pool.status(run).state == "paused"
    pool.single_step(run, 3)
    assert wait(pool, run, lambda s: s.step == 3 and s.state == "paused").eta_seconds is None
    pool.resume(run)
    running = wait(pool, run, lambda s: s.step > 50 and s.steps_per_second > 0)
    pool.set_learning_rate(run, LONG.learning_rate)
    assert not pool.status(run).rate_changed
    assert running.state == "running"
    assert running.eta_seconds == pytest.approx((LONG.steps - running.step) / running.steps_per_second)
    pool.set_learning_rate(run, 0.003)
    wait(pool, run, lambda s: s.learning_rate < 0.004)
    pool.pause(run)
    paused = pool.status(run)
    assert paused.state == "paused"
    assert paused.steps_per_second == 0.0
    assert paused.rate_changed
    time.sleep(0.3)
    assert pool.status(run).step == paused.step
    pool.cancel(run)
    assert pool.status(run).state == "cancelled"
    assert pool.status(run).model is not None


def test_a_run_survives_the_death_of_its_process(pool: ProcessPool, submit: Callable[..., int], ring8: ProbabilityPath):
    spec = dataclasses.replace(SPEC, hidden=(64, 64), steps=4000)
    run = submit(spec)
    wait(pool, run, lambda s: s.step > 1500)
    (pid,) = pool.pids
    os.kill(pid, signal.SIGKILL)
    wait(pool, run, lambda s: pool.pids != (pid,))
    status = wait(pool, run, ended, 60.0)
    assert status.state == "finished"
    (alone,) = train(ring8, spec, every=spec.steps)
    assert torch.equal(status.losses, alone.losses)
    assert status.model is not None
    assert torch.equal(status.model.network.weights, alone.model.network.weights)
    steps = [kept.step for kept in status.kept]
    assert steps == sorted(set(steps))
    assert len(status.history) == len({step for step, _ in status.history})


def test_a_run_whose_processes_die_again_and_again_says_so(pool: ProcessPool, submit: Callable[..., int]):
    run = submit()
    for _ in range(3):
        wait(pool, run, lambda s: s.state == "running")
        (pid,) = pool.pids
        os.kill(pid, signal.SIGKILL)
        wait(pool, run, lambda s: s.state != "running")
    status = wait(pool, run, ended)
    assert status.state == "failed"
    assert isinstance(status.failure, ProcessDiedError)


def test_runs_beyond_the_bound_wait_in_a_queue_and_say_where(pool: ProcessPool, submit: Callable[..., int]):
    taking_turns = [submit() for _ in range(3)]
    waiting = [submit() for _ in range(2)]
    assert [pool.status(run).place for run in waiting] == [1, 2]
    assert [pool.status(run).place for run in taking_turns] == [None] * 3
    with pytest.raises(PoolFullError):
        submit()
    pool.cancel(taking_turns[0])
    wait(pool, waiting[0], lambda s: s.step > 0)
    assert pool.status(waiting[1]).place == 1
    pool.pause(taking_turns[1])  # a paused run takes no turns
    assert wait(pool, waiting[1], lambda s: s.step > 0).place is None


def test_a_failure_brings_its_reason_and_the_last_good_network(pool: ProcessPool, submit: Callable[..., int]):
    status = wait(pool, submit(dataclasses.replace(SPEC, optimizer="sgd", learning_rate=1000.0)), ended)
    assert status.state == "failed"
    assert isinstance(status.failure, TrainingDivergedError)
    assert status.step == status.failure.last_good.step


def test_an_owner_who_is_silent_and_not_there_loses_the_run(ring8: ProbabilityPath):
    with ProcessPool(owner_timeout=0.6) as pool:
        gone = pool.submit(ring8, LONG)
        there = pool.submit(ring8, LONG, present=lambda: True)
        assert wait(pool, gone, ended).state == "abandoned"
        assert pool.status(there).alive
        pool.forget(there)
        with pytest.raises(UnknownRunError):
            pool.status(there)
        pids = pool.pids
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_no_process_outlives_its_parent(tmp_path: Path):
    script = "from fmviz.learning.process_pool import ProcessPool\nimport time\nif __name__ == '__main__':\n"
    script += "    pool = ProcessPool()\n    print(*pool.pids, flush=True)\n    time.sleep(600)\n"
    file = tmp_path / "parent.py"
    file.write_text(script)
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, str(file)], stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": root}
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 20.0
    while _runs(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_the_end_of_a_run_is_told_at_once(pool, submit, ring8: ProbabilityPath, monkeypatch: pytest.MonkeyPatch):
    """By the process to the pool, and by the pool to whoever waits."""
    monkeypatch.setattr(worker, "TELL_EVERY", 600.0)
    told: list[object] = []
    with TrainingPool(owner_timeout=600.0) as there:
        teller = worker._Teller(there, told.append)
        arguments = {"path": ring8, "spec": SPEC, "evaluation": None, "paused": False, "saved": None, "teacher": None}
        teller.obey(worker.Command(1, "submit", 7, arguments))
        teller.wait()
        teller.tell()
    news = [getattr(message, "update", message) for message in told]
    assert news[-1].state == "finished"
    heard = threading.Event()
    run = submit(SPEC, notify=heard.set)
    assert heard.wait(60.0)
    assert pool.status(run).state == "finished"


def test_a_process_that_trains_leaves_the_compiler_of_torch_out(fresh):
    program = (
        "import sys\nfrom fmviz.learning import worker\nworker.prepare()\n"
        "print('torch.optim.adam' in sys.modules, 'torch._dynamo' in sys.modules)"
    )
    assert fresh.printed(program).split() == ["True", "False"]
