r"""The velocity that follows from what a network predicts (T23, T32, T57), finite on all of [0, 1].

Each conversion is :math:`u = c_x x + c_q q` with two functions of t. Where one of them grows beyond `MAX_GAIN` it is held, with the network's
time, at the last t at which it does not, as for our own networks. For "v", from :math:`v = \alpha\epsilon - \beta z`,

.. math:: c_x = \frac{\alpha\dot\alpha + \beta\dot\beta}{\alpha^2 + \beta^2}, \qquad
          c_q = \frac{\alpha\dot\beta - \dot\alpha\beta}{\alpha^2 + \beta^2}.
"""

from __future__ import annotations

__all__ = ["OwnField", "own_field"]

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.comparison.calling import Caller
from fmviz.comparison.clocks import Clock
from fmviz.errors import ParameterError
from fmviz.learning.prediction_gains import Coefficients, coefficients, longest_range
from fmviz.theory import ProbabilityPath
from fmviz.theory.dialect import Prediction
from fmviz.theory.schedulers import Scheduler, ScheduleValues


@dataclass(frozen=True, eq=False)
class OwnField:
    """The velocity of a network on the clock of the path.

    Attributes:
        caller: the network.
        clock: what it is told.
        predicts: what it answers.
        scheduler: alpha and beta.
        held: the interval of t outside which the conversion, with the network's time, is held at its nearer end.
    """

    caller: Caller
    clock: Clock
    predicts: Prediction
    scheduler: Scheduler
    held: tuple[float, float]

    def __call__(self, x: Tensor, t: float | Tensor) -> Tensor:
        """u(x, t), (..., 2) in the dtype of x; t a float or broadcastable to ``x.shape[:-1]``. Gradients flow to x."""
        times = torch.as_tensor(t, dtype=torch.float64, device=x.device)
        shape = torch.broadcast_shapes(x.shape[:-1], times.shape)  # type: ignore[no-untyped-call]
        points, times = x.expand(*shape, 2).reshape(-1, 2), times.expand(shape).reshape(-1)
        times = times.clamp(*self.held)
        answers = self.caller(points, self.clock(times))
        if self.predicts == "velocity":
            velocity = answers if self.clock.direction == "noise→data" else -answers
        else:
            c = _to_velocity(self.predicts)(self.scheduler.evaluate(times))
            velocity = c.x[:, None] * points.double() + c.q[:, None] * answers
        return velocity.reshape(*shape, 2).to(x.dtype)


def own_field(path: ProbabilityPath, caller: Caller, clock: Clock, predicts: Prediction) -> OwnField:
    """The velocity of a network that predicts `predicts` on this path.

    Raises:
        ParameterError: the path has no such conversion: from anything but a velocity with noise in between (gamma > 0), from a score with
            a p_init other than N(0, I).
    """
    if predicts != "velocity" and path.gamma > 0.0:
        raise ParameterError("predicts", "'velocity' on a path with noise in between (gamma > 0)", predicts)
    if predicts == "score" and not path.p_init.is_standard:
        raise ParameterError(
            "predicts", "anything but a score, which gives no velocity unless p_init is N(0, I)", predicts
        )
    held = (0.0, 1.0) if predicts == "velocity" else longest_range(_to_velocity(predicts), path.scheduler)
    return OwnField(caller, clock, predicts, path.scheduler, held)


def _to_velocity(predicts: Prediction) -> Callable[[ScheduleValues], Coefficients]:
    if predicts == "v":
        return _from_v
    return lambda v: coefficients(predicts, "velocity", v)


def _from_v(v: ScheduleValues) -> Coefficients:
    size = v.alpha.square() + v.beta.square()
    return Coefficients((v.alpha_d_alpha + v.beta_d_beta) / size, (v.alpha * v.d_beta - v.d_alpha * v.beta) / size)
