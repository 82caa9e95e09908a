r"""What a convention of the diffusion literature is: its own time, its own schedule, its own prediction (T56 to T58).

Every convention writes :math:`x = \alpha(s) z + \beta(s) \epsilon` with :math:`\epsilon \sim N(0, I)` at its own time s. The
log signal-to-noise ratio :math:`\lambda = \log(\alpha^2 / \beta^2)` names a moment in all of them: at equal
:math:`\lambda`, :math:`x / \alpha` is the same in law and along every trajectory (T56).

Five predictions carry the same information at one (x, s), since :math:`x = \alpha \bar z + \beta \bar\epsilon`:

============  ==================================================
``data``      :math:`\bar z = E[z | x]`
``noise``     :math:`\bar\epsilon = E[\epsilon | x]`
``score``     :math:`\nabla \log p_s(x) = -\bar\epsilon / \beta`
``velocity``  :math:`\alpha' \bar z + \beta' \bar\epsilon`, with derivatives in s
``v``         :math:`\alpha \bar\epsilon - \beta \bar z`
============  ==================================================
"""

from __future__ import annotations

__all__ = ["PREDICTIONS", "Dialect", "ForwardSde", "Prediction", "translate"]

import abc
import math
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor

from fmviz.errors import ParameterError, SingularTimeError
from fmviz.theory.arrays import Points, Time, Times, arraylike, pointwise
from fmviz.theory.reprs import one_line
from fmviz.theory.schedulers import ScheduleValues

Prediction = Literal["data", "noise", "score", "velocity", "v"]
"""What a network may predict."""

PREDICTIONS: tuple[Prediction, ...] = get_args(Prediction)
"""The names that `Dialect.convert` accepts."""

# A log signal-to-noise ratio, or a time, this far outside its range (relative to its size) is taken for rounding.
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class ForwardSde:
    """The noising process dX = f X ds + g dW (T58) at given times, per unit of own time, running towards noise.

    Attributes:
        f: factor of the drift.
        g_squared: square of the diffusion coefficient, never negative.
    """

    f: Tensor
    g_squared: Tensor

    __repr__ = one_line


