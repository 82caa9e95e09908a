"""A very small chart of curves over [0, 1] as an SVG: what the sidebar can afford on every page."""

from __future__ import annotations

from html import escape

import numpy as np

from fmviz.charts.palette import Theme, colour
from fmviz.clips.clip import Floats

__all__ = ["sparkline"]

WIDTH, HEIGHT, PAD = 240.0, 72.0, 6.0
LABELS = 26.0
DASHES = ("none", "7 4", "2 3")


def sparkline(t: Floats, series: dict[str, tuple[Floats, str]], theme: Theme, description: str) -> str:
    """An SVG of lines over t in [0, 1] from 0 to the largest value, each named at its right end.

    Args:
        t: (T,) times.
        series: name to (values (T,), role); each line has its role's colour and a dash of its own.
        theme: light or dark.
        description: what a screen reader says.
    """
    top = max([1.0, *(float(np.nanmax(values)) for values, _ in series.values())])
    right = WIDTH - LABELS
    parts = []
    for i, (name, (values, role)) in enumerate(series.items()):
        x = PAD + t * (right - PAD)
        y = HEIGHT - PAD - values / top * (HEIGHT - 2 * PAD)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True) if np.isfinite(b))
        ink = colour(role, theme)
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{ink}" stroke-width="2.5" stroke-dasharray="{DASHES[i % 3]}"/>'
            f'<text x="{right + 8:.0f}" y="{16 + 21 * i}" fill="{ink}" font-size="15" font-family="sans-serif" font-weight="600">{escape(name)}</text>'
        )
    axis = colour("init", theme)
    ground = HEIGHT - PAD
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" aria-label="{escape(description)}">'
        f'<path d="M{PAD} {PAD}V{ground}H{right}" fill="none" stroke="{axis}" stroke-opacity="0.5"/>{"".join(parts)}</svg>'
    )
