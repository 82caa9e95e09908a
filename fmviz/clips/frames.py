"""Trajectories at the frames of a clip."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["at_frames"]


def at_frames(trajectory: Tensor, times: list[float], frames: Tensor) -> Tensor:
    """A trajectory (S + 1, N, 2) known at `times`, at the `frames` (T,), by straight lines: (T, N, 2).

    What has left the range of numbers is NaN, drawn as nothing.
    """
    known = torch.tensor(times, dtype=torch.float64)
    wanted = frames.double()
    upper = torch.searchsorted(known, wanted).clamp(1, len(times) - 1)
    part = ((wanted - known[upper - 1]) / (known[upper] - known[upper - 1])).clamp(0.0, 1.0)
    part = part.to(trajectory.dtype)[:, None, None]
    lower = trajectory[upper - 1]
    between = torch.where(part == 0.0, lower, lower * (1.0 - part) + trajectory[upper] * part)
    return torch.where(between.isfinite(), between, torch.nan)