class Dialect(abc.ABC):
    """One convention. Times s are floats or tensors between `data_time` and `noise_time`; a float is read as float64.

    Attributes:
        name: as `fmviz.theory.dialects.get` takes it.
        predicts: what its networks predict.
    """

    name: ClassVar[str]
    predicts: ClassVar[Prediction]

    @property
    @abc.abstractmethod
    def data_time(self) -> float:
        """The time at the data."""

    @property
    @abc.abstractmethod
    def noise_time(self) -> float:
        """The time at the noise; below `data_time` where time runs from noise to data."""

    @abc.abstractmethod
    def _evaluate(self, s: Tensor) -> ScheduleValues:
        """The schedule and its derivatives in s, at times inside the range."""

    @abc.abstractmethod
    def _time(self, log_snr: Tensor) -> Tensor:
        """The inverse of `log_snr`, inside its range."""

    # ------------------------------------------------------------- schedule

    @arraylike
    def evaluate(self, s: Time) -> ScheduleValues:
        """alpha, beta and their derivatives in s; some derivatives are infinite where beta = 0.

        Raises:
            ParameterError: a time outside the range of the dialect.
        """
        return self._evaluate(self._inside(s))

    @pointwise
    def alpha(self, s: Time) -> Tensor:
        """Factor of the data point, in the shape of s."""
        return self.evaluate(s).alpha

    @pointwise
    def beta(self, s: Time) -> Tensor:
        """Factor of the noise, in the shape of s."""
        return self.evaluate(s).beta

    @pointwise
    def log_snr(self, s: Time) -> Tensor:
        """log(alpha^2 / beta^2), infinite where alpha or beta is 0 (T56)."""
        v = self.evaluate(s)
        return 2.0 * (v.alpha.log() - v.beta.log())

    @pointwise
    def d_log_snr(self, s: Time) -> Tensor:
        """Derivative of `log_snr` in s, negative where time runs from data to noise; infinite or nan where a factor is 0."""
        v = self.evaluate(s)
        return 2.0 * _wronskian_beta(v) / (v.alpha * v.beta.square())

    @property
    def log_snr_range(self) -> tuple[float, float]:
        """The log signal-to-noise ratios at the noise and at the data; either may be infinite."""
        return float(self.log_snr(self.noise_time)), float(self.log_snr(self.data_time))

    @pointwise
    def time(self, log_snr: Time) -> Tensor:
        """The time at which the log signal-to-noise ratio has this value, in its shape.

        Raises:
            ParameterError: the dialect does not reach that ratio.
        """
        ratio = _as_tensor(log_snr)
        low, high = self.log_snr_range
        near = ratio.clamp(low, high)  # the same if infinite, of which there is no difference
        if not bool(((ratio == near) | ((ratio - near).abs() <= _TOLERANCE * ratio.abs().clamp(min=1.0))).all()):
            raise ParameterError("log_snr", f"values from {low:g} to {high:g} for {self.name}", ratio.tolist())
        start, end = sorted((self.data_time, self.noise_time))
        return self._time(near).clamp(start, end)

    @pointwise
    def sampling_times(self, u: Times) -> Tensor:
        """The times that sampling visits: from the noise at u = 0 to the data at u = 1, in the dialect's own spacing.

        Args:
            u: the share of the steps that have been made, in [0, 1].

        Returns:
            Times in the shape of u.
        """
        return self.noise_time + (self.data_time - self.noise_time) * u

    @arraylike
    def forward_sde(self, s: Time) -> ForwardSde:
        """The noising process whose law given z is N(alpha z, beta^2 I) (T58).

        Raises:
            SingularTimeError: alpha = 0, where the process would have to forget the data in no time.
        """
        v = self.evaluate(s)
        towards_noise = math.copysign(1.0, self.noise_time - self.data_time)
        f = _divide(v.d_alpha, v.alpha, "the forward process", "alpha")
        g_squared = 2.0 * (v.beta_d_beta - v.beta.square() * f)
        # At equal rates of alpha and beta rounding may leave a zero slightly negative.
        return ForwardSde(towards_noise * f, (towards_noise * g_squared).clamp(min=0.0))

    # ---------------------------------------------------------- predictions

    @pointwise
    def convert(self, value: Points, x: Points, s: Time, *, predicts: Prediction, to: Prediction) -> Tensor:
        """One prediction turned into another at (x, s) (T57).

        Args:
            value: the prediction, (..., 2).
            x: where it was made, (..., 2).
            s: time, a float or a tensor broadcastable to ``x.shape[:-1]``.
            predicts: what `value` is, one of `PREDICTIONS`.
            to: what is wanted.

        Returns:
            (..., 2), in the dtype of `value`.

        Raises:
            ParameterError: an unknown prediction, or a time outside the range.
            SingularTimeError: `value` does not determine the other one at this time, such as the data from the noise
                where alpha = 0.
        """
        for name, kind in (("predicts", predicts), ("to", to)):
            if kind not in PREDICTIONS:
                raise ParameterError(name, f"one of {', '.join(PREDICTIONS)}", kind)
        v = self.evaluate(torch.as_tensor(s, dtype=torch.float64))
        if predicts == to:
            return value
        known, wanted = _row(v, predicts), _row(v, to)
        # (gain, shift) times the matrix of (value, x) as functions of (z, noise) is the row that is wanted.
        determinant = wanted.divisor * (known.z * v.beta - known.noise * v.alpha)
        gain = _divide(known.divisor * (wanted.z * v.beta - wanted.noise * v.alpha), determinant, to, predicts)
        shift = _divide(known.z * wanted.noise - known.noise * wanted.z, determinant, to, predicts)
        return gain.unsqueeze(-1).to(value) * value + shift.unsqueeze(-1).to(value) * x

    @pointwise
    def error_gain(self, s: Time, *, predicts: Prediction, to: Prediction) -> Tensor:
        """How many times larger an error is after `convert` (T57), in the shape of s; 0, infinite or nan at singular times."""
        v = self.evaluate(s)
        return _noise_gain(v, to) / _noise_gain(v, predicts)

    @pointwise
    def loss_weight(self, s: Time) -> Tensor:
        r"""Weight of the squared noise error per unit of log signal-to-noise ratio, w of :math:`\int w(\lambda) E|\delta\epsilon|^2 d\lambda`.

        What the convention's training loss amounts to: how often it draws a time, and what it multiplies (Kingma and Gao
        2023, "Understanding diffusion objectives as the ELBO"). Defined up to a constant factor.
        """
        v = self.evaluate(s)
        per_log_snr = v.alpha * v.beta.square() / _wronskian_beta(v).abs()
        return self._time_density(_as_tensor(s)) * per_log_snr * self._noise_error_weight(v, _as_tensor(s))

    def _time_density(self, s: Tensor) -> Tensor:
        """How often training draws the time s, up to a constant factor; uniform unless a dialect says otherwise."""
        return torch.ones_like(s)

    def _noise_error_weight(self, v: ScheduleValues, s: Tensor) -> Tensor:
        """What the loss multiplies the squared noise error with, up to a constant factor.

        By default the loss is that of `predicts`, unweighted.
        """
        return _noise_gain(v, self.predicts).square()

    def _inside(self, s: float | Tensor) -> Tensor:
        time = _as_tensor(s)
        start, end = sorted((self.data_time, self.noise_time))
        near = time.clamp(start, end)
        if not bool(((time - near).abs() <= _TOLERANCE * max(1.0, end - start)).all()):
            raise ParameterError("s", f"a time from {start:g} to {end:g} for {self.name}", s)
        return near


