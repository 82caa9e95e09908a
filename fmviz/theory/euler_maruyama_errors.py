r"""The error of Euler-Maruyama at time 1, path by path and on average (T8).

Strong error :math:`E|X_1^h - X_1|`, both driven by the same Brownian path; weak error :math:`|E X_1^h - E X_1|`, here
measured as the mean of :math:`X_1^h - X_1` along common paths, whose variance is far smaller than that of either. In
general the strong order is 1/2 and the weak order 1. Where the diffusion coefficient does not depend on x (additive
noise, all that T7 has) the term that costs the half order, :math:`\tfrac12 g g' (\Delta W^2 - h)`, vanishes, and the
strong order is 1 as well (Kloeden and Platen, Numerical Solution of Stochastic Differential Equations, 10.2 and 10.3).
Two equations with known solutions show both: Ornstein-Uhlenbeck, and geometric Brownian motion

.. math:: dX = \mu X dt + \nu X dW, \qquad X_1 = x_0 \exp(\mu - \tfrac12 \nu^2 + \nu W_1).
"""

__all__ = [
    "STEPS",
    "Errors",
    "GeometricBrownianMotion",
    "OUEquation",
    "Order",
    "ScalarSDE",
    "euler_maruyama",
    "measure_errors",
]

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.theory.arrays import Numbers, arraylike
from fmviz.theory.counts import as_count
from fmviz.theory.processes import OrnsteinUhlenbeck
from fmviz.theory.reprs import one_line

STEPS = (8, 16, 32, 64, 128, 256)
"""Default step counts."""


class ScalarSDE(Protocol):
    """A scalar SDE dX = f(X) dt + g(X) dW from one start, with a known solution."""

    @property
    def strong_order(self) -> float:
        """Of Euler-Maruyama, in theory."""

    @property
    def weak_order(self) -> float:
        """Of Euler-Maruyama, in theory."""

    @property
    def start(self) -> float:
        """X_0."""

    def drift(self, x: Tensor) -> Tensor:
        """f, of the shape of x."""

    def diffusion(self, x: Tensor) -> Tensor | float:
        """g, of the shape of x or the same everywhere."""

    def exact_endpoint(self, increments: Tensor, generator: torch.Generator) -> Tensor:
        """X_1 (N,) of the solution, given the increments (n, N) of W over n equal steps."""


@dataclass(frozen=True)
class OUEquation:
    """The Ornstein-Uhlenbeck process: the noise does not depend on where the particle is."""

    theta: float = 1.0
    sigma: float = 1.0
    start: float = 1.0

    strong_order = 1.0
    weak_order = 1.0

    @arraylike
    def drift(self, x: Numbers) -> Tensor:
        """-theta x."""
        return -self.theta * x

    @arraylike
    def diffusion(self, x: Numbers) -> float:
        """sigma."""
        return self.sigma

    @arraylike
    def exact_endpoint(self, increments: Numbers, generator: torch.Generator) -> Tensor:
        """X_1 (N,) given the increments (n, N) of W over n equal steps.

        The rest of the stochastic integral is Gaussian and independent of them, and is drawn in one go.
        """
        process, n = OrnsteinUhlenbeck(self.theta, self.sigma), len(increments)
        along, across = process.integral(1.0 / n)
        left = torch.arange(n - 1, -1, -1, dtype=increments.dtype) / n
        decay = torch.exp(-self.theta * left)
        rest = torch.randn(increments.shape[1], generator=generator, dtype=increments.dtype)
        known = along * (decay @ increments) + across * decay.square().sum().sqrt() * rest
        return math.exp(-self.theta) * self.start + self.sigma * known


@dataclass(frozen=True)
class GeometricBrownianMotion:
    """Geometric Brownian motion: the noise grows with the particle."""

    mu: float = 1.0
    nu: float = 0.7
    start: float = 1.0

    strong_order = 0.5
    weak_order = 1.0

    @arraylike
    def drift(self, x: Numbers) -> Tensor:
        """mu x."""
        return self.mu * x

    @arraylike
    def diffusion(self, x: Numbers) -> Tensor:
        """nu x."""
        return self.nu * x

    @arraylike
    def exact_endpoint(self, increments: Numbers, generator: torch.Generator) -> Tensor:
        """X_1 (N,) given the increments (n, N) of W over n equal steps, which determine it."""
        return self.start * torch.exp(self.mu - 0.5 * self.nu**2 + self.nu * increments.sum(0))


