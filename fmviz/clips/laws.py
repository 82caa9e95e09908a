"""The closed form of a probability path as a clip carries it, for the player to evaluate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fmviz.clips.clip import Guide, Law, Schedule
from fmviz.errors import ParameterError
from fmviz.theory import GaussianMixture, ProbabilityPath
from fmviz.theory.guidance import Guidance
from fmviz.theory.schedulers import (
    Custom,
    Linear,
    Polynomial,
    Scheduler,
    SquareRoot,
    Trigonometric,
    VariancePreserving,
)

__all__ = ["labelled_rows", "law_of", "rows_of", "schedule_of"]


def law_of(
    path: ProbabilityPath,
    z: tuple[float, float] = (0.0, 0.0),
    *,
    follows: bool = False,
    guidance: Guidance | None = None,
    slider: str | None = None,
) -> Law:
    """The path, with the point `z` of its conditional half and any `guidance`; `follows` as in `fmviz.clips.clip.Law`, `slider` as
    in `fmviz.clips.clip.Guide`."""
    guide = None
    if guidance is not None:
        labels = tuple(path.p_data.labels.tolist())
        guide = Guide(labels, guidance.label, guidance.scale, guidance.interval, slider)
    return Law(
        rows_of(path.p_init),
        rows_of(path.p_data),
        schedule_of(path.scheduler),
        z,
        follows=follows,
        gamma=path.gamma,
        guide=guide,
    )


def rows_of(mixture: GaussianMixture) -> NDArray[np.float64]:
    """Its components, (K, 6): weight, mean x, mean y, covariance xx, xy, yy."""
    weights, means, covariances = (
        values.detach().cpu().double().numpy() for values in (mixture.weights, mixture.means, mixture.covariances)
    )
    return np.column_stack((weights, means, covariances[:, 0, 0], covariances[:, 0, 1], covariances[:, 1, 1]))


def labelled_rows(mixture: GaussianMixture) -> NDArray[np.float64]:
    """`rows_of` with the label of each component as a seventh column."""
    return np.column_stack((rows_of(mixture), mixture.labels.cpu().numpy()))


def schedule_of(scheduler: Scheduler) -> Schedule:
    """A scheduler as plain data.

    Raises:
        ParameterError: a kind that has no name.
    """
    match scheduler:
        case Linear():
            return Schedule("linear")
        case SquareRoot():
            return Schedule("sqrt")
        case Trigonometric():
            return Schedule("trig")
        case Polynomial(exponent=exponent):
            return Schedule("polynomial", (exponent,))
        case VariancePreserving(b0=b0, b1=b1):
            return Schedule("vp", (b0, b1))
        case Custom(curves=curves):
            return Schedule("custom", curves=curves)
        case _:
            raise ParameterError("scheduler", "one of those in fmviz.theory.schedulers", type(scheduler).__name__)
