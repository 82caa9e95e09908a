r"""Noise schedulers alpha_t, beta_t of Gaussian paths (T14), with the products that stay finite.

A path is :math:`X_t = \alpha_t z + \beta_t \epsilon` with :math:`\alpha_0 = \beta_1 = 0`, :math:`\alpha_1 = \beta_0 =
1`. Marginal velocities need only

.. math::
    \alpha_t \dot\alpha_t = \tfrac12 \tfrac{d}{dt} \alpha_t^2, \qquad \beta_t \dot\beta_t = \tfrac12 \tfrac{d}{dt}
    \beta_t^2,

which are finite where the factors are not: for the square root scheduler :math:`\dot\beta_1 = -\infty`, yet
:math:`\beta\dot\beta = -1/2` throughout. Every scheduler therefore supplies the products itself, on the closed
interval.

The VP scheduler has :math:`\alpha_0 = 0.0066`: its path does not start exactly at p_init.
"""

__all__ = [
    "NAMES",
    "Custom",
    "Linear",
    "Polynomial",
    "ScheduleValues",
    "Scheduler",
    "SquareRoot",
    "Trigonometric",
    "VariancePreserving",
    "custom",
    "get",
]

import abc
import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from fmviz.errors import ParameterError, ScheduleError
from fmviz.theory import expressions
from fmviz.theory.arrays import Time, Times, arraylike, pointwise
from fmviz.theory.reprs import one_line, picture

NAMES = ("linear", "sqrt", "trig", "polynomial", "vp")
"""Names that `get` accepts; `custom` makes a sixth kind."""

MAX_EXPONENT = 10.0
"""Largest exponent of the polynomial scheduler; the smallest is 1, below which t**n has an infinite derivative at 0."""


@dataclass(frozen=True)
class ScheduleValues:
    """A scheduler at given times; every tensor has the shape of t.

    Attributes:
        alpha: factor of the data point, 0 to 1.
        beta: factor of the noise, 1 to 0.
        d_alpha: derivative in t; may be infinite at an end.
        d_beta: derivative in t; may be infinite at an end.
        alpha_d_alpha: the product, always finite.
        beta_d_beta: the product, always finite.
    """

    alpha: Tensor
    beta: Tensor
    d_alpha: Tensor
    d_beta: Tensor
    alpha_d_alpha: Tensor
    beta_d_beta: Tensor

    __repr__ = one_line


class Scheduler(abc.ABC):
    """Base of all schedulers. Times are floats or tensors in [0, 1]; a float is read as a float64 scalar tensor."""

    _repr_html_ = picture

    @abc.abstractmethod
    def evaluate(self, t: Tensor) -> ScheduleValues:
        """All six functions at t, a floating tensor in [0, 1]; differentiable in t."""

    @pointwise
    def alpha(self, t: Time) -> Tensor:
        """Factor of the data point."""
        return self.evaluate(_as_tensor(t)).alpha

    @pointwise
    def beta(self, t: Time) -> Tensor:
        """Factor of the noise."""
        return self.evaluate(_as_tensor(t)).beta

    @pointwise
    def d_alpha(self, t: Time) -> Tensor:
        """Derivative of alpha; infinite where the curve is vertical."""
        return self.evaluate(_as_tensor(t)).d_alpha

    @pointwise
    def d_beta(self, t: Time) -> Tensor:
        """Derivative of beta; infinite where the curve is vertical (square root and VP schedulers at t = 1)."""
        return self.evaluate(_as_tensor(t)).d_beta

    @pointwise
    def alpha_d_alpha(self, t: Time) -> Tensor:
        """alpha times its derivative, finite on [0, 1]."""
        return self.evaluate(_as_tensor(t)).alpha_d_alpha

    @pointwise
    def beta_d_beta(self, t: Time) -> Tensor:
        """beta times its derivative, finite on [0, 1]."""
        return self.evaluate(_as_tensor(t)).beta_d_beta


