"""Denoisers of azula: the mean of the data given a point, on a schedule from data at 0 to noise at 1."""

from __future__ import annotations

__all__ = ["from_azula"]

from typing import Any

from torch import Tensor

from fmviz.comparison.adapters.scheduled import ReadSchedule, ScheduledNetwork, at_one_time
from fmviz.errors import ParameterError
from fmviz.theory import ProbabilityPath


def from_azula(path: ProbabilityPath, denoiser: Any, **extras: Any) -> ScheduledNetwork:
    """The velocity, on `path`, of a denoiser of azula that was trained on the same data.

    ``network.chain(steps)`` with ``network.denoiser(chain)`` samples as ``DDIMSampler`` and ``DDPMSampler`` do, through
    `fmviz.theory.discrete.ddim` and `ancestral`.

    Args:
        path: with p_init = N(0, I).
        denoiser: with a ``schedule``; called with points (N, 2) and a time (), it answers an object with ``mean`` (N, 2).
        extras: keyword arguments of each call, such as a label.

    Raises:
        ParameterError: it is no denoiser, p_init is not N(0, I), or gamma is not 0.
    """
    schedule = getattr(denoiser, "schedule", None)
    if not callable(denoiser) or not callable(schedule):
        raise ParameterError("denoiser", "a denoiser of azula", type(denoiser).__name__)
    if not path.p_init.is_standard or path.gamma > 0.0:
        raise ParameterError("path", "a path from N(0, I) without noise in between", path)

    def mean(x: Tensor, t: Tensor) -> Tensor:
        found: Tensor = denoiser(x, t, **extras).mean
        return found

    return ScheduledNetwork(path, ReadSchedule(schedule), "data", at_one_time(mean))
