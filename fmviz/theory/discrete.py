r"""Diffusion in discrete time: the forward chain, its exact posterior, and samplers that step back along it (T40, T59).

A chain visits times :math:`s_0 < s_1 < \dots < s_N` of a dialect, from data to noise. With
:math:`a_k = \alpha_k / \alpha_{k-1}` and :math:`v_k = \beta_k^2 - a_k^2 \beta_{k-1}^2`,

.. math::
    q(x_k | x_{k-1}) = N(a_k x_{k-1}, v_k I), \qquad
    q(x_{k-1} | x_k, z) = N\Big(\frac{a_k \beta_{k-1}^2}{\beta_k^2} x_k + \frac{\alpha_{k-1} v_k}{\beta_k^2} z,\;
    \frac{\beta_{k-1}^2 v_k}{\beta_k^2} I\Big).

An ancestral step draws from the second law with E[z | x_k] in the place of z. DDIM moves instead as if z and the noise stayed
what they are, which is Euler's method for :math:`x/\alpha` in :math:`\sigma = \beta/\alpha`. Ancestral sampling is the
Euler-Maruyama method as well, in other coordinates: with :math:`S = \alpha^2/\beta^2`,

.. math:: d\Big(\frac{S x}{\alpha}\Big) = E[z | x] \, dS + dW_S,

so chains of different lengths can share one Brownian motion in S.
"""

from __future__ import annotations

__all__ = ["Chain", "Denoiser", "Gaussian", "ancestral", "ddim", "exact_denoiser"]

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.theory.arrays import Points, arraylike
from fmviz.theory.dialect import Dialect
from fmviz.theory.dialect_path import DialectPath
from fmviz.theory.mixture import GaussianMixture
from fmviz.theory.reprs import one_line

Denoiser = Callable[[Tensor, int], Tensor]
"""E[z | x_k], exact or learned: called with x (N, 2) and k."""


@dataclass(frozen=True)
class Gaussian:
    """A normal law with covariance `variance` times I: mean (..., 2), variance a scalar tensor."""

    mean: Tensor
    variance: Tensor

    __repr__ = one_line


