"""A few named lines over one axis, each in the colour of what it measures, with a dash of its own (Altair)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
from altair.utils.schemapi import debug_mode

from fmviz.charts.palette import Theme, colour
from fmviz.charts.theme import ink, style_altair

__all__ = ["Axes", "Line", "lines"]


@dataclass(frozen=True)
class Line:
    """One line: its name, places, values (NaN: a gap), role of the palette, whether it is dashed, and whether it has points."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    role: str
    dashed: bool = False
    points: bool = False


@dataclass(frozen=True)
class Axes:
    """Titles and limits.

    Attributes:
        x, y: titles.
        domain: of x.
        now: where an upright rule stands.
        top: of y; None fits the lines.
        height: in pixels.
    """

    x: str
    y: str
    domain: tuple[float, float]
    now: float | None = None
    top: float | None = None
    height: int = 250


def lines(series: Sequence[Line], axes: Axes, theme: Theme) -> alt.LayerChart:
    """The chart; both kinds of line have one legend."""
    with debug_mode(False):
        names = [line.name for line in series]
        rows = [
            {"x": x, "y": y, "line": line.name, "points": line.points}
            for line in series
            for x, y in zip(line.x, line.y, strict=True)
            if np.isfinite(y)
        ]
        key = alt.Legend(orient="top", title=None, columns=2, symbolStrokeWidth=2.5, symbolSize=160, labelLimit=320)
        colours = alt.Scale(domain=names, range=[colour(line.role, theme) for line in series])
        dashes = alt.Scale(domain=names, range=[[6, 4] if line.dashed else [1, 0] for line in series])
        x = alt.X("x:Q", axis=alt.Axis(title=axes.x, format="~g"), scale=alt.Scale(domain=list(axes.domain)))
        limits = alt.Scale(zero=True) if axes.top is None else alt.Scale(domain=[0, axes.top])
        y = alt.Y("y:Q", axis=alt.Axis(title=axes.y, tickCount=5), scale=limits)
        drawn = (
            alt.Chart(alt.InlineData(values=rows))
            .mark_line(strokeWidth=2.2, clip=True)
            .encode(
                x=x,
                y=y,
                color=alt.Color("line:N", sort=names, scale=colours, legend=key),
                strokeDash=alt.StrokeDash("line:N", sort=names, scale=dashes, legend=key),
            )
        )
        dots = (
            alt.Chart(alt.InlineData(values=[row for row in rows if row["points"]]))
            .mark_circle(size=46, opacity=1, clip=True, aria=False)
            .encode(
                x="x:Q",
                y="y:Q",
                color=alt.Color("line:N", sort=names, scale=colours, legend=None),
                tooltip=[
                    alt.Tooltip("line:N", title=" "),
                    alt.Tooltip("x:Q", title=axes.x, format="~g"),
                    alt.Tooltip("y:Q", title=axes.y, format=".3g"),
                ],
            )
        )
        layers = [drawn, dots]
        if axes.now is not None:
            layers.append(
                alt.Chart(alt.InlineData(values=[{"x": axes.now}]))
                .mark_rule(color=ink(theme), strokeWidth=1.5, opacity=0.6)
                .encode(x="x:Q")
            )
        return style_altair(alt.LayerChart(layer=layers, height=axes.height), theme)
