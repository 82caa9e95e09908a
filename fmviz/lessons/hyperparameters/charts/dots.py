"""One number of every cell on a logarithmic axis, with a rule for what it is compared to (Altair)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import altair as alt
from altair.utils.schemapi import debug_mode

from fmviz.charts.palette import Theme, colour
from fmviz.charts.theme import ink, style_altair

__all__ = ["dot_chart"]

ROW = 22


def dot_chart(
    cells: Sequence[tuple[str, float]], title: str, theme: Theme, *, rule: float | None = None
) -> alt.LayerChart:
    """A point for each cell, and a dashed rule.

    Args:
        cells: names and numbers, those without a finite positive one left out.
        title: of the axis.
        theme: light or dark.
        rule: where it stands; None leaves it out.
    """
    with debug_mode(False):
        rows = [{"cell": name, "d": value} for name, value in cells if math.isfinite(value) and value > 0]
        names = [str(row["cell"]) for row in rows]
        x = alt.X("d:Q", scale=alt.Scale(type="log"), axis=alt.Axis(title=title, format="~g", tickCount=5))
        y = alt.Y("cell:N", sort=names, axis=alt.Axis(title=None, labelLimit=260))
        tip = [alt.Tooltip("cell:N", title=" "), alt.Tooltip("d:Q", title=title, format=".3~g")]
        dots = alt.Chart(alt.InlineData(values=rows)).mark_circle(size=90, opacity=1, color=colour("learned", theme))
        layers = [dots.encode(x=x, y=y, tooltip=tip)]
        if rule is not None:
            line = alt.Chart(alt.InlineData(values=[{"rule": rule}]))
            line = line.mark_rule(color=ink(theme), strokeDash=[5, 4], strokeWidth=1.6)
            layers.append(line.encode(x="rule:Q"))
        return style_altair(alt.LayerChart(layer=layers, height=ROW * max(3, len(rows))), theme)
