"""Errors of solvers against their number of steps on logarithmic axes, where an order is a slope (Altair)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
from altair.utils.schemapi import debug_mode

from fmviz.charts.palette import Theme, colour
from fmviz.charts.theme import ink, style_altair

__all__ = ["ErrorCurve", "convergence"]

DASHES = {"euler": [1, 0], "midpoint": [7, 4], "heun": [2, 3], "rk4": [9, 3, 2, 3]}
SHAPES = {"euler": "circle", "midpoint": "square", "heun": "triangle-up", "rk4": "diamond"}


@dataclass(frozen=True)
class ErrorCurve:
    """One solver.

    Attributes:
        name: what the legend says, its slopes included.
        role: the solver's role in the palette, which gives colour, dash and mark.
        order: its order by theory, drawn as a straight line through the last point.
        points: (number of steps, error), rising, both positive.
    """

    name: str
    role: str
    order: int
    points: tuple[tuple[int, float], ...]


def convergence(
    curves: Sequence[ErrorCurve], now: int, theme: Theme, *, steps: str, error: str, height: int = 400
) -> alt.LayerChart:
    """A line for each solver, and beside it, thin, the slope that theory promises.

    Args:
        curves: at least one, each with at least one point.
        now: the number of steps on stage, marked by an upright rule.
        theme: light or dark.
        steps, error: titles of the axes.
        height: in pixels.
    """
    with debug_mode(False):  # checking every mark against the schema costs more than all else; a test does it
        return _convergence(curves, now, theme, steps, error, height)


def _convergence(
    curves: Sequence[ErrorCurve], now: int, theme: Theme, steps: str, error: str, height: int
) -> alt.LayerChart:
    names = [curve.name for curve in curves]
    counts = sorted({n for curve in curves for n, _ in curve.points})
    values = [e for curve in curves for _, e in curve.points]
    rows = [{"n": n, "e": e, "solver": curve.name} for curve in curves for n, e in curve.points]
    across = [min(now, counts[0]), max(now, counts[-1])]
    x = alt.X("n:Q", axis=alt.Axis(title=steps, values=counts, format="d", grid=False), scale=_log(across))
    powers = alt.Axis(title=error, format=".0e", tickCount=6)
    y = alt.Y("e:Q", axis=powers, scale=_log([min(values) / 2, max(values) * 2]))

    def by_solver(values: list[Any], **options: Any) -> dict[str, Any]:
        return {"sort": names, "scale": alt.Scale(domain=names, range=values), **options}

    key = alt.Legend(
        orient="top", title=None, columns=1, symbolSize=110, symbolStrokeWidth=2.5, labelLimit=300, offset=4
    )
    colours = alt.Color("solver:N", **by_solver([colour(curve.role, theme) for curve in curves], legend=key))
    dashes = alt.StrokeDash("solver:N", **by_solver([DASHES[curve.role] for curve in curves], legend=key))
    shapes = alt.Shape("solver:N", **by_solver([SHAPES[curve.role] for curve in curves], legend=key))
    tooltip = [
        alt.Tooltip("solver:N", title=" "),
        alt.Tooltip("n:Q", title=steps),
        alt.Tooltip("e:Q", title=error, format=".2e"),
    ]
    measured = alt.Chart(alt.InlineData(values=rows))
    layers = [
        alt.Chart(alt.InlineData(values=_promised(curves)))
        .mark_line(strokeWidth=1, opacity=0.55, clip=True)
        .encode(x=x, y=y, color=colours, detail="solver:N"),
        alt.Chart(alt.InlineData(values=[{"n": now}])).mark_rule(color=ink(theme), opacity=0.55).encode(x="n:Q"),
        measured.mark_line(strokeWidth=2.5).encode(x=x, y=y, color=colours, strokeDash=dashes),
        measured.mark_point(size=60, filled=True, opacity=1).encode(
            x=x, y=y, color=colours, shape=shapes, tooltip=tooltip
        ),
    ]
    return style_altair(alt.LayerChart(layer=layers, height=height), theme)


def _promised(curves: Sequence[ErrorCurve]) -> list[dict[str, object]]:
    """The two ends of a line of slope minus the order through the last point of each curve."""
    rows: list[dict[str, object]] = []
    for curve in curves:
        (first, _), (last, e) = curve.points[0], curve.points[-1]
        rows += [{"n": n, "e": e * (last / n) ** curve.order, "solver": curve.name} for n in (first, last)]
    return rows


def _log(domain: Sequence[float]) -> alt.Scale:
    return alt.Scale(type="log", domain=list(domain), nice=False)
