r"""The coefficients that turn one prediction into the others (T23, T32).

Given :math:`x = \alpha z + \beta \epsilon` and any one of

.. math::
    u = \dot\alpha z + \dot\beta \epsilon, \qquad \epsilon, \qquad z, \qquad s = -\epsilon / \beta

the others follow by solving two linear equations, and conditional expectations given x obey the same equations. So each
conversion is :math:`c_x x + c_q q` with two functions of t. Those between velocity, noise and data hold for every
p_init; the score needs p_init = N(0, I), without which it is no function of the velocity at all (T33).

With :math:`\Delta = \dot\alpha\beta - \alpha\dot\beta > 0`:

====================  ============================================  ================================================
from                  z                                             eps
====================  ============================================  ================================================
velocity              :math:`(\beta u - \dot\beta x)/\Delta`           :math:`(\dot\alpha x - \alpha u)/\Delta`
noise                 :math:`(x - \beta\epsilon)/\alpha`              itself
data                  itself                                        :math:`(x - \alpha z)/\beta`
score                 :math:`(x + \beta^2 s)/\alpha`                  :math:`-\beta s`
====================  ============================================  ================================================

Where a coefficient is infinite the conversion has no value there: from noise to velocity at t = 0 (1/alpha), from data
at t = 1 (1/beta). An error e of the network becomes :math:`|c_q| e`, which is why a converted field is bad near such
an end however well the network does in its own quantity.
"""

__all__ = ["MAX_GAIN", "Coefficients", "coefficients", "finite_range", "longest_range"]

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from fmviz.errors import FmvizError
from fmviz.learning.objectives import Quantity
from fmviz.theory.reprs import one_line
from fmviz.theory.schedulers import Scheduler, ScheduleValues

MAX_GAIN = 50.0
"""Largest coefficient that sampling forms let through: about the inverse of a usual solver's step."""

_GRID = 4001


@dataclass(frozen=True, eq=False)
class Coefficients:
    """c_x and c_q of wanted = c_x x + c_q q, each in the shape of t; infinite or nan where there is no value."""

    x: Tensor
    q: Tensor

    __repr__ = one_line


def coefficients(known: Quantity, wanted: Quantity, v: ScheduleValues) -> Coefficients:
    """The conversion from one quantity to another.

    Args:
        known: the predicted quantity.
        wanted: the quantity to compute.
        v: the scheduler at the times, best in float64.
    """
    zero, one = torch.zeros_like(v.alpha), torch.ones_like(v.alpha)
    if known == wanted:
        return Coefficients(zero, one)
    slope = v.d_alpha / v.alpha
    match known:
        case "velocity":
            return _from_velocity(wanted, v)
        case "noise" | "score":
            # eps = scale q
            scale = one if known == "noise" else -v.beta
            if wanted == "velocity":
                # For the score beta beta' - beta² alpha'/alpha, finite at t = 1 where beta' may not be.
                tail = v.d_beta - v.beta * slope if known == "noise" else v.beta.square() * slope - v.beta_d_beta
                return Coefficients(slope, tail)
            if wanted == "data":
                return Coefficients(1.0 / v.alpha, -v.beta * scale / v.alpha)
            return Coefficients(zero, -v.beta if wanted == "noise" else -1.0 / v.beta)
        case "data":
            if wanted == "velocity":
                rate = v.d_beta / v.beta
                return Coefficients(rate, v.d_alpha - v.alpha * rate)
            if wanted == "noise":
                return Coefficients(1.0 / v.beta, -v.alpha / v.beta)
            return Coefficients(-1.0 / v.beta.square(), v.alpha / v.beta.square())
        case "label":
            raise FmvizError("a classifier predicts no field that could be converted")


def _from_velocity(wanted: Quantity, v: ScheduleValues) -> Coefficients:
    """Numerators and denominator are multiplied by alpha where alpha' is infinite, and by beta where beta' is."""
    m = torch.where(v.d_alpha.isfinite(), torch.ones_like(v.alpha), v.alpha)
    d_alpha = torch.where(v.d_alpha.isfinite(), v.d_alpha, v.alpha_d_alpha)
    if wanted != "data":
        # Where alpha and alpha' are both 0, alpha / alpha' is too: only alpha' is left, above and below.
        d_alpha = d_alpha.masked_fill((d_alpha == 0) & (v.alpha == 0), 1.0)
    if wanted == "score":
        # s = -eps/beta; beta delta = alpha' beta² - alpha beta beta' is finite where beta' is not.
        delta = d_alpha * v.beta.square() - m * v.alpha * v.beta_d_beta
        return Coefficients(-d_alpha / delta, m * v.alpha / delta)
    n = torch.where(v.d_beta.isfinite(), torch.ones_like(v.beta), v.beta)
    d_alpha, d_beta = d_alpha * n, m * torch.where(v.d_beta.isfinite(), v.d_beta, v.beta_d_beta)
    delta = d_alpha * v.beta - v.alpha * d_beta
    if wanted == "data":
        return Coefficients(-d_beta / delta, m * n * v.beta / delta)
    return Coefficients(d_alpha / delta, -m * n * v.alpha / delta)


@lru_cache(maxsize=256)
def finite_range(known: Quantity, wanted: Quantity, scheduler: Scheduler) -> tuple[float, float]:
    """The longest interval of t in which both coefficients of a conversion stay within `MAX_GAIN`.

    Sampling forms hold the coefficients of a conversion at its nearer end outside it.
    """
    return longest_range(lambda v: coefficients(known, wanted, v), scheduler)


def longest_range(conversion: Callable[[ScheduleValues], Coefficients], scheduler: Scheduler) -> tuple[float, float]:
    """The same for any conversion, given as the coefficients at the values of a scheduler."""
    t = torch.linspace(0.0, 1.0, _GRID, dtype=torch.float64)
    c = conversion(scheduler.evaluate(t))
    good = (c.x.abs() <= MAX_GAIN) & (c.q.abs() <= MAX_GAIN)
    best, start = (0, 0), None
    for index, ok in enumerate([*good.tolist(), False]):
        if ok and start is None:
            start = index
        elif not ok and start is not None:
            best = max(best, (start, index - 1), key=lambda run: run[1] - run[0])
            start = None
    return float(t[best[0]]), float(t[best[1]])
