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

__all__ = ["Axis", "Curve", "curves"]

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


def curves(lines: Sequence[Curve], x: Axis, y: Axis, theme: Theme, *, now: float | None = None) -> alt.LayerChart:
    """Lines over a common axis, with a rule where the clock stands.

    Args:
        lines: the lines, in the order of the legend.
        x, y: the axes.
        theme: light or dark.
        now: where the rule is; None draws none.
    """
    with debug_mode(False):
        names = [line.name for line in lines]
        rows = [
            {"x": float(a), "y": float(b), "curve": line.name}
            for line in lines
            for a, b in zip(line.x, line.y, strict=True)
            if x.holds(float(a)) and y.holds(float(b))
        ]
        legend = alt.Legend(orient="top", title=None, symbolStrokeWidth=2.5, symbolSize=160, offset=4, columns=4)
        colours = alt.Scale(domain=names, range=[colour(line.role, theme) for line in lines])
        dashes = alt.Scale(domain=names, range=[DASHES[line.dash] for line in lines])
        encoding: dict[str, Any] = {
            "x": alt.X("x:Q", axis=alt.Axis(title=x.title, format=x.format, tickCount=5), scale=x.scale()),
            "y": alt.Y("y:Q", axis=alt.Axis(title=y.title, format=y.format, tickCount=5), scale=y.scale()),
            "color": alt.Color("curve:N", sort=names, scale=colours, legend=legend),
        }
        layers: list[Any] = [
            alt.Chart(alt.InlineData(values=rows))
            .mark_line(strokeWidth=2)
            .encode(**encoding, strokeDash=alt.StrokeDash("curve:N", sort=names, scale=dashes, legend=legend))
        ]
        marked = [line.name for line in lines if line.points]
        if marked:
            tooltip = [
                alt.Tooltip("curve:N", title=" "),
                alt.Tooltip("x:Q", title=x.title, format="~g"),
                alt.Tooltip("y:Q", title=y.title, format=".3g"),
            ]
            layers.append(
                alt.Chart(alt.InlineData(values=[row for row in rows if row["curve"] in marked]))
                .mark_circle(size=36, opacity=1)
                .encode(
                    **encoding | {"color": alt.Color("curve:N", sort=names, scale=colours, legend=None)},
                    tooltip=tooltip,
                )
            )
        layers += [_bars(line, encoding, theme) for line in lines if line.errors is not None]
        if now is not None:
            layers.append(
                alt.Chart(alt.InlineData(values=[{"x": now}]))
                .mark_rule(color=ink(theme), strokeWidth=1.5, opacity=0.7)
                .encode(x="x:Q")
            )
        return style_altair(alt.LayerChart(layer=layers, height=HEIGHT), theme)


def _bars(line: Curve, encoding: dict[str, Any], theme: Theme) -> alt.Chart:
    rows = [
        {"x": float(a), "low": float(b) - e, "high": float(b) + e}
        for a, b, e in zip(line.x, line.y, line.errors or (), strict=True)
        if float(b) - e > 0.0
    ]
    bars: alt.Chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_rule(color=colour(line.role, theme), strokeWidth=1.5)
        .encode(x=encoding["x"], y=alt.Y("low:Q"), y2="high:Q")
    )
    return bars
