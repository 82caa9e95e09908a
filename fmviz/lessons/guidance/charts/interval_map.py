"""The distance of guided end points over the interval of guidance (Plotly): a triangle of cells, the best one framed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from fmviz.charts.palette import Theme
from fmviz.charts.theme import density_scale, ink, style_plotly
from fmviz.clips.clip import Floats

__all__ = ["best_cell", "interval_map"]

DECADES = 1.3
"""The colour scale ends this many powers of ten above the floor."""


def best_cell(values: Floats) -> tuple[int, int] | None:
    """Row and column of the smallest finite value; None while there is none."""
    finite = np.where(np.isfinite(values), values, np.inf)
    if not np.isfinite(finite).any():
        return None
    row, column = np.unravel_index(int(finite.argmin()), finite.shape)
    return int(row), int(column)


def interval_map(values: Floats, times: Sequence[float], floor: float, theme: Theme, *, x: str, y: str) -> go.Figure:
    """Distances (rows: t_hi, columns: t_lo), logarithmic in colour, each written in its cell.

    Args:
        values: NaN where there is no interval or not yet a value, infinite where particles diverged.
        times: of rows and columns.
        floor: the distance of two exact samples, the quiet end of the scale.
        theme: light or dark.
        x, y: titles of the axes.
    """
    low = float(np.log10(floor))
    shown = np.log10(np.where(np.isinf(values), 10.0 ** (low + DECADES), np.maximum(values, 1e-12)))
    figure = go.Figure()
    figure.add_heatmap(
        z=np.clip(shown, low - 0.3, low + DECADES),
        zmin=low - 0.3,
        zmax=low + DECADES,
        colorscale=density_scale(theme),
        showscale=False,
        xgap=2,
        ygap=2,
        text=[["" if np.isnan(v) else "∞" if np.isinf(v) else f"{v:.2f}" for v in row] for row in values],
        texttemplate="%{text}",
        textfont={"color": ink(theme), "size": 12},
        hovertemplate="%{x} – %{y}<br>%{text}<extra></extra>",
        hoverongaps=False,
    )
    best = best_cell(values)
    if best is not None:
        row, column = best
        line = {"color": ink(theme), "width": 2.5}
        figure.add_shape(type="rect", x0=column - 0.5, x1=column + 0.5, y0=row - 0.5, y1=row + 0.5, line=line)
    style_plotly(figure, theme)
    figure.update_layout(height=330, margin={"l": 60, "r": 6, "t": 6, "b": 44})
    names = [f"{t:g}" for t in times]
    places = {"tickvals": list(range(len(names))), "ticktext": names, "ticks": "", "fixedrange": True}
    figure.update_xaxes(title=x, range=[-0.5, len(names) - 0.5], **places)
    figure.update_yaxes(title=y, range=[-0.5, len(names) - 0.5], **places)
    return figure
