"""The figures of a report: a line over t, maps of the error, and where particles end. Self-contained, on a light and on a dark ground."""

from __future__ import annotations

__all__ = ["ends_svg", "line_svg", "map_svg"]

import base64
import io
import math

import numpy as np
from PIL import Image

from fmviz.charts.palette import ROLE_COLOURS
from fmviz.clips.clip import Extent, Floats
from fmviz.comparison.measures import ErrorMap

WIDTH, HEIGHT = 480.0, 190.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 12.0, 10.0, 34.0
TILE = 132.0
MOST_DOTS = 400


def line_svg(t: Floats, values: Floats, description: str) -> str:
    """A line over t in [0, 1], from 0 up; gaps where there is no number."""
    known = values[np.isfinite(values)]
    top = _ceiling(float(known.max()) if len(known) else 1.0)
    right, ground = WIDTH - RIGHT, HEIGHT - BOTTOM

    def place(a: float, b: float) -> str:
        return f"{LEFT + a * (right - LEFT):.1f},{ground - b / top * (ground - TOP):.1f}"

    runs: list[list[str]] = [[]]
    for a, b in zip(t.tolist(), values.tolist(), strict=True):
        if math.isfinite(b):
            runs[-1].append(place(a, b))
        elif runs[-1]:
            runs.append([])
    ink = _ink("learned")
    lines = "".join(
        f'<polyline points="{" ".join(run)}" fill="none" stroke="{ink}" stroke-width="2.5"/>' for run in runs if run
    )
    marks = "".join(
        f'<line x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="currentColor" stroke-opacity="0.2"/>'
        f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{100.0 * fraction * top:.3g} %</text>'
        for fraction in (0.0, 0.5, 1.0)
        for y in (ground - fraction * (ground - TOP),)
    )
    ticks = "".join(
        f'<text x="{LEFT + a * (right - LEFT):.1f}" y="{ground + 16}" text-anchor="middle">{a:g}</text>'
        for a in (0.0, 0.25, 0.5, 0.75, 1.0)
    )
    name = f'<text x="{(LEFT + right) / 2:.0f}" y="{ground + 31}" text-anchor="middle">t</text>'
    return _svg(WIDTH, HEIGHT, description, f"{marks}{ticks}{name}{lines}")


def map_svg(found: ErrorMap, description: str) -> str:
    """A tile for each time, as opaque as the error is large, with draws of p_t; what is no number has the full colour."""
    tiles = []
    for i, t in enumerate(found.times):
        x = i * (TILE + 8.0)
        tiles.append(
            f'<rect x="{x}" y="0" width="{TILE}" height="{TILE}" fill="none" stroke="currentColor" stroke-opacity="0.3"/>'
            f'<image x="{x}" y="0" width="{TILE}" height="{TILE}" preserveAspectRatio="none" href="data:image/png;base64,{_png(found.values[i])}"/>'
            f'<g fill="currentColor" fill-opacity="0.8" transform="translate({x} 0)">{_dots(found.draws[i], found.extent, TILE, 1.1)}</g>'
            f'<text x="{x + TILE / 2}" y="{TILE + 16}" text-anchor="middle">t = {t:g}</text>'
        )
    return _svg(len(found.times) * (TILE + 8.0) - 8.0, TILE + 22.0, description, "".join(tiles))


def ends_svg(exact: Floats, own: Floats, extent: Extent, description: str) -> str:
    """Ends of particles (N, 2) of both fields, at most `MOST_DOTS` of each; those outside the extent are not drawn."""
    size = 320.0
    groups = []
    for points, style in (
        (exact, f'fill="none" stroke="{_ink("ode")}" stroke-width="1.2"'),
        (own, f'fill="{_ink("learned")}" fill-opacity="0.75"'),
    ):
        dots = _dots(points[:MOST_DOTS], extent, size, 2.4)
        groups.append(f"<g {style}>{dots}</g>")
    frame = f'<rect width="{size}" height="{size}" fill="none" stroke="currentColor" stroke-opacity="0.3"/>'
    return _svg(size, size, description, frame + "".join(groups))


def _dots(points: Floats, extent: Extent, size: float, radius: float) -> str:
    """Circles at points (N, 2) in a square of this size that shows the extent, without those outside."""
    x = (points[:, 0].astype(np.float64) - extent.x0) / (extent.x1 - extent.x0) * size
    y = (extent.y1 - points[:, 1].astype(np.float64)) / (extent.y1 - extent.y0) * size
    inside = (x >= 0) & (x <= size) & (y >= 0) & (y <= size)
    return "".join(
        f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{radius}"/>' for a, b in zip(x[inside], y[inside], strict=True)
    )


def _svg(width: float, height: float, description: str, inside: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img" '
        f'aria-label="{description}" style="max-width:100%;height:auto" font-size="12" font-family="sans-serif" fill="currentColor">{inside}</svg>'
    )


def _png(values: Floats) -> str:
    """Base64 of a PNG in the colour of the error, row 0 below."""
    opacity = np.clip(np.nan_to_num(values, nan=1.0, posinf=1.0), 0.0, 1.0)[::-1]
    pixels = np.empty((*opacity.shape, 4), dtype=np.uint8)
    pixels[..., :3] = [int(_ink("sde")[i : i + 2], 16) for i in (1, 3, 5)]
    pixels[..., 3] = np.round(255 * opacity)
    file = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def _ink(role: str) -> str:
    """A colour of a role between those on a light and on a dark ground, since the ground is not known here."""
    entry = ROLE_COLOURS[role]
    mixed = [(int(entry.light[i : i + 2], 16) + int(entry.dark[i : i + 2], 16)) // 2 for i in (1, 3, 5)]
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _ceiling(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    if not value > 0.0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= value * (1.0 - 1e-9))
