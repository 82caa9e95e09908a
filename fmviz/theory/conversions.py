r"""One prediction turned into another, on Gaussian paths with p_init = N(0, I) (T23, T32).

Four things a network may predict carry the same information: the velocity u, the score s, the noise
:math:`\epsilon = E[x_0 | x]` and the data point :math:`\bar z = E[z | x]`. They are tied by

.. math::
    x = \alpha \bar z + \beta \epsilon, \qquad u = \dot\alpha \bar z + \dot\beta \epsilon, \qquad \epsilon = -\beta s.

Eliminating gives :math:`u = a x + b s` with :math:`a = \dot\alpha/\alpha`,
:math:`b = \beta^2 \dot\alpha/\alpha - \beta\dot\beta`, and its inverse
:math:`s = (\alpha u - \dot\alpha x) / (\beta^2 \dot\alpha - \alpha \beta\dot\beta)`. Each map exists where its
denominator is not zero; elsewhere the information is absent (at t = 0 the score says nothing about the data) and
`SingularTimeError` is raised. Every function maps (..., 2) to (..., 2); t is a float or a tensor broadcastable to the
batch axes.
"""

__all__ = [
    "Coefficients",
    "coefficients",
    "noise_from_score",
    "noise_from_velocity",
    "posterior_mean_from_score",
    "posterior_mean_from_velocity",
    "score_from_noise",
    "score_from_posterior_mean",
    "score_from_velocity",
    "velocity_from_noise",
    "velocity_from_posterior_mean",
    "velocity_from_score",
]

from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.errors import SingularTimeError
from fmviz.theory.arrays import Points, Time, arraylike, pointwise
from fmviz.theory.reprs import one_line
from fmviz.theory.schedulers import Scheduler, ScheduleValues


@dataclass(frozen=True)
class Coefficients:
    """a and b of u = a x + b s (T23), each in the shape of t."""

    a: Tensor
    b: Tensor

    __repr__ = one_line


@arraylike
def coefficients(scheduler: Scheduler, t: Time) -> Coefficients:
    """a_t and b_t of T23.

    Raises:
        SingularTimeError: alpha = 0 (t = 0), or the derivative of alpha is infinite.
    """
    v = _values(scheduler, t)
    a = _divide(v.d_alpha, v.alpha, "a_t")
    return Coefficients(a, v.beta.square() * a - v.beta_d_beta)


@pointwise
def velocity_from_score(x: Points, t: Time, score: Points, scheduler: Scheduler) -> Tensor:
    """u = a x + b s (T23). Singular where alpha = 0."""
    c = coefficients(scheduler, t)
    return _wide(c.a, x) * x + _wide(c.b, x) * score


@pointwise
def score_from_velocity(x: Points, t: Time, velocity: Points, scheduler: Scheduler) -> Tensor:
    """s = (alpha u - alpha' x) / (beta^2 alpha' - alpha beta beta') (T23).

    Singular where the denominator is zero: t = 1 for schedulers with finite beta' (there alpha = 1 and beta = 0; the
    square root scheduler has a value), t = 0 if alpha' = 0.
    """
    v = _values(scheduler, t)
    denominator = v.beta.square() * v.d_alpha - v.alpha * v.beta_d_beta
    return _wide(_divide(v.alpha, denominator, "the score"), x) * velocity - (
        _wide(_divide(v.d_alpha, denominator, "the score"), x) * x
    )


@pointwise
def noise_from_score(x: Points, t: Time, score: Points, scheduler: Scheduler) -> Tensor:
    """eps = -beta s (T23), at all times."""
    return -_wide(_values(scheduler, t).beta, x) * score


@pointwise
def score_from_noise(x: Points, t: Time, noise: Points, scheduler: Scheduler) -> Tensor:
    """s = -eps / beta (T23). Singular where beta = 0."""
    v = _values(scheduler, t)
    return -_wide(_divide(torch.ones_like(v.beta), v.beta, "the score"), x) * noise


