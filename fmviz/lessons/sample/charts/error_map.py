"""The distance to p_data over the amplitude of sigma_t and the number of steps (Plotly)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from fmviz.charts.palette import DENSITY_DARK, DENSITY_LIGHT, Theme, colour
from fmviz.charts.theme import density_scale, ink, style_plotly
from fmviz.clips.clip import Floats

__all__ = ["Axes", "best_cell", "difference_map", "distance_map"]

DECADES = 1.3
"""The colour scale of distances ends this many powers of ten above the floor."""


def best_cell(values: Floats) -> tuple[int, int] | None:
    """Row and column of the smallest finite value; None while there is none."""
    finite = np.where(np.isfinite(values), values, np.inf)
    if not np.isfinite(finite).any():
        return None
    row, column = np.unravel_index(int(finite.argmin()), finite.shape)
    return int(row), int(column)


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
    low = np.log10(floor)
    shown = np.log10(np.where(np.isinf(values), 10.0 ** (low + DECADES), np.maximum(values, 1e-12)))
    figure = _map(np.clip(shown, low - 0.3, low + DECADES), values, axes, density_scale(theme), theme)
    figure.data[0].update(zmin=low - 0.3, zmax=low + DECADES)
    best = best_cell(values)
    if best is not None:
        row, column = best
        frame = {"color": ink(theme), "width": 2.5}
        figure.add_shape(type="rect", x0=column - 0.5, x1=column + 0.5, y0=row - 0.5, y1=row + 0.5, line=frame)
    return figure


def difference_map(values: Floats, axes: Axes, floor: float, theme: Theme) -> go.Figure:
    """Learned minus exact: the colour of the learned field where it is further away, that of the exact one where nearer.

    Arguments as in `distance_map`; colours are fullest at a difference of `floor`.
    """
    ground = DENSITY_LIGHT[0] if theme == "light" else DENSITY_DARK[0]
    scale = [(0.0, colour("velocity", theme)), (0.5, ground), (1.0, colour("learned", theme))]
    figure = _map(np.clip(values, -floor, floor), values, axes, scale, theme, signed=True)
    figure.data[0].update(zmin=-2 * floor, zmax=2 * floor)  # half the scale: the text stays legible on its ends
    return figure


def _map(
    shown: Floats,
    values: Floats,
    axes: Axes,
    scale: Sequence[tuple[float, str]],
    theme: Theme,
    *,
    signed: bool = False,
) -> go.Figure:
    figure = go.Figure()
    figure.add_heatmap(
        z=shown,
        colorscale=list(scale),
        showscale=False,
        xgap=2,
        ygap=2,
        text=[[_written(float(v), signed) for v in row] for row in values],
        texttemplate="%{text}",
        textfont={"color": ink(theme), "size": 12},
        customdata=[[(f"{a:g}", n) for n in axes.steps] for a in axes.amplitudes],
        hovertemplate="σ × %{customdata[0]}, n = %{customdata[1]}<br>%{text}<extra></extra>",
        hoverongaps=False,
    )
    style_plotly(figure, theme)
    figure.update_layout(height=axes.height, margin={"l": 60, "r": 6, "t": 6, "b": 44})
    rows, columns = [f"{a:g}" for a in axes.amplitudes], [str(n) for n in axes.steps]
    for update, title, names in (
        (figure.update_xaxes, axes.x_title, columns),
        (figure.update_yaxes, axes.y_title, rows),
    ):
        places = {"tickvals": list(range(len(names))), "ticktext": names, "range": [-0.5, len(names) - 0.5]}
        update(title=title, ticks="", fixedrange=True, **places)
    return figure


def _written(value: float, signed: bool) -> str:
    """Two digits are enough to compare, and all that a phone has room for."""
    if np.isnan(value):
        return ""
    sign = "−" if value < 0 else "+" if signed else ""
    size = abs(value)
    text = "∞" if np.isinf(size) else "≫" if size >= 1000 else f"{size:.0f}" if size >= 9.95 else f"{size:.2f}"
    return f"{sign}{text}"
