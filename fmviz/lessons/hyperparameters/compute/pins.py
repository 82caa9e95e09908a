"""Runs that a user has put aside to compare them: two to four, whatever sweep or page they are from."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fmviz.learning import LearnedModel
from fmviz.lessons.hyperparameters.compute.plan import Job

__all__ = ["LETTERS", "MOST_BYTES", "Pin", "Pins"]

LETTERS = "ABCD"
"""What the pinned runs are called, in their order: at most so many."""
MOST_BYTES = 16 << 20
"""The size of all their networks together."""


@dataclass(frozen=True, eq=False)
class Pin:
    """A run that has ended.

    Attributes:
        job: what it learned from, and its settings.
        errors: (step, relative error of the velocity) of its measurements, at least one.
        model: its last network.
    """

    job: Job
    errors: tuple[tuple[int, float], ...]
    model: LearnedModel

    @property
    def size(self) -> int:
        """Of its network, in bytes."""
        return self.model.network.weights.nbytes


class Pins:
    """The pinned runs of one tab, in the order in which they came."""

    def __init__(self) -> None:
        self._kept: tuple[Pin, ...] = ()

    @property
    def kept(self) -> tuple[Pin, ...]:
        """All of them."""
        return self._kept

    def has(self, job: Job) -> bool:
        """Whether a run is pinned already, on whatever device it was trained."""
        return any(_run(pin.job) == _run(job) for pin in self._kept)

    def fits(self, pin: Pin) -> bool:
        """Whether there is room for one more."""
        return len(self._kept) < len(LETTERS) and sum(one.size for one in (*self._kept, pin)) <= MOST_BYTES

    def add(self, pin: Pin) -> None:
        """Pins a run; nothing if it is pinned already, or does not fit."""
        if self.fits(pin) and not self.has(pin.job):
            self._kept += (pin,)

    def remove(self, pin: Pin) -> None:
        """Lets go of a run."""
        self._kept = tuple(one for one in self._kept if one is not pin)


def _run(job: Job) -> Job:
    return job[0], replace(job[1], device="cpu")
