"""Numbers of a sweep: the error of each cell, which is best, and what the axes do to it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fmviz.clips.clip import Floats
from fmviz.lessons.hyperparameters.compute.plan import CellPlan, Job, Plan
from fmviz.lessons.hyperparameters.compute.running import Result

__all__ = [
    "Effect",
    "Score",
    "best",
    "best_column",
    "effect",
    "reached",
    "score",
    "scores",
    "seed_spread",
    "track",
    "values",
]


@dataclass(frozen=True)
class Score:
    """What a cell has come to.

    Attributes:
        error: relative error of the velocity after the last step, the geometric mean over its seeds; NaN before they have
            ended, infinite where one of them has diverged.
        low, high: the least and the largest over the seeds.
        step: steps done, of all seeds together.
        diverged: how many of its runs were given up.
    """

    error: float
    low: float
    high: float
    step: int
    diverged: int


@dataclass(frozen=True)
class Effect:
    """What an axis does: how many times its worst value lets the error be that of its best one, and which that is."""

    factor: float
    best: str


def score(cell: CellPlan, results: Mapping[Job, Result]) -> Score:
    """Of one cell."""
    found = [results[job] for job in cell.jobs if job in results]
    step, diverged = sum(result.step for result in found), sum(result.failure is not None for result in found)
    last = [result.errors[-1][1] for result in found if result.ended and result.errors and result.failure is None]
    if diverged:
        return Score(math.inf, math.inf, math.inf, step, diverged)
    if len(last) < len(cell.jobs):
        return Score(math.nan, math.nan, math.nan, step, 0)
    mean = math.exp(sum(math.log(max(value, 1e-300)) for value in last) / len(last))
    return Score(mean, min(last), max(last), step, 0)


def scores(plan: Plan, results: Mapping[Job, Result]) -> tuple[Score, ...]:
    """Of all cells, in the order of the plan."""
    return tuple(score(cell, results) for cell in plan.cells)


def values(plan: Plan, found: tuple[Score, ...]) -> Floats:
    """The errors as a map (rows, columns): NaN where there is none yet, infinite where a run has diverged."""
    return np.array([one.error for one in found]).reshape(plan.rows, plan.columns).astype(np.float32)


def best(plan: Plan, found: tuple[Score, ...]) -> int | None:
    """The place in the plan of the cell with the smallest error; None while no cell has one."""
    known = [(one.error, place) for place, one in enumerate(found) if math.isfinite(one.error)]
    return min(known)[1] if known else None


def effect(errors: Floats, axis: int, names: tuple[str, ...]) -> Effect | None:
    """What one axis of a map of errors does; None unless two of its values can be compared.

    Values are compared by the geometric mean over the places of the other axis at which all of them have an error; where
    there is no such place, by the smallest error.

    Args:
        errors: (rows, columns).
        axis: 0 for what goes along the columns, 1 for what goes along the rows.
        names: of its values.
    """
    table = np.where(np.isfinite(errors), errors, np.nan).astype(np.float64)
    table = table if axis == 0 else table.T  # (others, values)
    usable = [place for place in range(len(names)) if not np.isnan(table[:, place]).all()]
    if len(usable) < 2:
        return None
    table, left = table[:, usable], [names[place] for place in usable]
    common = ~np.isnan(table).any(axis=1)
    level = np.log(table[common]).mean(axis=0) if common.any() else np.log(np.nanmin(table, axis=0))
    return Effect(float(np.exp(level.max() - level.min())), left[int(level.argmin())])


def reached(points: tuple[tuple[int, float, float, float], ...], goal: float) -> int | None:
    """The first measured step at which the mean of a track is at most `goal`; None if it never is."""
    return next((step for step, _, error, _ in points if error <= goal), None)


def best_column(errors: Floats) -> int | None:
    """The place of the smallest finite error in one row of a map; None without one."""
    known = [(float(error), place) for place, error in enumerate(errors) if math.isfinite(error)]
    return min(known)[1] if known else None


def seed_spread(found: tuple[Score, ...]) -> float | None:
    """How many times the largest error of a cell's seeds is the smallest: the median over the cells that have errors."""
    ratios = sorted(one.high / one.low for one in found if math.isfinite(one.error) and one.low > 0)
    return ratios[len(ratios) // 2] if ratios else None


def track(cell: CellPlan, results: Mapping[Job, Result]) -> tuple[tuple[int, float, float, float], ...]:
    """(step, least, geometric mean, largest error) over the seeds of a cell, at the steps that all that have begun have reached."""
    curves = [dict(results[job].errors) for job in cell.jobs if job in results and results[job].errors]
    if not curves:
        return ()
    common = sorted(set.intersection(*(set(curve) for curve in curves)))
    points = []
    for step in common:
        at = [max(curve[step], 1e-300) for curve in curves]
        if all(map(math.isfinite, at)):
            points.append((step, min(at), math.exp(sum(map(math.log, at)) / len(at)), max(at)))
    return tuple(points)
