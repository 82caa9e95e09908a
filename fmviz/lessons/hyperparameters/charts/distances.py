"""The distance of every cell's samples to the data, beside that of two exact samples (Altair)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import altair as alt
from altair.utils.schemapi import debug_mode

from fmviz.charts.palette import Theme, colour
from fmviz.charts.theme import ink, style_altair

__all__ = ["distance_chart"]

ROW = 22


def distance_chart(cells: Sequence[tuple[str, float]], floor: float, title: str, theme: Theme) -> alt.LayerChart:
    """A point for each cell on a logarithmic axis, and a rule where two exact samples stand.

    Args:
        cells: names and distances, those without a finite one left out.
        floor: of two exact samples.
        title: of the axis.
        theme: light or dark.
    """
    with debug_mode(False):
        rows = [{"cell": name, "d": value} for name, value in cells if math.isfinite(value) and value > 0]
        names = [str(row["cell"]) for row in rows]
        x = alt.X("d:Q", scale=alt.Scale(type="log"), axis=alt.Axis(title=title, format="~g", tickCount=5))
        y = alt.Y("cell:N", sort=names, axis=alt.Axis(title=None, labelLimit=260))
        tip = [alt.Tooltip("cell:N", title=" "), alt.Tooltip("d:Q", title=title, format=".3~g")]
        points = (
            alt.Chart(alt.InlineData(values=rows))
            .mark_circle(size=90, opacity=1, color=colour("learned", theme))
            .encode(x=x, y=y, tooltip=tip)
        )
        rule = (
            alt.Chart(alt.InlineData(values=[{"floor": floor}]))
            .mark_rule(color=ink(theme), strokeDash=[5, 4], strokeWidth=1.6)
            .encode(x="floor:Q")
        )
        return style_altair(alt.LayerChart(layer=[points, rule], height=ROW * max(3, len(rows))), theme)