@dataclass(frozen=True)
class Linear(Scheduler):
    """alpha = t, beta = 1 - t (T14, T28)."""

    @arraylike
    def evaluate(self, t: Times) -> ScheduleValues:
        one, beta = torch.ones_like(t), 1.0 - t
        return ScheduleValues(t, beta, one, -one, t, -beta)


@dataclass(frozen=True)
class SquareRoot(Scheduler):
    """alpha = t, beta = sqrt(1 - t) (T14); the derivative of beta is infinite at t = 1, beta times it is -1/2."""

    @arraylike
    def evaluate(self, t: Times) -> ScheduleValues:
        one, beta = torch.ones_like(t), (1.0 - t).sqrt()
        return ScheduleValues(t, beta, one, -0.5 / beta, t, -0.5 * one)


@dataclass(frozen=True)
class Trigonometric(Scheduler):
    """alpha = sin(pi t / 2), beta = cos(pi t / 2) (T14); beta is written as a sine of 1 - t, exactly 0 at t = 1."""

    @arraylike
    def evaluate(self, t: Times) -> ScheduleValues:
        quarter = 0.5 * math.pi
        alpha, beta = (quarter * t).sin(), (quarter * (1.0 - t)).sin()
        product = quarter * alpha * beta
        return ScheduleValues(alpha, beta, quarter * beta, -quarter * alpha, product, -product)


@dataclass(frozen=True)
class Polynomial(Scheduler):
    """alpha = t^n, beta = 1 - t^n (T14).

    Args:
        exponent: n, from 1 to `MAX_EXPONENT`.
    """

    exponent: float = 2.0

    def __post_init__(self) -> None:
        if not 1.0 <= self.exponent <= MAX_EXPONENT:
            raise ParameterError("exponent", f"a number from 1 to {MAX_EXPONENT:g}", self.exponent)

    @arraylike
    def evaluate(self, t: Times) -> ScheduleValues:
        n = float(self.exponent)
        alpha, slope = t**n, n * t ** (n - 1.0)
        # 1 - t^n without cancellation near t = 1; log 0 = -inf is meant at t = 0.
        beta = -torch.expm1(n * t.log()) if not t.requires_grad else 1.0 - alpha
        return ScheduleValues(alpha, beta, slope, -slope, alpha * slope, -beta * slope)


@dataclass(frozen=True)
class VariancePreserving(Scheduler):
    r"""alpha = exp(-(b1 - b0)(1 - t)^2 / 4 - b0 (1 - t) / 2), beta = sqrt(1 - alpha^2) (T14).

    :math:`\alpha_0 = 0.0066`, not 0; :math:`\dot\beta_1 = -\infty`, and :math:`\beta\dot\beta = -\alpha\dot\alpha`.

    Args:
        b0: noising rate at the data end, positive.
        b1: noising rate at the noise end, at least b0.
    """

    b0: float = 0.1
    b1: float = 20.0

    def __post_init__(self) -> None:
        if not 0.0 < self.b0 <= self.b1 < math.inf:
            raise ParameterError("b0, b1", "0 < b0 <= b1", (self.b0, self.b1))

    @arraylike
    def evaluate(self, t: Times) -> ScheduleValues:
        left = 1.0 - t
        log_alpha = -0.25 * (self.b1 - self.b0) * left * left - 0.5 * self.b0 * left
        rate = 0.5 * (self.b1 - self.b0) * left + 0.5 * self.b0
        alpha, beta = log_alpha.exp(), (-torch.expm1(2.0 * log_alpha)).sqrt()
        product = alpha * alpha * rate
        return ScheduleValues(alpha, beta, alpha * rate, -product / beta, product, -product)


def get(name: str, *, exponent: float = 2.0) -> Scheduler:
    """A scheduler by name.

    Args:
        name: one of `NAMES`.
        exponent: of the polynomial scheduler, 1 to `MAX_EXPONENT`; the others ignore it.

    Raises:
        ParameterError: unknown name, exponent out of range.
    """
    match name:
        case "linear":
            return Linear()
        case "sqrt":
            return SquareRoot()
        case "trig":
            return Trigonometric()
        case "polynomial":
            return Polynomial(exponent)
        case "vp":
            return VariancePreserving()
        case _:
            raise ParameterError("name", f"one of {', '.join(NAMES)}", name)


