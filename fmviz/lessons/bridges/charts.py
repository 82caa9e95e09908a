"""Lines with error bars, beside a level that none can beat or that all are held against (Altair)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
from altair.utils.schemapi import debug_mode

from fmviz.charts.palette import Theme, colour
from fmviz.charts.theme import ink, style_altair

__all__ = ["Axes", "Level", "Line", "lines"]


@dataclass(frozen=True)
class Line:
    """One line: its name, places, values with half the length of their error bars, role of the palette, and shape of its marks."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    error: tuple[float, ...]
    role: str
    shape: str = "circle"


@dataclass(frozen=True)
class Level:
    """A dashed level with its name."""

    name: str
    y: float


@dataclass(frozen=True)
class Axes:
    """Titles of both axes; whether each is logarithmic; the marks of x, none for those of the library; the height in pixels; the
    columns of the legend; the largest y, None for that of the data."""

    x: str
    y: str
    log_x: bool = False
    log_y: bool = False
    marks: tuple[float, ...] = ()
    height: int = 260
    columns: int = 2
    most_y: float | None = None


def lines(series: Sequence[Line], levels: Sequence[Level], axes: Axes, theme: Theme) -> alt.LayerChart:
    """The chart; lines and levels have one legend."""
    with debug_mode(False):
        names = [line.name for line in series]
        rows = [
            {"x": x, "y": y, "low": y - e if not axes.log_y else max(y - e, 0.5 * y), "high": y + e, "line": line.name}
            for line in series
            for x, y, e in zip(line.x, line.y, line.error, strict=True)
            if np.isfinite(y)
        ]
        key = alt.Legend(orient="top", title=None, columns=axes.columns, symbolSize=130, labelLimit=340)
        colours = alt.Scale(domain=names, range=[colour(line.role, theme) for line in series])
        shapes = alt.Scale(domain=names, range=[line.shape for line in series])
        x_scale = alt.Scale(type="log", base=2) if axes.log_x else alt.Scale(zero=False, padding=12)
        x_axis = alt.Axis(title=axes.x, format=".4~g", values=list(axes.marks) or alt.Undefined, grid=False)
        y_scale = (
            alt.Scale(type="log", nice=True)
            if axes.log_y
            else alt.Scale(zero=True, domainMax=axes.most_y or alt.Undefined)
        )
        x = alt.X("x:Q", axis=x_axis, scale=x_scale)
        y = alt.Y("y:Q", axis=alt.Axis(title=axes.y, tickCount=5, format="~g"), scale=y_scale)
        base = alt.Chart(alt.InlineData(values=rows))
        color = alt.Color("line:N", sort=names, scale=colours, legend=key)
        layers: list[alt.Chart] = [
            base.mark_line(strokeWidth=2.2, clip=True).encode(x=x, y=y, color=color),
            base.mark_rule(strokeWidth=1.6, clip=True).encode(
                x=x, y=alt.Y("low:Q", scale=y_scale), y2="high:Q", color=color
            ),
            base.mark_point(size=70, filled=True, opacity=1, clip=True).encode(
                x=x,
                y=y,
                color=color,
                shape=alt.Shape("line:N", sort=names, scale=shapes, legend=key),
                tooltip=[
                    alt.Tooltip("line:N", title=" "),
                    alt.Tooltip("x:Q", title=axes.x, format="~g"),
                    alt.Tooltip("y:Q", title=axes.y, format=".3g"),
                ],
            ),
        ]
        known = alt.Chart(alt.InlineData(values=[{"y": level.y, "text": level.name} for level in levels]))
        layers.append(
            known.mark_rule(strokeDash=[6, 4], strokeWidth=1.5, color=ink(theme)).encode(y=alt.Y("y:Q", scale=y_scale))
        )
        layers.append(
            known.mark_text(align="right", baseline="top", dx=-4, dy=4, color=ink(theme), fontSize=12).encode(
                y=alt.Y("y:Q", scale=y_scale), x=alt.value("width"), text="text:N"
            )
        )
        return style_altair(alt.LayerChart(layer=layers, height=axes.height), theme)
