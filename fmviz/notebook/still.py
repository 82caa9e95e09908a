"""A still picture of a clip as a PNG: what stands in the output of a notebook where nothing plays.

A row of frames for each panel of the plane: density, particles, lines and markers at a few times. It fits a light and a dark ground.
"""

from __future__ import annotations

__all__ = ["still"]

import io
from dataclasses import replace

import numpy as np
import torch
from PIL import Image, ImageDraw

from fmviz.charts.palette import ROLE_COLOURS
from fmviz.clips.clip import (
    Clip,
    Density,
    Extent,
    Floats,
    LawDensity,
    LawParticles,
    Layer,
    Lines,
    Markers,
    Particles,
    PlanePanel,
)
from fmviz.clips.scales import cell_centres
from fmviz.theory import ProbabilityPath
from fmviz.theory.solvers import solve_ode

FRAMES = 5
TILE, GAP, FOOT = 176, 8, 22
FINE = 2
"""Drawn so many times larger, then made smaller, for smooth dots."""
CELLS = 88
MOST_DOTS, FEW_DOTS, MANY_PAIRS = 250, 80, 256
"""Particles of a frame, fewer where the path has many pairs of components."""
MOST_PANELS = 3
DOT = 1.6
COLOURS = 128
REACH = 30.0
"""Nats below the top at which a density has no colour left."""


def still(clip: Clip, path: ProbabilityPath | None = None) -> bytes:
    """A PNG of a clip; with the path behind it its densities as well."""
    panels = [_followed(panel, clip, path) for panel in clip.panels if isinstance(panel, PlanePanel)][:MOST_PANELS]
    chosen = np.linspace(0, len(clip.times) - 1, FRAMES).round().astype(int)
    width = FRAMES * (TILE + GAP) - GAP
    height = len(panels) * (TILE + GAP) + FOOT
    image = Image.new("RGBA", (FINE * width, FINE * height), (0, 0, 0, 0))
    for row, panel in enumerate(panels):
        for column, frame in enumerate(chosen.tolist()):
            tile = _tile(panel, clip, frame, path)
            image.alpha_composite(tile, (FINE * column * (TILE + GAP), FINE * row * (TILE + GAP)))
    draw = ImageDraw.Draw(image)
    for column, frame in enumerate(chosen.tolist()):
        at = (FINE * (column * (TILE + GAP) + TILE / 2), FINE * (height - FOOT / 2))
        draw.text(at, f"t = {clip.times[frame]:.3g}", fill=(*_ink("init"), 255), anchor="mm", font_size=FINE * 13)
    file = io.BytesIO()
    small = image.resize((width, height), Image.Resampling.LANCZOS)
    small.quantize(COLOURS, Image.Quantize.FASTOCTREE).save(file, "PNG", optimize=True)
    return file.getvalue()


def _tile(panel: PlanePanel, clip: Clip, frame: int, path: ProbabilityPath | None) -> Image.Image:
    side = FINE * TILE
    tile = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    for layer in panel.layers:
        if isinstance(layer, Density):
            heights = np.exp(np.clip(layer.log_values[frame] - layer.log_max, -REACH, 0.0) / 2)
            tile.alpha_composite(_shade(heights, layer.role, side))
        elif isinstance(layer, LawDensity) and path is not None:
            values = _law_density(layer, clip, path, panel.extent, float(clip.times[frame]))
            if values is not None:
                heights = np.exp(np.clip(values - layer.log_max, -REACH, 0.0) / 2)
                tile.alpha_composite(_shade(heights, layer.role, side))
    draw = ImageDraw.Draw(tile)
    for layer in panel.layers:
        # Samples and particles of the SDE are off at first on the stage as well.
        if isinstance(layer, Particles) and layer.role not in ("sde", "reference"):
            _dots(draw, layer.positions[frame], panel.extent, layer.role)
        elif isinstance(layer, LawParticles) and layer.role == "ode" and path is not None:
            found = _positions(layer, clip, path, frame)
            if found is not None:
                _dots(draw, found, panel.extent, layer.role)
        elif isinstance(layer, Lines):
            for line in layer.points:
                draw.line(
                    [tuple(p) for p in _place(line, panel.extent).tolist()], fill=(*_ink(layer.role), 200), width=FINE
                )
        elif isinstance(layer, Markers):
            points = layer.positions if layer.positions.ndim == 2 else layer.positions[frame]
            for x, y in _place(points, panel.extent).tolist():
                draw.ellipse((x - 7, y - 7, x + 7, y + 7), outline=(*_ink(layer.role), 255), width=3)
    draw.rectangle((0, 0, side - 1, side - 1), outline=(*_ink("init"), 120), width=FINE)
    return tile


