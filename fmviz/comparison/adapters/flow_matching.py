"""Models as flow_matching documents them: ``model(x=x, t=t, **extras)``, with time from noise at 0 to data at 1.

Only that interface is used; the library itself is needed neither here nor by the tests.
"""

from __future__ import annotations

__all__ = ["from_flow_matching"]

from collections.abc import Callable
from typing import Any

from torch import Tensor

from fmviz.comparison.adapters.scheduled import Levels, ReadSchedule, ScheduledNetwork
from fmviz.errors import ParameterError
from fmviz.theory import ProbabilityPath


def from_flow_matching(
    path: ProbabilityPath, model: Callable[..., Tensor], scheduler: Any = None, **extras: Any
) -> ScheduledNetwork:
    """The velocity, on `path`, of a model that was trained by flow_matching on the same data.

    Args:
        path: without noise in between.
        model: called as ``model(x=x, t=t, **extras)`` with points (N, 2) and times (N,), it answers the velocity (N, 2).
        scheduler: of the path that it was trained on, whose values at t have ``alpha_t`` and ``sigma_t``; by default that of `path`.
        extras: keyword arguments of each call, such as a label.

    Raises:
        ParameterError: the scheduler is of another kind, or gamma is not 0.
    """
    if path.gamma > 0.0:
        raise ParameterError("path", "a path without noise in between", path)
    return ScheduledNetwork(
        path, ReadSchedule(_levels(path, scheduler)), "velocity", lambda x, t: model(x=x, t=t, **extras)
    )


def _levels(path: ProbabilityPath, scheduler: Any) -> Levels:
    def own(t: Tensor) -> tuple[Tensor, Tensor]:
        v = path.scheduler.evaluate(t)
        return v.alpha, v.beta

    def theirs(t: Tensor) -> tuple[Tensor, Tensor]:
        v = scheduler(t)
        try:
            return v.alpha_t, v.sigma_t
        except AttributeError as error:
            wanted = "a scheduler of flow_matching, whose values have alpha_t and sigma_t"
            raise ParameterError("scheduler", wanted, type(scheduler).__name__) from error

    if scheduler is not None and not callable(scheduler):
        raise ParameterError("scheduler", "a scheduler of flow_matching", type(scheduler).__name__)
    return own if scheduler is None else theirs