@dataclass(frozen=True)
class Order:
    """An order of convergence: the `measured` slope on log-log axes with its standard `error`, and that of the theory."""

    measured: float
    error: float
    expected: float


@dataclass(frozen=True)
class Errors:
    """Errors of Euler-Maruyama at several step counts, each with its standard error.

    Attributes:
        steps: step counts.
        strong, strong_error: E|X_1^h - X_1|.
        weak, weak_error: |E X_1^h - E X_1|.
        strong_order, weak_order: the slopes of both.
        paths: number of Brownian paths.
    """

    steps: tuple[int, ...]
    strong: tuple[float, ...]
    strong_error: tuple[float, ...]
    weak: tuple[float, ...]
    weak_error: tuple[float, ...]
    strong_order: Order
    weak_order: Order
    paths: int

    __repr__ = one_line


@arraylike
def euler_maruyama(
    drift: Callable[[Tensor], Tensor],
    diffusion: Callable[[Tensor], Tensor | float],
    x0: Numbers,
    increments: Numbers,
    h: float,
) -> Iterator[Tensor]:
    """Euler-Maruyama driven by given increments of W: X_0, X_h, … one by one (T8).

    Args:
        drift, diffusion: f and g of dX = f(X) dt + g(X) dW.
        x0: starting points, any floating shape.
        increments: of W over n steps, (n, *x0.shape).
        h: the step.
    """
    x = x0
    yield x
    for increment in increments:
        x = torch.add(x, drift(x), alpha=h) + diffusion(x) * increment
        yield x


def measure_errors(
    equation: ScalarSDE, *, generator: torch.Generator, steps: Sequence[int] = STEPS, paths: int = 50_000
) -> Errors:
    """Both errors of Euler-Maruyama on `equation`, in float64, all step counts on the same Brownian paths.

    Args:
        equation: an equation whose solution is known.
        generator: source of the Brownian paths.
        steps: increasing step counts, each a divisor of the last, at least two.
        paths: number of Brownian paths, at least two.

    Raises:
        ParameterError: step counts that do not divide the last, or too few of anything.
    """
    steps, paths = [as_count("steps", n, 1) for n in steps], as_count("paths", paths, 2)
    if len(steps) < 2 or any(steps[-1] % n for n in steps):
        raise ParameterError("steps", "at least two counts that divide the last", tuple(steps))
    finest = steps[-1]
    fine = torch.randn(finest, paths, generator=generator, dtype=torch.float64) * math.sqrt(1.0 / finest)
    exact = equation.exact_endpoint(fine, generator)
    x0 = torch.full((paths,), equation.start, dtype=torch.float64)
    strong, weak = [], []
    for n in steps:
        increments = fine.reshape(n, finest // n, paths).sum(1)
        (end,) = deque(euler_maruyama(equation.drift, equation.diffusion, x0, increments, 1.0 / n), maxlen=1)
        gap = end - exact
        strong.append(_mean(gap.abs()))
        weak.append(_mean(gap))
    weak = [(abs(value), error) for value, error in weak]
    return Errors(
        steps=tuple(steps),
        strong=tuple(value for value, _ in strong),
        strong_error=tuple(error for _, error in strong),
        weak=tuple(value for value, _ in weak),
        weak_error=tuple(error for _, error in weak),
        strong_order=_order(steps, strong, equation.strong_order),
        weak_order=_order(steps, weak, equation.weak_order),
        paths=paths,
    )


def _mean(values: Tensor) -> tuple[float, float]:
    """The mean and its standard error."""
    return float(values.mean()), float(values.std() / math.sqrt(len(values)))


def _order(steps: Sequence[int], errors: Sequence[tuple[float, float]], expected: float) -> Order:
    """Least squares of -log(error) on log(steps), each point weighted by how well its logarithm is known."""
    x = [math.log(n) for n in steps]
    y = [-math.log(value) for value, _ in errors]
    w = [(value / error) ** 2 for value, error in errors]
    total = sum(w)
    centre = sum(a * b for a, b in zip(w, x, strict=True)) / total
    spread = sum(a * (b - centre) ** 2 for a, b in zip(w, x, strict=True))
    slope = sum(a * (b - centre) * c for a, b, c in zip(w, x, y, strict=True)) / spread
    return Order(slope, 1.0 / math.sqrt(spread), expected)
