"""What proves the page Dictionary: one path, conversions there and back, DDIM as Euler, the law of the forward process."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch

from fmviz.lessons.dictionary.compute import forward
from fmviz.lessons.dictionary.compute.steps import euler_gap
from fmviz.theory import GaussianMixture
from fmviz.theory.dialect_path import DialectPath
from fmviz.theory.dialects import PREDICTIONS, Dialect, translate

__all__ = ["Check", "checks"]

TIMES, POINTS, STEPS, DRAWS = 20, 16, 16, 4000


@dataclass(frozen=True)
class Check:
    """Largest differences, all relative but the last.

    Attributes:
        path: the exact E[z | x] of A and of B at the translated point (T56).
        conversions: every prediction turned into every other and back, in A and in B (T57).
        euler: DDIM and Euler's method for x / alpha in sigma (T59).
        moments: second moment of the simulated forward process against the exact one, in standard errors (T58).
    """

    path: float
    conversions: float
    euler: float
    moments: float


@torch.inference_mode()
def checks(data: GaussianMixture, a: Dialect, b: Dialect) -> Check:
    """All of them, in float64."""
    exact = data.to(torch.float64)
    generator = torch.Generator().manual_seed(0)
    low = max(a.log_snr_range[0], b.log_snr_range[0], -8.0)
    high = min(a.log_snr_range[1], b.log_snr_range[1], 8.0)
    s = a.time(torch.linspace(low, high, TIMES, dtype=torch.float64))[:, None].expand(TIMES, POINTS)
    z = exact.sample(TIMES * POINTS, generator=generator).reshape(TIMES, POINTS, 2)
    eps = torch.randn(z.shape, generator=generator, dtype=torch.float64)
    x = a.alpha(s)[..., None] * z + a.beta(s)[..., None] * eps
    y, t = translate(x, s, a, b)
    here, there = DialectPath(exact, a).posterior_mean(x, s), DialectPath(exact, b).posterior_mean(y, t)
    size = float(here.abs().max())
    returned = 0.0
    for dialect, point, time in ((a, x, s), (b, y, t)):
        for one, other in itertools.permutations(PREDICTIONS, 2):
            value = dialect.convert(here, point, time, predicts="data", to=one)
            back = dialect.convert(
                dialect.convert(value, point, time, predicts=one, to=other), point, time, predicts=other, to=one
            )
            returned = max(returned, float((back - value).abs().max() / value.abs().max()))
    return Check(float((here - there).abs().max()) / size, returned, euler_gap(data, a, STEPS), _moments(exact, a))


def _moments(data: GaussianMixture, dialect: Dialect) -> float:
    chain = forward.grid(dialect, STEPS)
    out = forward.forward(chain, data, DRAWS, torch.Generator().manual_seed(1))
    variances = data.covariances.diagonal(dim1=1, dim2=2).sum(-1)
    second = float((data.weights * (data.means.square().sum(-1) + variances)).sum())
    worst = 0.0
    for k in range(chain.steps + 1):
        squares = out[k].square().sum(-1)
        expected = float(chain.alpha[k].square()) * second + 2.0 * float(chain.beta[k].square())
        worst = max(worst, abs(float(squares.mean()) - expected) / (float(squares.std()) / math.sqrt(DRAWS)))
    return worst
