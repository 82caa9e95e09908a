"""Networks that were trained with a scheduler of diffusers.

diffusers counts time in timesteps k, from data to noise. What is read of a scheduler is ``alphas_cumprod``, where it has one,
``timesteps`` and ``config``.
"""

from __future__ import annotations

__all__ = ["DiffusersNetwork", "from_diffusers"]

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from fmviz.comparison.adapters.translated import TranslatedNetwork
from fmviz.errors import ParameterError
from fmviz.theory import ProbabilityPath
from fmviz.theory.discrete import Chain

PredictionType = Literal["epsilon", "sample", "v_prediction", "flow_prediction"]
"""The names of diffusers."""
PREDICTION_TYPES: tuple[PredictionType, ...] = get_args(PredictionType)


@dataclass(frozen=True, eq=False)
class DiffusersNetwork(TranslatedNetwork):
    """A network of diffusers; call it with x (..., 2) and t for the velocity of the path. Make one by `from_diffusers`.

    Attributes:
        model: called with x' (N, 2) and timesteps (N,).
        prediction: what it answers.
        log_ratio: log(alpha' / beta') at the timesteps 0 … K - 1, falling; None for rectified flow, where k = 1000 beta'.
        timesteps: how many timesteps a whole unit of time is.
        schedule: the timesteps that sampling visits, from noise to data, and how much of the data is left at its end.
    """

    model: Callable[[Tensor, Tensor], Any]
    prediction: PredictionType
    log_ratio: Tensor | None
    timesteps: int
    schedule: tuple[tuple[float, ...], float]

    def data_and_noise(self, x: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
        """What the network says of z and of eps at its own points (N, 2) and timesteps (N,), float64."""
        given: Any = self.model(x, own.to(x.dtype))
        answer: Tensor = given[0] if isinstance(given, tuple) else getattr(given, "sample", given)
        alpha, beta = (part[:, None] for part in self.levels(own))
        points, answer = x.double(), answer.double()
        match self.prediction:
            case "epsilon":
                return (points - beta * answer) / alpha, answer
            case "sample":
                return answer, (points - alpha * answer) / beta
            case "v_prediction":
                size = alpha.square() + beta.square()
                return (alpha * points - beta * answer) / size, (beta * points + alpha * answer) / size
            case "flow_prediction":
                total = alpha + beta
                return (points - beta * answer) / total, (points + alpha * answer) / total

    def chain(self) -> Chain:
        """The timesteps that the scheduler visits, set by its ``set_timesteps``, for `fmviz.theory.discrete.ddim` and `ancestral`."""
        ks, end = self.schedule
        alpha, beta = self.levels(torch.tensor(ks[::-1], dtype=torch.float64))
        last = torch.tensor([end], dtype=torch.float64)
        times = torch.tensor([-1.0, *ks[::-1]], dtype=torch.float64)
        return Chain(times, torch.cat([last.sqrt(), alpha]), torch.cat([(1.0 - last).sqrt(), beta]))

    def denoiser(self, x: Tensor, k: int) -> Tensor:
        """E[z | x_k] at step k of `chain`."""
        times = self.chain().times[k].expand(len(x))
        return self.data_and_noise(x, times)[0].to(x.dtype)

    def own_time(self, alpha: Tensor, beta: Tensor) -> Tensor:
        """The timestep, not a whole number in general."""
        if self.log_ratio is None:
            return self.timesteps * beta / (alpha + beta)
        wanted = alpha.log() - beta.log()
        # Linear between timesteps: the first one whose ratio is below is the one after.
        rising = self.log_ratio.flip(0).contiguous()
        after = len(rising) - torch.searchsorted(rising, wanted.contiguous())
        after = after.clamp(1, len(rising) - 1)
        high, low = self.log_ratio[after - 1], self.log_ratio[after]
        return (after - 1 + (high - wanted) / (high - low)).clamp(0.0, len(rising) - 1.0)

    def levels(self, own: Tensor) -> tuple[Tensor, Tensor]:
        """alpha' and beta' at timesteps between 0 and the last."""
        if self.log_ratio is None:
            return 1.0 - own / self.timesteps, own / self.timesteps
        before = own.floor().long().clamp(0, len(self.log_ratio) - 2)
        log_ratio = torch.lerp(self.log_ratio[before], self.log_ratio[before + 1], own - before)
        return (2.0 * log_ratio).sigmoid().sqrt(), (-2.0 * log_ratio).sigmoid().sqrt()


def from_diffusers(path: ProbabilityPath, model: Callable[[Tensor, Tensor], Any], scheduler: Any) -> DiffusersNetwork:
    """The velocity, on `path`, of a network that was trained with a scheduler of diffusers on the same data.

    Args:
        path: with p_init = N(0, I).
        model: called with points (N, 2) and timesteps (N,), not whole numbers in general; it answers (N, 2), a tuple, or an object with
            ``sample``.
        scheduler: one with ``alphas_cumprod`` (DDPM, DDIM and their relatives), or a flow match scheduler.

    Raises:
        ParameterError: p_init is not N(0, I), gamma is not 0, or the scheduler is of another kind.
    """
    if not path.p_init.is_standard or path.gamma > 0.0:
        raise ParameterError("path", "a path from N(0, I) without noise in between", path)
    config = getattr(scheduler, "config", None)
    count = getattr(config, "num_train_timesteps", None)
    if not isinstance(count, int) or count < 2:
        raise ParameterError("scheduler", "a scheduler of diffusers", type(scheduler).__name__)
    visited = tuple(float(k) for k in getattr(scheduler, "timesteps", ()))
    if hasattr(scheduler, "alphas_cumprod"):
        kept = torch.as_tensor(scheduler.alphas_cumprod, dtype=torch.float64)
        # A scheduler with zero terminal signal says so by a value of 0, whose logarithm would be none.
        kept = kept.clamp(1e-12, 1.0 - 1e-12)
        log_ratio = 0.5 * (kept.log() - (1.0 - kept).log())
        prediction, end = (
            getattr(config, "prediction_type", "epsilon"),
            float(getattr(scheduler, "final_alpha_cumprod", 1.0)),
        )
    elif "Flow" in type(scheduler).__name__:
        log_ratio, prediction, end = None, "flow_prediction", 1.0
    else:
        raise ParameterError(
            "scheduler", "one with alphas_cumprod, or a flow match scheduler", type(scheduler).__name__
        )
    known = next((name for name in PREDICTION_TYPES if name == prediction), None)
    if known is None:
        raise ParameterError("scheduler", f"a prediction type among {', '.join(PREDICTION_TYPES)}", prediction)
    return DiffusersNetwork(path, model, known, log_ratio, count, (visited, end))
