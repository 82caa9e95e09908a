"""What a bench yields, and how its seconds are measured."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Row", "at_least", "at_most", "median_ms", "note"]


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        name: what was measured.
        value: the figure; NaN when it could not be measured.
        unit: of the figure.
        target: what was promised, in words; empty when nothing was.
        ok: whether it holds; None when there is no target.
    """

    name: str
    value: float
    unit: str
    target: str = ""
    ok: bool | None = None


def at_most(name: str, value: float, unit: str, limit: float) -> Row:
    """A figure that must not exceed `limit`."""
    return Row(name, value, unit, f"at most {limit:g}", value <= limit)


def at_least(name: str, value: float, unit: str, limit: float) -> Row:
    """A figure that must reach `limit`."""
    return Row(name, value, unit, f"at least {limit:g}", value >= limit)


def note(name: str, value: float, unit: str) -> Row:
    """A figure to compare with, which promises nothing."""
    return Row(name, value, unit)


def median_ms(*work: Callable[[], object], repeats: int = 7, warm_up: int = 1) -> list[float]:
    """The median milliseconds of each piece of work.

    The pieces take turns, so that whatever else the machine does falls on all of them alike and their ratio holds.
    """
    seconds: list[list[float]] = [[] for _ in work]
    for turn in range(warm_up + repeats):
        for i, do in enumerate(work):
            start = time.perf_counter()
            do()
            if turn >= warm_up:
                seconds[i].append(time.perf_counter() - start)
    return [1e3 * statistics.median(s) for s in seconds]
