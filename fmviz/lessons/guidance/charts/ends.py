"""End points of several kinds of guidance over one another (Altair)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
from altair.utils.schemapi import debug_mode

from fmviz.charts.palette import Theme, colour
from fmviz.charts.theme import style_altair
from fmviz.clips.clip import Extent, Floats

__all__ = ["Cloud", "clouds"]


@dataclass(frozen=True, eq=False)
class Cloud:
    """Points (N, 2) under a name, with a role of the palette and a mark of Vega-Lite."""

    name: str
    points: Floats
    role: str
    mark: str


def clouds(shown: Sequence[Cloud], theme: Theme, *, side: int = 340) -> alt.LayerChart:
    """A square picture around the first cloud; what lies far from it is left out."""
    extent = _around(shown[0].points)
    with debug_mode(False):
        names = [cloud.name for cloud in shown]
        rows = [
            {"x": round(float(x), 3), "y": round(float(y), 3), "cloud": cloud.name}
            for cloud in shown
            for x, y in cloud.points
            if extent.x0 <= x <= extent.x1 and extent.y0 <= y <= extent.y1
        ]
        key = alt.Legend(orient="top", title=None, columns=1, symbolSize=80, labelLimit=320, offset=4)
        chart = (
            alt.Chart(alt.InlineData(values=rows))
            .mark_point(filled=True, size=22, opacity=0.75, aria=False)
            .encode(
                x=alt.X("x:Q", axis=alt.Axis(title="x", grid=False), scale=alt.Scale(domain=[extent.x0, extent.x1])),
                y=alt.Y("y:Q", axis=alt.Axis(title="y", grid=False), scale=alt.Scale(domain=[extent.y0, extent.y1])),
                color=alt.Color(
                    "cloud:N",
                    sort=names,
                    scale=alt.Scale(domain=names, range=[colour(cloud.role, theme) for cloud in shown]),
                    legend=key,
                ),
                shape=alt.Shape(
                    "cloud:N",
                    sort=names,
                    scale=alt.Scale(domain=names, range=[cloud.mark for cloud in shown]),
                    legend=key,
                ),
            )
        )
        return style_altair(alt.LayerChart(layer=[chart], width=side, height=side), theme)


def _around(points: Floats) -> Extent:
    """A square half as wide again as the points reach, its sides at whole halves."""
    low, high = points.min(axis=0), points.max(axis=0)
    middle, half = (low + high) / 2, max(0.5, 0.75 * float((high - low).max()))
    x0, y0 = (np.floor(2 * (middle - half)) / 2).tolist()
    x1, y1 = (np.ceil(2 * (middle + half)) / 2).tolist()
    return Extent(x0, x1, y0, y1)
