"""The charts of the page Noise: moments in their band, increments, errors on log axes, modes over time (Altair)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
from altair.utils.schemapi import debug_mode

from fmviz.charts.palette import Theme, colour
from fmviz.charts.theme import style_altair
from fmviz.clips.clip import Floats

__all__ = ["Slope", "distance_over_time", "histogram", "mixing", "moment", "orders"]

HEIGHT = 220
LEGEND: dict[str, Any] = {"orient": "top", "title": None, "symbolStrokeWidth": 2.5, "symbolSize": 160, "offset": 4}
DASHES = ([1, 0], [6, 3], [2, 2])


@dataclass(frozen=True)
class Slope:
    """One series of a log-log chart: values at step counts, half lengths of their error bars, the order of the theory."""

    steps: Sequence[int]
    values: Sequence[float]
    errors: Sequence[float]
    order: float
    role: str

    @property
    def ends(self) -> tuple[float, float]:
        """Where the line of the theory's slope begins and ends, a little beyond the points."""
        return self.steps[0] / 1.3, self.steps[-1] * 1.3

    def guide(self, n: float) -> float:
        """The line of the theory's slope through the middle point."""
        middle = len(self.steps) // 2
        return self.values[middle] * math.exp(self.order * math.log(self.steps[middle] / n))


def moment(
    times: Floats,
    measured: Floats,
    exact: Floats,
    error: Floats,
    theme: Theme,
    *,
    names: tuple[str, str],
    x: str,
    y: str,
) -> alt.LayerChart:
    """A moment over time as measured, the exact one as a dashed line, and the Monte Carlo band around that.

    Args:
        times, measured, exact, error: each (T,); the band is exact ± error.
        theme: light or dark.
        names: of the measured and of the exact line.
        x, y: titles of the axes.
    """
    with debug_mode(False):
        rows = [
            {"t": float(t), "low": float(e - d), "high": float(e + d)}
            for t, e, d in zip(times, exact, error, strict=True)
        ]
        band = (
            alt.Chart(alt.InlineData(values=rows))
            .mark_area(color=colour("path", theme), opacity=0.16)
            .encode(x=alt.X("t:Q", axis=alt.Axis(title=x, format=".4~g")), y=alt.Y("low:Q", title=y), y2="high:Q")
        )
        return _chart(
            [band, _lines(times, {names[0]: (measured, "sde"), names[1]: (exact, "path")}, theme, x, y)], theme
        )


def histogram(
    centres: Floats,
    density: Floats,
    normal: Floats,
    error: Floats,
    theme: Theme,
    *,
    names: tuple[str, str],
    x: str,
    y: str,
) -> alt.LayerChart:
    """Bars of a density, and the normal one with its Monte Carlo band. Arguments as in `moment`, over bins (B,)."""
    with debug_mode(False):
        width = float(centres[1] - centres[0])
        rows = [
            {"a": float(c) - width / 2, "b": float(c) + width / 2, "density": float(d)}
            for c, d in zip(centres, density, strict=True)
        ]
        edges = [
            {"x": float(c), "low": float(n - e), "high": float(n + e)}
            for c, n, e in zip(centres, normal, error, strict=True)
        ]
        bars = (
            alt.Chart(alt.InlineData(values=rows))
            .mark_rect(color=colour("sde", theme), opacity=0.45)
            .encode(
                x=alt.X("a:Q", axis=alt.Axis(title=x, format=".4~g")),
                x2="b:Q",
                y=alt.Y("density:Q", title=y),
                y2=alt.datum(0),
                tooltip=[alt.Tooltip("density:Q", format=".3f", title=names[0])],
            )
        )
        band = (
            alt.Chart(alt.InlineData(values=edges))
            .mark_area(color=colour("path", theme), opacity=0.25, interpolate="monotone")
            .encode(x="x:Q", y="low:Q", y2="high:Q")
        )
        curve = _lines(centres, {names[1]: (normal, "path")}, theme, x, y, smooth=True)
        return _chart([bars, band, curve], theme)


def orders(series: Mapping[str, Slope], theme: Theme, *, x: str, y: str) -> alt.LayerChart:
    """Errors against step counts on log axes, with error bars, and a dashed line of the theory's slope through each series.

    Args:
        series: name to its points.
        theme: light or dark.
        x, y: titles of the axes.
    """
    with debug_mode(False):
        points: list[dict[str, Any]] = [
            {"n": n, "error": value, "low": max(value - error, value / 10), "high": value + error, "series": name}
            for name, s in series.items()
            for n, value, error in zip(s.steps, s.values, s.errors, strict=True)
        ]
        guides = [{"n": n, "error": s.guide(n), "series": name} for name, s in series.items() for n in s.ends]
        names = list(series)
        legend = alt.Legend(**LEGEND)
        colours = alt.Scale(domain=names, range=[colour(s.role, theme) for s in series.values()])
        shapes = alt.Scale(domain=names, range=["circle", "square"])
        stops = sorted({row["n"] for row in points})
        decades = _decades(min(row["low"] for row in points), max(row["high"] for row in points), y)

        def axes(value: str) -> dict[str, Any]:
            across = alt.Axis(title=x, values=stops, format="d")
            return {
                "x": alt.X("n:Q", scale=alt.Scale(type="log", nice=False), axis=across),
                "y": alt.Y(f"{value}:Q", scale=alt.Scale(type="log"), axis=decades),
                "color": alt.Color("series:N", sort=names, scale=colours, legend=legend),
            }

        lines = alt.Chart(alt.InlineData(values=guides)).mark_line(strokeDash=[5, 4], strokeWidth=1.5, opacity=0.8)
        bars = alt.Chart(alt.InlineData(values=points)).mark_rule(strokeWidth=2)
        dots = alt.Chart(alt.InlineData(values=points)).mark_point(filled=True, size=70, opacity=1)
        marked = dots.encode(
            **axes("error"),
            shape=alt.Shape("series:N", sort=names, scale=shapes, legend=legend),
            tooltip=[
                alt.Tooltip("series:N", title=" "),
                alt.Tooltip("n:Q", title=x),
                alt.Tooltip("error:Q", title="=", format=".3~g"),
            ],
        )
        return _chart([lines.encode(**axes("error")), bars.encode(**axes("low"), y2="high:Q"), marked], theme)


