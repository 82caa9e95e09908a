"""The clip of a probability path: conditional and marginal panels under one clock (T12 to T21).

Layer names are those of ``fmviz.scene.views.LAYERS``. Density, velocity, score, posterior and whatever follows from a straight
line travel as the law (`fmviz.clips.laws`), from which the player evaluates them at the t on its clock; what is simulated
travels as arrays. The conditional path ends in a point mass, where velocity and score have no value: no arrow is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from fmviz.clips import scales
from fmviz.clips.clip import (
    Absent,
    Bars,
    BarsPanel,
    Clip,
    Contours,
    Ellipses,
    Extent,
    Floats,
    LawDensity,
    LawParticles,
    LawVectors,
    Layer,
    Lines,
    Markers,
    Particles,
    PlanePanel,
    Readout,
)
from fmviz.clips.laws import law_of
from fmviz.clips.particles import conditional_sde, marginal_ode, marginal_sde
from fmviz.clips.scales import conditional_top, path_scales
from fmviz.scene.scene import NOISE_STREAM
from fmviz.theory import GaussianMixture, ProbabilityPath
from fmviz.theory.sigmas import Sigma
from fmviz.theory.solvers import solve_ode

__all__ = [
    "SIMULATED",
    "Grid",
    "Sent",
    "Starts",
    "arrow_scale",
    "as_array",
    "click_layers",
    "conditional_panel",
    "ellipses",
    "marginal_panel",
    "paths_clip",
    "posterior_panel",
    "readouts",
    "trajectory_through",
]

TRAIL = 9
POSTERIOR_LINES = 24
Sent = frozenset[str]
"""Names of layers."""
SIMULATED: Sent = frozenset(("sde", "sde_trails"))
"""Layers that cost time and bytes and are off at first: they travel once they have been switched on."""


@dataclass(frozen=True)
class Grid:
    """The resolution of a clip: `frames` times in [0, 1], `cells` squared density cells, `arrows` squared vectors."""

    extent: Extent
    frames: int = 61
    cells: int = 96
    arrows: int = 20

    def times(self) -> Tensor:
        """(T,) float32, uniform on the closed interval [0, 1]."""
        return torch.linspace(0.0, 1.0, self.frames)

    def points(self, n: int) -> Tensor:
        """The centres of n × n cells, (n², 2), row 0 at the lowest y."""
        return scales.cell_centres(self.extent, n)


@dataclass(frozen=True)
class Starts:
    """How many particles there are, and the seeds of their starting points and of the Brownian noise."""

    count: int = 500
    seed_start: int = 0
    seed_noise: int = 0

    def points(self, p_init: GaussianMixture) -> Tensor:
        """The common starting points X_0 ~ p_init, (N, 2)."""
        return p_init.sample(self.count, generator=torch.Generator().manual_seed(self.seed_start))

    def noise(self) -> torch.Generator:
        """A fresh generator of the Brownian increments, independent of the starting points whatever the seeds."""
        return torch.Generator().manual_seed(NOISE_STREAM + self.seed_noise)

    def reference(self) -> torch.Generator:
        """A generator for exact samples, independent of the particles' own."""
        return torch.Generator().manual_seed(1_000_003 + self.seed_start)


def marginal_panel(
    path: ProbabilityPath, sigma: Sigma, grid: Grid, starts: Starts, sent: Sent = SIMULATED, *, draft: bool = False
) -> PlanePanel:
    """The marginal path p_t with velocity, score, particles and exact samples.

    What of the `SIMULATED` is not `sent` is absent; in a `draft` the player finds the trajectories of the ODE itself.
    """
    found = path_scales(path, grid.extent, grid.arrows, grid.frames)
    x0 = starts.points(path.p_init)
    z = path.p_data.sample(starts.count, generator=starts.reference())
    times = grid.times()

    def sde() -> Tensor:
        return marginal_sde(path, sigma, x0, times, starts.noise())

    return PlanePanel(
        name="marginal",
        title="",
        extent=grid.extent,
        clickable=True,
        layers=(
            LawDensity("density", "marginal", found.log_max),
            Contours("contours"),
            LawVectors("velocity", "velocity", "marginal", "velocity", found.velocity, grid.arrows),
            LawVectors("score", "score", "marginal", "score", found.score, grid.arrows),
            LawParticles("reference", "reference", as_array(x0), "interpolant", ends=as_array(z)),
            LawParticles(
                "ode",
                "ode",
                as_array(x0),
                "flow",
                positions=None if draft else as_array(marginal_ode(path, x0, times)),
                trail=TRAIL,
                trail_name="ode_trails",
            ),
            _simulated("sde", sde, sent),
            ellipses(path.p_data),
        ),
    )


def conditional_panel(
    path: ProbabilityPath, sigma: Sigma, z: tuple[float, float], grid: Grid, starts: Starts, sent: Sent = SIMULATED
) -> PlanePanel:
    """The conditional path p_t(·|z) with the same layers; arrows have the marginal panel's scale."""
    found = path_scales(path, grid.extent, grid.arrows, grid.frames)
    point, times = torch.tensor(z), grid.times()
    x0 = starts.points(path.p_init)
    exact = path.p_init.sample(starts.count, generator=starts.reference())

    def sde() -> Tensor:
        return conditional_sde(path, sigma, point, x0, times, starts.noise())

    return PlanePanel(
        name="conditional",
        title="",
        extent=grid.extent,
        clickable=True,
        layers=(
            LawDensity("density", "conditional", conditional_top(path, z)),
            Contours("contours"),
            LawVectors("velocity", "velocity", "conditional", "velocity", found.velocity, grid.arrows),
            LawVectors("score", "score", "conditional", "score", found.score, grid.arrows),
            LawParticles("reference", "reference", as_array(exact), "interpolant"),
            LawParticles("ode", "ode", as_array(x0), "interpolant", trail=TRAIL, trail_name="ode_trails"),
            _simulated("sde", sde, sent),
            Markers("z", "data", as_array(point[None]), shape="cross", label="z", drag="z"),
        ),
    )


