"""The frames of a picture in the time and the scale of a dialect, and the scene's trajectories on them.

Every dialect shows the linear path with another clock and another scale, so the trajectories are solved once, on that path,
and laid on the frames of each.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.cache import shared
from fmviz.lessons.dictionary.settings import BetasName, DialectName, Settings
from fmviz.scene import Scene, scenes
from fmviz.theory import GaussianMixture, ProbabilityPath, dialects, schedulers
from fmviz.theory.dialects import Dialect
from fmviz.theory.solvers import solve_ode

__all__ = ["FRAMES", "Frames", "dialect_of", "frames_of", "linear_path", "on_frames", "pair_of_frames", "trajectories"]

FRAMES = 61
NODES = 64
"""Heun steps of the trajectories on the linear path; between them is cubic interpolation."""


@dataclass(frozen=True, eq=False)
class Frames:
    """Moments of a dialect, noise first, each (T,), float64.

    Attributes:
        dialect: whose.
        times: in its own time.
        alpha, beta: there.
    """

    dialect: Dialect
    times: Tensor
    alpha: Tensor
    beta: Tensor

    @property
    def total(self) -> Tensor:
        """alpha + beta: x over the same point of the linear path."""
        return self.alpha + self.beta

    @property
    def linear(self) -> Tensor:
        """The times of the same moments on the linear path."""
        return self.alpha / self.total

    @property
    def log_snr(self) -> Tensor:
        """log(alpha^2 / beta^2), NaN where it is infinite."""
        ratio = 2.0 * (self.alpha.log() - self.beta.log())
        return ratio.masked_fill(ratio.isinf(), torch.nan)


def dialect_of(name: DialectName, betas: BetasName, shift: float) -> Dialect:
    """A dialect as the settings have it; in an address there are no hyphens."""
    rule: dialects.Betas = "scaled-linear" if betas == "scaled_linear" else betas
    return dialects.get(name.replace("_", "-"), betas=rule, shift=shift)


def chosen(view: Settings) -> tuple[Dialect, Dialect]:
    """Dialects A and B."""
    return dialect_of(view.a, view.betas, view.shift), dialect_of(view.b, view.betas, view.shift)


def frames_of(dialect: Dialect, count: int = FRAMES) -> Frames:
    """The frames along the dialect's own steps."""
    times = dialect.sampling_times(torch.linspace(0.0, 1.0, count, dtype=torch.float64))
    v = dialect.evaluate(times)
    return Frames(dialect, times, v.alpha, v.beta)


def pair_of_frames(a: Dialect, b: Dialect, *, aligned: bool) -> tuple[Frames, Frames]:
    """The frames of both: each along its own steps, or B where A has the same log signal-to-noise ratio.

    A ratio that B does not reach is replaced by the end of B's range.
    """
    first = frames_of(a)
    if not aligned:
        return first, frames_of(b)
    low, high = b.log_snr_range
    times = b.time(first.dialect.log_snr(first.times).clamp(low, high))
    v = b.evaluate(times)
    return first, Frames(b, times, v.alpha, v.beta)


def linear_path(scene: Scene) -> ProbabilityPath:
    """The linear path from N(0, I) to the scene's data: the scene's own source would not do, since dialects are Gaussian."""
    return ProbabilityPath(GaussianMixture.standard(), scenes.mixture(scene, "data"), schedulers.Linear())


@shared
@torch.inference_mode()
def trajectories(scene: Scene) -> tuple[Tensor, Tensor]:
    """Positions and velocities of the scene's particles on the linear path at `NODES` + 1 even times, each (T, N, 2)."""
    path = linear_path(scene)
    times = torch.linspace(0.0, 1.0, NODES + 1)
    x0 = path.p_init.sample(scene.count, generator=torch.Generator().manual_seed(scene.seed_start))
    path.prepare(times.tolist())
    found, _ = solve_ode(path.marginal_velocity, x0, method="heun", times=times)
    return found, path.marginal_velocity(found, times[:, None])


def on_frames(positions: Tensor, velocities: Tensor, frames: Frames, *, common: bool) -> Tensor:
    """Trajectories (T', N, 2) of the linear path on the frames, (T, N, 2), by cubic Hermite interpolation.

    Args:
        positions, velocities: at even times from 0 to 1.
        frames: where to.
        common: leave them in the scale of the linear path.
    """
    h = 1.0 / (len(positions) - 1)
    place = frames.linear / h
    i = place.floor().long().clamp(0, len(positions) - 2)
    w = (place - i).to(positions)[:, None, None]
    x0, x1, u0, u1 = positions[i], positions[i + 1], h * velocities[i], h * velocities[i + 1]
    found = (
        (1.0 + 2.0 * w) * (1.0 - w).square() * x0
        + w * (1.0 - w).square() * u0
        + w.square() * (3.0 - 2.0 * w) * x1
        + w.square() * (w - 1.0) * u1
    )
    return found if common else frames.total.to(found)[:, None, None] * found
