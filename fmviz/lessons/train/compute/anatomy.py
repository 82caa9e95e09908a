"""One training step under the lens: a handful of its draws, and what the network says to each (T25 to T31)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.learning import LearnedModel, TrainSpec, objectives
from fmviz.learning.draws import draw_times
from fmviz.learning.targets import MarginalTarget
from fmviz.theory import ProbabilityPath

__all__ = ["Draw", "anatomy"]

Pair = tuple[float, float]


@dataclass(frozen=True)
class Draw:
    """One draw of a batch.

    Attributes:
        t: time.
        z: data point.
        eps: noise.
        x: alpha z + beta eps, all that the network sees besides t.
        target: what the objective asks for, in the units in which the loss is taken.
        prediction: what the network answers, in the same units.
        error: |prediction - target|²; the loss is its mean over the batch.
    """

    t: float
    z: Pair
    eps: Pair
    x: Pair
    target: Pair
    prediction: Pair
    error: float


@torch.no_grad()
def anatomy(
    path: ProbabilityPath, spec: TrainSpec, model: LearnedModel, *, draw: int, count: int = 6
) -> tuple[Draw, ...]:
    """`count` draws as a step of `spec` makes them, in the order of t; `draw` numbers the handful.

    Raises:
        ParameterError: the objective is not defined on this path.
    """
    objectives.require_trainable(path, spec)
    generator = torch.Generator().manual_seed(draw)
    t = draw_times(spec.t_sampling, (1, count), objectives.time_range(path, spec), generator)[0].sort().values
    z, eps = path.sample_pairs(count, generator=generator)
    v = path.scheduler.evaluate(t)
    x = v.alpha[:, None] * z + v.beta[:, None] * eps
    asked = objectives.regression(spec, v, z.mT, eps.mT, x.mT, MarginalTarget(path))
    answer = asked.factor * model.to("cpu").network(x, t).mT
    error = (answer - asked.target).square().sum(0)
    rows = zip(t.tolist(), *map(_pairs, (z, eps, x, asked.target.mT, answer.mT)), error.tolist(), strict=True)
    return tuple(Draw(*row) for row in rows)


def _pairs(values: Tensor) -> list[Pair]:
    return [(a, b) for a, b in values.tolist()]
