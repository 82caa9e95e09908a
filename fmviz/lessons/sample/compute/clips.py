r"""Samplers at work: particles moved by exactly the chosen solver, steps and time grid, on the exact or a learned field.

The solver's trajectory has one point a step; the clip has its own frames. Between two points the particles are drawn on
the straight line that joins them (for Euler that **is** the method; for the others only the end points are theirs), so
a coarse solver shows its corners. Nothing but the drawing depends on the frames.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from fmviz.clips.clip import (
    Ellipses,
    LawDensity,
    LawVectors,
    Layer,
    Lines,
    Markers,
    Particles,
    PlanePanel,
    Role,
    Vectors,
)
from fmviz.clips.frames import at_frames
from fmviz.clips.paths import TRAIL, Grid, as_array, ellipses
from fmviz.clips.scales import ARROW_QUANTILE, density_top, scale_times
from fmviz.errors import SingularTimeError
from fmviz.learning import LearnedModel
from fmviz.theory import ProbabilityPath
from fmviz.theory.likelihood import FlowLikelihood, flow_likelihood
from fmviz.theory.sigmas import Sigma
from fmviz.theory.solvers import Drift, Velocity, solve_ode, solve_sde
from fmviz.theory.time_grids import time_grid

__all__ = [
    "Dynamics",
    "ExactAlong",
    "Ground",
    "Runs",
    "Sampler",
    "exact_along",
    "exact_dynamics",
    "ground",
    "learned_dynamics",
    "likelihood",
    "likelihood_layers",
    "panel",
    "run",
]

STEP_LINES = 20
"""Trajectories drawn with all their steps."""
TICK = 0.007
"""Half the length of the mark of one step, in panel widths."""
MOST_TICKS = 4000
PREPARED = 256
"""Times whose tables are worked out at once; the path remembers twice as many."""


@dataclass(frozen=True)
class Sampler:
    """How samples are made: the ODE's solver and steps, the steps of Euler-Maruyama, the grid of both."""

    method: str = "euler"
    steps: int = 16
    sde_steps: int = 64
    grid: str = "uniform"

    def ode_times(self) -> list[float]:
        """The times between the ODE solver's steps."""
        return time_grid(self.grid, self.steps)

    def sde_times(self) -> list[float]:
        """The times between the steps of Euler-Maruyama."""
        return time_grid(self.grid, self.sde_steps)


@dataclass(frozen=True, eq=False)
class Dynamics:
    """A field to sample from.

    Attributes:
        name: "exact" or "learned".
        velocity: u(x, t) of the ODE.
        drift: u + (sigma_t² / 2) s of the SDE (T21); None where a network has no score (T33).
        prepare: told the times that come next, before they are used.
    """

    name: Literal["exact", "learned"]
    velocity: Velocity
    drift: Drift | None
    prepare: Callable[[list[float]], None]

    @property
    def role(self) -> Role:
        """The colour of what is drawn of the field itself."""
        return "velocity" if self.name == "exact" else "learned"


@dataclass(frozen=True, eq=False)
class Runs:
    """What a sampler did: trajectories with one point a step, (S + 1, N, 2), and the times of the points.

    Attributes:
        ode, ode_times: of the ODE.
        sde, sde_times: of the SDE; None where there is none.
    """

    ode: Tensor
    ode_times: list[float]
    sde: Tensor | None
    sde_times: list[float]


@dataclass(frozen=True, eq=False)
class Ground:
    """What is the same for every sampler of a scene.

    Attributes:
        density: of the exact p_t.
        mixture: the components of p_data, which it becomes.
        speed: what most of the exact velocities stay below; an arrow of this length fills its cell in every panel.
    """

    density: LawDensity
    mixture: Ellipses
    speed: float


def exact_dynamics(path: ProbabilityPath, sigma: Sigma) -> Dynamics:
    """The exact marginal velocity and score."""
    return Dynamics("exact", path.marginal_velocity, path.sde_drift(sigma), path.prepare)


def learned_dynamics(model: LearnedModel, sigma: Sigma) -> Dynamics:
    """The forms of a network that stay finite on all of [0, 1] (T23)."""
    has_score = model.gaussian_source or model.predicts == "score"
    return Dynamics("learned", model.sampling_velocity, model.drift(sigma) if has_score else None, lambda times: None)


def run(dynamics: Dynamics, sampler: Sampler, sigma: Sigma, x0: Tensor, noise: torch.Generator) -> Runs:
    """Both samplers from the same starting points (N, 2).

    Args:
        dynamics: whose field.
        sampler: how.
        sigma: the diffusion coefficient of the drift.
        x0: the starting points.
        noise: source of the Brownian increments.
    """
    ode_times, sde_times = sampler.ode_times(), sampler.sde_times()
    with torch.inference_mode():
        dynamics.prepare(_evaluated(sampler.method, ode_times)[: 2 * PREPARED])
        ode = solve_ode(dynamics.velocity, x0, method=sampler.method, times=ode_times)[0]
        sde = None if dynamics.drift is None else _euler_maruyama(dynamics, dynamics.drift, sigma, x0, sde_times, noise)
    return Runs(ode, ode_times, sde, sde_times)


def _evaluated(method: str, times: list[float]) -> list[float]:
    """The times at which a method evaluates its field."""
    if method in ("euler", "heun"):
        return times
    return times + [a + 0.5 * (b - a) for a, b in itertools.pairwise(times)]


def _euler_maruyama(
    dynamics: Dynamics, drift: Drift, sigma: Sigma, x0: Tensor, times: list[float], noise: torch.Generator
) -> Tensor:
    """`solve_sde` in stretches whose tables are prepared: the same numbers, in half the time."""
    parts, x = [x0[None]], x0
    for first in range(0, len(times) - 1, PREPARED):
        stretch = times[first : first + PREPARED + 1]
        dynamics.prepare(stretch)
        parts.append(solve_sde(drift, sigma, x, generator=noise, times=stretch)[0][1:])
        x = parts[-1][-1]
    return torch.cat(parts)


