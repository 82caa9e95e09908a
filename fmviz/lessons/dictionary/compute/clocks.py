"""The picture of two dialects side by side: density and particles, each in its own time and scale, or lined up (T56)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.clips import paths
from fmviz.clips.clip import Density, Extent, Floats, Layer, Lines, Markers, Particles, PlanePanel, Vectors
from fmviz.clips.paths import Grid, as_array
from fmviz.clips.scales import cell_centres
from fmviz.lessons.dictionary.compute.frames import Frames, on_frames
from fmviz.theory import GaussianMixture, ProbabilityPath
from fmviz.theory.dialect_path import DialectPath
from fmviz.theory.dialects import Prediction

__all__ = ["ARROWS", "clicked_layers", "densities", "extent_of", "panel", "predictions_at"]

CELLS, TRAIL = 80, 9
ARROWS: tuple[tuple[Prediction, str], ...] = (
    ("data", "data"),
    ("noise", "init"),
    ("score", "score"),
    ("velocity", "velocity"),
)
"""The predictions that have an arrow, and the role whose colour it has."""
MOST_DATA_WIDTHS = 4.0
ARROW_SHARE = 0.22
"""Length of the longest arrow, of the picture's half width."""


@dataclass(frozen=True)
class Predictions:
    """All predictions at one point of one dialect: where and when it is there, and (2,) values by name."""

    x: tuple[float, float]
    s: float
    values: dict[Prediction, tuple[float, float]]


def extent_of(data: GaussianMixture, frames: Frames, *, common: bool) -> Extent:
    """A square that holds data and noise to about 2.5 standard deviations on all frames.

    Where the noise is far wider than the data, it holds `MOST_DATA_WIDTHS` times the data, which one could not see otherwise: the
    particles begin outside.
    """
    spread = 2.5 * torch.diagonal(data.covariances, dim1=-2, dim2=-1).sqrt()
    reach = float((data.means.abs() + spread).max())
    sizes = ((frames.alpha * reach).square() + (2.5 * frames.beta).square()).sqrt()
    half = 1.05 * min(float((sizes / frames.total if common else sizes).max()), MOST_DATA_WIDTHS * reach)
    return Extent(-half, half, -half, half)


@torch.inference_mode()
def panel(
    name: str, path: ProbabilityPath, motion: tuple[Tensor, Tensor], frames: Frames, extent: Extent, *, common: bool
) -> PlanePanel:
    """One dialect.

    Args:
        name: of the panel.
        path: the linear path.
        motion: its trajectories, positions and velocities.
        frames: the moments that are shown.
        extent: the window.
        common: in the scale of the linear path, which all dialects share.
    """
    return PlanePanel(
        name,
        "",
        extent,
        (
            Density("density", *densities(path, frames, extent, common=common)),
            Particles("ode", "ode", as_array(on_frames(*motion, frames, common=common)), TRAIL, "ode_trails"),
        ),
        clickable=True,
    )


def densities(
    path: ProbabilityPath, frames: Frames, extent: Extent, *, common: bool, cells: int = CELLS
) -> tuple[Floats, float]:
    """log p on the cells at each frame, (T, H, W), and the largest of it."""
    points = cell_centres(extent, cells)
    shrink = torch.ones_like(frames.total) if common else frames.total
    y = points / shrink.to(points)[:, None, None]
    values = path.log_density(y, frames.linear.to(points)[:, None]) - 2.0 * shrink.log().to(points)[:, None]
    return as_array(values.reshape(len(frames.times), cells, cells)), float(values.max())


@torch.inference_mode()
def predictions_at(data: GaussianMixture, click: tuple[float, float, float], frames: Frames) -> Predictions | None:
    """All predictions at the point of the linear path `click` in the dialect of the frames.

    None where the dialect does not reach the point's log signal-to-noise ratio, or where a prediction has no value.
    """
    x, y, t = click
    dialect = frames.dialect
    low, high = dialect.log_snr_range
    log_snr = 2.0 * math.log(t / (1.0 - t)) if 0.0 < t < 1.0 else math.copysign(math.inf, t - 0.5)
    if not (low <= log_snr <= high and math.isfinite(log_snr)):
        return None
    s = float(dialect.time(log_snr))
    v = dialect.evaluate(s)
    point = torch.tensor([x, y], dtype=torch.float64) * (v.alpha + v.beta)
    mean = DialectPath(data.to(torch.float64), dialect).posterior_mean(point, s)
    names: tuple[Prediction, ...] = ("data", "noise", "score", "velocity", "v")
    found = {name: dialect.convert(mean, point, s, predicts="data", to=name) for name in names}
    return Predictions(_pair(point), s, {name: _pair(value) for name, value in found.items()})


def clicked_layers(
    path: ProbabilityPath, click: tuple[float, float, float], frames: Frames, extent: Extent, *, common: bool
) -> tuple[Layer, ...]:
    """The clicked point with an arrow for each prediction, and the trajectory through it."""
    found = predictions_at(path.p_data, click, frames)
    grid = Grid(extent, frames=65)
    positions, _ = paths.trajectory_through(path, click, grid)
    moving = on_frames(
        positions[:, None], path.marginal_velocity(positions, grid.times())[:, None], frames, common=common
    )
    layers: list[Layer] = [
        Lines("click", "ode", (as_array(moving[:, 0]),)),
        Markers("click", "ode", as_array(moving), shape="dot"),
    ]
    if found is None:
        return tuple(layers)
    v = frames.dialect.evaluate(found.s)
    shrink = float(v.alpha + v.beta) if common else 1.0
    place = torch.tensor([found.x], dtype=torch.float32) / shrink
    longest = ARROW_SHARE * extent.x1
    for name, role in ARROWS:
        vector = torch.tensor(found.values[name], dtype=torch.float32)
        length = float(vector.norm())
        scale = longest / length if length > 0.0 else 1.0
        everywhere = vector.expand(len(frames.times), 1, 2)
        layers.append(Vectors("click", role, as_array(place), as_array(everywhere), scale, longest))  # type: ignore[arg-type]
    layers.append(Markers("click", "path", as_array(place), shape="ring"))
    return tuple(layers)


def _pair(value: Tensor) -> tuple[float, float]:
    return float(value[0]), float(value[1])
