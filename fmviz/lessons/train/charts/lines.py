"""Line charts of a training run: all lines on one data table, so that new numbers never redraw the axes' frame (Altair).

A chart is made once, without data; Streamlit then replaces the rows of its table in place. Several times a second that
would cost the browser more than training leaves it, so a chart also takes rows past Streamlit, as long as there are any: a
script sets the property "value" of the page's body to an object with the columns of each chart by its name, and has the
body say `NEWS`. A parameter of the chart is bound to it, as Vega-Lite binds one to any element.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
from altair.utils.schemapi import debug_mode

from fmviz.charts.palette import Theme, colour
from fmviz.charts.theme import FONT, ink, style_altair

__all__ = ["Axis", "Line", "Points", "line_chart", "table"]

Points = Sequence[tuple[float, float]]

NEWS = "fmviz-feed"
"""The event by which the body of the page says that its value has changed."""
GIVEN = "source"
"""Streamlit's name for the rows that come beside a specification."""
COLUMNS = ("x", "y", "series", "rule")
LABEL_WIDTH = 56
DECADES = range(-12, 13)
DASHES = {"solid": [1, 0], "dashed": [8, 4], "dotted": [2, 3], "mixed": [8, 3, 2, 3]}


@dataclass(frozen=True)
class Line:
    """One line: the name in the legend, the role that gives the colour, and how it is drawn."""

    name: str
    role: str
    dash: str = "solid"
    width: float = 2.5


@dataclass(frozen=True)
class Axis:
    """One axis: its title, whether it is logarithmic, and its domain (None: that of the data)."""

    title: str
    log: bool = False
    domain: tuple[float, float] | None = None


def line_chart(
    name: str,
    lines: Sequence[Line],
    x: Axis,
    y: Axis,
    theme: Theme,
    *,
    title: str = "",
    subtitle: str = "",
    height: int = 240,
) -> alt.LayerChart:
    """A chart without data of the given lines for the rows of `table`; the legend has their order.

    Args:
        name: that of its columns in the news.
    """
    with debug_mode(False):  # checking every mark against the schema costs more than all else; a test does it
        return _line_chart(name, lines, x, y, theme, title, subtitle, height)


def _line_chart(
    name: str, lines: Sequence[Line], x: Axis, y: Axis, theme: Theme, title: str, subtitle: str, height: int
) -> alt.LayerChart:
    # One mark for all lines and no filters: the browser works through few expressions on every update.
    names = [line.name for line in lines]
    key = alt.Legend(orient="top", title=None, symbolStrokeWidth=2.5, symbolSize=160, offset=4, columnPadding=14)

    def of_line(values: list[Any]) -> dict[str, Any]:
        return {"legend": key, "scale": alt.Scale(domain=names, range=values)}

    def drawn(rows: alt.Chart, told: bool) -> list[alt.Chart]:
        # Texts are made for each point, whether anybody points at it or not: too much for several times a second.
        curves = rows.mark_line(clip=True, aria=told).encode(
            x=_x(x),
            y=_y(y),
            color=alt.Color("series:N", **of_line([colour(line.role, theme) for line in lines])),
            strokeDash=alt.StrokeDash("series:N", **of_line([DASHES[line.dash] for line in lines])),
            strokeWidth=alt.StrokeWidth("series:N", **of_line([line.width for line in lines])),
            tooltip=[
                alt.Tooltip("series:N", title=" "),
                alt.Tooltip("x:Q", title=x.title, format=".4~g"),
                alt.Tooltip("y:Q", title="=", format=".3~g"),
            ]
            if told
            else alt.Undefined,
        )
        rule = rows.mark_rule(aria=told, color=ink(theme), opacity=0.55, strokeWidth=1.5).encode(x=alt.X("rule:Q"))
        return [curves, rule]

    given = alt.Chart(alt.NamedData(GIVEN)).transform_filter("!live")
    newest = alt.Chart(alt.sequence(0, 1)).transform_calculate(
        **{column: f"live ? news.{name}.{column} : []" for column in COLUMNS}
    )
    chart = alt.LayerChart(
        layer=[*drawn(given, True), *drawn(newest.transform_flatten(list(COLUMNS)), False)], height=height
    )
    chart = chart.add_params(
        alt.param("news", bind=alt.BindDirect(element="body", event=NEWS)),
        alt.param("live", expr=f"isObject(news) && isObject(news.{name})"),
    )
    chart.title = alt.TitleParams(
        title,
        subtitle=subtitle or alt.Undefined,
        anchor="start",
        color=ink(theme),
        font=FONT,
        subtitleFont=FONT,
        fontSize=15,
        fontWeight=600,
        subtitleColor=colour("init", theme),
        subtitleFontSize=12.5,
        subtitlePadding=4,
        offset=8,
    )
    chart.usermeta = {"embedOptions": {"renderer": "canvas"}}  # repainted a few times a second: no elements to lay out
    return style_altair(chart, theme)


def _x(axis: Axis) -> alt.X:
    values: Any = alt.Undefined
    if axis.log and axis.domain is not None:
        low, high = (math.log10(end) for end in axis.domain)
        values = [10.0**k for k in range(math.ceil(low), math.floor(high) + 1)]
    marks = alt.Axis(title=axis.title, format="~s", values=values, tickCount=5, labelOverlap=True)
    return alt.X("x:Q", axis=marks, scale=_scale(axis))


def _y(axis: Axis) -> alt.Y:
    # On a log axis no line between powers of ten; those off the chart are left out.
    values = [10.0**k for k in DECADES] if axis.log else alt.Undefined
    marks = alt.Axis(
        title=axis.title,
        format="~g" if axis.log else "~r",
        values=values,
        tickCount=5,
        labelOverlap=True,
        minExtent=LABEL_WIDTH,
        maxExtent=LABEL_WIDTH,  # other numbers never move the frame
    )
    return alt.Y("y:Q", axis=marks, scale=_scale(axis))


def _scale(axis: Axis) -> alt.Scale:
    domain = alt.Undefined if axis.domain is None else list(axis.domain)
    nice = axis.domain is None
    return (
        alt.Scale(type="log", domain=domain, nice=nice) if axis.log else alt.Scale(domain=domain, nice=nice, zero=False)
    )


def table(
    curves: Mapping[str, Points], *, rule: float | None = None, positive: bool = False
) -> dict[str, list[object]]:
    """The rows of a chart: for each line its points, without those that have no place.

    Args:
        curves: (x, y) points by the name of the line.
        rule: where the upright rule stands; None leaves it out.
        positive: keep only points that a logarithmic axis can show.
    """
    columns: dict[str, list[object]] = {"x": [], "y": [], "series": [], "rule": []}
    for name, points in curves.items():
        for x, y in points:
            if np.isfinite(y) and (y > 0 or not positive):
                columns["x"].append(float(x))
                columns["y"].append(float(y))
                columns["series"].append(name)
    columns["rule"] = [None] * len(columns["x"])
    if rule is not None and columns["rule"]:
        columns["rule"][0] = float(rule)
    return columns
