"""Calls of pure functions in helper processes: fair turns, bounds, a time limit, and a second try when a process dies.

Equal calls of several owners are one task. What nobody looks at any more is dropped. A process is started when there is
something to do, and ends when there has been nothing for a while.
"""

from __future__ import annotations

__all__ = ["Runner"]

import itertools
import logging
import pickle
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

from fmviz.errors import FmvizError
from fmviz.processes import Process
from fmviz.tasks.queue import FairQueue
from fmviz.tasks.task import FINAL, Task, TaskDiedError, TasksFullError, TaskTimeoutError, UnforeseenError
from fmviz.tasks.worker import READY, Answer, Call

_log = logging.getLogger(__name__)

SERVE = "fmviz.tasks.worker:serve"
MOST_WAITING, MOST_OF_ONE = 512, 64
"""Tasks that may wait, of all owners and of one."""
MOST_DEATHS = 2
STARTING = 60.0
"""Seconds that a process has to start, beside the time limit of its first call: a busy machine takes many."""
MOST_ENDED = 64
"""Tasks that have ended and can still be asked for."""

R = TypeVar("R")


class _Worker:
    """A process while there is one, and what it computes."""

    def __init__(self) -> None:
        self.process: Process | None = None
        self.task: Task[Any] | None = None
        self.number = 0
        self.idle_since = 0.0


