"""Tasks that wait: the owners take turns, and those of one owner come in the order in which they were asked for."""

from __future__ import annotations

__all__ = ["FairQueue"]

from collections import OrderedDict, deque
from collections.abc import Hashable, Iterator
from typing import Any

from fmviz.tasks.task import Task


class FairQueue:
    """A queue of tasks. Not safe for threads by itself."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[Hashable, deque[Task[Any]]] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def __iter__(self) -> Iterator[Task[Any]]:
        return iter([task for tasks in self._waiting.values() for task in tasks])

    def count(self, owner: Hashable) -> int:
        """How many tasks of one owner wait."""
        return len(self._waiting.get(owner, ()))

    def put(self, task: Task[Any]) -> None:
        """Adds a task behind those of its owner."""
        self._waiting.setdefault(task.owner, deque()).append(task)

    def put_first(self, task: Task[Any]) -> None:
        """Adds a task that is the next to be taken."""
        self._waiting.setdefault(task.owner, deque()).appendleft(task)
        self._waiting.move_to_end(task.owner, last=False)

    def take(self) -> Task[Any] | None:
        """The next task, None if there is none; its owner's turn comes again after that of all others."""
        if not self._waiting:
            return None
        owner, tasks = next(iter(self._waiting.items()))
        task = tasks.popleft()
        if tasks:
            self._waiting.move_to_end(owner)
        else:
            del self._waiting[owner]
        return task

    def remove(self, task: Task[Any]) -> None:
        """Takes a task out, wherever it waits."""
        tasks = self._waiting[task.owner]
        tasks.remove(task)
        if not tasks:
            del self._waiting[task.owner]
