r"""The three panels of the page Guidance, on one clock (T35 to T37, T48, T49).

On the left the path to the data of one label, in the middle particles that the guided field moves, on the right the tilted
distribution that guidance is said to sample. What has a closed form travels as the law, weights and random draws as arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.clips.clip import (
    Ellipses,
    Floats,
    LawDensity,
    LawParticles,
    LawVectors,
    Layer,
    Lines,
    Markers,
    Particles,
    PlanePanel,
)
from fmviz.clips.frames import at_frames
from fmviz.clips.particles import marginal_ode
from fmviz.clips.paths import TRAIL, Grid, Starts, as_array
from fmviz.clips.scales import density_top, path_scales
from fmviz.lessons.guidance.compute import tilted
from fmviz.theory import GaussianMixture
from fmviz.theory.guidance import Guidance, WeightedRun, simulate_weighted
from fmviz.theory.sigmas import Sigma
from fmviz.theory.solvers import sde_grid, solve_ode

__all__ = ["Way", "conditional_panel", "followed", "guided_panel", "run", "tilted_panel", "trajectory"]

MOST_STEPS = 12
"""Steps of Euler-Maruyama in one interval between frames, at most."""
SHAPES = ("dot", "diamond", "ring", "cross")
RESAMPLER = 3_000_017
RESAMPLE_BELOW = 0.5


@dataclass(frozen=True)
class Way:
    """How the guided particles move.

    Attributes:
        stochastic: by the SDE, with the diffusion coefficient of the scene.
        resampled: particles are resampled whenever the effective sample size falls below one half.
    """

    stochastic: bool = False
    resampled: bool = False


@torch.inference_mode()
def run(guidance: Guidance, way: Way, sigma: Sigma, grid: Grid, starts: Starts) -> WeightedRun:
    """Guided particles with their weights, one step of Heun a frame, or Euler-Maruyama with as many as it needs."""
    x0 = starts.points(guidance.path.p_init)
    frames = [float(t) for t in grid.times()]
    times = frames
    if way.stochastic:
        stiffer = max(1.0, abs(guidance.scale) + abs(1.0 - guidance.scale))
        times, _ = sde_grid(sigma, lambda t: stiffer * guidance.path.stiffness(t), frames, most=MOST_STEPS)
    guidance.prepare(times)
    return simulate_weighted(
        guidance,
        x0,
        sigma=sigma if way.stochastic else None,
        generator=starts.noise(),
        resample_below=RESAMPLE_BELOW if way.resampled else 0.0,
        resampler=torch.Generator().manual_seed(RESAMPLER + starts.seed_noise),
        times=times,
    )


@torch.inference_mode()
def conditional_panel(guidance: Guidance, grid: Grid, starts: Starts) -> PlanePanel:
    """p_t(. | y) with its field and the particles that it moves: guidance with the scale 1."""
    path = guidance.conditional
    x0 = starts.points(path.p_init)
    layers: tuple[Layer, ...] = (
        LawDensity("density", "label", density_top(path, grid.frames)),
        LawVectors("velocity", "velocity", "label", "velocity", _arrow_scale(guidance, grid), grid.arrows),
        LawParticles(
            "ode",
            "ode",
            as_array(x0),
            "flow",
            positions=as_array(marginal_ode(path, x0, grid.times())),
            trail=TRAIL,
            trail_name="ode_trails",
            of="label",
        ),
        *_labels(guidance),
    )
    return PlanePanel("conditional", "", grid.extent, layers)


@torch.inference_mode()
def guided_panel(
    guidance: Guidance, found: WeightedRun, way: Way, grid: Grid, *, weighted: bool, ground: str
) -> PlanePanel:
    """The guided field and its particles, as large as they weigh where `weighted`, over the law or the classifier."""
    scale = _arrow_scale(guidance, grid)
    frames = grid.times()
    positions = as_array(at_frames(found.positions, found.times.tolist(), frames))
    weights = None
    if weighted:
        at = torch.searchsorted(found.times, frames.double()).clamp(max=len(found.times) - 1)
        weights = as_array(found.weights[at] * found.positions.shape[1])
    name = "sde" if way.stochastic else "ode"
    trail = 0 if bool(found.resampled.any()) else TRAIL
    trails = f"{name}_trails" if trail else None
    particles: Layer
    if way.stochastic:
        particles = Particles("sde", "sde", positions, trail, trails, weights=weights)
    else:
        x0 = as_array(found.positions[0])
        particles = LawParticles("ode", "ode", x0, "flow", None, positions, trail, trails, of="guided", weights=weights)
    layers = (
        *_ground(guidance, grid, ground),
        LawVectors("velocity", "velocity", "guided", "velocity", scale, grid.arrows),
        LawVectors("difference", "score", "guided", "difference", scale, grid.arrows),
        particles,
        *_labels(guidance),
    )
    return PlanePanel("guided", "", grid.extent, layers, clickable=True)


@torch.inference_mode()
def tilted_panel(guidance: Guidance, grid: Grid, starts: Starts) -> PlanePanel:
    """The tilted distribution with samples; without either for a negative scale."""
    layers: tuple[Layer, ...] = _labels(guidance)
    if float(guidance.scale) >= 0.0:
        uniform = torch.rand(starts.count, 2, generator=starts.reference(), dtype=torch.float64)
        samples = tilted.moving_samples(guidance, grid.extent, grid.times(), uniform)
        layers = (
            *_ground(guidance, grid, "tilted"),
            Particles("reference", "reference", as_array(samples)),
            *layers,
        )
    return PlanePanel("tilted", "", grid.extent, layers)


def _ground(guidance: Guidance, grid: Grid, ground: str) -> tuple[Layer, ...]:
    if ground == "classifier":
        return (LawDensity("classifier", "classifier", 0.0, label="p(y|x)"),)
    if float(guidance.scale) < 0.0:
        return ()
    return (LawDensity("density", "tilted", tilted.top(guidance, grid.extent, grid.times()), label="q"),)


def _arrow_scale(guidance: Guidance, grid: Grid) -> float:
    """One scale of arrows for all panels: that of the unguided field, so that guidance shows as longer ones."""
    return path_scales(guidance.path, grid.extent, grid.arrows, grid.frames).velocity


def _labels(guidance: Guidance) -> tuple[Layer, ...]:
    """The components, which can be edited, and the names of their labels, that of the guidance in colour."""
    data = guidance.path.p_data
    marks = tuple(
        Markers(
            "labels",
            "data" if label == guidance.label else "init",
            _middle(data, label),
            shape=SHAPES[place % len(SHAPES)],  # type: ignore[arg-type]
            label=str(label),
        )
        for place, label in enumerate(data.classes)
    )
    mixture = Ellipses(
        "mixture",
        "data",
        as_array(data.means),
        as_array(data.covariances),
        as_array(data.weights),
        edit="data",
        classes=tuple(data.labels.tolist()),
    )
    return (*marks, mixture)


def _middle(data: GaussianMixture, label: int) -> Floats:
    """A place for the name of a label, (1, 2): the mean of the component in the middle of its list."""
    own = data.means[data.labels == label]
    return as_array(own[len(own) // 2][None])


@torch.inference_mode()
def trajectory(guidance: Guidance, click: tuple[float, float, float], grid: Grid) -> tuple[Layer, ...]:
    """The guided trajectory through a clicked point, both ways, and the point itself."""
    times, line = followed(guidance, click, grid.frames)
    at = at_frames(line[:, None], times.tolist(), grid.times())
    point = torch.tensor([click[:2]])
    return (
        Lines("click", "velocity", (as_array(line),)),
        Markers("click", "velocity", as_array(at), shape="dot"),
        Markers("click", "velocity", as_array(point), shape="ring"),
    )


@torch.inference_mode()
def followed(guidance: Guidance, click: tuple[float, float, float], frames: int = 61) -> tuple[Tensor, Tensor]:
    """The guided trajectory through a clicked (x, y, t): times (M,) from 0 to 1 and positions (M, 2), float64."""
    t = click[2]
    regular = torch.linspace(0.0, 1.0, frames, dtype=torch.float64)
    x = torch.tensor([click[:2]], dtype=torch.float64)
    parts_t, parts_x = [torch.tensor([t], dtype=torch.float64)], [x]
    for grid, first in ((regular[regular < t].flip(0), True), (regular[regular > t], False)):
        if not len(grid):
            continue
        solved = solve_ode(guidance.velocity, x, method="rk4", times=[t, *grid.tolist()])[0][1:, 0]
        parts_t.insert(0, grid.flip(0)) if first else parts_t.append(grid)
        parts_x.insert(0, solved.flip(0)) if first else parts_x.append(solved)
    return torch.cat(parts_t), torch.cat(parts_x)
