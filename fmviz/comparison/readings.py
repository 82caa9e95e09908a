r"""What the answers of a network may mean, and which reading fits the exact path best.

A reading says which quantity is predicted, which way time runs, and whether the sign is right. Under a reading the exact answer is known
at every point, so its error is the relative root mean square difference

.. math:: \sqrt{E|q_\theta(x, s) - q(x, t)|^2 / E|q(x, t)|^2}, \qquad x \sim p_t,

with s = t or 1 - t, for the score with both means weighted by beta². No conversion is involved, so no error is blown up by one (T23, T57).
A velocity whose time runs from data to noise is :math:`dx/ds = -u_{1-s}(x)`.
"""

from __future__ import annotations

__all__ = ["PREDICTIONS", "TIMES", "Direction", "Exact", "Fit", "Reading", "exact_answers", "fits", "shift"]

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fmviz.comparison.calling import Caller
from fmviz.comparison.clocks import TIMES, Clock, Direction
from fmviz.errors import ParameterError
from fmviz.theory import ProbabilityPath
from fmviz.theory.dialect import PREDICTIONS, Prediction
from fmviz.theory.sobol import sobol

WIDEST_SHIFT = 0.2
"""Shifts of time are looked for up to this far."""
SHIFT_POINTS, FEWEST_POINTS, SHIFT_EVALUATIONS = 64, 8, 1_000_000
"""Draws at each time that a shift is found with; fewer on paths of many pairs of components, of which so many are evaluated at once."""
GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class Reading:
    """One meaning of an answer.

    Attributes:
        predicts: the quantity.
        time: which way the network's time runs.
        opposite: the sign is wrong.
        other_unit: the time is counted in another unit than was said; see `Clock.other_unit`.
        shift: the answer is that of a time so much later.
    """

    predicts: Prediction = "velocity"
    time: Direction = "noise→data"
    opposite: bool = False
    other_unit: bool = False
    shift: float = 0.0

    @property
    def sign(self) -> float:
        """What the exact quantity, with its time from noise to data, is multiplied by."""
        turned = self.predicts == "velocity" and self.time == "data→noise"
        return -1.0 if self.opposite != turned else 1.0

    def changes(self, declared: Reading) -> int:
        """In how many respects this differs from what was said."""
        names = ("predicts", "time", "opposite", "other_unit")
        return sum(bool(getattr(self, name) != getattr(declared, name)) for name in (*names, "shift"))


@dataclass(frozen=True)
class Fit:
    """A reading and its relative error."""

    reading: Reading
    error: float


@dataclass(frozen=True, eq=False)
class Exact:
    """Points of the path and every quantity at them, float64.

    Attributes:
        t: (T,).
        x: draws of p_t, (T, N, 2).
        values: each quantity that the path has, (T, N, 2); in the score's row everything is multiplied by beta.
        beta: (T,).
    """

    t: Tensor
    x: Tensor
    values: dict[Prediction, Tensor]
    beta: Tensor


def exact_answers(path: ProbabilityPath, times: int, points: int) -> Exact:
    """Evenly spread draws of p_t at the middles of `times` equal parts of [0, 1], with the exact answers."""
    t = (torch.arange(times, dtype=torch.float64, device=path.p_data.device) + 0.5) / times
    exact = path.to(torch.float64)
    uniform = sobol(8, points, 0).to(t.device)
    z, eps = exact.p_data.inverse_transform(uniform[:, :3]), exact.p_init.inverse_transform(uniform[:, 3:6])
    xi = torch.special.ndtri(uniform[:, 6:].clamp(1e-8, 1.0 - 1e-8))
    x = exact.interpolate(eps[None], t[:, None], z, xi)
    return _answers(exact, x, t)


def _answers(path: ProbabilityPath, x: Tensor, t: Tensor) -> Exact:
    velocity, score = path.velocity_and_score(x, t[:, None])
    data = path.posterior_mean(x, t[:, None])
    v = path.scheduler.evaluate(t)
    alpha, beta = v.alpha[:, None, None], v.beta[:, None, None]
    values: dict[Prediction, Tensor] = {"velocity": velocity, "data": data, "score": beta * score}
    if path.gamma == 0.0:
        noise = -beta * score if path.p_init.is_standard else (x - alpha * data) / beta
        values |= {"noise": noise, "v": alpha * noise - beta * data}
    return Exact(t, x, values, v.beta)


