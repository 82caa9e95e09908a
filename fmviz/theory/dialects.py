r"""The conventions of the diffusion literature (T40, T41, T56), each with the time and the schedule of its own texts.

==================  =====================  ==========================================================================  =========
name                time, data to noise    schedule                                                                    predicts
==================  =====================  ==========================================================================  =========
``ddpm``            0, 1 … N               :math:`\alpha^2 = \bar\alpha_k = \prod_{i \le k} (1 - \beta_i)`              noise
``vp``              0 to 1                 :math:`\log\alpha = -\tfrac14 (b_1 - b_0) s^2 - \tfrac12 b_0 s`             noise
``ve``              0 to 1                 :math:`\alpha = 1`, :math:`\beta = 0.01 (50 / 0.01)^s`                       score
``edm``             0 to 80                :math:`\alpha = 1`, :math:`\beta = s`                                        data
``flow-matching``   1 to 0                 :math:`\alpha = s`, :math:`\beta = 1 - s`                                    velocity
``rectified-flow``  0 to 1                 :math:`\alpha = 1 - s'`, :math:`\beta = s' = m s / (1 + (m - 1) s)`           velocity
``interpolant``     1 to 0                 :math:`\alpha = \sin(\pi s / 2)`, :math:`\beta = \cos(\pi s / 2)`            velocity
==================  =====================  ==========================================================================  =========

Where :math:`\alpha^2 + \beta^2 = 1` the dialect is called variance preserving. `OwnTime` makes a dialect of a scheduler of this
project, so that one can translate to and from its t.
"""

from __future__ import annotations

__all__ = [
    "BETAS",
    "MAX_STEPS",
    "NAMES",
    "PREDICTIONS",
    "Betas",
    "Ddpm",
    "Dialect",
    "Edm",
    "FlowMatching",
    "ForwardSde",
    "Interpolant",
    "OwnTime",
    "Prediction",
    "RectifiedFlow",
    "VarianceExploding",
    "VariancePreserving",
    "get",
    "translate",
]

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.theory import schedulers
from fmviz.theory.arrays import Times, pointwise
from fmviz.theory.counts import as_count
from fmviz.theory.ddpm import BETAS, MAX_STEPS, Betas, Ddpm, variance_preserving
from fmviz.theory.dialect import PREDICTIONS, Dialect, ForwardSde, Prediction, translate
from fmviz.theory.schedulers import Scheduler, ScheduleValues

NAMES = ("ddpm", "vp", "ve", "edm", "flow-matching", "rectified-flow", "interpolant")
"""Names that `get` accepts."""

# Of the unit interval: down to neighbouring floats.
_HALVINGS = 64


@dataclass(frozen=True)
class VariancePreserving(Dialect):
    """The VP-SDE of Song et al. 2021: DDPM with infinitely many steps, rate b0 + (b1 - b0) s (T14, T41).

    Args:
        b0: noising rate at the data, positive.
        b1: noising rate at the noise, at least b0.
    """

    b0: float = 0.1
    b1: float = 20.0

    name: ClassVar[str] = "vp"
    predicts: ClassVar[Prediction] = "noise"
    data_time: ClassVar[float] = 0.0
    noise_time: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < self.b0 <= self.b1 < math.inf:
            raise ParameterError("b0, b1", "0 < b0 <= b1", (self.b0, self.b1))

    def _evaluate(self, s: Tensor) -> ScheduleValues:
        slope = self.b1 - self.b0
        return variance_preserving(-0.5 * slope * s * s - self.b0 * s, -slope * s - self.b0)

    def _time(self, log_snr: Tensor) -> Tensor:
        # slope s^2 / 2 + b0 s = c, by the form of the root without cancellation.
        c, slope = torch.nn.functional.softplus(-log_snr), self.b1 - self.b0
        return 2.0 * c / (self.b0 + (self.b0**2 + 2.0 * slope * c).sqrt())


