"""The processes of a `ProcessPool`: which runs each of them does, and the commands on their way to it."""

from __future__ import annotations

__all__ = ["TrainingProcess", "TrainingProcesses"]

import itertools
import threading
from collections.abc import Callable
from typing import Any

from fmviz.learning.worker import Command, Order, Reply, Update
from fmviz.processes import Process

SERVE = "fmviz.learning.worker:serve"


class TrainingProcess:
    """A process, and the runs that it does."""

    def __init__(self) -> None:
        self.process: Process | None = None
        self.runs: set[int] = set()

    def send(self, command: Command) -> None:
        """Sends a command, and does not wait; nothing where no process has been started."""
        if self.process is not None:
            self.process.send(command)


class TrainingProcesses:
    """A fixed number of processes. All methods but `start` and `end` need the lock of the pool.

    Args:
        count: how many; none is started yet.
        hear: called with what a process says, in a thread of that process.
        gone: called when a process has died.
    """

    def __init__(
        self,
        count: int,
        hear: Callable[[TrainingProcess, Reply | Update], None],
        gone: Callable[[TrainingProcess], None],
    ) -> None:
        self._all = tuple(TrainingProcess() for _ in range(count))
        self._hear, self._gone = hear, gone
        self._tickets: dict[int, threading.Event] = {}
        self._numbers = itertools.count(1)

    @property
    def pids(self) -> tuple[int, ...]:
        """The numbers of the processes."""
        return tuple(each.process.pid for each in self._all if each.process is not None)

    def start(self) -> None:
        """Starts all processes."""
        for one in self._all:
            self.replace(one)

    def replace(self, one: TrainingProcess) -> None:
        """Starts a process in place of one that has died."""
        one.process = Process(SERVE, lambda message: self._hear(one, message), lambda: self._gone(one))

    def end(self) -> None:
        """Ends all processes; nobody waits for them any longer."""
        for event in list(self._tickets.values()):
            event.set()
        for each in self._all:
            if each.process is not None:
                each.process.end()

    def least(self, busy: Callable[[TrainingProcess], int]) -> TrainingProcess:
        """The process that is least busy."""
        return min(self._all, key=busy)

    def order(self, run: int, order: Order, arguments: dict[str, Any], *, wait: bool) -> tuple[int, threading.Event]:
        """Sends a command to the process that does a run.

        Returns:
            The ticket, and what is set when the command has been carried out: at once where no process does the run, never
            without `wait`.
        """
        ticket, event = next(self._numbers), threading.Event()
        one = self._of(run)
        if one is None:
            event.set()
            return ticket, event
        if wait:
            self._tickets[ticket] = event
        one.send(Command(ticket, order, run, arguments))
        return ticket, event

    def carried_out(self, ticket: int) -> None:
        """Tells who waits for this command; also when nobody waits for it any longer."""
        event = self._tickets.pop(ticket, None)
        if event is not None:
            event.set()

    def drop(self, run: int) -> None:
        """Takes a run from its process."""
        one = self._of(run)
        if one is not None:
            one.send(Command(0, "forget", run, {}))
            one.runs.discard(run)

    def _of(self, run: int) -> TrainingProcess | None:
        return next((each for each in self._all if run in each.runs), None)