@torch.inference_mode()
def _simulated(name: Literal["sde"], positions: Callable[[], Tensor], sent: Sent) -> Particles | Absent:
    """Particles with trails, simulated only where they are sent."""
    trails = f"{name}_trails"
    if sent.isdisjoint((name, trails)):
        return Absent(name, name, trails)
    return Particles(name, name, as_array(positions()), TRAIL, trails)


def ellipses(mixture: GaussianMixture) -> Ellipses:
    """The components of p_data, editable on the stage."""
    return Ellipses(
        "mixture",
        "data",
        as_array(mixture.means),
        as_array(mixture.covariances),
        as_array(mixture.weights),
        edit="data",
        classes=tuple(mixture.labels.tolist()),
    )


@torch.inference_mode()
def click_layers(
    path: ProbabilityPath, click: tuple[float, float, float], grid: Grid, seed: int = 0
) -> tuple[Layer, ...]:
    """What explains the point x at time t: its trajectory both ways, and the conditional ones that meet there.

    The latter are :math:`\\alpha_s z + \\beta_s x_0` for draws of (z, x_0) given X_t = x.
    """
    x, t = torch.tensor(click[:2]), click[2]
    times = grid.times()
    positions, line = trajectory_through(path, click, grid)
    z, x0 = path.sample_posterior(x, t, POSTERIOR_LINES, generator=torch.Generator().manual_seed(seed))
    meeting = path.conditional_flow(x0[None], times[:, None], z)
    return (
        Lines(
            "click", "data", tuple(as_array(meeting[:, i]) for i in range(POSTERIOR_LINES)), dashed=True, opacity=0.45
        ),
        Markers("click", "data", as_array(z), shape="cross"),
        Lines("click", "velocity", (as_array(line),)),
        Markers("click", "velocity", as_array(positions[:, None]), shape="dot"),
        Markers("click", "velocity", as_array(x[None]), shape="ring", label="x"),
    )


def posterior_panel(path: ProbabilityPath, click: tuple[float, float, float] | None) -> BarsPanel:
    """p_t(z|x) over the components of p_data at the clicked x, moving with t."""
    bars = None
    if click is not None:
        labels = tuple(str(k + 1) for k in range(path.p_data.n_components))
        bars = Bars(labels, None, at=click[:2])
    return BarsPanel("posterior", "", bars)


@torch.inference_mode()
def readouts(path: ProbabilityPath, sigma: Sigma, grid: Grid) -> tuple[Readout, ...]:
    """alpha_t, beta_t and sigma_t, to be read beside the clock."""
    times = grid.times()
    values = (
        path.scheduler.alpha(times),
        path.scheduler.beta(times),
        torch.as_tensor(sigma(times)).expand(times.shape),
    )
    return tuple(Readout(label, as_array(v)) for label, v in zip(("α", "β", "σ"), values, strict=True))


def paths_clip(
    path: ProbabilityPath,
    sigma: Sigma,
    grid: Grid,
    starts: Starts,
    z: tuple[float, float],
    click: tuple[float, float, float] | None = None,
) -> Clip:
    """The whole clip: conditional and marginal panel, posterior bars, and what belongs to the click."""
    marginal = marginal_panel(path, sigma, grid, starts)
    conditional = conditional_panel(path, sigma, z, grid, starts)
    if click is not None:
        marginal = replace(marginal, layers=(*marginal.layers, *click_layers(path, click, grid)))
    bars = posterior_panel(path, click)
    return Clip(
        as_array(grid.times()),
        (conditional, marginal, bars),
        readouts(path, sigma, grid),
        law=law_of(path, z, follows=True),
    )


def trajectory_through(path: ProbabilityPath, click: tuple[float, float, float], grid: Grid) -> tuple[Tensor, Tensor]:
    """The trajectory with X_t = x: its positions (T, 2) at the frames, and its points (T + 1, 2) with x among them."""
    x, t, times = torch.tensor(click[:2]), click[2], grid.times()
    after, before = times[times > t].tolist(), times[times < t].flip(0).tolist()

    def solve(grid: list[float]) -> Tensor:
        return solve_ode(path.marginal_velocity, x[None], method="rk4", times=grid)[0][:, 0]

    onward = solve([t, *after]) if after else x[None]
    back = solve([t, *before]).flip(0) if before else x[None]
    line = torch.cat([back, onward[1:]])
    at_frames = torch.cat([back[:-1], x.expand(int((times == t).sum()), 2), onward[1:]])
    return at_frames, line


def arrow_scale(vectors: Tensor, grid: Grid) -> float:
    """World length of a unit vector, the same at every t, such that most arrows stay within their cell."""
    return scales.arrow_scale(vectors, grid.extent, grid.arrows)


def as_array(values: Tensor) -> Floats:
    """`values` as a clip holds them: contiguous float32 on the host."""
    return np.ascontiguousarray(values.detach().to("cpu", torch.float32).numpy())
