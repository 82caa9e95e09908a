"""Training in other processes, so that the interpreter that serves pages trains nothing.

`ProcessPool` has the methods of `TrainingPool`, which does the work in each process: here is only the latest news of each
run (`fmviz.learning.mirror`). A process that dies is replaced, and its runs go on from where they were saved last, with the
same numbers. As many runs take turns as keeps each of them moving; the next ones wait in a queue.
"""

from __future__ import annotations

__all__ = ["ProcessPool"]

import itertools
import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from torch import Tensor

from fmviz.errors import FmvizError, ParameterError
from fmviz.learning.evaluation import Evaluation
from fmviz.learning.mirror import MOST_DEATHS, Mirror
from fmviz.learning.model import LearnedModel
from fmviz.learning.owners import find, is_there, surplus
from fmviz.learning.pool import (
    ENDED_TIMEOUT,
    MAX_ENDED,
    MAX_ENDED_BYTES,
    OWNER_TIMEOUT,
    PoolFullError,
    require_affordable,
    require_evaluable,
)
from fmviz.learning.reflow import simulation_of
from fmviz.learning.runs import KeptSnapshot, RunStatus
from fmviz.learning.spec import TrainSpec, is_count, is_learning_rate
from fmviz.learning.training import Saved
from fmviz.learning.training_processes import TrainingProcess, TrainingProcesses
from fmviz.learning.worker import Order, Reply, Update
from fmviz.theory import ProbabilityPath

_log = logging.getLogger(__name__)

TOGETHER = 32
"""Runs that take turns in one process: each then has one about once a second."""
MAX_QUEUED = 256
"""Runs that may wait for their turn."""
PATIENCE = 1.5
"""Seconds that a command waits until it has been carried out; then it is on its way, and the page goes on."""
LOOK_EVERY = 1.0


class ProcessDiedError(FmvizError):
    """The process that trained died again and again."""

    key = "process_died"


