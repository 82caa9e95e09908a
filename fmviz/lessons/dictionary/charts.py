"""The charts of the page Dictionary: schedules, loss weights, converted errors, and how fast samplers converge (Altair)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import altair as alt
import numpy as np
from altair.utils.schemapi import debug_mode

from fmviz.charts.palette import Theme, colour
from fmviz.charts.theme import ink, style_altair
from fmviz.clips.clip import Floats

__all__ = ["Axis", "Curve", "Style", "curves", "styles", "table"]

HEIGHT = 220
DASHES = ([1, 0], [6, 3], [2, 2])


@dataclass(frozen=True, eq=False)
class Curve:
    """One line.

    Attributes:
        name: in the legend.
        x, y: (P,); what is not finite or outside the range of its axis is left out, and on a logarithmic axis what is not positive.
        role: whose colour it has.
        dash: 0 solid, 1 dashed, 2 dotted.
        points: whether every value is a mark.
        errors: half lengths of error bars, (P,), or None.
    """

    name: str
    x: Sequence[float] | Floats
    y: Sequence[float] | Floats
    role: str
    dash: int = 0
    points: bool = False
    errors: Sequence[float] | None = None


@dataclass(frozen=True)
class Axis:
    """An axis: its title, whether it is logarithmic, its format, and its range, by default that of the data."""

    title: str
    log: bool = False
    format: str = ".4~g"
    range: tuple[float, float] | None = field(default=None)

    def scale(self) -> alt.Scale:
        """The scale of Altair."""
        if self.range is None:
            return alt.Scale(type="log") if self.log else alt.Scale(zero=False)
        return alt.Scale(type="log" if self.log else "linear", domain=list(self.range), nice=False)

    def holds(self, value: float) -> bool:
        """Whether a value can be drawn; a line leaves the chart where it leaves the range."""
        inside = self.range is None or self.range[0] <= value <= self.range[1]
        return bool(np.isfinite(value)) and (not self.log or value > 0.0) and inside


@dataclass(frozen=True)
class Style:
    """What of a `Curve` the chart has to know before it has values."""

    name: str
    role: str
    dash: int
    points: bool
    bars: bool


def styles(lines: Sequence[Curve]) -> tuple[Style, ...]:
    """How lines look, in the order of the legend."""
    return tuple(Style(line.name, line.role, line.dash, line.points, line.errors is not None) for line in lines)


def curves(lines: Sequence[Style], x: Axis, y: Axis, theme: Theme, *, ruled: bool = False) -> alt.LayerChart:
    """Lines over a common axis, for the rows of `table`.

    Args:
        lines: how they look, in the order of the legend.
        x, y: the axes.
        theme: light or dark.
        ruled: whether a rule shows where the clock stands.
    """
    with debug_mode(False):
        names = [line.name for line in lines]
        legend = alt.Legend(orient="top", title=None, symbolStrokeWidth=2.5, symbolSize=160, offset=4, columns=4)
        colours = alt.Scale(domain=names, range=[colour(line.role, theme) for line in lines])
        dashes = alt.Scale(domain=names, range=[DASHES[line.dash] for line in lines])
        x_axis = alt.X("x:Q", axis=alt.Axis(title=x.title, format=x.format, tickCount=5), scale=x.scale())
        y_axis = alt.Y("y:Q", axis=alt.Axis(title=y.title, format=y.format, tickCount=5), scale=y.scale())
        coloured = alt.Color("curve:N", sort=names, scale=colours, legend=legend)
        plain = alt.Color("curve:N", sort=names, scale=colours, legend=None)

        def rows(kind: str) -> alt.Chart:
            return alt.Chart(alt.NamedData("source")).transform_filter(f"datum.kind === '{kind}'")

        layers = [
            rows("line")
            .mark_line(strokeWidth=2)
            .encode(
                x=x_axis,
                y=y_axis,
                color=coloured,
                strokeDash=alt.StrokeDash("curve:N", sort=names, scale=dashes, legend=legend),
            )
        ]
        if any(line.points for line in lines):
            tooltip = [
                alt.Tooltip("curve:N", title=" "),
                alt.Tooltip("x:Q", title=x.title, format="~g"),
                alt.Tooltip("y:Q", title=y.title, format=".3g"),
            ]
            marked = rows("line").transform_filter("datum.marked")
            layers.append(
                marked.mark_circle(size=36, opacity=1).encode(x=x_axis, y=y_axis, color=plain, tooltip=tooltip)
            )
        if any(line.bars for line in lines):
            bars = rows("bar").mark_rule(strokeWidth=1.5)
            layers.append(bars.encode(x=x_axis, y=y_axis, y2="high:Q", color=plain))
        if ruled:
            layers.append(rows("now").mark_rule(color=ink(theme), strokeWidth=1.5, opacity=0.7).encode(x="x:Q"))
        return style_altair(alt.LayerChart(layer=layers, height=HEIGHT), theme)


def table(lines: Sequence[Curve], x: Axis, y: Axis, now: float | None = None) -> dict[str, list[Any]]:
    """The columns of the chart of `curves`: points of lines, error bars (from y to high), and where the clock stands."""
    rows: list[tuple[str, str | None, float, float | None, float | None, bool]] = []
    for line in lines:
        for k, (a, b) in enumerate(zip(map(float, line.x), map(float, line.y), strict=True)):
            if x.holds(a) and y.holds(b):
                rows.append(("line", line.name, a, b, None, line.points))
            if line.errors is not None and b - line.errors[k] > 0.0:
                rows.append(("bar", line.name, a, b - line.errors[k], b + line.errors[k], False))
    if now is not None:
        rows.append(("now", None, now, None, None, False))
    return {name: [row[k] for row in rows] for k, name in enumerate(("kind", "curve", "x", "y", "high", "marked"))}
