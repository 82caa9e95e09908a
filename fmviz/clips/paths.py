"""The clip of a probability path: conditional and marginal panels under one clock (T12 to T21).

Layer names are those of ``fmviz.scene.views.LAYERS``. Every array is exact up to float32; only the particles are
simulated. The conditional path ends in a point mass: its last density frame holds all mass in one grid cell, and
velocity and score, which have no value there, are NaN (drawn as nothing).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from fmviz.clips.clip import (
    Bars,
    BarsPanel,
    Clip,
    Contours,
    Density,
    Ellipses,
    Extent,
    Floats,
    Layer,
    Lines,
    Markers,
    Particles,
    PlanePanel,
    Readout,
    Vectors,
)
from fmviz.clips.particles import conditional_sde, marginal_ode, marginal_sde
from fmviz.scene.scene import NOISE_STREAM
from fmviz.theory import GaussianMixture, ProbabilityPath
from fmviz.theory.sigmas import Sigma
from fmviz.theory.solvers import solve_ode

__all__ = [
    "Grid",
    "Starts",
    "arrow_scale",
    "as_array",
    "click_layers",
    "conditional_density",
    "conditional_figures",
    "conditional_panel",
    "marginal_density",
    "marginal_figures",
    "marginal_panel",
    "paths_clip",
    "posterior_panel",
    "readouts",
    "trajectory_through",
    "with_background",
]

TRAIL = 9
POSTERIOR_LINES = 24
ARROW_QUANTILE = 0.7
CONDITIONAL_PEAK_TIME = 0.6
"""The conditional density grows without bound towards t = 1: its colour scale tops out at its peak at this time."""


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
        e = self.extent
        x = e.x0 + (torch.arange(n) + 0.5) * (e.x1 - e.x0) / n
        y = e.y0 + (torch.arange(n) + 0.5) * (e.y1 - e.y0) / n
        yy, xx = torch.meshgrid(y, x, indexing="ij")
        return torch.stack([xx, yy], dim=-1).reshape(-1, 2)


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


def marginal_panel(path: ProbabilityPath, sigma: Sigma, grid: Grid, starts: Starts) -> PlanePanel:
    """The marginal path p_t with velocity, score, particles and exact samples."""
    return with_background(marginal_density(path, grid), marginal_figures(path, sigma, grid, starts))


def conditional_panel(
    path: ProbabilityPath, sigma: Sigma, z: tuple[float, float], grid: Grid, starts: Starts
) -> PlanePanel:
    """The conditional path p_t(·|z) with the same layers; arrows have the marginal panel's scale."""
    return with_background(conditional_density(path, z, grid), conditional_figures(path, sigma, z, grid, starts))


def with_background(density: Density, figures: PlanePanel) -> PlanePanel:
    """`figures` with `density` below: the density costs most, and may be coarser for a moment."""
    return replace(figures, layers=(density, *figures.layers))


@torch.inference_mode()
def marginal_density(path: ProbabilityPath, grid: Grid) -> Density:
    """log p_t. The top of its colours is looked for where components are centred too, so that it does not hang on the cells."""
    times = grid.times()
    v = path.scheduler.evaluate(times)
    centres = (v.alpha[:, None, None] * path.p_data.means)[:, :, None] + (v.beta[:, None, None] * path.p_init.means)[
        :, None
    ]
    log_p = path.log_density(grid.points(grid.cells), times[:, None])
    top = path.log_density(centres.flatten(1, 2), times[:, None]).max()
    return _density(log_p, grid, float(torch.maximum(top, log_p.max())))


@torch.inference_mode()
def marginal_figures(path: ProbabilityPath, sigma: Sigma, grid: Grid, starts: Starts) -> PlanePanel:
    """All of the marginal panel but its density."""
    times = grid.times()
    at = grid.points(grid.arrows)
    velocity, score = path.velocity_and_score(at, times[:, None])
    x0 = starts.points(path.p_init)
    z = path.p_data.sample(starts.count, generator=starts.reference())
    reference = path.conditional_flow(x0, times[:, None], z)
    return PlanePanel(
        name="marginal",
        title="",
        extent=grid.extent,
        clickable=True,
        layers=(
            Contours("contours"),
            *_fields(at, velocity, score, arrow_scale(velocity, grid), arrow_scale(score, grid), grid),
            Particles("reference", "reference", as_array(reference)),
            Particles("ode", "ode", as_array(marginal_ode(path, x0, times)), TRAIL, "ode_trails"),
            Particles(
                "sde", "sde", as_array(marginal_sde(path, sigma, x0, times, starts.noise())), TRAIL, "sde_trails"
            ),
            ellipses(path.p_data),
        ),
    )


@torch.inference_mode()
def conditional_density(path: ProbabilityPath, z: tuple[float, float], grid: Grid) -> Density:
    """log p_t(·|z), the last frame a point mass; its colours end at the peak it has at `CONDITIONAL_PEAK_TIME`."""
    point, inner = torch.tensor(z), grid.times()[:-1, None]
    log_p = path.conditional_log_density(grid.points(grid.cells), inner, point)
    log_p = torch.cat([log_p, _point_mass(point, grid)[None]])
    v = path.scheduler.evaluate(torch.tensor(CONDITIONAL_PEAK_TIME))
    centres = v.alpha * point + v.beta * path.p_init.means
    peak = path.conditional_log_density(centres, torch.tensor([CONDITIONAL_PEAK_TIME]), point).max()
    return _density(log_p, grid, float(peak))


