r"""A probability path in the words of a dialect: every exact prediction at the dialect's own x and s.

Each Gaussian path to p_data is the linear path with another clock and another scale (T56). With the linear time
:math:`t = \alpha / (\alpha + \beta)` the point is :math:`y = x / (\alpha + \beta)`, so everything is read off there, on the
whole range of the dialect, where alpha = 0 and where beta = 0 too.
"""

from __future__ import annotations

__all__ = ["DialectPath"]

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from fmviz.errors import SingularTimeError
from fmviz.theory.arrays import Points, Time, Times, arraylike, pointwise
from fmviz.theory.dialect import Dialect
from fmviz.theory.mixture import GaussianMixture
from fmviz.theory.path import ProbabilityPath
from fmviz.theory.reprs import one_line
from fmviz.theory.schedulers import Linear, ScheduleValues


@dataclass(frozen=True)
class DialectPath:
    """The path from N(0, I) noise to p_data under a dialect. Points are (..., 2); s is a float or broadcastable to the batch.

    Args:
        p_data: the data.
        dialect: whose time, schedule and velocity are meant.
    """

    p_data: GaussianMixture
    dialect: Dialect

    __repr__ = one_line

    @property
    def dtype(self) -> torch.dtype:
        """Floating type of the data."""
        return self.p_data.dtype

    @property
    def device(self) -> torch.device:
        """Device of the data."""
        return self.p_data.device

    @cached_property
    def linear(self) -> ProbabilityPath:
        """The same path with the linear scheduler."""
        return ProbabilityPath(
            GaussianMixture.standard(dtype=self.p_data.dtype, device=self.p_data.device), self.p_data, Linear()
        )

    @arraylike
    def marginal(self, s: Time) -> GaussianMixture:
        """The exact law of x at time s (T13): means alpha mu_k, covariances alpha^2 Sigma_k + beta^2 I.

        Raises:
            ParameterError: s is out of range.
        """
        v = self.dialect.evaluate(s)
        alpha, variance = float(v.alpha), float(v.beta.square())
        eye = torch.eye(2, dtype=torch.float64, device=self.p_data.device)
        means, covariances = (
            alpha * self.p_data.means.double(),
            alpha**2 * self.p_data.covariances.double() + variance * eye,
        )
        return GaussianMixture(means, covariances, self.p_data.weights.double(), self.p_data.labels).to(
            self.p_data.dtype
        )

    @pointwise
    def posterior_mean(self, x: Points, s: Time) -> Tensor:
        """E[z | x], the prediction "data" (T57)."""
        mean, _, _ = self._data_and_score(x, s)
        return mean

    @pointwise
    def score(self, x: Points, s: Time) -> Tensor:
        """Gradient of the log density in x, the prediction "score"."""
        _, score, _ = self._data_and_score(x, s)
        return score

    @pointwise
    def noise(self, x: Points, s: Time) -> Tensor:
        """E[eps | x] = -beta score, the prediction "noise"."""
        _, score, v = self._data_and_score(x, s)
        return -v.beta.unsqueeze(-1).to(x) * score

    @pointwise
    def velocity(self, x: Points, s: Time) -> Tensor:
        """dx/ds given z and eps, averaged: alpha' E[z|x] - beta beta' score, finite where beta' is not (T15, T57).

        Raises:
            SingularTimeError: the derivative of alpha is infinite at s.
        """
        mean, score, v = self._data_and_score(x, s)
        if not bool(v.d_alpha.isfinite().all()):
            raise SingularTimeError("the velocity is infinite at this time")
        return v.d_alpha.unsqueeze(-1).to(x) * mean - v.beta_d_beta.unsqueeze(-1).to(x) * score

    @pointwise
    def posterior_variance(self, x: Points, s: Time) -> Tensor:
        """tr Cov[z | x], (...): the smallest squared error of any prediction of z from x.

        Raises:
            ParameterError: s is out of range.
        """
        y, t, _ = self._linear_point(x, s)
        # On the linear path the velocity given z is (z - y) / (1 - t).
        return self.linear.target_covariance_trace(y, t) * (1.0 - t).square().to(x)

    @arraylike
    def prepare(self, times: Times) -> None:
        """Work out the tables of many times at once, so that later calls with exactly these floats are quick.

        Changes no result. Worth it before stepping through a known grid.

        Args:
            times: (T,), the floats.
        """
        v = self.dialect.evaluate(times.double())
        self.linear.prepare((v.alpha / (v.alpha + v.beta)).tolist())

    def _data_and_score(self, x: Tensor, s: float | Tensor) -> tuple[Tensor, Tensor, ScheduleValues]:
        y, t, v = self._linear_point(x, s)
        velocity, score = self.linear.velocity_and_score(y, t if isinstance(s, Tensor) else float(t))
        left = (1.0 - t).unsqueeze(-1).to(x)
        scale = (v.alpha + v.beta).unsqueeze(-1).to(x)
        return velocity - left * score, score / scale, v

    def _linear_point(self, x: Tensor, s: float | Tensor) -> tuple[Tensor, Tensor, ScheduleValues]:
        """The point and the time on the linear path, and the schedule."""
        v = self.dialect.evaluate(torch.as_tensor(s, dtype=torch.float64, device=x.device))
        total = v.alpha + v.beta
        return x / total.unsqueeze(-1).to(x), v.alpha / total, v
