"""Sixteen runs of a sweep beside one, on one thread and in two processes.

What is compared takes turns, so that whatever else the machine does falls on all alike, and on one thread only the time counts
that the thread has had.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor

import torch

from bench.learning import course_path
from bench.report import Row, at_most, note
from fmviz.learning import TrainSpec, sweep
from fmviz.learning.grid import cells, groups
from fmviz.learning.stacked import StackedTrainer
from fmviz.learning.training import Trainer
from fmviz.theory import ProbabilityPath

__all__ = ["rows"]

CELLS, TURNS, BURST = 16, 5, 20
STEPS = {128: 400, 1000: 100}


def rows() -> Iterator[Row]:
    """The rows of `make bench`."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield from _of_one_batch_size(128, 14.0)
        yield from _of_one_batch_size(1000, 17.0)
    finally:
        torch.set_num_threads(threads)


def _of_one_batch_size(batch: int, limit: float) -> Iterator[Row]:
    path = course_path()
    spec = TrainSpec(batch_size=batch, steps=STEPS[batch], device="cpu")
    name = f"{CELLS} runs at batch size {batch}"
    yield note(f"{name} over one: their steps alone", _steps(path, spec), "times")

    def one_thread(runs: int) -> float:
        return _seconds(path, spec, runs, time.thread_time)

    yield at_most(f"{name} over one", _ratio(lambda: one_thread(CELLS), lambda: one_thread(1)), "times", limit)
    with ProcessPoolExecutor(2, initializer=torch.set_num_threads, initargs=(1,)) as executor:
        _seconds(path, spec, CELLS, time.perf_counter, executor)  # starts the processes
        ratio = _ratio(
            lambda: _seconds(path, spec, CELLS, time.perf_counter, executor),
            lambda: _seconds(path, spec, CELLS, time.perf_counter),
        )
    yield at_most(f"{name} in two processes over one: wall time", ratio, "times", 0.65)


def _ratio(first: Callable[[], float], second: Callable[[], float]) -> float:
    """The median ratio of the seconds of the two, which take turns."""
    return statistics.median(first() / second() for _ in range(TURNS))


def _seconds(
    path: ProbabilityPath, spec: TrainSpec, runs: int, clock: Callable[[], float], executor: Executor | None = None
) -> float:
    """The seconds of a whole sweep, measurements and all."""
    start = clock()
    for _ in sweep(path, spec, seeds=runs, executor=executor):
        pass
    return clock() - start


def _steps(path: ProbabilityPath, spec: TrainSpec) -> float:
    """The seconds of a step of all runs, grouped as a sweep groups them, over those of a step of one."""
    specs = cells(spec, {"steps": [100_000]}, CELLS)
    one = Trainer(path, specs[0])
    stacks = [StackedTrainer(path, [specs[place] for place in group]) for group in groups(specs)]

    def burst(*trainers: Trainer | StackedTrainer) -> float:
        start = time.thread_time()
        for trainer in trainers:
            trainer.advance(BURST)
        return time.thread_time() - start

    burst(one, *stacks)
    return _ratio(lambda: burst(*stacks), lambda: burst(one))