@torch.inference_mode()
def conditional_figures(
    path: ProbabilityPath, sigma: Sigma, z: tuple[float, float], grid: Grid, starts: Starts
) -> PlanePanel:
    """All of the conditional panel but its density."""
    times = grid.times()
    point = torch.tensor(z)
    inner = times[:-1, None]
    at = grid.points(grid.arrows)
    velocity = path.conditional_velocity(at, inner, point)
    score = path.conditional_score(at, inner, point)
    nothing = torch.full_like(velocity[:1], torch.nan)
    marginal_velocity, marginal_score = path.velocity_and_score(at, times[:, None])
    x0 = starts.points(path.p_init)
    exact = path.p_init.sample(starts.count, generator=starts.reference())
    return PlanePanel(
        name="conditional",
        title="",
        extent=grid.extent,
        clickable=True,
        layers=(
            Contours("contours"),
            *_fields(
                at,
                torch.cat([velocity, nothing]),
                torch.cat([score, nothing]),
                arrow_scale(marginal_velocity, grid),
                arrow_scale(marginal_score, grid),
                grid,
            ),
            Particles("reference", "reference", as_array(path.conditional_flow(exact, times[:, None], point))),
            Particles("ode", "ode", as_array(path.conditional_flow(x0, times[:, None], point)), TRAIL, "ode_trails"),
            Particles(
                "sde",
                "sde",
                as_array(conditional_sde(path, sigma, point, x0, times, starts.noise())),
                TRAIL,
                "sde_trails",
            ),
            Markers("z", "data", as_array(point[None]), shape="cross", label="z", drag="z"),
        ),
    )


def ellipses(mixture: GaussianMixture) -> Ellipses:
    """The components of p_data, editable on the stage."""
    return Ellipses(
        "mixture",
        "data",
        as_array(mixture.means),
        as_array(mixture.covariances),
        as_array(mixture.weights),
        edit="data",
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
    meeting = path.conditional_flow(x0, times[:, None], z)
    return (
        Lines(
            "click", "data", tuple(as_array(meeting[:, i]) for i in range(POSTERIOR_LINES)), dashed=True, opacity=0.45
        ),
        Markers("click", "data", as_array(z), shape="cross"),
        Lines("click", "velocity", (as_array(line),)),
        Markers("click", "velocity", as_array(positions[:, None]), shape="dot"),
        Markers("click", "velocity", as_array(x[None]), shape="ring"),
    )


@torch.inference_mode()
def posterior_panel(path: ProbabilityPath, click: tuple[float, float, float] | None, grid: Grid) -> BarsPanel:
    """p_t(z|x) over the components of p_data at the clicked x, moving with t."""
    bars = None
    if click is not None:
        values = path.posterior(torch.tensor(click[:2]), grid.times())
        bars = Bars(tuple(str(k + 1) for k in range(values.shape[-1])), as_array(values))
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
    bars = posterior_panel(path, click, grid)
    return Clip(as_array(grid.times()), (conditional, marginal, bars), readouts(path, sigma, grid))


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


def _density(log_p: Tensor, grid: Grid, log_max: float) -> Density:
    return Density("density", as_array(log_p.reshape(-1, grid.cells, grid.cells)), log_max)


def _point_mass(point: Tensor, grid: Grid) -> Tensor:
    """The log density (cells²,) of all mass in the cell that holds `point`."""
    e, n = grid.extent, grid.cells
    log_p = torch.full((n, n), -torch.inf)
    column = int((float(point[0]) - e.x0) / (e.x1 - e.x0) * n)
    row = int((float(point[1]) - e.y0) / (e.y1 - e.y0) * n)
    if 0 <= row < n and 0 <= column < n:
        log_p[row, column] = float(np.log(n * n / ((e.x1 - e.x0) * (e.y1 - e.y0))))
    return log_p.reshape(-1)


def arrow_scale(vectors: Tensor, grid: Grid) -> float:
    """World length of a unit vector, the same at every t, such that most arrows stay within their cell."""
    cell = (grid.extent.x1 - grid.extent.x0) / grid.arrows
    lengths = torch.hypot(vectors[..., 0], vectors[..., 1]).flatten()
    typical = float(lengths.kthvalue(1 + int(ARROW_QUANTILE * (len(lengths) - 1))).values)
    return 0.9 * cell / typical if typical > 0 else 1.0


def _fields(
    at: Tensor, velocity: Tensor, score: Tensor, velocity_scale: float, score_scale: float, grid: Grid
) -> tuple[Vectors, Vectors]:
    longest = 1.4 * (grid.extent.x1 - grid.extent.x0) / grid.arrows
    return (
        Vectors("velocity", "velocity", as_array(at), as_array(velocity), velocity_scale, longest),
        Vectors("score", "score", as_array(at), as_array(score), score_scale, longest),
    )


def as_array(values: Tensor) -> Floats:
    """`values` as a clip holds them: contiguous float32 on the host."""
    return np.ascontiguousarray(values.detach().to("cpu", torch.float32).numpy())
