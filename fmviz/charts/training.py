"""What one reads while a network trains: lines on one data table, so that new numbers never redraw the axes' frame (Altair).

A chart is made once, without data; Streamlit then replaces the rows of its table in place, several times a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
from altair.utils.schemapi import debug_mode

from fmviz.charts.palette import Theme, colour
from fmviz.charts.theme import ink, style_altair

__all__ = ["Axis", "Line", "Points", "line_chart", "table"]

Points = Sequence[tuple[float, float]]

DASHES = {"solid": [1, 0], "dashed": [7, 4], "dotted": [2, 3]}


@dataclass(frozen=True)
class Line:
    """One line: the name in the legend, the role that gives the colour, and how it is drawn."""

    name: str
    role: str
    dash: str = "solid"
    width: float = 2.5
    opacity: float = 1.0


@dataclass(frozen=True)
class Axis:
    """One axis: its title, whether it is logarithmic, and its domain (None: that of the data)."""

    title: str
    log: bool = False
    domain: tuple[float, float] | None = None


def line_chart(lines: Sequence[Line], x: Axis, y: Axis, theme: Theme, *, height: int = 220) -> alt.LayerChart:
    """A chart without data of the given lines, first one at the back, for the rows of `table`."""
    with debug_mode(False):  # checking every mark against the schema costs more than all else; a test does it
        return _line_chart(lines, x, y, theme, height)


def _line_chart(lines: Sequence[Line], x: Axis, y: Axis, theme: Theme, height: int) -> alt.LayerChart:
    names = [line.name for line in lines]
    key = alt.Legend(orient="top", title=None, symbolStrokeWidth=2.5, symbolSize=160, offset=2, columns=4)
    colours = alt.Scale(domain=names, range=[colour(line.role, theme) for line in lines])
    dashes = alt.Scale(domain=names, range=[DASHES[line.dash] for line in lines])
    at = alt.X("x:Q", axis=alt.Axis(title=x.title, format="~s", tickCount=6, labelOverlap=True), scale=_scale(x))
    value = alt.Y("y:Q", axis=alt.Axis(title=y.title, format="~g", tickCount=5, labelOverlap=True), scale=_scale(y))
    rule = alt.Chart().mark_rule(color=ink(theme), opacity=0.6).encode(x=at).transform_filter("datum.series === ''")
    layers = [rule]
    for line in lines:
        of_this = f"datum.series === {_quoted(line.name)}"
        encoding = {
            "x": at,
            "y": value,
            "color": alt.Color("series:N", sort=names, scale=colours, legend=key),
            "strokeDash": alt.StrokeDash("series:N", sort=names, scale=dashes, legend=key),
            "tooltip": [
                alt.Tooltip("series:N", title=" "),
                alt.Tooltip("x:Q", title=x.title, format=".4~g"),
                alt.Tooltip("y:Q", title="=", format=".3~g"),
            ],
        }
        mark = alt.Chart().mark_line(strokeWidth=line.width, opacity=line.opacity, clip=True)
        layers.append(mark.encode(**encoding).transform_filter(of_this))
    return style_altair(alt.LayerChart(layer=layers, height=height), theme)


def _scale(axis: Axis) -> alt.Scale:
    domain = alt.Undefined if axis.domain is None else list(axis.domain)
    nice = axis.domain is None
    return (
        alt.Scale(type="log", domain=domain, nice=nice, clamp=True)
        if axis.log
        else alt.Scale(domain=domain, nice=nice, zero=False)
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def table(
    curves: Mapping[str, Points], *, rule: float | None = None, positive: bool = False
) -> dict[str, list[object]]:
    """The rows of a chart: for each line its points, without those that have no place.

    Args:
        curves: (x, y) points by the name of the line.
        rule: where the upright rule stands; None leaves it out.
        positive: keep only points that a logarithmic axis can show.
    """
    columns: dict[str, list[object]] = {"x": [], "y": [], "series": []}
    for name, points in curves.items():
        for x, y in points:
            if np.isfinite(y) and (y > 0 or not positive):
                columns["x"].append(float(x))
                columns["y"].append(float(y))
                columns["series"].append(name)
    if rule is not None:
        columns["x"].append(float(rule))
        columns["y"].append(None)
        columns["series"].append("")
    return columns
