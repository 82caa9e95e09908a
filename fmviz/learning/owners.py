"""Runs and their owners, for all pools: who is still there, and whose results are kept."""

from __future__ import annotations

__all__ = ["Owned", "UnknownRunError", "find", "is_there", "surplus"]

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeVar

from fmviz.errors import FmvizError

_log = logging.getLogger(__name__)


class Owned(Protocol):
    """A run, as far as its owner is concerned: its number, when the owner was last heard from, and what it keeps."""

    id: int
    touched: float
    present: Callable[[], bool]

    @property
    def alive(self) -> bool:
        """Whether it may still go on."""

    @property
    def size(self) -> int:
        """Size of what it keeps, in bytes."""


R = TypeVar("R", bound=Owned)
T = TypeVar("T")


class UnknownRunError(FmvizError, KeyError):
    """No such run, or it ended long ago and was forgotten."""

    def __str__(self) -> str:
        return str(self.args[0])


def find(runs: Mapping[int, T], run_id: int) -> T:
    """The run of this number.

    Raises:
        UnknownRunError: there is none.
    """
    run = runs.get(run_id)
    if run is None:
        raise UnknownRunError(f"run {run_id} is not known; it has ended and was forgotten, or never was")
    return run


def is_there(run: Owned) -> bool:
    """Whether a silent owner is there all the same."""
    try:
        return run.present()
    except Exception:  # an error in the owner's function ends no thread of the pool
        _log.exception("whether the owner of run %d is there is not known", run.id)
        return False


def surplus(runs: Iterable[R], most: int, most_bytes: int) -> list[R]:
    """The ended runs to forget, the least recently used first, so that at most so many with so many bytes are left."""
    ended = sorted((run for run in runs if not run.alive), key=lambda run: run.touched)
    size = sum(run.size for run in ended)
    for index, run in enumerate(ended):
        if len(ended) - index <= most and size <= most_bytes:
            return ended[:index]
        size -= run.size
    return ended