def custom(alpha: str, beta: str) -> "Custom":
    """A scheduler from two typed formulas in t; see `Custom`.

    Example:
        >>> float(custom("sin(pi*t/2)", "cos(pi*t/2)").alpha(1.0))
        1.0
        >>> custom("t", "t")
        Traceback (most recent call last):
        ...
        fmviz.errors.ScheduleError: endpoint: beta: must be 1 at t = 0, but is 0
    """
    return Custom(alpha, beta)


# The curves are checked on this many equal intervals.
_CHECKED = 1000
# An end value this close to 0 or 1 is taken for it, and is then made exact.
_END_TOLERANCE = 1e-6
# A step or slope this far in the wrong direction is taken for rounding.
_MONOTONE_TOLERANCE = 1e-9
# Distances from an end, exact binary fractions, from which one-sided limits are extrapolated, and how well they must
# agree.
_LIMIT_STEPS = tuple(2.0**-k for k in range(7, 14))
_LIMIT_TOLERANCE = 1e-6


Ends = tuple[tuple[float, float, float], tuple[float, float, float]]
"""A curve at t = 0 and at t = 1: its value, its slope (perhaps infinite) and their product."""


@dataclass(frozen=True)
class Custom(Scheduler):
    r"""A scheduler typed by a user, derivatives by autograd.

    At the ends autograd may give :math:`0 \cdot \infty` (``sqrt(1-t)`` at t = 1). There derivatives and products are
    one-sided limits, extrapolated once. End values within 1e-6 of 0 and 1 are made exact.

    Args:
        alpha_text: formula for alpha, see `fmviz.theory.expressions.parse`.
        beta_text: formula for beta.

    Raises:
        ScheduleError: with the reason ``empty``, ``too_long``, ``syntax``, ``forbidden``, ``not_finite`` (a value
            inside [0, 1], a derivative inside (0, 1), or the derivative of a square), ``endpoint`` or ``not_monotone``.
    """

    alpha_text: str
    beta_text: str
    _alpha: "_Curve" = field(init=False, repr=False, compare=False)
    _beta: "_Curve" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_alpha", _Curve.read("alpha", self.alpha_text, start=0.0, end=1.0))
        object.__setattr__(self, "_beta", _Curve.read("beta", self.beta_text, start=1.0, end=0.0))

    @arraylike
    def evaluate(self, t: Times) -> ScheduleValues:
        alpha, d_alpha, alpha_d_alpha = self._alpha.evaluate(t)
        beta, d_beta, beta_d_beta = self._beta.evaluate(t)
        return ScheduleValues(alpha, beta, d_alpha, d_beta, alpha_d_alpha, beta_d_beta)

    @property
    def curves(self) -> tuple[tuple[expressions.Tree, Ends], tuple[expressions.Tree, Ends]]:
        """The formulas of alpha and beta as plain data, each with its `Ends`."""
        alpha, beta = self._alpha, self._beta
        return (alpha.formula.as_data(), alpha.ends), (beta.formula.as_data(), beta.ends)