class Runner:
    """A few processes for calls of any number of owners. All methods may be called from any thread.

    Args:
        processes: how many at most; with 0 a call is carried out where it is asked for, before `ask` returns.
        timeout: seconds that one call may take.
        patience: seconds without a look after which a task is not wanted any more.
        idle: seconds without work after which a process ends.
    """

    def __init__(
        self, processes: int = 1, *, timeout: float = 60.0, patience: float = 5.0, idle: float = 120.0
    ) -> None:
        self._timeout, self._patience, self._idle = timeout, patience, idle
        self._lock = threading.RLock()
        self._workers = [_Worker() for _ in range(processes)]
        self._queue = FairQueue()
        self._tasks: dict[tuple[Any, ...], Task[Any]] = {}
        self._numbers = itertools.count(1)
        self._closing = threading.Event()
        if processes:
            threading.Thread(target=self._look_after, name="fmviz-tasks", daemon=True).start()

    @property
    def pids(self) -> tuple[int, ...]:
        """The numbers of the processes that there are now."""
        with self._lock:
            return tuple(worker.process.pid for worker in self._workers if worker.process is not None)

    def ask(
        self,
        owner: Hashable,
        function: Callable[..., R],
        *arguments: Hashable,
        present: Callable[[], bool] | None = None,
    ) -> Task[R]:
        """The task of this call: a new one, or the one that there is. Asking again says that it is still wanted.

        Args:
            owner: whose turn it takes.
            function: a pure function of a module, which computation in another process can import.
            arguments: hashable, and such as can be pickled.
            present: whether a silent owner waits for it all the same; called from another thread.

        Raises:
            TasksFullError: too much is waiting already.
        """
        task = Task(owner, function, arguments)
        with self._lock:
            known = self._tasks.get(task.key)
            if known is not None and known.state != "dropped":
                known.look(owner, present)
                return cast("Task[R]", known)
            full = len(self._queue) >= MOST_WAITING or self._queue.count(owner) >= MOST_OF_ONE
            if full or self._closing.is_set():
                raise TasksFullError(f"{len(self._queue)} tasks are waiting already")
            task.look(owner, present)
            self._tasks[task.key] = task
            if self._workers:
                self._queue.put(task)
        if self._workers:
            self._next()
        else:
            _compute_here(task)
        return task

    def forget(self, task: Task[Any]) -> None:
        """Drops a task, whatever its state; equal calls begin anew."""
        with self._lock:
            if self._tasks.get(task.key) is task:
                del self._tasks[task.key]
            if task.state == "queued":
                self._queue.remove(task)
            if task.state not in FINAL:
                task.end("dropped")

    def close(self) -> None:
        """Ends all tasks and processes."""
        with self._lock:
            self._closing.set()
            for task in list(self._tasks.values()):
                self.forget(task)
            processes = [worker.process for worker in self._workers if worker.process is not None]
        for process in processes:
            process.end(patience=0.0)

    # ------------------------------------------------------------- processes

    def _next(self) -> None:
        """Gives waiting tasks to processes that have nothing to do."""
        now = time.monotonic()
        with self._lock:
            for worker in self._workers:
                if worker.task is not None or self._closing.is_set():
                    continue
                task = self._next_wanted(now)
                if task is not None:
                    self._give(worker, task, now)

    def _next_wanted(self, now: float) -> Task[Any] | None:
        while (task := self._queue.take()) is not None:
            if task.wanted(now, self._patience):
                return task
            self._drop(task)
        return None

    def _give(self, worker: _Worker, task: Task[Any], now: float) -> None:
        try:
            pickled = pickle.dumps((task.function, task.arguments), protocol=5)
        except (pickle.PicklingError, TypeError, AttributeError):
            _log.exception("a call of %s cannot be sent", task.name)
            task.end("failed", error=UnforeseenError(task.name))
            return
        task.state, task.began = "running", now
        if worker.process is None:
            worker.process = self._started(worker)
            task.began += STARTING
        worker.task, worker.number = task, next(self._numbers)
        worker.process.send(Call(worker.number, pickled))

    def _started(self, worker: _Worker) -> Process:
        """A new process, whose end concerns `worker` only while it has this one."""
        own: list[Process] = []
        process = Process(SERVE, lambda answer: self._hear(worker, answer), lambda: self._gone(worker, own))
        own.append(process)
        return process

    def _hear(self, worker: _Worker, answer: Answer) -> None:
        with self._lock:
            task = worker.task
            if task is not None and answer.number == READY:
                task.began = time.monotonic()
            if task is None or answer.number != worker.number:
                return
            worker.task, worker.idle_since = None, time.monotonic()
            if task.state == "running":
                _end(task, answer)
        self._next()

    def _gone(self, worker: _Worker, own: list[Process]) -> None:
        """The process of a worker has died: its task has a second try in another one."""
        with self._lock:
            if self._closing.is_set() or worker.process not in own:
                return
            task = self._stopped(worker)
            _log.warning("a process that computed %s has died", "nothing" if task is None else task.name)
            if task is not None and task.state == "running":
                task.deaths += 1
                if task.deaths >= MOST_DEATHS:
                    task.end("failed", error=TaskDiedError("the process that computed this ended again and again"))
                else:
                    task.state = "queued"
                    self._queue.put_first(task)
        self._next()

    def _stopped(self, worker: _Worker) -> Task[Any] | None:
        """A worker without its process; the task that it had."""
        task, worker.task, worker.process = worker.task, None, None
        return task

    # ---------------------------------------------------------------- bounds

    def _look_after(self) -> None:
        pause = min(0.5, self._timeout / 4, self._idle / 4)
        while not self._closing.wait(pause):
            for process in self._overdue(time.monotonic()):
                process.end(patience=0.0)
            self._next()

    def _overdue(self, now: float) -> list[Process]:
        """Ends tasks that take too long or that nobody wants, and forgets old ones; the processes that have to end for it."""
        ending = []
        with self._lock:
            for worker in self._workers:
                process, task = worker.process, worker.task
                if process is None:
                    continue
                if task is None:
                    over = now - worker.idle_since > self._idle
                else:
                    # For a short one no process is ended: another one takes seconds to start.
                    unwanted = task.state == "dropped" or not task.wanted(now, self._patience)
                    over = now - task.began > (2.0 * self._patience if unwanted else self._timeout)
                if not over:
                    continue
                self._stopped(worker)
                ending.append(process)
                if task is not None and task.state == "running":
                    if unwanted:
                        self._drop(task)
                    else:
                        _log.warning("%s took longer than %g s", task.name, self._timeout)
                        task.end("failed", error=TaskTimeoutError(f"it took longer than {self._timeout:g} s"))
            for task in self._queue:
                if not task.wanted(now, self._patience):
                    self._queue.remove(task)
                    self._drop(task)
            ended = [task for task in self._tasks.values() if task.state in FINAL]
            surplus = len(ended) - MOST_ENDED
            for index, task in enumerate(ended):
                if index < surplus or not task.wanted(now, self._idle):
                    del self._tasks[task.key]
        return ending

    def _drop(self, task: Task[Any]) -> None:
        if self._tasks.get(task.key) is task:
            del self._tasks[task.key]
        task.end("dropped")


def _end(task: Task[Any], answer: Answer) -> None:
    if answer.pickled is None:
        if answer.bug is not None:
            _log.error("a call of %s failed\n%s", task.name, answer.bug)
        task.end("failed", error=answer.error or UnforeseenError(task.name))
        return
    try:
        task.end("done", result=pickle.loads(answer.pickled))
    except Exception:
        _log.exception("the result of %s cannot be read", task.name)
        task.end("failed", error=UnforeseenError(task.name))


def _compute_here(task: Task[Any]) -> None:
    try:
        task.end("done", result=task.function(*task.arguments))
    except FmvizError as error:
        task.end("failed", error=error)
    except Exception:
        _log.exception("a call of %s failed", task.name)
        task.end("failed", error=UnforeseenError(task.name))
