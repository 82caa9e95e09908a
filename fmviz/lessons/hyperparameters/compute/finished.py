"""The runs of a sweep that have ended: the settings that vary, the final error and the seconds of each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from fmviz.learning import TrainingDivergedError
from fmviz.lessons.hyperparameters.compute.plan import Job, Plan
from fmviz.lessons.hyperparameters.compute.running import Result

__all__ = ["Finished", "finished"]


@dataclass(frozen=True)
class Finished:
    """A run that has ended.

    Attributes:
        cell: its place in the plan.
        values: of the axes, as a link writes them.
        seed: of its weights and draws.
        error: relative error of the velocity after the last step; infinite if it has diverged.
        seconds: spent computing its steps.
    """

    cell: int
    values: tuple[str, ...]
    seed: int
    error: float
    seconds: float


def finished(plan: Plan, results: Mapping[Job, Result]) -> tuple[Finished, ...]:
    """The runs that have come to an end or have diverged; those that were refused have nothing to show."""
    found = []
    for place, cell in enumerate(plan.cells):
        for job in cell.jobs:
            result = results.get(job)
            if result is None or not result.ended or not result.errors:
                continue
            if result.failure is None:
                error = result.errors[-1][1]
            elif isinstance(result.failure, TrainingDivergedError):
                error = math.inf
            else:
                continue
            found.append(Finished(place, cell.values, job[1].seed, error, result.seconds))
    return tuple(found)