def ground(path: ProbabilityPath, grid: Grid) -> Ground:
    """p_t under the particles, and the components of p_data, which it becomes."""
    data = path.p_data
    density = LawDensity("density", "marginal", density_top(path, grid.frames))
    mixture = ellipses(data)
    speed = torch.linalg.vector_norm(_vectors(path.marginal_velocity, grid, scale_times(path, grid.frames)), dim=-1)
    return Ground(density, mixture, float(torch.nanquantile(speed.flatten(), ARROW_QUANTILE)))


def panel(dynamics: Dynamics, runs: Runs, below: Ground, grid: Grid) -> PlanePanel:
    """One panel: the field's arrows and the particles that it moves, over the exact p_t.

    Args:
        dynamics: whose field.
        runs: what the sampler did.
        below: the ground.
        grid: extent and frames.
    """
    frames = grid.times()
    layers: list[Layer] = [below.density, _arrows(dynamics, below.speed, grid), *_steps(runs, grid)]
    if runs.sde is not None:
        sde = as_array(at_frames(runs.sde, runs.sde_times, frames))
        layers.append(Particles("sde", "sde", sde, TRAIL, "sde_trails"))
    ode = as_array(at_frames(runs.ode, runs.ode_times, frames))
    layers += [Particles("ode", "ode", ode, TRAIL, "ode_trails"), below.mixture]
    return PlanePanel(dynamics.name, "", grid.extent, tuple(layers), clickable=True)


def _vectors(velocity: Velocity, grid: Grid, times: Tensor) -> Tensor:
    """The field at the arrows' places at the `times` (T,), (T, A², 2); NaN where it has no value (an end of time)."""
    at = grid.points(grid.arrows)

    def frame(t: float) -> Tensor:
        try:
            return velocity(at, t)
        except SingularTimeError:
            return torch.full_like(at, torch.nan)

    with torch.inference_mode():
        return torch.stack([frame(t) for t in times.tolist()])


def _arrows(dynamics: Dynamics, speed: float, grid: Grid) -> Vectors | LawVectors:
    cell = (grid.extent.x1 - grid.extent.x0) / grid.arrows
    scale = 0.9 * cell / speed if speed > 0 else 1.0
    if dynamics.name == "exact":
        return LawVectors("velocity", dynamics.role, "marginal", "velocity", scale, grid.arrows)
    vectors = _vectors(dynamics.velocity, grid, grid.times())
    shown = torch.where(vectors.isfinite(), vectors, torch.nan)
    at = as_array(grid.points(grid.arrows))
    return Vectors("velocity", dynamics.role, at, as_array(shown), scale, 1.4 * cell)


def _steps(runs: Runs, grid: Grid) -> tuple[Layer, ...]:
    """A few whole trajectories of the ODE as the solver has them, with a tick at every step."""
    lines = runs.ode[:, :STEP_LINES]
    lines = torch.where(lines.isfinite(), lines, torch.nan)
    paths = tuple(as_array(lines[:, i]) for i in range(lines.shape[1]))
    found: list[Layer] = [Lines("steps", "ode", paths, opacity=0.8)]
    if lines.shape[0] * lines.shape[1] <= MOST_TICKS:
        half = TICK * (grid.extent.x1 - grid.extent.x0)
        along = torch.nn.functional.normalize(lines.diff(dim=0), dim=-1)
        across = torch.stack((-along[..., 1], along[..., 0]), dim=-1) * half
        ticks = torch.stack((lines[1:] - across, lines[1:] + across), dim=-2).flatten(0, 1)
        found.append(Lines("steps", "ode", tuple(as_array(tick) for tick in ticks)))
    return tuple(found)


def likelihood(
    dynamics: Dynamics, path: ProbabilityPath, sampler: Sampler, click: tuple[float, float, float]
) -> FlowLikelihood:
    """log p along the trajectory through the clicked (x, t), by the sampler's own solver (T46)."""
    x = torch.tensor([click[:2]], dtype=torch.float64)
    return flow_likelihood(
        dynamics.velocity, path.p_init, x, click[2], times=sampler.ode_times(), method=sampler.method
    )


def likelihood_layers(dynamics: Dynamics, found: FlowLikelihood, grid: Grid) -> tuple[Layer, ...]:
    """The trajectory through the clicked point, the point that moves along it, and the point itself."""
    role = dynamics.role
    line = torch.where(found.positions.isfinite(), found.positions, torch.nan)
    moving = at_frames(line, found.times.tolist(), grid.times())
    return (
        Lines("click", role, (as_array(line[:, 0]),)),
        Markers("click", role, as_array(moving), shape="dot"),
        Markers("click", role, as_array(line[found.at]), shape="ring"),
    )


@dataclass(frozen=True, eq=False)
class ExactAlong:
    """The exact log p_t(X_t) along the exact trajectory through a point: times (T,), log_density (T,), and the value there."""

    times: Tensor
    log_density: Tensor
    value: float


def exact_along(path: ProbabilityPath, click: tuple[float, float, float], points: int = 121) -> ExactAlong:
    """log p_t from its closed form along the trajectory through the clicked (x, t)."""
    times, x = torch.linspace(0.0, 1.0, points), torch.tensor([click[:2]], dtype=torch.float64)
    found = flow_likelihood(path.marginal_velocity, path.p_init, x, click[2], times=[float(t) for t in times])
    values = path.log_density(found.positions[:, 0], found.times)
    return ExactAlong(found.times, values, float(path.log_density(x[0], click[2])))
