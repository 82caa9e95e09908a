"""What depends on the number of a step alone: the factor on the learning rate, and which snapshots are kept."""

__all__ = ["log_spaced_steps", "schedule"]

import math

from fmviz.learning.spec import TrainSpec
from fmviz.theory.counts import as_count


def log_spaced_steps(steps: int, count: int) -> tuple[int, ...]:
    """At most ``count`` step numbers from 0 to ``steps``, evenly spaced in log(1 + step): which snapshots to keep."""
    count, steps = as_count("count", count, 2), as_count("steps", steps, 1)
    ratio = math.log1p(steps) / (count - 1)
    return tuple(sorted({min(steps, round(math.expm1(ratio * index))) for index in range(count)}))


def schedule(spec: TrainSpec, step: int) -> float:
    """Factor on the peak learning rate at a step, counted from 0."""
    warm = spec.warm_up * spec.steps
    if step < warm:
        return (step + 1) / (warm + 1)
    if spec.schedule == "constant":
        return 1.0
    return 0.5 * (1.0 + math.cos(math.pi * (step - warm) / (spec.steps - warm)))