@arraylike
def translate(x: Points, s: Time, source: Dialect, target: Dialect) -> tuple[Tensor, Tensor]:
    """The same point of the same path in another dialect: equal log signal-to-noise ratio, equal x / alpha (T56).

    Written with alpha + beta, which is never 0, in the place of alpha.

    Args:
        x: (..., 2) in the source dialect.
        s: its time there, a float or a tensor broadcastable to ``x.shape[:-1]``.
        source: the dialect of x and s.
        target: the dialect that is wanted.

    Returns:
        The point (..., 2) and the time in the target dialect.

    Raises:
        ParameterError: the target does not reach the log signal-to-noise ratio.
    """
    time = target.time(source.log_snr(torch.as_tensor(s, dtype=torch.float64)))
    old, new = source.evaluate(torch.as_tensor(s, dtype=torch.float64)), target.evaluate(time)
    factor = (new.alpha + new.beta) / (old.alpha + old.beta)
    return factor.unsqueeze(-1).to(x) * x, time


@dataclass(frozen=True)
class _Row:
    """A prediction, times `divisor`, as `z` times the data point plus `noise` times the noise; all finite."""

    z: Tensor
    noise: Tensor
    divisor: Tensor


def _row(v: ScheduleValues, kind: Prediction) -> _Row:
    zero, one = torch.zeros_like(v.alpha), torch.ones_like(v.alpha)
    match kind:
        case "data":
            return _Row(one, zero, one)
        case "noise":
            return _Row(zero, one, one)
        case "score":
            return _Row(zero, -one, v.beta)
        case "v":
            return _Row(-v.beta, v.alpha, one)
        case "velocity":
            finite = v.d_beta.isfinite()
            return _Row(
                torch.where(finite, v.d_alpha, v.beta * v.d_alpha),
                torch.where(finite, v.d_beta, v.beta_d_beta),
                torch.where(finite, one, v.beta),
            )


def _noise_gain(v: ScheduleValues, kind: Prediction) -> Tensor:
    """How many times larger the error of a prediction is than that of the noise, x being given."""
    row = _row(v, kind)
    return ((row.noise - row.z * v.beta / v.alpha) / row.divisor).abs()


def _wronskian_beta(v: ScheduleValues) -> Tensor:
    """beta (alpha' beta - alpha beta'), finite where beta' is not."""
    return v.d_alpha * v.beta.square() - v.alpha * v.beta_d_beta


def _divide(numerator: Tensor, denominator: Tensor, wanted: str, known: str) -> Tensor:
    if bool((denominator == 0).any()) or not bool((numerator.isfinite() & denominator.isfinite()).all()):
        raise SingularTimeError(f"{wanted} does not follow from {known} at this time: it would be divided by zero")
    return numerator / denominator


def _as_tensor(value: float | Tensor) -> Tensor:
    return value if isinstance(value, Tensor) else torch.tensor(float(value), dtype=torch.float64)
