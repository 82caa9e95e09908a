"""The two fields that guidance mixes, those of a path or of a learned model, and their mixture (T37)."""

__all__ = ["LabelledModel", "Side", "combined", "exact_side", "learned_side"]

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self

import torch
from torch import Tensor

from fmviz.theory.arrays import Time
from fmviz.theory.path import ProbabilityPath
from fmviz.theory.reprs import one_line


class LabelledModel(Protocol):
    """A learned field that may be given a label, such as `fmviz.learning.LearnedModel`."""

    def given(self, label: int | None) -> Self:
        """The model for one label; for None, for all data."""

    def sampling_velocity(self, x: Tensor, t: Time) -> Tensor:
        """The velocity, finite on all of [0, 1], (..., 2)."""

    def sampling_score(self, x: Tensor, t: Time) -> Tensor:
        """The score, finite on all of [0, 1], (..., 2); raises FmvizError where the network has none."""


@dataclass(frozen=True)
class Side:
    """One of the two fields that guidance mixes."""

    velocity: Callable[[Tensor, Time], Tensor]
    score: Callable[[Tensor, Time], Tensor]
    both: Callable[[Tensor, Time], tuple[Tensor, Tensor]]

    __repr__ = one_line


def exact_side(path: ProbabilityPath) -> Side:
    """The exact fields of a path."""
    return Side(path.marginal_velocity, path.marginal_score, path.velocity_and_score)


def learned_side(model: LabelledModel) -> Side:
    """The fields of a model for solvers."""

    def both(x: Tensor, t: Time) -> tuple[Tensor, Tensor]:
        return model.sampling_velocity(x, t), model.sampling_score(x, t)

    return Side(model.sampling_velocity, model.sampling_score, both)


def combined(scale: Time, plain: Callable[[], Tensor], own: Callable[[], Tensor]) -> Tensor:
    """(1-w) of the one and w of the other; exactly one of them where w is 0 or 1."""
    if not isinstance(scale, Tensor):
        if scale == 0.0:
            return plain()
        if scale == 1.0:
            return own()
        first = plain()
        return torch.lerp(first, own(), scale)
    first, second = plain(), own()
    w = scale.unsqueeze(-1).to(first)
    return torch.where(w == 0.0, first, torch.where(w == 1.0, second, first + w * (second - first)))
