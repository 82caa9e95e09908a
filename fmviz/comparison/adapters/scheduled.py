"""Networks whose schedule is a function of the library, alpha and beta at its own time in [0, 1]."""

from __future__ import annotations

__all__ = ["ReadSchedule", "ScheduledNetwork", "at_one_time"]

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor
from torch.autograd import forward_ad

from fmviz.comparison.adapters.translated import TranslatedNetwork
from fmviz.errors import ParameterError
from fmviz.theory.dialect import Dialect, Prediction
from fmviz.theory.discrete import Chain, Denoiser
from fmviz.theory.schedulers import ScheduleValues

Levels = Callable[[Tensor], tuple[Tensor, Tensor]]
"""alpha and beta at times (N,) float64, each (N,)."""

CHECKED = 257
"""Times at which a schedule is looked at."""
STEPS = 60
"""As many as halving alone needs; mostly five are enough."""
CLOSE = 1e-12
"""A step of the search that is its last: the error left is about the square of it."""


class ReadSchedule(Dialect):
    """The schedule of another library as a dialect, so that its predictions can be converted.

    Args:
        levels: alpha and beta at times from 0 to 1, differentiable.

    Raises:
        ParameterError: alpha / beta does not rise, or fall, all the way; or some value is negative or not finite.
    """

    name: ClassVar[str] = "another library's"
    predicts: ClassVar[Prediction] = "velocity"

    def __init__(self, levels: Levels) -> None:
        self._read = levels
        times = torch.linspace(0.0, 1.0, CHECKED, dtype=torch.float64)
        alpha, beta = self.levels(times)
        ratio = alpha.log() - beta.log()
        rises = bool((ratio[1:] > ratio[:-1]).all())
        if not rises and not bool((ratio[1:] < ratio[:-1]).all()):  # nor is it where a logarithm is no number
            ends = f"log(alpha / beta) from {float(ratio[0]):g} to {float(ratio[-1]):g}, not strictly"
            raise ParameterError("schedule", "a signal-to-noise ratio that rises or falls all the way", ends)
        self._rises = rises
        share = alpha / (alpha + beta)
        self._grid, self._shares = (times, share) if rises else (times.flip(0), share.flip(0))

    @property
    def data_time(self) -> float:
        """Where the ratio is largest."""
        return 1.0 if self._rises else 0.0

    @property
    def noise_time(self) -> float:
        """Where it is smallest."""
        return 0.0 if self._rises else 1.0

    def levels(self, s: Tensor) -> tuple[Tensor, Tensor]:
        """alpha and beta, in the shape of s, float64."""
        alpha, beta = self._read(s.double().reshape(-1))
        return alpha.double().reshape(s.shape), beta.double().reshape(s.shape)

    def _evaluate(self, s: Tensor) -> ScheduleValues:
        # Forward mode; torch.func.jvp takes several times as long for so little.
        with forward_ad.dual_level():
            dual = forward_ad.make_dual(s.double(), torch.ones_like(s, dtype=torch.float64))  # type: ignore[no-untyped-call]
            levels = self.levels(dual)
            (alpha, d_alpha), (beta, d_beta) = (forward_ad.unpack_dual(level) for level in levels)  # type: ignore[no-untyped-call]
        d_alpha, d_beta = (torch.zeros_like(s, dtype=torch.float64) if d is None else d for d in (d_alpha, d_beta))
        return ScheduleValues(alpha, beta, d_alpha, d_beta, alpha * d_alpha, beta * d_beta)

    @cached_property
    def log_snr_range(self) -> tuple[float, float]:
        """As of every dialect; asked for with each call of a network."""
        return super().log_snr_range

    def _time(self, log_snr: Tensor) -> Tensor:
        """By Newton's method on alpha / (alpha + beta), which is finite everywhere, halving where a step would leave the bracket."""
        wanted = (0.5 * log_snr.double()).sigmoid()
        place = torch.searchsorted(self._shares, wanted.contiguous()).clamp(1, CHECKED - 1)
        low, high = self._grid[place - 1], self._grid[place]  # at low the share is smaller, whichever comes first
        below, above = self._shares[place - 1], self._shares[place]
        s = torch.lerp(low, high, ((wanted - below) / (above - below)).clamp(0.0, 1.0))
        for _ in range(STEPS):
            v = self._evaluate(s)
            total = v.alpha + v.beta
            missing = wanted - v.alpha / total
            low, high = torch.where(missing > 0.0, s, low), torch.where(missing > 0.0, high, s)
            step = s + missing * total.square() / (v.d_alpha * v.beta - v.alpha * v.d_beta)
            inside = (step - low) * (step - high) <= 0.0
            before, s = s, torch.where(inside, step, 0.5 * (low + high))
            if bool(((s - before).abs() <= CLOSE).all()):
                break
        return s


