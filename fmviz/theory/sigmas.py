r"""Diffusion coefficients sigma_t of the SDE extension (T21, T22, T24).

With the exact field, **every** sigma_t >= 0 gives

.. math:: dX = [u_t(X) + \tfrac12 \sigma_t^2 s_t(X)] dt + \sigma_t dW, \qquad X_0 \sim p_{init}

the same marginals p_t; the choice only redistributes numerical and training error. The time reversal is the choice

.. math::
    \sigma_t^2 = 2 b_t, \qquad b_t = \beta_t^2 \frac{\dot\alpha_t}{\alpha_t} - \beta_t \dot\beta_t \qquad \text{(T23)},

with which the SDE reverses the forward noising process in time (T24). It is infinite where alpha = 0, that is at
t = 0 except for VP. For simulation sigma is therefore **held at a cap** where it would exceed it. By T21 the capped SDE
still has exactly the marginals p_t, but just after t = 0 it is not the time reversal.
With ``cap=None`` one gets the uncapped curve, which raises where it has no value.
"""

__all__ = ["KINDS", "MAX_AMPLITUDE", "REVERSAL_CAP", "Sigma", "get"]

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.errors import ParameterError, SingularTimeError
from fmviz.theory.arrays import Time, pointwise
from fmviz.theory.schedulers import Scheduler

KINDS = ("zero", "constant", "beta", "decay", "rise", "bump", "reversal")
"""Kinds that `get` accepts."""

MAX_AMPLITUDE = 5.0
"""Largest amplitude; beyond it Euler-Maruyama needs thousands of steps ("Delicate numbers" in theory.md)."""

REVERSAL_CAP = 5.0
"""Where the time reversal sigma is held by default: the largest value that the other kinds can take."""


@dataclass(frozen=True)
class Sigma:
    """A diffusion coefficient; call it with a time.

    Args:
        kind: one of `KINDS`.
        amplitude: factor, 0 to `MAX_AMPLITUDE`; for the reversal 1 is the time reversal itself.
        scheduler: needed by "beta" and "reversal".
        cap: largest value of the "reversal" kind, or ``None`` for no cap; the other kinds ignore it.

    Raises:
        ParameterError: unknown kind, amplitude out of range, scheduler missing.
    """

    kind: str
    amplitude: float = 1.0
    scheduler: Scheduler | None = None
    cap: float | None = REVERSAL_CAP

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ParameterError("kind", f"one of {', '.join(KINDS)}", self.kind)
        if not 0.0 <= self.amplitude <= MAX_AMPLITUDE:
            raise ParameterError("amplitude", f"a number from 0 to {MAX_AMPLITUDE:g}", self.amplitude)
        if self.kind in ("beta", "reversal") and self.scheduler is None:
            raise ParameterError("scheduler", f"a scheduler, which sigma kind {self.kind!r} is made from", None)
        if self.cap is not None and not 0.0 < self.cap < math.inf:
            raise ParameterError("cap", "a positive number or None", self.cap)

    @pointwise
    def __call__(self, t: Time) -> Tensor:
        """Value at t.

        Args:
            t: time in [0, 1]; a float is read as a float64 scalar tensor.

        Returns:
            sigma_t >= 0 in the shape of t.

        Raises:
            SingularTimeError: kind "reversal", ``cap=None``, and alpha_t = 0.
        """
        time = t if isinstance(t, Tensor) else torch.tensor(float(t), dtype=torch.float64)
        match self.kind:
            case "zero":
                shape = torch.zeros_like(time)
            case "constant":
                shape = torch.ones_like(time)
            case "decay":
                shape = 1.0 - time
            case "rise":
                shape = time
            case "bump":
                # A sine that is zero at both ends exactly, where sin(pi) is 1e-16.
                shape = (math.pi * torch.minimum(time, 1.0 - time)).sin()
            case "beta":
                shape = self._schedule.beta(time)
            case _:
                return self._reversal(time)
        return self.amplitude * shape

    @property
    def _schedule(self) -> Scheduler:
        if self.scheduler is None:  # pragma: no cover - refused in __post_init__
            raise ParameterError("scheduler", "a scheduler", None)
        return self.scheduler

    def _reversal(self, t: Tensor) -> Tensor:
        v = self._schedule.evaluate(t)
        singular = v.alpha == 0
        if self.cap is None and bool(singular.any()):
            raise SingularTimeError("the time reversal sigma is infinite where alpha = 0; give a cap or a later time")
        safe = v.alpha.masked_fill(singular, 1.0)
        # Rounding may leave a b_t of zero slightly negative near t = 1.
        b = (v.beta.square() * v.d_alpha / safe - v.beta_d_beta).clamp(min=0.0)
        sigma = self.amplitude * (2.0 * b).sqrt()
        if self.cap is None:
            return sigma
        return sigma.masked_fill(singular, self.cap if self.amplitude > 0 else 0.0).clamp(max=self.cap)


def get(
    kind: str, amplitude: float = 1.0, scheduler: Scheduler | None = None, *, cap: float | None = REVERSAL_CAP
) -> Sigma:
    """A diffusion coefficient by kind; see `Sigma`."""
    return Sigma(kind, amplitude, scheduler, cap)
