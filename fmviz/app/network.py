"""A trained network that pages show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from fmviz.learning import LearnedModel

__all__ = ["Learned"]


@dataclass(frozen=True)
class Learned:
    """A network on the present scene; equal if they are the same step of the same run, or the same file.

    Attributes:
        stamp: identifies the network.
        step: training steps behind it.
        source: where it comes from.
        model: the network itself, on the CPU.
        file: its checkpoint; may be called in a thread that knows no session.
    """

    stamp: tuple[str, int]
    step: int
    source: Literal["trained", "file"]
    model: LearnedModel = field(compare=False, repr=False)
    file: Callable[[], bytes] = field(compare=False, repr=False)
