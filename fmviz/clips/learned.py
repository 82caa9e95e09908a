r"""The clip of a learned field: exact, learned, and what lies between them, under one clock (T25, T32).

Left the exact velocity and particles that follow it; in the middle those of the network, from the same starting points
and on the same exact density; right the error :math:`|u_\theta - u_t|` on the plane, with the exact particles, which
say where it matters. The error is drawn like a density, as a logarithm; the top of its scale is the root mean square
speed of the exact particles, so it reads as a fraction of what was to be learned and fades while the network learns.

`Truth` holds what does not change during training, so that a picture of a running network costs two passes through it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fmviz.clips.clip import (
    Clip,
    Contours,
    Density,
    Extent,
    Floats,
    Law,
    LawDensity,
    LawVectors,
    Layer,
    Particles,
    PlanePanel,
    Readout,
    Vectors,
)
from fmviz.clips.laws import law_of
from fmviz.clips.particles import marginal_ode
from fmviz.clips.paths import Grid, Starts, arrow_scale, as_array
from fmviz.clips.scales import density_top, scale_times
from fmviz.learning import LearnedModel
from fmviz.theory import ProbabilityPath
from fmviz.theory.arrays import Time
from fmviz.theory.solvers import solve_ode

__all__ = [
    "COARSE",
    "LIVE",
    "STILL",
    "UNTRAINED",
    "Resolution",
    "Truth",
    "affordable",
    "learned_clip",
    "truth",
    "velocity_clip",
]

LARGEST = 1e12
"""Errors of a network that has left the range of float32 are cut here."""


@dataclass(frozen=True)
class Resolution:
    """How fine a clip is: frames, cells of the error, arrows, and at most so many particles."""

    frames: int
    error_cells: int
    particles: int
    trail: int
    arrows: int = 14

    @property
    def points(self) -> int:
        """How many points pass through the network for one clip."""
        still = self.arrows**2 + self.error_cells**2
        return self.frames * (still + self.particles) + 2 * (self.frames - 1) * self.particles


LIVE = Resolution(frames=11, error_cells=16, particles=140, trail=2, arrows=13)
"""While a network trains: a new clip several times a second, beside the training."""
STILL = Resolution(frames=31, error_cells=56, particles=500, trail=5)
"""At rest."""
UNTRAINED = Resolution(frames=16, error_cells=20, particles=200, trail=3)
"""Before the first step, where the network is random and a change of the scene should not wait for its picture."""
COARSE = Resolution(frames=7, error_cells=12, particles=80, trail=1, arrows=10)
"""For networks that are too large for the others."""
LIVE_COST, STILL_COST = 8e8, 1.5e10
"""Points times weights of a clip: about a tenth of a second while it trains, and about a second at rest."""


MOST_EVALUATIONS = 6e7
"""Of pairs of components at points and times: with more the error is shown on fewer cells."""


def affordable(model: LearnedModel, pairs: int, finest: Resolution) -> Resolution:
    """The finest clip of `model` that does not keep everybody waiting.

    Args:
        model: the network.
        pairs: of components of the path.
        finest: `STILL`, `UNTRAINED` or, while it trains, `LIVE`.
    """
    weights = model.network.architecture.n_weights
    most, choices = (LIVE_COST, (LIVE,)) if finest is LIVE else (STILL_COST, (finest, LIVE))
    chosen = next((choice for choice in choices if choice.points * weights <= most), COARSE)
    cells = int((MOST_EVALUATIONS / (chosen.frames * pairs)) ** 0.5)
    return replace(chosen, error_cells=max(12, min(cells, chosen.error_cells)))


@dataclass(frozen=True, eq=False)
class Truth:
    """All of a clip that no network changes.

    Attributes:
        extent: of every panel.
        times: (T,), the frames.
        law: the path.
        density: its density, shown behind both fields.
        exact: the layers of the exact panel on top of it.
        particles: exact particles for the error panel.
        at: where the arrows stand, (A², 2), with the scale and the longest length of all of them.
        points, velocity: centres of the cells of the error (E², 2), and the exact velocity there (T, E², 2).
        starts: the common starting points, (N, 2).
        along: the exact particles (T, N, 2) and their velocities, for the error where the mass is.
        speed: root mean square speed of the exact particles.
    """

    extent: Extent
    resolution: Resolution
    times: Tensor
    law: Law
    density: LawDensity
    exact: tuple[Layer, ...]
    particles: Particles
    at: Tensor
    scale: float
    longest: float
    points: Tensor
    velocity: Tensor
    starts: Tensor
    along: tuple[Tensor, Tensor]
    speed: float


@torch.inference_mode()
def truth(path: ProbabilityPath, extent: Extent, starts: Starts, resolution: Resolution) -> Truth:
    """The exact side of a learned clip.

    Raises:
        SingularTimeError: the velocity of this path is infinite at an end of time.
    """
    grid = Grid(extent, resolution.frames, arrows=resolution.arrows)
    times = grid.times()
    at, points = grid.points(grid.arrows), grid.points(resolution.error_cells)
    arrows = path.marginal_velocity(at[None], scale_times(path, resolution.frames)[:, None])
    x0 = starts.points(path.p_init)[: resolution.particles]
    positions = marginal_ode(path, x0, times)
    velocity = path.marginal_velocity(positions, times[:, None])
    scale = arrow_scale(arrows, grid)
    longest = 1.4 * (extent.x1 - extent.x0) / grid.arrows
    ode = as_array(positions)
    return Truth(
        extent=extent,
        resolution=resolution,
        times=times,
        law=law_of(path),
        density=LawDensity("density", "marginal", density_top(path, resolution.frames)),
        exact=(
            LawVectors("velocity", "velocity", "marginal", "velocity", scale, grid.arrows),
            Particles("ode", "ode", ode, resolution.trail, "ode_trails"),
        ),
        particles=Particles("ode", "ode", ode, size=0.7),
        at=at,
        scale=scale,
        longest=longest,
        points=points,
        velocity=path.marginal_velocity(points[None], times[:, None]),
        starts=x0,
        along=(positions, velocity),
        speed=float(velocity.square().sum(-1).mean().sqrt()),
    )


@torch.inference_mode()
def learned_clip(known: Truth, model: LearnedModel) -> Clip:
    """The clip of one network: panels "exact", "learned", "error".

    The velocity is the model's sampling form, finite on all of [0, 1] whatever it predicts.
    """
    return velocity_clip(known, model.to("cpu").sampling_velocity)


def velocity_clip(known: Truth, velocity: Callable[[Tensor, Time], Tensor]) -> Clip:
    """The same of any velocity: called with x (..., 2), and t a float or broadcastable to ``x.shape[:-1]``."""
    arrows, error, relative = _fields(known, velocity)
    positions, _ = solve_ode(velocity, known.starts, method="heun", times=known.times)
    cells = known.resolution.error_cells
    log_error = error.clamp(max=LARGEST).log().reshape(-1, cells, cells)
    moving = Particles("learned", "learned", _drawable(positions), known.resolution.trail, "learned_trails")
    field = Vectors("learned_velocity", "learned", as_array(known.at), _drawable(arrows), known.scale, known.longest)
    return Clip(
        as_array(known.times),
        (
            PlanePanel("exact", "", known.extent, (known.density, *known.exact)),
            PlanePanel("learned", "", known.extent, (known.density, field, moving)),
            PlanePanel(
                "error",
                "",
                known.extent,
                (
                    Density("error", as_array(log_error), math.log(known.speed)),
                    Contours("error_contours", levels=(0.05, 0.1, 0.25, 0.5)),
                    known.particles,
                ),
            ),
        ),
        (Readout("|u_θ−u|/|u|", as_array(relative)),),
        law=known.law,
    )


def _fields(known: Truth, field: Callable[[Tensor, Time], Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """In one pass: u_theta at the arrows, |u_theta - u| at the cells, and its relative size on the exact particles."""
    times, (along, velocity) = known.times, known.along
    frames, a, e = len(times), len(known.at), len(known.points)
    still = torch.cat([known.at, known.points]).expand(frames, a + e, 2)
    learned = field(torch.cat([still, along], dim=1), times[:, None])
    error = torch.linalg.vector_norm(learned[:, a : a + e] - known.velocity, dim=-1)
    missed = (learned[:, a + e :] - velocity).square().sum(-1).mean(1) / velocity.square().sum(-1).mean(1)
    return learned[:, :a], torch.nan_to_num(error, nan=LARGEST, posinf=LARGEST), torch.nan_to_num(missed.sqrt())


def _drawable(values: Tensor) -> Floats:
    """Without infinities: what has no place is not drawn."""
    return as_array(torch.where(values.isfinite(), values, torch.nan))