@dataclass(frozen=True)
class Chain:
    """A Markov chain from data (k = 0) to noise (k = N): the times, alpha and beta, each (N + 1,), float64.

    Make one by `of`, which checks them.
    """

    times: Tensor
    alpha: Tensor
    beta: Tensor

    __repr__ = one_line

    @classmethod
    def of(cls, dialect: Dialect, times: Tensor | Sequence[float] | int) -> Chain:
        """The chain through given times of a dialect.

        Args:
            dialect: whose schedule.
            times: times from the data side to the noise side, strictly monotone; or a number N of steps of equal length in the
                dialect's own time over all of its range.

        Raises:
            ParameterError: fewer than one step, times that do not run strictly from data to noise or lie out of range, or alpha = 0
                anywhere but at the last time.
        """
        if isinstance(times, int):
            if times < 1:
                raise ParameterError("times", "at least one step", times)
            grid = torch.linspace(dialect.data_time, dialect.noise_time, times + 1, dtype=torch.float64)
        else:
            grid = torch.as_tensor(times, dtype=torch.float64)
        if grid.ndim != 1 or len(grid) < 2 or not bool(((grid - dialect.data_time).abs().diff() > 0).all()):
            raise ParameterError(
                "times", f"at least two times strictly from data to noise, as {dialect.name} counts", times
            )
        v = dialect.evaluate(grid)
        return cls(grid, v.alpha, v.beta)

    @property
    def steps(self) -> int:
        """N."""
        return len(self.times) - 1

    @property
    def prior_std(self) -> float:
        """Standard deviation that sampling starts with: that of x_N for data of unit variance, 1 if alpha^2 + beta^2 = 1."""
        return float((self.alpha[-1].square() + self.beta[-1].square()).sqrt())

    @arraylike
    def marginal(self, k: int, z: Points) -> Gaussian:
        """q(x_k | z)."""
        self._check(k, 0)
        return Gaussian(self.alpha[k].to(z) * z, self.beta[k].square().to(z))

    @arraylike
    def transition(self, k: int, x: Points) -> Gaussian:
        """q(x_k | x_{k-1} = x), 1 <= k <= N."""
        self._check(k, 1)
        ratio, variance = self._step(k)
        return Gaussian(ratio.to(x) * x, variance.to(x))

    @arraylike
    def posterior(self, k: int, x: Points, z: Points) -> Gaussian:
        """q(x_{k-1} | x_k = x, z), 1 <= k <= N (T59)."""
        self._check(k, 1)
        ratio, variance = self._step(k)
        kept = (self.beta[k - 1] / self.beta[k]).square()
        mean = (ratio * kept).to(x) * x + self.data_weight(k).to(x) * z
        return Gaussian(mean, (kept * variance).to(x))

    def data_weight(self, k: int) -> Tensor:
        """The factor of z in the mean of `posterior`, alpha_{k-1} v_k / beta_k^2."""
        _, variance = self._step(k)
        return self.alpha[k - 1] * variance / self.beta[k].square()

    @arraylike
    def ddim_step(self, k: int, x: Points, z: Points) -> Tensor:
        """x_{k-1} of DDIM (T59): alpha_{k-1} z + beta_{k-1} eps, with the eps for which x_k = alpha_k z + beta_k eps."""
        self._check(k, 1)
        ratio = self.beta[k - 1] / self.beta[k]
        return (self.alpha[k - 1] - ratio * self.alpha[k]).to(x) * z + ratio.to(x) * x

    @arraylike
    def sde_step(self, k: int, x: Points, z: Points, noise: Points, amplitude: float = 1.0) -> Tensor:
        r"""x_{k-1} by the SDE whose diffusion coefficient is `amplitude` times that of the time reversal (T21, T24), z held fixed.

        With z fixed, d = (x - alpha z) / beta is an Ornstein-Uhlenbeck process in lambda = log(alpha^2 / beta^2), of which this is
        the exact transition. Amplitude 1 draws from `posterior`, amplitude 0 is `ddim_step`.

        Args:
            k: 1 … N.
            x: x_k, (..., 2).
            z: the prediction of the data at x.
            noise: standard normal, in the shape of x.
            amplitude: at least 0.
        """
        self._check(k, 1)
        if amplitude == 0.0:
            return self.ddim_step(k, x, z)
        # exp(-(lambda_{k-1} - lambda_k) / 2), 0 at the data
        ratio = self.beta[k - 1] * self.alpha[k] / (self.alpha[k - 1] * self.beta[k])
        kept = ratio.pow(amplitude**2)
        deviation = (x - self.alpha[k].to(x) * z) / self.beta[k].to(x)
        deviation = kept.to(x) * deviation + (1.0 - kept.square()).sqrt().to(x) * noise
        return self.alpha[k - 1].to(x) * z + self.beta[k - 1].to(x) * deviation

    def _step(self, k: int) -> tuple[Tensor, Tensor]:
        """a_k and v_k; v_k is written as a sum of products, without cancellation for close times."""
        ratio = self.alpha[k] / self.alpha[k - 1]
        kept = ratio * self.beta[k - 1]
        return ratio, (self.beta[k] - kept) * (self.beta[k] + kept)

    def _check(self, k: int, least: int) -> None:
        if not least <= k <= self.steps:
            raise ParameterError("k", f"a step from {least} to {self.steps}", k)


def exact_denoiser(p_data: GaussianMixture, dialect: Dialect, chain: Chain) -> Denoiser:
    """E[z | x_k] on a mixture, exactly, for a chain of that dialect."""
    path = DialectPath(p_data, dialect)
    path.prepare(chain.times)
    times = chain.times.tolist()
    return lambda x, k: path.posterior_mean(x, times[k])


@arraylike
def ancestral(
    chain: Chain,
    denoiser: Denoiser,
    x: Points,
    *,
    generator: torch.Generator | None = None,
    noise: Sequence[Tensor] | None = None,
) -> Tensor:
    """Ancestral sampling: N draws of q(x_{k-1} | x_k, z) with E[z | x_k] for z (T59).

    Args:
        chain: the chain.
        denoiser: exact or learned.
        x: draws of x_N, (n, 2).
        generator: source of the noise.
        noise: standard normal noise of the steps k = N … 1, each (n, 2), in the place of the generator's.

    Returns:
        x_N, x_{N-1} … x_0, (N + 1, n, 2). The last step is without noise where beta_0 = 0.
    """
    kept = [x]
    for i, k in enumerate(range(chain.steps, 0, -1)):
        law = chain.posterior(k, kept[-1], denoiser(kept[-1], k))
        drawn = torch.randn(x.shape, generator=generator, dtype=x.dtype) if noise is None else noise[i]
        kept.append(law.mean + law.variance.sqrt() * drawn.to(x))
    return torch.stack(kept)


@arraylike
def ddim(chain: Chain, denoiser: Denoiser, x: Points) -> Tensor:
    """Deterministic sampling by DDIM (T59).

    Args:
        chain: the chain.
        denoiser: exact or learned.
        x: draws of x_N, (n, 2).

    Returns:
        x_N, x_{N-1} … x_0, (N + 1, n, 2).
    """
    steps = range(chain.steps, 0, -1)
    return torch.stack(
        list(itertools.accumulate(steps, lambda at, k: chain.ddim_step(k, at, denoiser(at, k)), initial=x))
    )