@pointwise
def posterior_mean_from_score(x: Points, t: Time, score: Points, scheduler: Scheduler) -> Tensor:
    """E[z|x] = (x + beta^2 s) / alpha (T23). Singular where alpha = 0."""
    v = _values(scheduler, t)
    inverse = _wide(_divide(torch.ones_like(v.alpha), v.alpha, "E[z|x]"), x)
    return inverse * (x + _wide(v.beta.square(), x) * score)


@pointwise
def score_from_posterior_mean(x: Points, t: Time, mean: Points, scheduler: Scheduler) -> Tensor:
    """s = (alpha E[z|x] - x) / beta^2. Singular where beta = 0."""
    v = _values(scheduler, t)
    inverse = _wide(_divide(torch.ones_like(v.beta), v.beta.square(), "the score"), x)
    return inverse * (_wide(v.alpha, x) * mean - x)


@pointwise
def velocity_from_noise(x: Points, t: Time, noise: Points, scheduler: Scheduler) -> Tensor:
    """u = (alpha' x + (alpha beta' - alpha' beta) eps) / alpha. Singular where alpha = 0 or beta' is infinite."""
    v = _values(scheduler, t)
    a = _divide(v.d_alpha, v.alpha, "the velocity")
    return _wide(a, x) * x + _wide(_finite(v.d_beta, "beta'") - a * v.beta, x) * noise


@pointwise
def velocity_from_posterior_mean(x: Points, t: Time, mean: Points, scheduler: Scheduler) -> Tensor:
    """u = (beta'/beta) x + (alpha' - alpha beta'/beta) E[z|x]. Singular where beta = 0 or a derivative is infinite."""
    v = _values(scheduler, t)
    ratio = _divide(v.d_beta, v.beta, "the velocity")
    return _wide(ratio, x) * x + _wide(_finite(v.d_alpha, "alpha'") - v.alpha * ratio, x) * mean


@pointwise
def noise_from_velocity(x: Points, t: Time, velocity: Points, scheduler: Scheduler) -> Tensor:
    """eps = (alpha' x - alpha u) / (alpha' beta - alpha beta').

    Where beta' is infinite, eps = 0 times a finite score; singular where alpha' beta - alpha beta' = 0.
    """
    v = _values(scheduler, t)
    infinite = v.d_beta.isinf()
    wronskian = v.d_alpha * v.beta - v.alpha * v.d_beta.masked_fill(infinite, -1.0)
    own, other = _divide(v.d_alpha, wronskian, "the noise"), _divide(v.alpha, wronskian, "the noise")
    return _wide(own.masked_fill(infinite, 0.0), x) * x - _wide(other.masked_fill(infinite, 0.0), x) * velocity


@pointwise
def posterior_mean_from_velocity(x: Points, t: Time, velocity: Points, scheduler: Scheduler) -> Tensor:
    """E[z|x] = (beta u - beta' x) / (alpha' beta - alpha beta').

    Where beta' is infinite (t = 1) it is x / alpha; singular where alpha' beta - alpha beta' = 0.
    """
    v = _values(scheduler, t)
    infinite = v.d_beta.isinf()
    d_beta = v.d_beta.masked_fill(infinite, -1.0)
    wronskian = v.d_alpha * v.beta - v.alpha * d_beta
    own, other = _divide(d_beta, wronskian, "E[z|x]"), _divide(v.beta, wronskian, "E[z|x]")
    return _wide(other, x) * velocity - _wide(own, x) * x


def _values(scheduler: Scheduler, t: float | Tensor) -> ScheduleValues:
    """In float64 whatever t is: the coefficients are few, and 1 - t in float32 has few digits near t = 1."""
    return scheduler.evaluate(torch.as_tensor(t, dtype=torch.float64))


def _wide(coefficient: Tensor, x: Tensor) -> Tensor:
    return coefficient.unsqueeze(-1).to(x)


def _finite(derivative: Tensor, name: str) -> Tensor:
    if not bool(derivative.isfinite().all()):
        raise SingularTimeError(f"{name} is infinite at this time")
    return derivative


def _divide(numerator: Tensor, denominator: Tensor, name: str) -> Tensor:
    if bool((denominator == 0).any()) or not bool((numerator.isfinite() & denominator.isfinite()).all()):
        raise SingularTimeError(f"{name} cannot be recovered at this time: a division by zero, or an infinite factor")
    return numerator / denominator
