r"""The variational bound of a diffusion model in discrete time, term by term, against the exact -E log p_data (T40).

With :math:`p_\theta(x_{k-1} | x_k) = N(\mu_k(x_k, \hat z), \sigma_k^2 I)`, where :math:`\mu_k` is the mean of
:math:`q(x_{k-1} | x_k, z)` with a prediction :math:`\hat z` for z (Ho et al. 2020, eq. 5),

.. math::
    -E \log p_\theta(x_0) \le \underbrace{KL(q(x_N | x_0) \| p(x_N))}_{prior} + \sum_{k=2}^N \underbrace{KL(q(x_{k-1} | x_k,
    x_0) \| p_\theta(x_{k-1} | x_k))}_{step \; k} \underbrace{- \log p_\theta(x_0 | x_1)}_{reconstruction}.

With :math:`\hat z = E[z | x_k]` the expected squared error is E tr Cov[z | x_k], exact at every x_k, so only the average over
:math:`x_k` is Monte Carlo. The choice of :math:`\sigma_k^2` is free:

===========  ==================================================================================================
``small``    variance of q(x_{k-1} | x_k, z): right for data in one point
``large``    variance of q(x_k | x_{k-1}), as of q(x_{k-1} | x_k) for very spread data (Ho et al. 2020)
``optimal``  the average variance of q(x_{k-1} | x_k), which makes the bound smallest (Bao et al. 2022)
===========  ==================================================================================================
"""

from __future__ import annotations

__all__ = ["VARIANCES", "Variance", "VariationalBound", "variational_bound"]

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.theory.counts import as_count
from fmviz.theory.dialect import Dialect
from fmviz.theory.dialect_path import DialectPath
from fmviz.theory.discrete import Chain
from fmviz.theory.mixture import GaussianMixture
from fmviz.theory.reprs import one_line

Variance = Literal["small", "large", "optimal"]
VARIANCES: tuple[Variance, ...] = get_args(Variance)
"""Choices of the variances of the reverse steps."""

# Steps whose points are evaluated at once.
_BLOCK = 32


@dataclass(frozen=True)
class VariationalBound:
    """The bound in nats, term by term, float64.

    Attributes:
        prior: KL from the law of x_N given z to the prior, averaged over z.
        steps: KL of steps 2 … N, (N - 1,).
        reconstruction: -E log p(x_0 | x_1).
        errors: standard errors of `reconstruction` and `steps` together, (N,), of steps 1 … N.
    """

    prior: float
    steps: Tensor
    reconstruction: float
    errors: Tensor

    __repr__ = one_line

    @property
    def total(self) -> float:
        """The bound on -E log p_theta(x_0)."""
        return self.prior + float(self.steps.sum()) + self.reconstruction

    @property
    def error(self) -> float:
        """Its standard error; the draws of different steps are independent."""
        return float(self.errors.square().sum().sqrt())


def variational_bound(
    p_data: GaussianMixture,
    dialect: Dialect,
    chain: Chain,
    *,
    variance: Variance = "optimal",
    n: int = 1000,
    generator: torch.Generator | None = None,
) -> VariationalBound:
    """The bound for the exact E[z | x_k].

    Args:
        p_data: the data.
        dialect: of the chain.
        chain: its steps; its first time must be the data (beta_0 = 0).
        variance: one of `VARIANCES`. "small" has no density at the last step, which then takes the variance "large".
        n: draws of x_k for each step.
        generator: source of randomness.

    Raises:
        ParameterError: an unknown variance, or a chain that does not start at the data.
    """
    if variance not in VARIANCES:
        raise ParameterError("variance", f"one of {', '.join(VARIANCES)}", variance)
    if float(chain.beta[0]) != 0.0:
        raise ParameterError("chain", "a chain that starts at the data, where beta = 0", float(chain.beta[0]))
    n, data = as_count("n", n, 2), p_data.to(torch.float64)
    expected, errors = _prediction_errors(DialectPath(data, dialect), chain, n, generator)
    ks = range(1, chain.steps + 1)
    weight = torch.stack([chain.data_weight(k).square() for k in ks])
    laws = [(chain.transition(k, torch.zeros(2, dtype=torch.float64)), _posterior_variance(chain, k)) for k in ks]
    small = torch.stack([inner for _, inner in laws])
    large = torch.stack([step.variance for step, _ in laws])
    missed = weight * expected  # E |mean given z - mean given x|^2
    match variance:
        case "small":
            chosen = torch.cat((large[:1], small[1:]))
        case "large":
            chosen = large
        case "optimal":
            chosen = small + 0.5 * missed
    ratio = small / chosen
    # In two dimensions the trace terms have the factor 2/2.
    steps = ratio - 1.0 - ratio.log() + 0.5 * missed / chosen
    reconstruction = (2.0 * math.pi * chosen[0]).log() + 0.5 * missed[0] / chosen[0]
    return VariationalBound(_prior(data, chain), steps[1:], float(reconstruction), 0.5 * weight * errors / chosen)


def _posterior_variance(chain: Chain, k: int) -> Tensor:
    zero = torch.zeros(2, dtype=torch.float64)
    return chain.posterior(k, zero, zero).variance


def _prediction_errors(
    path: DialectPath, chain: Chain, n: int, generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    """E tr Cov[z | x_k] and its standard error, each (N,), for k = 1 … N."""
    means, errors = [], []
    for ks in torch.split(torch.arange(1, chain.steps + 1), _BLOCK):
        z = path.p_data.sample(n * len(ks), generator=generator).reshape(len(ks), n, 2)
        eps = torch.randn(z.shape, generator=generator, dtype=torch.float64)
        x = chain.alpha[ks, None, None] * z + chain.beta[ks, None, None] * eps
        found = path.posterior_variance(x, chain.times[ks, None])
        means.append(found.mean(dim=1))
        errors.append(found.std(dim=1) / math.sqrt(n))
    return torch.cat(means), torch.cat(errors)


def _prior(data: GaussianMixture, chain: Chain) -> float:
    """E KL(N(alpha_N z, beta_N^2 I) || N(0, prior_std^2 I)), exact in the second moment of the data."""
    second = float(
        (data.weights * (data.means.square().sum(-1) + data.covariances.diagonal(dim1=1, dim2=2).sum(-1))).sum()
    )
    inverse = chain.prior_std**-2
    ratio = float(chain.beta[-1].square()) * inverse
    return ratio - 1.0 - math.log(ratio) + 0.5 * float(chain.alpha[-1].square()) * second * inverse
