r"""The tilted distribution :math:`q_t^w \propto p_t(x) p_t(y|x)^w` on a grid: its scale of colours, and points that follow it (T49).

Points that move smoothly with t and have the law :math:`q_t^w` at each t come from uniform numbers by inverting the
distribution function of the law on a grid, first of x, then of y given x. Exact draws, for every number on the page, are those
of `fmviz.theory.guidance.Guidance.sample_tilted`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fmviz.clips.clip import Extent
from fmviz.clips.scales import cell_centres
from fmviz.theory.guidance import Guidance

__all__ = ["log_grid", "moving_samples", "top"]

SMALLEST = 1e-300
"""Stands for the mass of a cell that has none, which nothing can be divided by."""
CELLS = 64
FRAMES = 61
FEW_FRAMES = 16
MANY_PAIRS = 24


def _times(guidance: Guidance, frames: Tensor) -> Tensor:
    """The frames at which the law is looked at: all, or with many pairs of components fewer."""
    pairs = guidance.path.n_pairs + guidance.conditional.n_pairs
    count = len(frames) if pairs <= MANY_PAIRS else FEW_FRAMES
    return torch.linspace(float(frames[0]), float(frames[-1]), count)


@torch.inference_mode()
def log_grid(guidance: Guidance, extent: Extent, times: Tensor, cells: int = CELLS) -> Tensor:
    """The log density, normalised within the extent, at the cells' centres: (T, cells, cells), rows along y."""
    logs = guidance.log_tilted(cell_centres(extent, cells)[None], times[:, None])
    area = (extent.x1 - extent.x0) * (extent.y1 - extent.y0) / cells**2
    logs = logs - (logs.double().logsumexp(dim=-1, keepdim=True) + torch.tensor(area).log()).to(logs)
    return logs.reshape(len(times), cells, cells)


def top(guidance: Guidance, extent: Extent, frames: Tensor) -> float:
    """The largest log density over all t: the top of the colours."""
    return float(log_grid(guidance, extent, torch.linspace(float(frames[0]), float(frames[-1]), FEW_FRAMES)).max())


@torch.inference_mode()
def moving_samples(guidance: Guidance, extent: Extent, frames: Tensor, uniform: Tensor) -> Tensor:
    """Points of the tilted law at each frame, from the same uniform numbers at all of them.

    Args:
        guidance: the law, with a scale of at least 0.
        extent: what the grid covers.
        frames: (T,).
        uniform: (N, 2) in [0, 1).

    Returns:
        (T, N, 2); at times between those looked at by straight lines.
    """
    times = _times(guidance, frames)
    density = log_grid(guidance, extent, times).double().exp()
    along_x = density.sum(dim=1).cumsum(dim=-1)
    u, v = uniform.double().T.contiguous()
    x = _inverse(along_x, u.expand(len(times), -1))
    column = x.floor().long().clamp(0, CELLS - 1)
    along_y = density.cumsum(dim=1)
    chosen = torch.gather(along_y, 2, column.unsqueeze(1).expand(-1, CELLS, -1)).mT.contiguous()
    y = _inverse(chosen.flatten(0, 1), v.repeat(len(times))[:, None]).reshape(x.shape)
    places = torch.stack(
        (extent.x0 + x * (extent.x1 - extent.x0) / CELLS, extent.y0 + y * (extent.y1 - extent.y0) / CELLS), dim=-1
    ).to(torch.float32)
    if len(times) == len(frames):
        return places
    flat = places.flatten(1).T.unsqueeze(0)
    return torch.nn.functional.interpolate(flat, len(frames), mode="linear", align_corners=True)[0].T.reshape(
        len(frames), -1, 2
    )


def _inverse(cumulated: Tensor, share: Tensor) -> Tensor:
    """Where a cumulated sum (R, C) reaches a share (R, N) of its last value, in cells, by straight lines within a cell."""
    wanted = share * cumulated[:, -1:]
    upper = torch.searchsorted(cumulated, wanted).clamp(max=cumulated.shape[-1] - 1)
    before = torch.where(upper > 0, torch.gather(cumulated, 1, (upper - 1).clamp(min=0)), 0.0)
    mass = torch.gather(cumulated, 1, upper) - before
    return upper + ((wanted - before) / mass.clamp(min=SMALLEST)).clamp(0.0, 1.0)