class ProcessPool:
    """A fixed number of processes for any number of runs. All methods may be called from any thread.

    A method that takes the number of a run raises `UnknownRunError` if there is no such run; `forget` does not.

    Args:
        processes: how many.
        owner_timeout: seconds without `heartbeat` after which a live run is ended.
        together: runs that take turns in one process.
        max_queued: runs that may wait for that.
        ended_timeout: seconds of silence of an owner who is not there, after which ended runs are forgotten.

    Raises:
        ParameterError: no process, or a bound below 1.
    """

    def __init__(
        self,
        *,
        processes: int = 1,
        owner_timeout: float = OWNER_TIMEOUT,
        together: int = TOGETHER,
        max_queued: int = MAX_QUEUED,
        ended_timeout: float = ENDED_TIMEOUT,
    ) -> None:
        for name, value in (("processes", processes), ("together", together)):
            if not is_count(value, 1, 1024):
                raise ParameterError(name, "an integer from 1 to 1024", value)
        self._owner_timeout, self._together, self._max_queued = owner_timeout, together, max_queued
        self._ended_timeout = ended_timeout
        self._lock = threading.RLock()
        self._runs: dict[int, Mirror] = {}
        self._queue: list[Mirror] = []
        self._numbers = itertools.count(1)
        self._closing = threading.Event()
        self._processes = TrainingProcesses(processes, self._hear, self._gone)
        self._processes.start()
        threading.Thread(target=self._look_after, name="fmviz-runs", daemon=True).start()

    def __repr__(self) -> str:
        return f"<ProcessPool: {len(self._runs)} runs, {len(self._queue)} of them in the queue>"

    @property
    def pids(self) -> tuple[int, ...]:
        """The numbers of the processes."""
        return self._processes.pids

    # -------------------------------------------------------------- commands

    def submit(
        self,
        path: ProbabilityPath,
        spec: TrainSpec,
        *,
        evaluation: Evaluation | None = None,
        paused: bool = False,
        present: Callable[[], bool] = lambda: False,
        saved: Saved | None = None,
        teacher: LearnedModel | None = None,
        notify: Callable[[], None] = lambda: None,
    ) -> int:
        """Queue a run; see `TrainingPool.submit`.

        Raises:
            PoolFullError: too many runs wait for their turn.
            ParameterError: see `TrainingPool.submit`.
        """
        require_affordable(path, spec)
        require_evaluable(spec, evaluation)
        simulation_of(path, spec, teacher)
        with self._lock:
            if self._closing.is_set():
                raise PoolFullError("the training pool is closed")
            if len(self._queue) >= self._max_queued:
                raise PoolFullError(f"training is busy: {len(self._queue)} runs are waiting; try again in a moment")
            run = Mirror(
                next(self._numbers),
                path,
                spec,
                evaluation,
                paused=paused,
                touched=time.monotonic(),
                present=present,
                saved=saved,
                teacher=teacher,
                notify=notify,
            )
            self._runs[run.id] = run
            self._queue.append(run)
        self._next()
        return run.id

    def adopt(
        self,
        path: ProbabilityPath,
        spec: TrainSpec,
        kept: tuple[KeptSnapshot, ...],
        losses: Tensor,
        *,
        seconds: float = 0.0,
        present: Callable[[], bool] = lambda: False,
    ) -> int:
        """Take in a run that was trained to its end elsewhere, as one that has finished.

        Args:
            path: what was learned.
            spec: how.
            kept: its snapshots that are still there; the last is that of its last step.
            losses: of every step, (steps,).
            seconds: spent computing them.
            present: see `TrainingPool.submit`.

        Returns:
            The run's number.

        Raises:
            ParameterError: no snapshot of the last step, or another number of losses.
        """
        if not kept or kept[-1].step != spec.steps or losses.shape != (spec.steps,):
            raise ParameterError(
                "kept, losses", f"a snapshot of step {spec.steps} and the loss of each step", losses.shape
            )
        with self._lock:
            run = Mirror(next(self._numbers), path, spec, None, paused=False, touched=time.monotonic(), present=present)
            run.adopt(kept, losses, seconds)
            self._runs[run.id] = run
            self._forget_old()
        return run.id

    def status(self, run_id: int) -> RunStatus:
        """The latest news of a run. Does not count as `heartbeat`."""
        with self._lock:
            return self._get(run_id).status()

    def heartbeat(self, run_id: int) -> None:
        """Say that the owner is still there."""
        with self._lock:
            self._get(run_id).touched = time.monotonic()

    def pause(self, run_id: int) -> None:
        """Stop after the present step, and wait for it; nothing if the run has ended."""
        with self._lock:
            run = self._get(run_id)
            run.paused = True
            if run in self._queue:
                run.state = "paused"
        self._order(run, "pause")

    def resume(self, run_id: int) -> None:
        """Go on; nothing if the run has ended."""
        with self._lock:
            run = self._get(run_id)
            run.paused = False
            if run in self._queue:
                run.state = "queued"
        self._order(run, "resume")

    def single_step(self, run_id: int, steps: int = 1) -> None:
        """Pause, and do exactly this many steps more.

        Raises:
            ParameterError: steps not between 1 and a million.
        """
        if not is_count(steps, 1, 1_000_000):
            raise ParameterError("steps", "an integer from 1 to 1000000", steps)
        with self._lock:
            run = self._get(run_id)
            run.paused = True
        self._order(run, "single_step", steps=steps)

    def set_learning_rate(self, run_id: int, peak: float) -> None:
        """Change the peak learning rate from the next turn on.

        Raises:
            ParameterError: not a number above 0 and within bounds.
        """
        if not is_learning_rate(peak):
            raise ParameterError("learning_rate", "a number above 0, at most 1000", peak)
        with self._lock:
            run = self._get(run_id)
            run.learning_rate = float(peak)
            run.rate_changed |= run.alive and peak != run.spec.learning_rate
        self._order(run, "set_learning_rate", peak=peak)

    def cancel(self, run_id: int) -> None:
        """End a run; what it learned so far stays readable."""
        with self._lock:
            run = self._get(run_id)
            if run.alive:
                run.end("cancelled")
                self._drop(run)
                self._forget_old()
        self._next()

    def forget(self, run_id: int) -> None:
        """End a run and drop everything about it."""
        with self._lock:
            run = self._runs.pop(run_id, None)
            if run is not None:
                self._drop(run)
        self._next()

    def close(self) -> None:
        """End all runs and the processes."""
        with self._lock:
            self._closing.set()
            for run in self._runs.values():
                if run.alive:
                    run.end("cancelled")
            self._queue.clear()
        self._processes.end()

    def __enter__(self) -> ProcessPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ------------------------------------------------------------- processes

    def _hear(self, process: TrainingProcess, message: Reply | Update) -> None:
        update = message.update if isinstance(message, Reply) else message
        with self._lock:
            run = None if update is None else self._runs.get(update.run)
            if run is not None and update is not None and run.id in process.runs:
                run.apply(update)
                if not run.alive:
                    self._drop(run)
                    self._forget_old()
                    run.notify()
            if isinstance(message, Reply):
                self._processes.carried_out(message.ticket)
        self._next()

    def _gone(self, process: TrainingProcess) -> None:
        """Replaces a process that died; its runs go on from where they were saved."""
        if self._closing.is_set():
            return
        with self._lock:
            runs = [self._runs[run] for run in process.runs if run in self._runs]
            _log.warning("a process that trained has died; %d runs go on in another one", len(runs))
            process.runs.clear()
            for run in runs:
                if run.alive:
                    run.rewind()
                    if run.deaths >= MOST_DEATHS:
                        run.end("failed", ProcessDiedError("the process that trains ended again and again"))
                    else:
                        self._queue.insert(0, run)
            self._processes.replace(process)
        self._next()

    def _next(self) -> None:
        """Gives the runs at the head of the queue to processes that have room for them."""
        with self._lock:
            while self._queue and not self._closing.is_set():
                process = self._processes.least(self._busy)
                if self._busy(process) >= self._together:
                    break
                run = self._queue.pop(0)
                run.place = None
                process.runs.add(run.id)
                self._order(
                    run,
                    "submit",
                    wait=False,
                    path=run.path,
                    spec=run.spec,
                    evaluation=run.evaluation,
                    paused=run.paused,
                    saved=run.saved,
                    teacher=run.teacher,
                )
                if run.learning_rate != run.spec.learning_rate:
                    self._order(run, "set_learning_rate", wait=False, peak=run.learning_rate)
            for place, run in enumerate(self._queue, start=1):
                run.place = place

    def _busy(self, process: TrainingProcess) -> int:
        """The runs of a process that take turns."""
        return sum(self._runs[run].moving for run in process.runs if run in self._runs)

    def _order(self, run: Mirror, order: Order, *, wait: bool = True, **arguments: Any) -> None:
        """Sends a command to the process that has the run, and waits until it has been carried out."""
        with self._lock:
            if not run.alive:
                return
            ticket, event = self._processes.order(run.id, order, arguments, wait=wait)
        if wait:
            event.wait(PATIENCE)
            with self._lock:
                self._processes.carried_out(ticket)

    def _drop(self, run: Mirror) -> None:
        """Takes a run from the queue and from its process; the lock is held."""
        if run in self._queue:
            self._queue.remove(run)
        self._processes.drop(run.id)

    # ---------------------------------------------------------------- owners

    def _look_after(self) -> None:
        pause = min(LOOK_EVERY, self._owner_timeout / 2.0)
        while not self._closing.wait(pause):
            self._reap(time.monotonic())

    def _reap(self, now: float) -> None:
        """Ends the runs whose owners are gone, and forgets the results of owners who are gone."""
        with self._lock:
            runs = list(self._runs.values())
        for run in runs:
            silent = now - run.touched
            if silent <= (self._owner_timeout if run.alive else self._ended_timeout):
                continue
            there = is_there(run)  # without the lock: whom it asks may be busy
            with self._lock:
                if there:
                    run.touched = now
                elif run.alive:
                    run.end("abandoned")
                    self._drop(run)
                else:
                    self._runs.pop(run.id, None)
        with self._lock:
            self._forget_old()
        self._next()

    def _forget_old(self) -> None:
        for run in surplus(self._runs.values(), MAX_ENDED, MAX_ENDED_BYTES):
            del self._runs[run.id]

    def _get(self, run_id: int) -> Mirror:
        return find(self._runs, run_id)