@torch.inference_mode()
def _law_density(layer: LawDensity, clip: Clip, path: ProbabilityPath, extent: Extent, t: float) -> Floats | None:
    """log p on cells, row 0 at the lowest y; None for what has no density at this time, or another law than the path's own."""
    points = cell_centres(extent, CELLS).to(path.p_data.dtype)
    if layer.of == "marginal":
        values = path.log_density(points, t)
    elif layer.of == "conditional" and clip.law is not None and t < 1.0:
        values = path.conditional_log_density(points, t, torch.tensor(clip.law.z, dtype=points.dtype))
    else:
        return None
    found: Floats = values.reshape(CELLS, CELLS).float().numpy()
    return found


@torch.inference_mode()
def _followed(panel: PlanePanel, clip: Clip, path: ProbabilityPath | None) -> PlanePanel:
    """The panel with the positions of those particles of the flow that the player would find by itself, by Heun's method as there."""
    if path is None:
        return panel
    layers: list[Layer] = []
    for layer in panel.layers:
        if isinstance(layer, LawParticles) and layer.way == "flow" and layer.positions is None:
            starts = torch.from_numpy(layer.starts[: MOST_DOTS if path.n_pairs <= MANY_PAIRS else FEW_DOTS])
            moved, _ = solve_ode(path.marginal_velocity, starts, method="heun", times=clip.times.tolist())
            layer = replace(layer, positions=moved.numpy())
        layers.append(layer)
    return replace(panel, layers=tuple(layers))


@torch.inference_mode()
def _positions(layer: LawParticles, clip: Clip, path: ProbabilityPath, frame: int) -> Floats | None:
    """Where the particles of a law are at a frame."""
    if layer.positions is not None:
        known: Floats = layer.positions[frame]
        return known
    starts, t = torch.from_numpy(layer.starts[:MOST_DOTS]), float(clip.times[frame])
    if layer.ends is not None:
        ends = torch.from_numpy(layer.ends[:MOST_DOTS])
    elif clip.law is not None:
        ends = torch.tensor(clip.law.z)
    else:
        return None
    found: Floats = path.interpolate(starts, t, ends, torch.zeros_like(starts)).numpy()
    return found


def _shade(heights: Floats, role: str, side: int) -> Image.Image:
    """A colour as opaque as the heights in [0, 1] are large, row 0 below."""
    pixels = np.empty((*heights.shape, 4), dtype=np.uint8)
    pixels[..., :3] = _ink("velocity" if role == "path" else role)
    pixels[..., 3] = np.round(170 * np.nan_to_num(heights))[::-1]
    return Image.fromarray(pixels, "RGBA").resize((side, side), Image.Resampling.BILINEAR)


def _dots(draw: ImageDraw.ImageDraw, points: Floats, extent: Extent, role: str) -> None:
    r = FINE * DOT
    for x, y in _place(points[:MOST_DOTS], extent).tolist():
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(*_ink(role), 220))


def _place(points: Floats, extent: Extent) -> Floats:
    """Pixels of finite points in and near the tile."""
    side = FINE * TILE
    x = (points[:, 0] - extent.x0) / (extent.x1 - extent.x0) * side
    y = (extent.y1 - points[:, 1]) / (extent.y1 - extent.y0) * side
    placed = np.stack([x, y], axis=-1)
    kept: Floats = placed[np.isfinite(placed).all(-1) & (np.abs(placed) < 4 * side).all(-1)]
    return kept


def _ink(role: str) -> tuple[int, int, int]:
    """A colour between those on a light and on a dark ground."""
    entry = ROLE_COLOURS[role]
    red, green, blue = ((int(entry.light[i : i + 2], 16) + int(entry.dark[i : i + 2], 16)) // 2 for i in (1, 3, 5))
    return red, green, blue
