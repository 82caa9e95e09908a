r"""Brownian motion, the Ornstein-Uhlenbeck process and Langevin dynamics (T6, T9, T10, T11).

The Ornstein-Uhlenbeck process is solved by

.. math:: X_{t+h} = e^{-\theta h} X_t + \sigma I, \qquad I = \int_0^h e^{-\theta (h - s)} dW_{t+s},

and :math:`I` is Gaussian together with the increment :math:`\Delta W = W_{t+h} - W_t` that drives it:

.. math::
    \mathrm{Var}\, I = \frac{1 - e^{-2 \theta h}}{2 \theta}, \qquad
    \mathrm{Cov}(I, \Delta W) = \frac{1 - e^{-\theta h}}{\theta}, \qquad
    \mathrm{Var}\, \Delta W = h .

So the exact path can be drawn for any step **with the Brownian path it belongs to**, and an approximation driven by the
same noise can be compared with it, trajectory by trajectory.
"""

__all__ = ["DrivenPaths", "Langevin", "OrnsteinUhlenbeck", "brownian_motion"]

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.theory.arrays import Numbers, Points, arraylike, pointwise
from fmviz.theory.counts import as_count
from fmviz.theory.mixture import GaussianMixture
from fmviz.theory.reprs import one_line

_MOST_LEVELS = 24


def brownian_motion(levels: int, shape: Sequence[int], *, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    r"""Brownian motion on [0, 1] by Lévy's construction (T6): the end first, then the middle of every interval, and so on.

    Given both ends of an interval of length h, its middle is :math:`N(\tfrac12 (W_a + W_b), \tfrac h4)`. A path drawn with
    fewer levels from an equal generator is therefore the same path on a coarser grid.

    Args:
        levels: 2^levels equal intervals, 0 to 24.
        shape: of W_t, such as (N, 2); its coordinates are independent.
        generator: source of randomness.
        dtype: floating type.

    Returns:
        W at the times i / 2^levels, (2^levels + 1, *shape), zero at time 0.

    Raises:
        ParameterError: levels outside its range.
    """
    levels = as_count("levels", levels, 0, _MOST_LEVELS)
    end = torch.randn(1, *shape, generator=generator, dtype=dtype)
    points = torch.cat((torch.zeros_like(end), end))
    for level in range(levels):
        noise = torch.randn(2**level, *shape, generator=generator, dtype=dtype)
        middle = 0.5 * (points[:-1] + points[1:]) + 0.5 * 2.0 ** (-level / 2) * noise
        between = torch.stack((points[:-1], middle), dim=1).flatten(0, 1)
        points = torch.cat((between, points[-1:]))
    return points


@dataclass(frozen=True, eq=False)
class DrivenPaths:
    """Paths (T, *shape) of a process, and the Brownian paths W (T, *shape), W = 0 at the first time, that drive them."""

    paths: Tensor
    brownian: Tensor

    __repr__ = one_line


@dataclass(frozen=True)
class OrnsteinUhlenbeck:
    r"""dX = -theta X dt + sigma dW, every coordinate by itself (T9).

    Attributes:
        theta: rate of the pull towards the origin, positive.
        sigma: the diffusion coefficient, at least 0; 0 is the linear ODE of T3.

    Raises:
        ParameterError: a parameter outside its range.
    """

    theta: float
    sigma: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.theta) and self.theta > 0.0):
            raise ParameterError("theta", "a positive number", self.theta)
        if not (math.isfinite(self.sigma) and self.sigma >= 0.0):
            raise ParameterError("sigma", "a number, at least 0", self.sigma)

    @property
    def stationary_variance(self) -> float:
        """D = sigma² / (2 theta), of each coordinate."""
        return self.sigma**2 / (2.0 * self.theta)

    @property
    def stationary(self) -> GaussianMixture:
        """The stationary distribution N(0, D I) in the plane, float64.

        Raises:
            ParameterError: sigma is 0: every path tends to the origin, and the limit has no density.
        """
        if self.sigma == 0.0:
            raise ParameterError("sigma", "a positive number for a law with a density", self.sigma)
        covariance = self.stationary_variance * torch.eye(2, dtype=torch.float64)
        return GaussianMixture(torch.zeros(1, 2, dtype=torch.float64), covariance[None], torch.ones(1))

    @arraylike
    def drift(self, x: Numbers, t: float) -> Tensor:
        """-theta x, of the shape of x."""
        return -self.theta * x

    def diffusion(self, t: float) -> float:
        """sigma, the same at all times."""
        return self.sigma

    @arraylike
    def mean(self, x0: Numbers, t: Numbers) -> Tensor:
        """E[X_t | X_0 = x0], for times of any shape broadcastable to that of x0."""
        return torch.exp(-self.theta * t) * x0

    @arraylike
    def variance(self, t: Numbers) -> Tensor:
        """Var[X_t | X_0] of each coordinate, of the shape of t; accurate for short times too."""
        return -self.stationary_variance * torch.expm1(-2.0 * self.theta * t)

    def langevin(self) -> "Langevin":
        """The same process as Langevin dynamics on its own stationary distribution (T11). Raises ParameterError for sigma 0."""
        return Langevin(self.stationary, self.sigma)

    @arraylike
    def simulate(self, x0: Numbers, times: Sequence[float], *, generator: torch.Generator) -> DrivenPaths:
        """Paths with the exact joint distribution at all times, and the Brownian paths that drive them.

        The numbers drawn do not depend on theta and sigma, so the Brownian paths depend on the times only.

        Args:
            x0: starting points, any floating shape.
            times: T times, strictly increasing.
            generator: source of randomness.

        Raises:
            ParameterError: times that do not increase.
        """
        steps = [end - start for start, end in itertools.pairwise(times)]
        if not steps or not all(h > 0.0 for h in steps):
            raise ParameterError("times", "at least two times, strictly increasing", list(times))
        shape = (len(steps), *x0.shape)
        noise, other = (torch.randn(shape, generator=generator, dtype=x0.dtype) for _ in range(2))
        increments = noise * x0.new_tensor(steps).sqrt().reshape(-1, *(1 for _ in x0.shape))
        paths = [x0]
        for h, increment, rest in zip(steps, increments, other, strict=True):
            along, across = self.integral(h)
            paths.append(
                math.exp(-self.theta * h) * paths[-1] + (self.sigma * along) * increment + (self.sigma * across) * rest
            )
        return DrivenPaths(torch.stack(paths), torch.cat((torch.zeros_like(x0)[None], increments.cumsum(0))))

    def integral(self, h: float) -> tuple[float, float]:
        r"""(c, r) such that :math:`I = c \Delta W + r \xi` over a step h, with :math:`\xi \sim N(0, 1)` independent of W."""
        variance = -math.expm1(-2.0 * self.theta * h) / (2.0 * self.theta)
        covariance = -math.expm1(-self.theta * h) / self.theta
        # For theta h below 1e-7 the difference of the two is lost in rounding, and may come out negative.
        rest = max(0.0, variance - covariance**2 / h)
        return covariance / h, math.sqrt(rest)