@dataclass(frozen=True, eq=False)
class ScheduledNetwork(TranslatedNetwork):
    """A network and the schedule it was trained on; call it with x (..., 2) and t for the velocity of the path.

    Attributes:
        schedule: its own.
        predicts: what it answers.
        answer: called with points (N, 2) and its own times (N,), both in the dtype of the points.
    """

    schedule: ReadSchedule
    predicts: Prediction
    answer: Callable[[Tensor, Tensor], Tensor]

    def __call__(self, x: Tensor, t: float | Tensor) -> Tensor:
        """As every `TranslatedNetwork`; a velocity of the very path is not translated."""
        if not self.direct:
            return super().__call__(x, t)
        times = torch.as_tensor(t, dtype=x.dtype, device=x.device).expand(x.shape[:-1])
        return self.answer(x.reshape(-1, 2), times.reshape(-1)).reshape(x.shape).to(x.dtype)

    @cached_property
    def direct(self) -> bool:
        """Whether it answers the velocity of `path` itself."""
        times = torch.linspace(0.0, 1.0, CHECKED, dtype=torch.float64)
        own, wanted = torch.stack(self.schedule.levels(times)), self.path.scheduler.evaluate(times)
        return self.predicts == "velocity" and torch.allclose(own, torch.stack([wanted.alpha, wanted.beta]), atol=1e-12)

    def own_time(self, alpha: Tensor, beta: Tensor) -> Tensor:
        """Where the schedule has that ratio; its end where it does not reach it."""
        low, high = self.schedule.log_snr_range
        return self.schedule.time((2.0 * (alpha.log() - beta.log())).clamp(low, high))

    def levels(self, own: Tensor) -> tuple[Tensor, Tensor]:
        """alpha' and beta' of the schedule."""
        return self.schedule.levels(own)

    def data_and_noise(self, x: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
        """The answer at (N, 2) and (N,), split (T57)."""
        said, points = self.answer(x, own.to(x.dtype)).double(), x.double()
        data = self.schedule.convert(said, points, own, predicts=self.predicts, to="data")
        return data, self.schedule.convert(said, points, own, predicts=self.predicts, to="noise")

    def chain(self, steps: int) -> Chain:
        """Times of equal distance over the whole schedule, for `fmviz.theory.discrete.ddim` and `ancestral`."""
        return Chain.of(self.schedule, steps)

    def denoiser(self, chain: Chain) -> Denoiser:
        """E[z | x_k] on a chain of the schedule."""

        def answer(x: Tensor, k: int) -> Tensor:
            return self.data_and_noise(x, chain.times[k].expand(len(x)))[0].to(x.dtype)

        return answer


def at_one_time(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """The same function of x (N, 2) and t (N,), from one that wants a single time () in each call, as samplers call it."""

    def answer(x: Tensor, t: Tensor) -> Tensor:
        times, where = torch.unique(t, return_inverse=True)
        if len(times) == 1:
            return function(x, times[0])
        rows = [(where == i).nonzero()[:, 0] for i in range(len(times))]
        said = torch.cat([function(x[row], time) for row, time in zip(rows, times, strict=True)])
        return said[torch.cat(rows).argsort()]

    return answer
