"""What is chosen once for all t in a picture of a path: the top of the colours, and the length of the arrows.

Where a path has many pairs of components each time costs much, so fewer times and points are looked at: what is found may
then lie a little below the largest, and what exceeds it has the full colour. The player has the same rules for a law that
it changes itself (``stage/js/law/scales.js``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from fmviz.clips.clip import Extent
from fmviz.theory import ProbabilityPath

__all__ = [
    "ARROW_QUANTILE",
    "PathScales",
    "arrow_scale",
    "cell_centres",
    "conditional_top",
    "density_top",
    "path_scales",
    "scale_times",
]

ARROW_QUANTILE = 0.7
CONDITIONAL_PEAK_TIME = 0.6
"""The conditional density grows without bound towards t = 1: its colour scale tops out at its peak at this time."""
MANY_PAIRS = 64
"""Up to so many pairs of components every frame is looked at."""
TIMES = 16
"""With more pairs, so many times."""
MOST_CENTRES = 192
"""So many centres of pairs at most are looked at."""


@dataclass(frozen=True)
class PathScales:
    """Of one path: the largest log p_t, and the world length of a unit vector of velocity and of score."""

    log_max: float
    velocity: float
    score: float


@lru_cache(maxsize=16)
@torch.inference_mode()
def path_scales(path: ProbabilityPath, extent: Extent, across: int, frames: int) -> PathScales:
    """The scales of a picture of `extent` with `frames` frames and `across` squared arrows; remembered for a few paths."""
    times, points = scale_times(path, frames), cell_centres(extent, across).to(path.p_data.dtype)
    velocity, score = path.velocity_and_score(points[None], times[:, None])
    return PathScales(
        density_top(path, frames), arrow_scale(velocity, extent, across), arrow_scale(score, extent, across)
    )


def cell_centres(extent: Extent, n: int) -> Tensor:
    """The centres of n × n cells, (n², 2), row 0 at the lowest y."""
    x = extent.x0 + (torch.arange(n) + 0.5) * (extent.x1 - extent.x0) / n
    y = extent.y0 + (torch.arange(n) + 0.5) * (extent.y1 - extent.y0) / n
    yy, xx = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([xx, yy], dim=-1).reshape(-1, 2)


@torch.inference_mode()
def density_top(path: ProbabilityPath, frames: int) -> float:
    """The largest log p_t over all t, looked for where pairs of components are centred."""
    times = scale_times(path, frames)
    v = path.scheduler.evaluate(times)
    data, init = path.p_data.means, path.p_init.means
    centres = v.beta[:, None, None, None] * init[:, None] + v.alpha[:, None, None, None] * data  # (T, J, K, 2)
    pairs = centres.flatten(1, 2)
    stride = -(-pairs.shape[1] // MOST_CENTRES)
    return float(path.log_density(pairs[:, ::stride], times[:, None]).max())


@torch.inference_mode()
def conditional_top(path: ProbabilityPath, z: tuple[float, float]) -> float:
    """The largest log p_t(x|z) at the time `CONDITIONAL_PEAK_TIME`."""
    point = torch.tensor(z)
    v = path.scheduler.evaluate(torch.tensor(CONDITIONAL_PEAK_TIME))
    centres = v.alpha * point + v.beta * path.p_init.means
    return float(path.conditional_log_density(centres, torch.tensor([CONDITIONAL_PEAK_TIME]), point).max())


def arrow_scale(vectors: Tensor, extent: Extent, across: int) -> float:
    """World length of a unit vector, the same at every t, such that most arrows stay within their cell."""
    cell = (extent.x1 - extent.x0) / across
    lengths = torch.hypot(vectors[..., 0], vectors[..., 1]).flatten()
    typical = float(lengths.kthvalue(1 + int(ARROW_QUANTILE * (len(lengths) - 1))).values)
    return 0.9 * cell / typical if typical > 0 else 1.0


def scale_times(path: ProbabilityPath, frames: int) -> Tensor:
    """The times at which a scale of the path is looked for, (T,)."""
    many = path.n_pairs > MANY_PAIRS
    return torch.linspace(0.0, 1.0, TIMES if many else frames)
