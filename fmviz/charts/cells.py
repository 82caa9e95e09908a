"""Maps of distances in cells (Plotly): logarithmic in colour, each distance written in its cell, the best cell framed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from fmviz.charts.palette import Theme
from fmviz.charts.theme import ink, style_plotly
from fmviz.clips.clip import Floats

__all__ = ["Side", "best_cell", "cell_map", "distance_levels", "frame_best"]

DECADES = 1.3
"""The colour scale of distances ends this many powers of ten above the floor."""


@dataclass(frozen=True)
class Side:
    """What one axis of a map is called, and the names of its cells."""

    title: str
    names: Sequence[str]


def best_cell(values: Floats) -> tuple[int, int] | None:
    """Row and column of the smallest finite value; None while there is none."""
    finite = np.where(np.isfinite(values), values, np.inf)
    if not np.isfinite(finite).any():
        return None
    row, column = np.unravel_index(int(finite.argmin()), finite.shape)
    return int(row), int(column)


def distance_levels(values: Floats, floor: float) -> tuple[Floats, tuple[float, float]]:
    """Distances as levels of the colour scale, and the ends of that scale.

    Args:
        values: NaN where there is none yet, infinite where the particles diverged.
        floor: the distance of two exact samples, the quiet end of the scale.
    """
    low = float(np.log10(floor))
    shown = np.log10(np.where(np.isinf(values), 10.0 ** (low + DECADES), np.maximum(values, 1e-12)))
    return np.clip(shown, low - 0.3, low + DECADES), (low - 0.3, low + DECADES)


def cell_map(
    shown: Floats,
    limits: tuple[float, float],
    scale: Sequence[tuple[float, str]],
    texts: Sequence[Sequence[str]],
    x: Side,
    y: Side,
    theme: Theme,
    *,
    height: int = 330,
    **hover: Any,
) -> go.Figure:
    """A map of cells, each with its text; rows go upwards.

    Args:
        shown: what the colours say, (rows, columns); NaN leaves a cell empty.
        limits: the values at the ends of the colour scale.
        scale: of Plotly.
        texts: of the cells.
        x, y: the axes.
        theme: light or dark.
        height: in pixels.
        hover: Plotly's ``hovertemplate`` and ``customdata``.
    """
    figure = go.Figure()
    figure.add_heatmap(
        z=shown,
        zmin=limits[0],
        zmax=limits[1],
        colorscale=list(scale),
        showscale=False,
        xgap=2,
        ygap=2,
        text=texts,
        texttemplate="%{text}",
        textfont={"color": ink(theme), "size": 12},
        hoverongaps=False,
        **hover,
    )
    style_plotly(figure, theme)
    figure.update_layout(height=height, margin={"l": 60, "r": 6, "t": 6, "b": 44})
    for update, side in ((figure.update_xaxes, x), (figure.update_yaxes, y)):
        cells = len(side.names)
        places = {"tickvals": list(range(cells)), "ticktext": list(side.names), "range": [-0.5, cells - 0.5]}
        update(title=side.title, ticks="", fixedrange=True, **places)
    return figure


def frame_best(figure: go.Figure, values: Floats, theme: Theme) -> None:
    """Frames the cell with the smallest finite value, if there is one."""
    best = best_cell(values)
    if best is not None:
        row, column = best
        line = {"color": ink(theme), "width": 2.5}
        figure.add_shape(type="rect", x0=column - 0.5, x1=column + 0.5, y0=row - 0.5, y1=row + 0.5, line=line)