@dataclass(frozen=True)
class _Curve:
    """One typed curve; at t = 0 and t = 1 its value, slope and value times slope are the numbers kept in `ends`."""

    formula: expressions.Expression
    ends: Ends

    @classmethod
    def read(cls, name: str, text: str, start: float, end: float) -> "_Curve":
        symbol = {"alpha": "α", "beta": "β"}.get(name, name)
        try:
            return cls._checked(expressions.parse(text), start, end)
        except RecursionError:
            raise ScheduleError("syntax", f"{name}: nested too deeply", symbol) from None
        except ScheduleError as error:
            fact = f"{symbol}: {error.fact}" if error.fact else symbol
            raise ScheduleError(error.reason, f"{name}: {error.detail}", fact) from None

    @classmethod
    def _checked(cls, formula: expressions.Expression, start: float, end: float) -> "_Curve":
        t = torch.linspace(0.0, 1.0, _CHECKED + 1, dtype=torch.float64)
        values, slopes = _differentiate(formula, t)
        _require_finite(values, t, "the value")
        for at, wanted in ((0, start), (1, end)):
            found = float(values[-at])
            if abs(found - wanted) > _END_TOLERANCE:
                detail = f"must be {wanted:g} at t = {at}, but is {found:.6g}"
                raise ScheduleError("endpoint", detail, f"t = {at}: {found:.6g} ≠ {wanted:g}")
        _require_finite(slopes[1:-1], t[1:-1], "the derivative")
        direction = 1.0 if end > start else -1.0
        wrong = (direction * values.diff() < -_MONOTONE_TOLERANCE) | (direction * slopes[1:] < -_MONOTONE_TOLERANCE)
        wrong[-1] = bool(direction * (values[-1] - values[-2]) < -_MONOTONE_TOLERANCE)
        if bool(wrong.any()):
            where = float(t[1:][wrong][0])
            detail = f"must never {'fall' if direction > 0 else 'rise'}, but does near t = {where:.3g}"
            raise ScheduleError("not_monotone", detail, f"t ≈ {where:.3g}")
        return cls(formula, (_end(formula, 0.0, start), _end(formula, 1.0, end)))

    def evaluate(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        value, slope = _differentiate(self.formula, t)
        product = value * slope
        for at, (end_value, end_slope, end_product) in zip((0.0, 1.0), self.ends, strict=True):
            here = t == at
            value, slope = value.masked_fill(here, end_value), slope.masked_fill(here, end_slope)
            product = product.masked_fill(here, end_product)
        return value, slope, product


def _end(formula: expressions.Expression, at: float, value: float) -> tuple[float, float, float]:
    """Value, slope and value times slope at an end of [0, 1]."""
    _, slope_there = _differentiate(formula, torch.tensor([at], dtype=torch.float64))
    if bool(slope_there.isfinite()):
        return value, float(slope_there), value * float(slope_there)
    steps = torch.tensor(_LIMIT_STEPS, dtype=torch.float64)
    values, slopes = _differentiate(formula, (at - steps).abs())
    product, known = _extrapolate(steps, values * slopes)
    if not known:
        detail = f"the derivative of its square has no finite value at t = {at:g}"
        raise ScheduleError("not_finite", detail, f"t = {at:g}")
    slope, known = _extrapolate(steps, slopes)
    return value, slope if known else math.copysign(math.inf, float(slopes[-1])), product


def _extrapolate(steps: Tensor, values: Tensor) -> tuple[float, bool]:
    """Neville's limit of values at step 0, and whether the last two orders agree on it."""
    level, previous = values, values
    for order in range(1, len(steps)):
        previous = level
        ratio = steps[order:] / (steps[:-order] - steps[order:])
        level = level[1:] + (level[1:] - level[:-1]) * ratio
    gap = float((level[-1] - previous[-1]).abs())
    return float(level[-1]), gap <= _LIMIT_TOLERANCE * max(1.0, abs(float(level[-1])))


def _differentiate(formula: expressions.Expression, t: Tensor) -> tuple[Tensor, Tensor]:
    """Values and derivatives; the graph is kept when t itself is being differentiated."""
    if t.requires_grad and torch.is_grad_enabled():
        value = formula(t)
        (slope,) = torch.autograd.grad(value.sum(), t, create_graph=True)
        return value, slope
    with torch.inference_mode(False), torch.enable_grad():
        inner = t.detach().clone().requires_grad_()
        value = formula(inner)
        (slope,) = torch.autograd.grad(value.sum(), inner)
    return value.detach(), slope


def _require_finite(values: Tensor, t: Tensor, what: str) -> None:
    bad = ~values.isfinite()
    if bool(bad.any()):
        where = f"t = {float(t[bad][0]):.3g}"
        raise ScheduleError("not_finite", f"{what} is not a finite number at {where}", where)


def _as_tensor(t: float | Tensor) -> Tensor:
    return t if isinstance(t, Tensor) else torch.tensor(float(t), dtype=torch.float64)
