"""Work in the background of a session: a generator advanced by the one worker thread that all sessions share.

What it yields can be read while it runs. It stops when it is cancelled, and when nobody has looked for a while and the
browser is gone: between two results, and wherever it asks within a long one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, Generic, Literal, TypeVar

from fmviz.errors import FmvizError
from fmviz.runtime import one_worker

__all__ = ["MAX_WAITING", "Ask", "Job", "JobState", "start"]

_log = logging.getLogger(__name__)

OWNER_TIMEOUT = 8.0
"""Seconds without a call of `Job.look` after which the owner is taken to be gone."""
MAX_WAITING = 16
"""Jobs of all sessions that may be queued or running at once."""

JobState = Literal["queued", "running", "done", "cancelled", "abandoned", "failed"]
Ask = Callable[[], None]
"""Called by the work between two parts of a long result: ends it by an exception that is not to be caught, if nobody wants
the result any more."""
K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class _UnwantedError(Exception):
    """Leaves the work in the middle of a result."""


class Job(Generic[K, T]):
    """One piece of work.

    Args:
        key: what it belongs to.
        make: the work, given a function to ask whether it is still wanted.
        timeout: seconds without a look after which the owner is taken to be gone.
        present: whether a silent owner is there all the same; called in the worker's thread.

    Attributes:
        key: what it belongs to; a request with another key needs another job.
        error: why it failed, if it did for a reason that can be told.
    """

    def __init__(
        self,
        key: K,
        make: Callable[[Ask], Iterator[T]],
        *,
        timeout: float = OWNER_TIMEOUT,
        present: Callable[[], bool] = lambda: False,
    ) -> None:
        self.key = key
        self.error: FmvizError | None = None
        self._make, self._timeout, self._present = make, timeout, present
        self._lock = threading.Lock()
        self._found: list[T] = []
        self._state: JobState = "queued"
        self._seen = time.monotonic()

    def look(self) -> tuple[JobState, tuple[T, ...]]:
        """The state and all results so far; says that the owner is still there."""
        with self._lock:
            self._seen = time.monotonic()
            return self._state, tuple(self._found)

    @property
    def alive(self) -> bool:
        """Whether it is queued or running."""
        return self._state in ("queued", "running")

    def cancel(self) -> None:
        """Ends the job where it next asks, or at its next result; what it has found stays."""
        self._end("cancelled")

    def work(self) -> None:
        """Does it all; called by the worker."""
        if not self._begin():
            return
        try:
            for result in self._make(self._ask):
                self._keep(result)
                self._ask()
        except _UnwantedError:
            return
        except FmvizError as error:
            self.error = error
            self._end("failed")
        except Exception:  # a bug: its traceback goes to the log, and the owner is told that there is no result
            _log.exception("a background job failed")
            self._end("failed")
        else:
            self._end("done")

    def _begin(self) -> bool:
        with self._lock:
            fresh = self._state == "queued"
            self._state = "running" if fresh else self._state
            return fresh

    def _keep(self, result: T) -> None:
        """Takes a result, if it is still wanted."""
        with self._lock:
            if self._state == "running":
                self._found.append(result)

    def _ask(self) -> None:
        with self._lock:
            if self._state == "running" and time.monotonic() - self._seen > self._timeout and not self._present():
                self._state = "abandoned"
            if self._state != "running":
                raise _UnwantedError

    def _end(self, state: JobState) -> None:
        with self._lock:
            if self._state in ("queued", "running"):
                self._state = state


@lru_cache(maxsize=1)
def _worker() -> ThreadPoolExecutor:
    return one_worker("fmviz-job")


_live: list[Job[Any, Any]] = []
_live_lock = threading.Lock()


def start(job: Job[Any, Any]) -> bool:
    """Queues a job; False if too many of other sessions are waiting."""
    with _live_lock:
        _live[:] = [other for other in _live if other.alive]
        if len(_live) >= MAX_WAITING:
            return False
        _live.append(job)
    _worker().submit(job.work)
    return True