@dataclass(frozen=True)
class VarianceExploding(Dialect):
    """The VE-SDE of Song et al. 2021: alpha = 1, beta = low (high / low)^s (T56).

    As in the paper and its code, the noise level at s = 0 is `low` and not 0, so the data are met up to that.

    Args:
        low: noise level at s = 0, positive.
        high: noise level at s = 1, above low.
    """

    low: float = 0.01
    high: float = 50.0

    name: ClassVar[str] = "ve"
    predicts: ClassVar[Prediction] = "score"
    data_time: ClassVar[float] = 0.0
    noise_time: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < self.low < self.high < math.inf:
            raise ParameterError("low, high", "0 < low < high", (self.low, self.high))

    def _evaluate(self, s: Tensor) -> ScheduleValues:
        growth = math.log(self.high / self.low)
        beta, zero = self.low * (growth * s).exp(), torch.zeros_like(s)
        return ScheduleValues(torch.ones_like(s), beta, zero, growth * beta, zero, growth * beta.square())

    def _time(self, log_snr: Tensor) -> Tensor:
        return (-0.5 * log_snr - math.log(self.low)) / math.log(self.high / self.low)

    def _noise_error_weight(self, v: ScheduleValues, s: Tensor) -> Tensor:
        return torch.ones_like(s)  # the score's squared error is weighted with beta^2


@dataclass(frozen=True)
class Edm(Dialect):
    """Karras et al. 2022: alpha = 1, and the noise level itself is the time (T56).

    Args:
        high: largest noise level, positive.
    """

    high: float = 80.0

    name: ClassVar[str] = "edm"
    predicts: ClassVar[Prediction] = "data"

    # Training draws log sigma ~ N(mean, spread^2), and weights the denoiser's error for data of this standard deviation.
    LOG_SIGMA: ClassVar[tuple[float, float]] = (-1.2, 1.2)
    DATA_STD: ClassVar[float] = 0.5
    # Last noise level above 0, and how much the steps crowd towards the data.
    LOW: ClassVar[float] = 0.002
    RHO: ClassVar[float] = 7.0

    def __post_init__(self) -> None:
        if not 0.0 < self.high < math.inf:
            raise ParameterError("high", "a positive number", self.high)

    @property
    def data_time(self) -> float:
        return 0.0

    @property
    def noise_time(self) -> float:
        return self.high

    def sigmas(self, steps: int, *, low: float = LOW, rho: float = RHO) -> Tensor:
        """The noise levels at which Karras et al. put their steps, from `high` down to `low`, then 0.

        Args:
            steps: number of steps, at least 2.
            low: last noise level above 0.
            rho: how much the steps crowd towards the data; 1 is uniform.

        Returns:
            (steps + 1,), float64.

        Raises:
            ParameterError: fewer than two steps, or a level or rho out of range.
        """
        steps = as_count("steps", steps, 2)
        if not 0.0 < low < self.high or rho < 1.0:
            raise ParameterError("low, rho", f"0 < low < {self.high:g} and rho >= 1", (low, rho))
        roots = torch.linspace(self.high ** (1.0 / rho), low ** (1.0 / rho), steps, dtype=torch.float64)
        return torch.cat((roots.pow(rho), torch.zeros(1, dtype=torch.float64)))

    @pointwise
    def sampling_times(self, u: Times) -> Tensor:
        """The times that sampling visits, spaced as by `sigmas`: from `high` at u = 0 to the noise level 0.002 at u = 1."""
        high, low = math.pow(self.high, 1.0 / self.RHO), math.pow(self.LOW, 1.0 / self.RHO)
        return torch.pow(high + (low - high) * u, self.RHO).clamp(max=self.high)

    def _evaluate(self, s: Tensor) -> ScheduleValues:
        zero, one = torch.zeros_like(s), torch.ones_like(s)
        return ScheduleValues(one, s, zero, one, zero, s)

    def _time(self, log_snr: Tensor) -> Tensor:
        return (-0.5 * log_snr).exp()

    def _time_density(self, s: Tensor) -> Tensor:
        mean, spread = self.LOG_SIGMA
        return (-0.5 * ((s.log() - mean) / spread).square()).exp() / s

    def _noise_error_weight(self, v: ScheduleValues, s: Tensor) -> Tensor:
        return s.square() + self.DATA_STD**2


@dataclass(frozen=True)
class FlowMatching(Dialect):
    """Lipman et al. 2023 with straight conditional paths, this project's default: time from noise (0) to data (1) (T14)."""

    name: ClassVar[str] = "flow-matching"
    predicts: ClassVar[Prediction] = "velocity"
    data_time: ClassVar[float] = 1.0
    noise_time: ClassVar[float] = 0.0

    def _evaluate(self, s: Tensor) -> ScheduleValues:
        return schedulers.Linear().evaluate(s)

    def _time(self, log_snr: Tensor) -> Tensor:
        return (0.5 * log_snr).sigmoid()


