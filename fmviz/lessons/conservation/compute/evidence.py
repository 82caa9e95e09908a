"""The numbers that prove the maps: against automatic differentiation, and what a broken law costs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.theory import ProbabilityPath, conservation
from fmviz.theory.checks import fokker_planck_residual
from fmviz.theory.sigmas import Sigma

__all__ = ["TIMES", "Agreement", "agreement"]

TIMES = (0.1, 0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True)
class Agreement:
    """Largest difference of each term of the marginal path from automatic differentiation, relative to the term.

    Attributes:
        rate: d/dt p.
        carried: div(p [u + (sigma^2 / 2) s]).
        diffusion: (sigma^2 / 2) Laplace p.
        points: how many points were compared.
    """

    rate: float
    carried: float
    diffusion: float
    points: int


def agreement(path: ProbabilityPath, sigma: Sigma, n: int = 200) -> Agreement:
    """The terms at `n` exact samples of p_t for each of `TIMES`, in float64."""
    exact = path.to(torch.float64)
    generator = torch.Generator().manual_seed(0)
    worst = [0.0, 0.0, 0.0]
    for t in TIMES:
        x = exact.sample(n, t, generator=generator)
        times = torch.tensor([t], dtype=torch.float64)
        half = 0.5 * torch.as_tensor(sigma(times)).square()
        ours = conservation.terms(conservation.moving_marginal(exact, times), x, half)
        theirs = fokker_planck_residual(exact, x, t, sigma)
        pairs = (
            (ours.rate[0], theirs.density_rate),
            (-(ours.transport + ours.score_transport)[0], theirs.flux_divergence),
            (ours.diffusion[0], theirs.diffusion),
        )
        worst = [max(known, _apart(*pair)) for known, pair in zip(worst, pairs, strict=True)]
    return Agreement(worst[0], worst[1], worst[2], n * len(TIMES))


def _apart(ours: Tensor, theirs: Tensor) -> float:
    largest = float(theirs.abs().max())
    return float((ours - theirs).abs().max()) / largest if largest else 0.0