@dataclass(frozen=True, eq=False)
class Langevin:
    """dX = (sigma² / 2) grad log p(X) dt + sigma dW, which leaves p invariant (T10).

    Its distribution depends on sigma and t through sigma² t only: sigma sets the pace.

    Attributes:
        p: the invariant distribution.
        sigma: the diffusion coefficient, at least 0.

    Raises:
        ParameterError: sigma outside its range.
    """

    p: GaussianMixture
    sigma: float

    __repr__ = one_line

    @property
    def dtype(self) -> torch.dtype:
        """Floating type of the invariant distribution."""
        return self.p.dtype

    @property
    def device(self) -> torch.device:
        """Device of the invariant distribution."""
        return self.p.device

    def __post_init__(self) -> None:
        if not (math.isfinite(self.sigma) and self.sigma >= 0.0):
            raise ParameterError("sigma", "a number, at least 0", self.sigma)

    @pointwise
    def drift(self, x: Points, t: float) -> Tensor:
        """(sigma² / 2) times the score of p, of the shape of x."""
        return (0.5 * self.sigma**2) * self.p.score(x)

    def diffusion(self, t: float) -> float:
        """sigma, the same at all times."""
        return self.sigma

    @property
    def max_stable_step(self) -> float:
        """The longest step with which Euler-Maruyama does not diverge in the narrowest component.

        Along an axis of variance v the drift pulls back at the rate sigma² / (2 v), and an explicit step multiplies the
        deviation by 1 - h sigma² / (2 v): less than -1 for h above 4 v / sigma². Infinite for sigma 0.
        """
        narrowest = float(torch.linalg.eigvalsh(self.p.covariances.double()).min())
        return 4.0 * narrowest / self.sigma**2 if self.sigma > 0.0 else math.inf
