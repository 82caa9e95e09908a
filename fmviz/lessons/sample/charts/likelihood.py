"""log p along one trajectory: followed by a solver, and exact (Altair)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
from altair.utils.schemapi import debug_mode

from fmviz.charts.palette import Theme, colour
from fmviz.charts.theme import ink, style_altair

__all__ = ["likelihood"]


def likelihood(
    series: Mapping[str, tuple[Sequence[float], Sequence[float], str, bool]],
    now: float,
    theme: Theme,
    *,
    value: str,
    height: int = 220,
) -> alt.LayerChart:
    """Lines over t in [0, 1].

    Args:
        series: name to (times, values, role, whether every value is a step of a solver, drawn as a point).
        now: the time of the point that was clicked.
        theme: light or dark.
        value: title of the y axis.
        height: in pixels.
    """
    with debug_mode(False):
        names = list(series)
        rows = [
            {"t": t, "value": v, "curve": name}
            for name, (times, values, _, _) in series.items()
            for t, v in zip(times, values, strict=True)
            if np.isfinite(v)
        ]
        stepped = [name for name, (_, _, _, points) in series.items() if points]
        colours = alt.Scale(domain=names, range=[colour(role, theme) for _, _, role, _ in series.values()])
        dashes = alt.Scale(domain=names, range=[[1, 0] if name in stepped else [5, 3] for name in names])
        legend = alt.Legend(orient="top", title=None, symbolStrokeWidth=2.5, symbolSize=160, offset=4)
        lines = (
            alt.Chart(alt.InlineData(values=rows))
            .mark_line(strokeWidth=2)
            .encode(
                x=alt.X("t:Q", axis=alt.Axis(title="t", format="~g"), scale=alt.Scale(domain=[0, 1])),
                y=alt.Y("value:Q", axis=alt.Axis(title=value, tickCount=5), scale=alt.Scale(zero=False)),
                color=alt.Color("curve:N", sort=names, scale=colours, legend=legend),
                strokeDash=alt.StrokeDash("curve:N", sort=names, scale=dashes, legend=legend),
            )
        )
        points = (
            alt.Chart(alt.InlineData(values=[row for row in rows if row["curve"] in stepped]))
            .mark_circle(size=28, opacity=1)
            .encode(
                x="t:Q",
                y="value:Q",
                color=alt.Color("curve:N", sort=names, scale=colours, legend=None),
                tooltip=[
                    alt.Tooltip("curve:N", title=" "),
                    alt.Tooltip("t:Q", format=".3f"),
                    alt.Tooltip("value:Q", title=value, format=".4f"),
                ],
            )
        )
        rule = (
            alt.Chart(alt.InlineData(values=[{"t": now}]))
            .mark_rule(color=ink(theme), strokeWidth=1.5, opacity=0.7)
            .encode(x="t:Q")
        )
        return style_altair(alt.LayerChart(layer=[lines, points, rule], height=height), theme)
