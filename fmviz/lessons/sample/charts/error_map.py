"""The distance to p_data over the amplitude of sigma_t and the number of steps (Plotly)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from fmviz.charts.cells import Side, cell_map, distance_levels, frame_best
from fmviz.charts.palette import DENSITY_DARK, DENSITY_LIGHT, Theme, colour
from fmviz.charts.theme import density_scale
from fmviz.clips.clip import Floats

__all__ = ["Axes", "difference_map", "distance_map"]


@dataclass(frozen=True)
class Axes:
    """What rows and columns of a map are.

    Attributes:
        amplitudes, steps: of the rows and columns.
        x_title, y_title: what the axes are called.
        height: of the figure, in pixels.
    """

    amplitudes: Sequence[float]
    steps: Sequence[int]
    x_title: str
    y_title: str
    height: int = 330


def distance_map(values: Floats, axes: Axes, floor: float, theme: Theme) -> go.Figure:
    """Distances (rows: amplitudes, columns: steps), logarithmic in colour, each written in its cell, the best framed.

    Args:
        values: NaN where not yet computed, infinite where the particles diverged.
        axes: of the map.
        floor: the distance of two exact samples, the quiet end of the scale.
        theme: light or dark.
    """
    shown, limits = distance_levels(values, floor)
    figure = _map(shown, limits, values, axes, density_scale(theme), theme)
    frame_best(figure, values, theme)
    return figure


def difference_map(values: Floats, axes: Axes, floor: float, theme: Theme) -> go.Figure:
    """Learned minus exact: the colour of the learned field where it is further away, that of the exact one where nearer.

    Arguments as in `distance_map`; colours are fullest at a difference of `floor`.
    """
    ground = DENSITY_LIGHT[0] if theme == "light" else DENSITY_DARK[0]
    scale = [(0.0, colour("velocity", theme)), (0.5, ground), (1.0, colour("learned", theme))]
    limits = (-2 * floor, 2 * floor)  # half the scale: the text stays legible on its ends
    return _map(np.clip(values, -floor, floor), limits, values, axes, scale, theme, signed=True)


def _map(
    shown: Floats,
    limits: tuple[float, float],
    values: Floats,
    axes: Axes,
    scale: Sequence[tuple[float, str]],
    theme: Theme,
    *,
    signed: bool = False,
) -> go.Figure:
    return cell_map(
        shown,
        limits,
        scale,
        [[_written(float(v), signed) for v in row] for row in values],
        Side(axes.x_title, [str(n) for n in axes.steps]),
        Side(axes.y_title, [f"{a:g}" for a in axes.amplitudes]),
        theme,
        height=axes.height,
        customdata=[[(f"{a:g}", n) for n in axes.steps] for a in axes.amplitudes],
        hovertemplate="σ × %{customdata[0]}, n = %{customdata[1]}<br>%{text}<extra></extra>",
    )


def _written(value: float, signed: bool) -> str:
    """Two digits are enough to compare, and all that a phone has room for."""
    if np.isnan(value):
        return ""
    sign = "−" if value < 0 else "+" if signed else ""
    size = abs(value)
    text = "∞" if np.isinf(size) else "≫" if size >= 1000 else f"{size:.0f}" if size >= 9.95 else f"{size:.2f}"
    return f"{sign}{text}"