def mixing(
    times: Floats, shares: Floats, weights: Floats, theme: Theme, *, x: str, y: str, mode: str
) -> alt.LayerChart:
    """Shares of the classes over time, stacked, and dashed lines where their borders should lie.

    Args:
        times, shares, weights: (T,), (T, C), (C,).
        theme: light or dark.
        x, y: titles of the axes.
        mode: what one class is called.
    """
    with debug_mode(False):
        above = np.cumsum(shares, axis=1)
        rows = [
            {
                "t": float(t),
                "mode": k + 1,
                "low": float(above[i, k] - shares[i, k]),
                "high": float(above[i, k]),
                "w": float(weights[k]),
                "share": float(shares[i, k]),
            }
            for i, t in enumerate(times)
            for k in range(len(weights))
        ]
        count = len(weights)
        tints = [0.5 if k % 2 == 0 else 0.22 for k in range(count)]
        areas = (
            alt.Chart(alt.InlineData(values=rows))
            .mark_area(color=colour("sde", theme), line=False)
            .encode(
                x=alt.X("t:Q", axis=alt.Axis(title=x, format=".4~g")),
                y=alt.Y("low:Q", axis=alt.Axis(title=y, tickCount=5), scale=alt.Scale(domain=[0, 1])),
                y2="high:Q",
                detail="mode:O",
                opacity=alt.Opacity(
                    "mode:O", scale=alt.Scale(domain=list(range(1, count + 1)), range=tints), legend=None
                ),
                tooltip=[
                    alt.Tooltip("mode:O", title=mode),
                    alt.Tooltip("share:Q", title=y, format=".3f"),
                    alt.Tooltip("w:Q", title="w", format=".3f"),
                ],
            )
        )
        borders = [{"border": float(b)} for b in np.cumsum(weights)[:-1]]
        rules = (
            alt.Chart(alt.InlineData(values=borders))
            .mark_rule(color=colour("data", theme), strokeDash=[6, 4], strokeWidth=2)
            .encode(y="border:Q")
        )
        return _chart([areas, rules], theme)


def distance_over_time(
    times: Sequence[float],
    distances: Sequence[float],
    floor: float,
    theme: Theme,
    *,
    names: tuple[str, str],
    x: str,
    y: str,
) -> alt.LayerChart:
    """A distance over time on a log axis, and its floor as a level. `names`: of the distance and of the floor."""
    with debug_mode(False):
        t = np.asarray(times, np.float32)
        found = np.asarray(distances, np.float32)
        level = np.full_like(t, floor)
        chart = _lines(t, {names[0]: (found, "sde"), names[1]: (level, "path")}, theme, x, y, log=True)
        return _chart([chart], theme)


def _lines(
    t: Floats,
    series: Mapping[str, tuple[Floats, str]],
    theme: Theme,
    x: str,
    y: str,
    *,
    log: bool = False,
    smooth: bool = False,
) -> alt.Chart:
    names = list(series)
    rows: list[dict[str, Any]] = [
        {"t": float(a), "value": float(b), "series": name}
        for name, (values, _) in series.items()
        for a, b in zip(t, values, strict=True)
        if np.isfinite(b)
    ]
    legend = alt.Legend(**LEGEND)
    colours = alt.Scale(domain=names, range=[colour(role, theme) for _, role in series.values()])
    dashes = alt.Scale(domain=names, range=list(DASHES[: len(names)]))
    values = [row["value"] for row in rows]
    axis = _decades(min(values), max(values), y) if log and values else alt.Axis(title=y, tickCount=5)
    lines: alt.Chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(strokeWidth=2.2, interpolate="monotone" if smooth else "linear")
        .encode(
            x=alt.X("t:Q", axis=alt.Axis(title=x, format=".4~g")),
            y=alt.Y("value:Q", axis=axis, scale=alt.Scale(type="log") if log else alt.Undefined),
            color=alt.Color("series:N", sort=names, scale=colours, legend=legend),
            strokeDash=alt.StrokeDash("series:N", sort=names, scale=dashes, legend=legend),
            tooltip=[
                alt.Tooltip("series:N", title=" "),
                alt.Tooltip("t:Q", title=x, format=".3~g"),
                alt.Tooltip("value:Q", title="=", format=".3~g"),
            ],
        )
    )
    return lines


def _decades(low: float, high: float, title: str) -> alt.Axis:
    """The axis of a logarithmic scale with the powers of ten around [low, high] and no lines between them."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return alt.Axis(title=title, values=[10.0**k for k in range(first, last + 1)], format="~g")


def _chart(layers: list[alt.Chart], theme: Theme) -> alt.LayerChart:
    return style_altair(alt.LayerChart(layer=layers, height=HEIGHT), theme)
