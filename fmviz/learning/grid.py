"""The cells of a sweep: every combination of the values of some settings, and which of them are trained as one."""

from __future__ import annotations

__all__ = ["MAX_CELLS", "cells", "groups"]

import dataclasses
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fmviz.errors import ParameterError
from fmviz.learning.spec import TrainSpec, is_count
from fmviz.learning.stacked import DIFFERENT

MAX_CELLS = 1024
"""Largest number of cells of a sweep, seeds included."""
MAX_TOGETHER = 8
"""Largest number of runs that are trained as one. Sixteen of width 16 would take a quarter less on one core, but leave the others
idle; of width 64, sixteen take longer than eight and eight."""
NUMBERS_TOGETHER = 1 << 17
"""Numbers in one layer of all networks that are trained as one. Measured on one core, as a share of the time of a sweep that trains
its runs one by one: eight networks of width 16 at batch size 32 take 0.38, of width 64 at 128 take 0.77 and at 256 take 0.94; at 1000
no number of them takes less."""


def cells(spec: TrainSpec, grid: Mapping[str, Iterable[Any]], seeds: int = 1) -> tuple[TrainSpec, ...]:
    """The settings of all cells, the last axis and then the seed varying fastest.

    Args:
        spec: the settings that no axis changes.
        grid: the values of each axis, named like a field of `TrainSpec`; empty for the seeds alone.
        seeds: so many seeds for every combination, counted up from that of `spec`.

    Raises:
        ParameterError: an axis that is no setting or has no values or one of them twice, the seed as an axis beside `seeds`,
            more than `MAX_CELLS` cells, or a value that `TrainSpec` does not allow.
    """
    fields = {field.name for field in dataclasses.fields(TrainSpec)}
    if not is_count(seeds, 1, MAX_CELLS):
        raise ParameterError("seeds", f"an integer from 1 to {MAX_CELLS}", seeds)
    axes: dict[str, list[Any]] = {}
    for name, values in grid.items():
        if name not in fields or (name == "seed" and seeds > 1):
            allowed = sorted(fields - {"seed"} if seeds > 1 else fields)
            raise ParameterError("grid", f"axes among {', '.join(allowed)}", name)
        if isinstance(values, str):
            raise ParameterError(name, "a list of values", values)
        axes[name] = list(itertools.islice(values, MAX_CELLS + 1))
        distinct = all(first != second for first, second in itertools.combinations(axes[name], 2))
        if not axes[name] or not distinct:
            raise ParameterError(name, "at least one value, and each of them once", axes[name])
    count = seeds * math.prod(len(values) for values in axes.values())
    if count > MAX_CELLS:
        raise ParameterError("grid", f"at most {MAX_CELLS} cells", f"{count} cells")
    return tuple(
        dataclasses.replace(spec, **{"seed": spec.seed + seed, **dict(zip(axes, values, strict=True))})
        for values in itertools.product(*axes.values())
        for seed in range(seeds)
    )


def groups(specs: Sequence[TrainSpec]) -> list[list[int]]:
    """The places in `specs` of those that are trained as one: of equal shape, and as many as pays.

    Whoever trains them, the groups are the same, and so are the numbers to the bit.
    """
    alike: dict[TrainSpec, list[int]] = {}
    for place, spec in enumerate(specs):
        shape = dataclasses.replace(spec, **{name: getattr(TrainSpec(), name) for name in DIFFERENT})
        alike.setdefault(shape, []).append(place)
    return [
        places[first : first + _together(shape)]
        for shape, places in alike.items()
        for first in range(0, len(places), _together(shape))
    ]


def _together(spec: TrainSpec) -> int:
    return max(1, min(MAX_TOGETHER, NUMBERS_TOGETHER // (spec.batch_size * max(spec.hidden, default=2))))
