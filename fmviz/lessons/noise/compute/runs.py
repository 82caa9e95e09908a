"""The simulations of the page Noise, once for its stage and its charts (T6 to T11)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.clips.frames import at_frames
from fmviz.clips.paths import Starts
from fmviz.errors import ParameterError
from fmviz.theory import GaussianMixture
from fmviz.theory.processes import DrivenPaths, Langevin, OrnsteinUhlenbeck, brownian_motion
from fmviz.theory.solvers import solve_sde

__all__ = [
    "FRAMES",
    "PACES",
    "Run",
    "brownian_paths",
    "langevin_run",
    "langevin_starts",
    "ou_run",
    "time_rescaled",
]

FRAMES = 121
PACES = (0.5, 1.0, 2.0)
"""sigma² of the collapsing processes, relative to the chosen one."""
FINEST = 7
"""Brownian motion is drawn on 2^7 intervals, one a frame."""


@dataclass(frozen=True, eq=False)
class Run:
    """A simulation: positions (T, N, 2) at the times of its frames (T,), float32."""

    times: Tensor
    positions: Tensor


def brownian_paths(starts: Starts) -> Tensor:
    """W at all points of the finest grid, (2^7 + 1, N, 2); coarser grids are those of every second, fourth, … point."""
    return brownian_motion(FINEST, (starts.count, 2), generator=starts.noise(), dtype=torch.float32)


def ou_run(
    process: OrnsteinUhlenbeck, start: tuple[float, float], time: float, starts: Starts
) -> tuple[Tensor, DrivenPaths]:
    """Exact paths from one start, with the Brownian paths that drive them, at the frames (T,): float64."""
    times = torch.linspace(0.0, time, FRAMES, dtype=torch.float64)
    x0 = torch.tensor(start, dtype=torch.float64).expand(starts.count, 2)
    return times, process.simulate(x0, times.tolist(), generator=starts.noise())


def time_rescaled(process: OrnsteinUhlenbeck, x0: float, time: float, starts: Starts) -> tuple[Tensor, Tensor]:
    """The common path of the collapse in the time sigma² t: their times (F,), and positions (F, 1).

    It has sigma 1 and theta 1 / (2 D), which makes its time sigma² t; every other sigma at the same D runs through it at
    its own pace (T9). Long enough for the fastest.

    Raises:
        ParameterError: sigma is 0: there is no such pace.
    """
    if process.sigma == 0.0:
        raise ParameterError("sigma", "a positive number for the time sigma² t", process.sigma, key="positive")
    reach = PACES[-1] * process.sigma**2 * time
    pace = torch.linspace(0.0, reach, round(PACES[-1] / PACES[0]) * (FRAMES - 1) + 1, dtype=torch.float64)
    common = OrnsteinUhlenbeck(1.0 / (2.0 * process.stationary_variance), 1.0)
    start = torch.tensor([x0], dtype=torch.float64)
    return pace, common.simulate(start, pace.tolist(), generator=starts.noise()).paths


def langevin_starts(kind: str, p: GaussianMixture, starts: Starts) -> Tensor:
    """X_0 (N, 2): of the standard Gaussian ("gaussian"), of p ("data"), or of its heaviest component ("mode")."""
    generator = torch.Generator().manual_seed(starts.seed_start)
    standard = GaussianMixture.standard(dtype=p.dtype).sample(starts.count, generator=generator)
    if kind == "gaussian":
        return standard
    if kind == "data":
        return p.sample(starts.count, generator=generator)
    heaviest = int(p.weights.argmax())
    return p.means[heaviest] + standard @ p.factors[heaviest].mT


def langevin_run(dynamics: Langevin, x0: Tensor, time: float, steps: int, noise: torch.Generator) -> Run:
    """Euler-Maruyama from x0 (N, 2) in exactly `steps` steps, at the frames; between two steps, on their chord (T8)."""
    grid = [time * i / steps for i in range(steps + 1)]
    frames = torch.linspace(0.0, time, FRAMES, dtype=torch.float64)
    with torch.inference_mode():
        trajectory = solve_sde(dynamics.drift, dynamics.diffusion, x0, generator=noise, times=grid)[0]
        return Run(frames, at_frames(trajectory, grid, frames))
