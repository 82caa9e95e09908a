r"""The Markov chain of DDPM (Ho et al. 2020) as a dialect: discrete time, given by its betas (T40, T56)."""

from __future__ import annotations

__all__ = ["BETAS", "MAX_STEPS", "Betas", "Ddpm", "variance_preserving"]

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.theory.counts import as_count
from fmviz.theory.dialect import Dialect, Prediction
from fmviz.theory.schedulers import ScheduleValues

Betas = Literal["linear", "scaled-linear", "cosine"]
BETAS: tuple[Betas, ...] = get_args(Betas)
"""Rules for the betas of DDPM."""

MAX_STEPS = 10_000
"""Most steps of a DDPM chain."""

# First and last beta: Ho et al. 2020, and Rombach et al. 2022 (Stable Diffusion).
_BETA_RANGES = {"linear": (1e-4, 0.02), "scaled-linear": (0.00085, 0.012)}


@dataclass(frozen=True)
class Ddpm(Dialect):
    r"""The Markov chain of Ho et al. 2020, x_k = sqrt(abar_k) z + sqrt(1 - abar_k) eps after k steps (T40, T56).

    Between the steps log abar is interpolated linearly, that is, the noise flows in at a constant rate during each
    step. Derivatives at a whole k are those of the step that led there.

    Args:
        steps: N, from 2 to `MAX_STEPS`.
        betas: "linear" from 1e-4 to 0.02 whatever N is, "scaled-linear" (square roots linear, 0.00085 to 0.012), or
            "cosine" (Nichol and Dhariwal 2021).

    Raises:
        ParameterError: steps out of range, or an unknown rule.
    """

    steps: int = 1000
    betas: Betas = "linear"

    name: ClassVar[str] = "ddpm"
    predicts: ClassVar[Prediction] = "noise"

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", as_count("steps", self.steps, 2, MAX_STEPS))
        if self.betas not in BETAS:
            raise ParameterError("betas", f"one of {', '.join(BETAS)}", self.betas)

    @property
    def data_time(self) -> float:
        return 0.0

    @property
    def noise_time(self) -> float:
        return float(self.steps)

    @cached_property
    def step_betas(self) -> Tensor:
        """beta_1 … beta_N, (N,), float64."""
        if self.betas == "cosine":
            k = torch.arange(self.steps + 1, dtype=torch.float64)
            level = ((k / self.steps + 0.008) / 1.008 * (0.5 * math.pi)).cos().square()
            return (1.0 - level[1:] / level[:-1]).clamp(max=0.999)
        first, last = _BETA_RANGES[self.betas]
        if self.betas == "linear":
            return torch.linspace(first, last, self.steps, dtype=torch.float64)
        return torch.linspace(first**0.5, last**0.5, self.steps, dtype=torch.float64).square()

    @cached_property
    def _log_kept(self) -> Tensor:
        """log abar_0 = 0 … log abar_N, (N + 1,)."""
        return torch.cat((torch.zeros(1, dtype=torch.float64), torch.log1p(-self.step_betas).cumsum(0)))

    def _evaluate(self, s: Tensor) -> ScheduleValues:
        last = (s.ceil().long() - 1).clamp(0, self.steps - 1)
        log_kept = self._log_kept.to(s)
        rate = log_kept.diff()[last]
        return variance_preserving(log_kept[last] + (s - last) * rate, rate)

    def _time(self, log_snr: Tensor) -> Tensor:
        log_kept = self._log_kept.to(log_snr)
        wanted = -torch.nn.functional.softplus(-log_snr)  # log abar
        last = (torch.searchsorted(-log_kept, (-wanted).contiguous()) - 1).clamp(0, self.steps - 1)
        return last + (wanted - log_kept[last]) / log_kept.diff()[last]


def variance_preserving(log_kept: Tensor, rate: Tensor) -> ScheduleValues:
    """alpha^2 = exp(log_kept) and beta^2 = 1 - alpha^2; `rate` is the derivative of log_kept."""
    alpha, beta = (0.5 * log_kept).exp(), (-torch.expm1(log_kept)).sqrt()
    product = 0.5 * rate * alpha.square()
    return ScheduleValues(alpha, beta, 0.5 * rate * alpha, -product / beta, product, -product)
