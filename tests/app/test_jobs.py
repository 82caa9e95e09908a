"""Background jobs: results as they come, cancelled, abandoned, failed, and no more than a few at once."""

import threading
import time
from collections.abc import Iterator

import pytest

from fmviz.app import jobs
from fmviz.app.jobs import Ask, Job
from fmviz.errors import ParameterError


class Gate:
    """A generator that yields a number each time it is let through."""

    def __init__(self) -> None:
        self.passed = threading.Semaphore(0)
        self.closed = threading.Event()

    def __call__(self, ask: Ask) -> Iterator[int]:
        try:
            for number in range(1000):
                assert self.passed.acquire(timeout=20)
                yield number
        finally:
            self.closed.set()


def wait_until(condition, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


def test_results_can_be_read_while_it_runs():
    gate = Gate()
    job = Job("a", gate)
    assert jobs.start(job)
    gate.passed.release(3)
    wait_until(lambda: job.look() == ("running", (0, 1, 2)))
    job.cancel()
    gate.passed.release()
    assert gate.closed.wait(20)
    assert job.look() == ("cancelled", (0, 1, 2))


def test_a_job_without_more_results_is_done():
    job = Job("a", lambda ask: iter([1, 2]))
    assert jobs.start(job)
    wait_until(lambda: not job.alive)
    assert job.look() == ("done", (1, 2))


def test_a_job_that_nobody_looks_at_ends():
    gate = Gate()
    job = Job("a", gate, timeout=0.05)
    assert jobs.start(job)
    wait_until(lambda: job._state == "running")
    threading.Event().wait(0.1)
    gate.passed.release()
    assert gate.closed.wait(20)
    assert job.look()[0] == "abandoned"


def test_a_job_goes_on_unseen_while_its_owner_is_there():
    there = threading.Event()
    there.set()
    gate = Gate()
    job = Job("a", gate, timeout=0.0, present=there.is_set)
    assert jobs.start(job)
    for _ in range(3):
        gate.passed.release()
    wait_until(lambda: job.look()[1] == (0, 1, 2))
    there.clear()
    gate.passed.release()
    assert gate.closed.wait(20)
    assert job.look() == ("abandoned", (0, 1, 2, 3))


class Endless:
    """One result that never comes."""

    def __init__(self) -> None:
        self.asked, self.closed = threading.Event(), threading.Event()

    def __call__(self, ask: Ask) -> Iterator[int]:
        try:
            while True:
                ask()
                self.asked.set()
            yield 0
        finally:
            self.closed.set()


def test_a_job_is_cancelled_in_the_middle_of_a_result():
    work = Endless()
    job = Job("a", work)
    assert jobs.start(job)
    assert work.asked.wait(20)
    job.cancel()
    assert work.closed.wait(20)
    assert job.look() == ("cancelled", ())


def test_a_job_is_given_up_in_the_middle_of_a_result():
    there, work = threading.Event(), Endless()
    there.set()
    job = Job("a", work, timeout=0.0, present=there.is_set)
    assert jobs.start(job)
    assert work.asked.wait(20)
    there.clear()
    assert work.closed.wait(20)
    assert job.look() == ("abandoned", ())


def test_a_job_cancelled_while_it_waits_never_begins():
    gate = Gate()
    first, second = Job("a", gate), Job("b", lambda ask: iter([1]))
    assert jobs.start(first)
    assert jobs.start(second)
    wait_until(lambda: first.look()[0] == "running")
    second.cancel()
    first.cancel()
    gate.passed.release()
    assert gate.closed.wait(20)
    third = Job("c", lambda ask: iter([1]))
    assert jobs.start(third)
    wait_until(lambda: not third.alive)
    assert second.look() == ("cancelled", ())


def failing(error: Exception) -> Iterator[int]:
    yield 1
    raise error


def test_a_wrong_parameter_is_told_and_a_bug_is_not_silent(caplog):
    job = Job("a", lambda ask: failing(ParameterError("n", "a count", -1)))
    bug = Job("b", lambda ask: failing(ZeroDivisionError()))
    assert jobs.start(job)
    assert jobs.start(bug)
    wait_until(lambda: not job.alive and not bug.alive)
    assert job.look() == ("failed", (1,))
    assert isinstance(job.error, ParameterError)
    assert bug.error is None
    assert "ZeroDivisionError" in caplog.text


def test_only_a_few_jobs_may_wait():
    gate = Gate()
    running = [Job(n, gate) for n in range(jobs.MAX_WAITING)]
    assert all(jobs.start(job) for job in running)
    refused = Job("x", lambda ask: iter([1]))
    assert not jobs.start(refused)
    wait_until(lambda: running[0].look()[0] == "running")
    for job in running:
        job.cancel()
    gate.passed.release()
    assert jobs.start(refused)
    wait_until(lambda: not refused.alive)


@pytest.fixture(autouse=True)
def _idle():
    yield
    last = Job("last", lambda ask: iter([]))
    wait_until(lambda: jobs.start(last))
    wait_until(lambda: not last.alive)