@dataclass(frozen=True)
class RectifiedFlow(Dialect):
    r"""Rectified flow as in SD3 and Flux (Esser et al. 2024): reversed time, steps shifted towards the noise (T56).

    The time s is uniform over the steps. The noise level is :math:`s' = m s / (1 + (m - 1) s)`, and
    :math:`x = (1 - s') z + s' \epsilon`. With a shift, the velocity of `convert` is dx/ds; the one that the texts'
    networks predict is :math:`dx/ds' = \epsilon - z`.

    Args:
        shift: m, from 1 (none) to 100.
    """

    shift: float = 1.0

    name: ClassVar[str] = "rectified-flow"
    predicts: ClassVar[Prediction] = "velocity"
    data_time: ClassVar[float] = 0.0
    noise_time: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        if not 1.0 <= self.shift <= 100.0:
            raise ParameterError("shift", "a number from 1 to 100", self.shift)

    def _evaluate(self, s: Tensor) -> ScheduleValues:
        m = self.shift
        stretch = 1.0 + (m - 1.0) * s
        alpha, beta, slope = (1.0 - s) / stretch, m * s / stretch, m / stretch.square()
        return ScheduleValues(alpha, beta, -slope, slope, -alpha * slope, beta * slope)

    def _time(self, log_snr: Tensor) -> Tensor:
        # beta / alpha = m s / (1 - s)
        return (-0.5 * log_snr - math.log(self.shift)).sigmoid()

    def _time_density(self, s: Tensor) -> Tensor:
        return (-0.5 * s.logit().square()).exp() / (s * (1.0 - s))  # training draws logit s ~ N(0, 1)

    def _noise_error_weight(self, v: ScheduleValues, s: Tensor) -> Tensor:
        return 1.0 / v.alpha.square()


@dataclass(frozen=True)
class Interpolant(Dialect):
    """The trigonometric interpolant of Albergo and Vanden-Eijnden 2023 from Gaussian noise: time from noise to data (T43)."""

    name: ClassVar[str] = "interpolant"
    predicts: ClassVar[Prediction] = "velocity"
    data_time: ClassVar[float] = 1.0
    noise_time: ClassVar[float] = 0.0

    def _evaluate(self, s: Tensor) -> ScheduleValues:
        return schedulers.Trigonometric().evaluate(s)

    def _time(self, log_snr: Tensor) -> Tensor:
        return (0.5 * log_snr).exp().atan() * (2.0 / math.pi)


@dataclass(frozen=True)
class OwnTime(Dialect):
    """A scheduler of this project as a dialect, whose time is t itself: what others are translated from and to.

    Args:
        scheduler: alpha and beta at t, from noise (0) to data (1).
    """

    scheduler: Scheduler

    name: ClassVar[str] = "own"
    predicts: ClassVar[Prediction] = "velocity"
    data_time: ClassVar[float] = 1.0
    noise_time: ClassVar[float] = 0.0

    def _evaluate(self, s: Tensor) -> ScheduleValues:
        return self.scheduler.evaluate(s)

    def _time(self, log_snr: Tensor) -> Tensor:
        # The ratio rises with t, strictly wherever the scheduler moves: halve the interval.
        ratio = log_snr.double()
        low, high = torch.zeros_like(ratio), torch.ones_like(ratio)
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            below = self.log_snr(middle) < ratio
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return (0.5 * (low + high)).to(log_snr)


def get(name: str, *, steps: int = 1000, betas: Betas = "linear", shift: float = 1.0) -> Dialect:
    """A dialect by name.

    Args:
        name: one of `NAMES`.
        steps: of "ddpm".
        betas: of "ddpm", one of `BETAS`.
        shift: of "rectified-flow". Each dialect ignores what it does not have.

    Raises:
        ParameterError: unknown name, or a parameter out of range.

    Example:
        >>> ddpm, flow = get("ddpm"), get("flow-matching")
        >>> round(float(flow.time(ddpm.log_snr(500.0))), 4)  # the time at which flow matching has as much noise
        0.226
    """
    match name:
        case "ddpm":
            return Ddpm(steps, betas)
        case "vp":
            return VariancePreserving()
        case "ve":
            return VarianceExploding()
        case "edm":
            return Edm()
        case "flow-matching":
            return FlowMatching()
        case "rectified-flow":
            return RectifiedFlow(shift)
        case "interpolant":
            return Interpolant()
        case _:
            raise ParameterError("name", f"one of {', '.join(NAMES)}", name)
