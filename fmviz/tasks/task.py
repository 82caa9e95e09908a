"""One call of a function in another process, as those who asked for it see it."""

from __future__ import annotations

__all__ = ["FINAL", "State", "Task", "TaskDiedError", "TaskTimeoutError", "TasksFullError", "UnforeseenError"]

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, Generic, Literal, TypeVar

from fmviz.errors import FmvizError

R = TypeVar("R")

State = Literal["queued", "running", "done", "failed", "dropped"]
FINAL: tuple[State, ...] = ("done", "failed", "dropped")


class TaskDiedError(FmvizError):
    """Two processes in turn ended while they computed this."""

    key = "process_died"


class TaskTimeoutError(FmvizError):
    """It took longer than is allowed."""

    key = "task_timeout"


class TasksFullError(FmvizError):
    """Too much is waiting already."""

    key = "tasks_full"


class UnforeseenError(FmvizError):
    """A bug; its traceback is in the log."""

    key = "task_failed"


class Task(Generic[R]):
    """A call. All that changes is guarded by the runner's lock; `state`, `result` and `error` may be read at any time.

    Args:
        owner: who asked first; turns go by owner.
        function: a pure function of a module.
        arguments: hashable, and such as can be pickled.

    Attributes:
        state: a dropped task was never begun, or given up, because nobody wanted it any more.
        result: what came, once it is done.
        error: why it failed.
        ended: set once it is done, failed or dropped.
        began: when it was given to a process.
        deaths: processes that have ended while they computed it.
    """

    def __init__(self, owner: Hashable, function: Callable[..., R], arguments: tuple[Hashable, ...]) -> None:
        self.owner, self.function, self.arguments = owner, function, arguments
        self.state: State = "queued"
        self.result: R | None = None
        self.error: FmvizError | None = None
        self.ended = threading.Event()
        self.began, self.deaths = 0.0, 0
        self._looked = time.monotonic()
        self._present: dict[Hashable, Callable[[], bool]] = {}

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for equal calls."""
        return (self.function, *self.arguments)

    @property
    def name(self) -> str:
        """The function, for the log."""
        return f"{self.function.__module__}.{self.function.__qualname__}"

    def look(self, owner: Hashable, present: Callable[[], bool] | None) -> None:
        """Notes that `owner` looks now, and, if given, how to find out whether he still waits for it when he is silent."""
        self._looked = time.monotonic()
        if present is not None and self.state not in FINAL:
            self._present[owner] = present

    def wanted(self, now: float, patience: float) -> bool:
        """Whether somebody has looked within `patience` seconds before `now`, or waits for it all the same."""
        return now - self._looked <= patience or any(present() for present in self._present.values())

    def end(self, state: State, result: R | None = None, error: FmvizError | None = None) -> None:
        """Makes it final."""
        self.result, self.error, self.state = result, error, state
        self._looked = time.monotonic()
        self._present.clear()
        self.ended.set()
