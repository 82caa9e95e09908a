"""Calls in helper processes: results and errors arrive, turns are fair, and nothing lasts for ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fmviz.errors import ParameterError
from fmviz.tasks.queue import FairQueue
from fmviz.tasks.runner import MOST_OF_ONE, Runner
from fmviz.tasks.task import Task, TaskDiedError, TasksFullError, TaskTimeoutError, UnforeseenError
from tests.tasks import calls
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    made = Runner(1, patience=60.0)  # a test looks once, and a process may take long to start
    yield made
    made.close()


def ended(task: Task, seconds: float = 100.0) -> Task:
    assert task.ended.wait(seconds), task.state
    return task


def test_a_call_is_answered_by_another_process(runner: Runner):
    assert ended(runner.ask("a", calls.doubled, 21.0)).result == 42.0
    (pid,) = runner.pids
    assert ended(runner.ask("a", calls.process)).result == pid != os.getpid()


def test_a_process_computes_with_one_thread_and_stands_back(runner: Runner):
    assert ended(runner.ask("a", calls.threads)).result == (1, min(19, os.nice(0) + 10))


def test_equal_calls_are_one_task(runner: Runner, tmp_path: Path):
    first, second = (runner.ask(owner, calls.noted, str(tmp_path), "once") for owner in "ab")
    assert first is second
    ended(first)
    assert runner.ask("c", calls.noted, str(tmp_path), "once") is first
    assert len((tmp_path / "once").read_text().split()) == 1


def test_a_wrong_parameter_arrives_and_a_bug_is_not_silent(runner: Runner, caplog):
    refused, broken = ended(runner.ask("a", calls.refused, -1)), ended(runner.ask("a", calls.broken))
    assert refused.state == broken.state == "failed"
    assert isinstance(refused.error, ParameterError)
    assert refused.error.name == "n"
    assert isinstance(broken.error, UnforeseenError)
    assert "ZeroDivisionError" in caplog.text
    assert ended(runner.ask("a", calls.doubled, 2.0)).result == 4.0


def test_what_cannot_be_sent_fails_alone(runner: Runner):
    task = runner.ask("a", lambda: 1)
    assert isinstance(ended(task).error, UnforeseenError)
    assert ended(runner.ask("a", calls.doubled, 3.0)).result == 6.0


def test_owners_take_turns():
    queue, done = FairQueue(), []
    for owner, count in (("many", 4), ("few", 2)):
        for _ in range(count):
            queue.put(Task(owner, calls.process, ()))
    while (task := queue.take()) is not None:
        done.append(task.owner)
    assert done == ["many", "few", "many", "few", "many", "many"]


def test_a_task_that_is_tried_again_comes_first():
    queue = FairQueue()
    waiting, again = Task("a", calls.process, ()), Task("b", calls.process, ())
    queue.put(waiting)
    queue.put_first(again)
    assert list(queue) == [again, waiting]
    queue.remove(waiting)
    assert (queue.take(), queue.take(), len(queue)) == (again, None, 0)


def test_one_owner_cannot_fill_the_queue(runner: Runner, tmp_path: Path):
    held = runner.ask("busy", calls.noted, str(tmp_path), "held", 1.0)
    tasks = [runner.ask("busy", calls.doubled, 1000.0 + i) for i in range(MOST_OF_ONE)]
    with pytest.raises(TasksFullError):
        runner.ask("busy", calls.doubled, 2000.0)
    other = runner.ask("other", calls.doubled, 3000.0)
    assert ended(other).result == 6000.0
    for task in [held, *tasks]:
        runner.forget(task)


def test_a_process_that_was_killed_is_replaced_and_its_task_done_again(runner: Runner, tmp_path: Path):
    task = runner.ask("a", calls.noted, str(tmp_path), "twice", 1.5)
    until(lambda: (tmp_path / "twice").exists(), 100.0)
    os.kill(runner.pids[0], signal.SIGKILL)
    assert ended(task).result == "twice"
    first, second = (tmp_path / "twice").read_text().split()
    assert first != second


def test_a_task_that_kills_two_processes_says_so(runner: Runner, tmp_path: Path):
    assert ended(runner.ask("a", calls.dying, str(tmp_path), 1)).result == 1
    (tmp_path / "deaths").unlink()
    assert isinstance(ended(runner.ask("a", calls.dying, str(tmp_path), 9)).error, TaskDiedError)
    assert ended(runner.ask("a", calls.doubled, 4.0)).result == 8.0


def test_nothing_takes_longer_than_allowed(tmp_path: Path):
    runner = Runner(1, timeout=2.0, patience=60.0)
    endless = runner.ask("a", calls.noted, str(tmp_path), "endless", 1000.0, present=lambda: True)
    assert isinstance(ended(endless).error, TaskTimeoutError)
    assert ended(runner.ask("a", calls.doubled, 2.0)).result == 4.0
    runner.close()


def test_what_nobody_wants_is_dropped_and_what_somebody_waits_for_is_not(tmp_path: Path):
    runner = Runner(1, patience=0.4)
    assert ended(runner.ask("a", calls.doubled, 1.0, present=lambda: True)).result == 2.0
    held = runner.ask("a", calls.noted, str(tmp_path), "held", 2.0, present=lambda: True)
    unwanted = runner.ask("b", calls.noted, str(tmp_path), "unwanted")
    wanted = runner.ask("c", calls.noted, str(tmp_path), "wanted", present=lambda: True)
    assert ended(unwanted).state == "dropped"
    assert ended(held).state == ended(wanted).state == "done"
    assert not (tmp_path / "unwanted").exists()
    runner.close()


def test_a_long_task_ends_when_its_owner_has_gone(tmp_path: Path):
    runner, there = Runner(1, patience=0.5), [True]
    task = runner.ask("a", calls.noted, str(tmp_path), "long", 1000.0, present=lambda: there[0])
    until(lambda: (tmp_path / "long").exists(), 100.0)
    there[0] = False
    assert ended(task).state == "dropped"
    assert ended(runner.ask("a", calls.doubled, 5.0, present=lambda: True)).result == 10.0
    runner.close()


def test_a_process_without_work_ends_and_another_one_comes():
    runner = Runner(1, idle=0.5, patience=60.0)
    ended(runner.ask("a", calls.doubled, 1.0))
    until(lambda: runner.pids == (), 100.0)
    assert ended(runner.ask("a", calls.doubled, 2.0)).result == 4.0
    runner.close()


def test_without_processes_a_call_is_carried_out_at_once():
    runner = Runner(0)
    assert runner.ask("a", calls.process).result == os.getpid()
    assert isinstance(runner.ask("a", calls.refused, 1).error, ParameterError)
    assert isinstance(runner.ask("a", calls.broken).error, UnforeseenError)
    assert runner.pids == ()


def test_no_process_outlives_its_parent(tmp_path: Path):
    program = (
        "import os, time\nfrom fmviz.tasks.runner import Runner\nfrom tests.tasks import calls\n"
        f"runner = Runner(1)\nrunner.ask('a', calls.noted, {str(tmp_path)!r}, 'here', 1000.0, present=lambda: True)\n"
        f"while not os.path.exists({str(tmp_path / 'here')!r}): time.sleep(0.01)\nos.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False, timeout=60)
    child = int((tmp_path / "here").read_text())

    def gone() -> bool:
        try:
            return ") Z " in Path(f"/proc/{child}/stat").read_text()
        except OSError:
            return True

    until(gone, 5.0)
