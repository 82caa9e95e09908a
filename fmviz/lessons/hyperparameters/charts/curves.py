"""The error of every cell against the training step, the spread of its seeds as a band (Altair)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
from altair.utils.schemapi import debug_mode

from fmviz.charts.palette import Theme, colour
from fmviz.charts.theme import style_altair

__all__ = ["Track", "curves", "table"]

ROLES = ("velocity", "data", "ode", "score", "sde", "learned", "init", "path")
DASHES = ([1, 0], [8, 4], [2, 3], [8, 3, 2, 3], [12, 3], [4, 4], [1, 5], [12, 3, 2, 3])

HIGHEST = 10.0
"""A network that predicts zero everywhere has the error 1; what lies far above is cut off."""


@dataclass(frozen=True)
class Track:
    """A cell: names of its values, and (step, least, mean, largest error over its seeds) of its measurements."""

    x: str
    y: str
    points: tuple[tuple[int, float, float, float], ...]


def table(tracks: Sequence[Track]) -> dict[str, list[object]]:
    """The rows of the chart: what a logarithmic axis can show."""
    columns: dict[str, list[object]] = {name: [] for name in ("x", "y", "cell", "step", "low", "error", "high")}
    for track in tracks:
        for step, low, error, high in track.points:
            if step > 0 and low > 0:
                values = (track.x, track.y, f"{track.x} · {track.y}", step, low, error, high)
                for name, value in zip(columns, values, strict=True):
                    columns[name].append(value)
    return columns


def curves(
    x: tuple[str, tuple[str, ...]], y: tuple[str, tuple[str, ...]], step: str, error: str, theme: Theme
) -> alt.LayerChart:
    """The chart for the rows of `table`: colours by the first axis, dashes by the second, or by the first if it is alone.

    Args:
        x, y: the title and the names of the values of each axis; an empty title for one axis alone.
        step, error: what the axes of the chart are called.
        theme: light or dark.
    """
    with debug_mode(False):
        return _curves(x, y, step, error, theme)


def _curves(
    x: tuple[str, tuple[str, ...]], y: tuple[str, tuple[str, ...]], step: str, error: str, theme: Theme
) -> alt.LayerChart:
    source = alt.Chart(alt.NamedData("source"))
    key: dict[str, Any] = {
        "orient": "top",
        "symbolType": "stroke",
        "symbolOpacity": 1,
        "symbolStrokeWidth": 2.5,
        "symbolSize": 160,
        "labelLimit": 200,
        "titleLimit": 300,
    }
    many = len(x[1]) > len(ROLES)
    colours = (
        alt.Scale(domain=list(x[1]), scheme="viridis")
        if many
        else alt.Scale(domain=list(x[1]), range=[colour(role, theme) for role in ROLES[: len(x[1])]])
    )
    color = alt.Color("x:N", sort=list(x[1]), scale=colours, legend=alt.Legend(title=x[0], **key))
    # Of one axis alone the values are told apart by the dashes as well.
    field, names, title = ("y", y[1], y[0]) if y[0] else ("x", x[1], x[0])
    dashes = alt.Scale(domain=list(names), range=[DASHES[place % len(DASHES)] for place in range(len(names))])
    dash = alt.StrokeDash(f"{field}:N", sort=list(names), scale=dashes, legend=alt.Legend(title=title, **key))
    across = alt.X(
        "step:Q", scale=alt.Scale(type="log", nice=False), axis=alt.Axis(title=step, format="~s", tickCount=5)
    )
    up = alt.Y(
        "error:Q", scale=alt.Scale(type="log", domainMax=HIGHEST), axis=alt.Axis(title=error, format="~g", tickCount=6)
    )
    band = source.mark_area(opacity=0.16, clip=True, aria=False).encode(
        x=across, y=alt.Y("low:Q", title=error), y2="high:Q", color=color, detail="cell:N"
    )
    tip = [
        alt.Tooltip("x:N", title=x[0]),
        alt.Tooltip("step:Q", title=step),
        alt.Tooltip("error:Q", title=error, format=".3~g"),
    ]
    if y[0]:
        tip.insert(1, alt.Tooltip("y:N", title=y[0]))
    lines = source.mark_line(strokeWidth=2, clip=True).encode(
        x=across, y=up, color=color, strokeDash=dash, detail="cell:N", tooltip=tip
    )
    return style_altair(alt.LayerChart(layer=[band, lines], height=320), theme)
