"""What a network is told instead of our time t, which runs from noise at 0 to data at 1."""

from __future__ import annotations

__all__ = ["TIMES", "Clock", "Direction", "direction_of"]

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from fmviz.errors import ParameterError

Direction = Literal["noise→data", "data→noise"]
"""Which way the time of a network runs, from 0 to 1."""
TIMES: tuple[Direction, ...] = get_args(Direction)
Rescale = Callable[[Tensor], Tensor]
"""From a time in [0, 1] to what the network is told, such as ``lambda s: 1000 * s``."""


@dataclass(frozen=True)
class Clock:
    """From t to what the network is told.

    Attributes:
        direction: which way its time runs.
        rescale: from that time to what it is told; None tells the time itself.
        other_unit: another unit than was said: thousandths without a `rescale`, and with one the time itself.
    """

    direction: Direction = "noise→data"
    rescale: Rescale | None = None
    other_unit: bool = False

    def __call__(self, t: Tensor) -> Tensor:
        """What is told at the times t, in the shape of t, float64.

        Raises:
            ParameterError: `rescale` does not give one finite number for each time.
        """
        own = t if self.direction == "noise→data" else 1.0 - t
        if self.rescale is None:
            return 1000.0 * own if self.other_unit else own
        if self.other_unit:
            return own
        told = torch.as_tensor(self.rescale(own), dtype=torch.float64, device=own.device)
        if told.shape != own.shape or not bool(told.isfinite().all()):
            raise ParameterError("rescale", "a finite number for each time", tuple(told.shape))
        return told


def direction_of(time: object) -> Direction:
    """The direction that is meant; "->" may stand for the arrow.

    Raises:
        ParameterError: neither of the two.
    """
    written = time.replace("->", "→").replace(" ", "") if isinstance(time, str) else time
    for direction in TIMES:
        if written == direction:
            return direction
    raise ParameterError("time", " or ".join(map(repr, TIMES)), time)