def fits(caller: Caller, clock: Clock, exact: Exact) -> list[Fit]:
    """Every reading, the best first; those whose times the network refuses are left out."""
    found = []
    for direction in TIMES:
        for other_unit in (False, True):
            asked = replace(clock, direction=direction, other_unit=other_unit)
            try:
                answers = ask(caller, asked, exact)
            except ParameterError:
                if not other_unit and direction == clock.direction:
                    raise
                continue
            for name in exact.values:
                for opposite in (False, True):
                    reading = Reading(name, direction, opposite, other_unit)
                    found.append(Fit(reading, misfit(answers, exact, reading)))
    return sorted(found, key=lambda fit: fit.error)


def ask(caller: Caller, clock: Clock, exact: Exact) -> Tensor:
    """What the network answers at the points, (T, N, 2) float64, each t told as `clock` tells it."""
    times = clock(exact.t)[:, None].expand(exact.x.shape[:-1])
    answer: Tensor = caller(exact.x.reshape(-1, 2), times.reshape(-1)).detach().reshape(exact.x.shape)
    return answer


def misfit(answers: Tensor, exact: Exact, reading: Reading) -> float:
    """The relative error of the answers under a reading, over those that are finite; infinite where none is."""
    error, size = squares(answers, exact, reading)
    return float((error.sum() / size.sum()).sqrt()) if float(size.sum()) > 0.0 else float("inf")


def squares(answers: Tensor, exact: Exact, reading: Reading) -> tuple[Tensor, Tensor]:
    """Sums of |q_theta - q|² and of |q|² over the points of each time, (T,) each, without answers that are not finite."""
    wanted = reading.sign * exact.values[reading.predicts]
    given = exact.beta[:, None, None] * answers if reading.predicts == "score" else answers
    known = given.isfinite().all(-1, keepdim=True) & wanted.isfinite().all(-1, keepdim=True)
    error = torch.where(known, given - wanted, 0.0).square().sum((-1, -2))
    return error, torch.where(known, wanted, 0.0).square().sum((-1, -2))


def shift(path: ProbabilityPath, caller: Caller, clock: Clock, exact: Exact, reading: Reading) -> tuple[Fit, float]:
    """The reading with the shift of time under which the answers fit best, and the error without one at the same points.

    The network is asked at its own time t, and its answers are compared with the exact ones at t + h: first for h on a grid, then by
    golden section.
    """
    asked = replace(clock, direction=reading.time, other_unit=reading.other_unit)
    points = max(FEWEST_POINTS, min(SHIFT_POINTS, SHIFT_EVALUATIONS // (len(exact.t) * path.n_pairs)))
    few = Exact(exact.t, exact.x[:, :points], {}, exact.beta)
    answers, double = ask(caller, asked, few), path.to(torch.float64)

    def error(h: float) -> float:
        inside = (few.t + h > 0.0) & (few.t + h < 1.0) & (few.t > WIDEST_SHIFT) & (few.t < 1.0 - WIDEST_SHIFT)
        later = _answers(double, few.x[inside], few.t[inside] + h)
        return misfit(answers[inside], later, reading)

    grid = [WIDEST_SHIFT * (i - 8) / 8 for i in range(17)]
    best = min(grid, key=error)
    low, high = best - WIDEST_SHIFT / 8, best + WIDEST_SHIFT / 8
    inner, outer = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_inner, at_outer = error(inner), error(outer)
    for _ in range(14):
        if at_inner < at_outer:
            high, outer, at_outer = outer, inner, at_inner
            inner = high - GOLDEN * (high - low)
            at_inner = error(inner)
        else:
            low, inner, at_inner = inner, outer, at_outer
            outer = low + GOLDEN * (high - low)
            at_outer = error(outer)
    found = 0.5 * (low + high)
    return Fit(replace(reading, shift=found), error(found)), error(0.0)
