"""The distance of guided end points over the interval of guidance (Plotly): a triangle of cells, the best one framed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from fmviz.charts.cells import Side, cell_map, distance_levels, frame_best
from fmviz.charts.palette import Theme
from fmviz.charts.theme import density_scale
from fmviz.clips.clip import Floats

__all__ = ["interval_map"]


def interval_map(values: Floats, times: Sequence[float], floor: float, theme: Theme, *, x: str, y: str) -> go.Figure:
    """Distances (rows: t_hi, columns: t_lo), logarithmic in colour, each written in its cell.

    Args:
        values: NaN where there is no interval or not yet a value, infinite where particles diverged.
        times: of rows and columns.
        floor: the distance of two exact samples, the quiet end of the scale.
        theme: light or dark.
        x, y: titles of the axes.
    """
    names = [f"{t:g}" for t in times]
    shown, limits = distance_levels(values, floor)
    texts = [["" if np.isnan(v) else "∞" if np.isinf(v) else f"{v:.2f}" for v in row] for row in values]
    hover = "%{x} – %{y}<br>%{text}<extra></extra>"
    figure = cell_map(
        shown, limits, density_scale(theme), texts, Side(x, names), Side(y, names), theme, hovertemplate=hover
    )
    frame_best(figure, values, theme)
    return figure
