"""All runs as lines across parallel axes: the settings that vary, then the final error and the seconds (Altair).

Every axis is mapped to heights from 0 to 1 before it is drawn. Ticks are rows of the data like the lines, so that the chart
follows a sweep at work without being drawn anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
from altair.utils.schemapi import debug_mode

from fmviz.charts.palette import DENSITY_DARK, DENSITY_LIGHT, Theme, colour
from fmviz.charts.theme import ink, style_altair

__all__ = ["Axis", "Fate", "Run", "evenly", "logarithmic", "parallel", "table"]

BROKEN = 0.12
"""The part of an axis above its numbers that is left to runs without one."""
APART = 0.055
"""The least distance of two labelled ticks: about the height of a line of text."""
HEIGHT = 340
CROSS = "M-1,-1L1,1M1,-1L-1,1"

Fate = Literal["best", "diverged", "other"]


@dataclass(frozen=True)
class Axis:
    """One axis: its title, the height of each run on it, and labelled heights."""

    title: str
    heights: tuple[float, ...]
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Run:
    """One line.

    Attributes:
        name: of its cell and seed.
        error: relative error of the velocity, infinite for a run that has diverged.
        told: the error and the seconds, as a reader is told them.
        fate: how it is marked.
    """

    name: str
    error: float
    told: tuple[str, str]
    fate: Fate


def evenly(title: str, values: Sequence[str], order: Sequence[str], name: Callable[[str], str]) -> Axis:
    """An axis of the values `order`, which stand evenly spaced, the first one lowest."""
    heights = {value: _height(place, 0, len(order) - 1) for place, value in enumerate(order)}
    return Axis(
        title, tuple(heights[value] for value in values), tuple((heights[value], name(value)) for value in order)
    )


def logarithmic(
    title: str, values: Sequence[float], name: Callable[[float], str], *, at: Sequence[float] = (), broken: str = ""
) -> Axis:
    """A logarithmic axis of positive numbers.

    Args:
        title: of the axis.
        values: of the runs; one that is not a finite positive number stands at the top.
        name: a number as a label.
        at: the numbers that get a tick; powers of ten, or 1, 2 and 5 times those, if there are none.
        broken: label of the top, where a run stands there.
    """
    known = [value for value in (*values, *at) if 0 < value < math.inf]
    low, high = (min(known), max(known)) if known else (1.0, 1.0)
    top = 1.0 - BROKEN if len([v for v in values if 0 < v < math.inf]) < len(values) else 1.0

    def height(value: float) -> float:
        if not 0 < value < math.inf:
            return 1.0
        return top * _height(math.log(value), math.log(low), math.log(high))

    ticks: list[tuple[float, str]] = []
    for value in sorted(at) or _round_numbers(low, high):
        if not ticks or height(value) - ticks[-1][0] >= APART:
            ticks.append((height(value), name(value)))
    if top < 1.0:
        ticks.append((1.0, broken))
    return Axis(title, tuple(map(height, values)), tuple(ticks))


def table(axes: Sequence[Axis], runs: Sequence[Run]) -> dict[str, list[object]]:
    """The rows of the chart: a point for each run on each axis, then the ticks."""
    names = ("axis", "y", "run", "name", "error", "told", "seconds", "fate", "label")
    columns: dict[str, list[object]] = {name: [] for name in names}

    def add(*values: object) -> None:
        for name, value in zip(names, values, strict=True):
            columns[name].append(value)

    for axis in axes:
        for place, (run, height) in enumerate(zip(runs, axis.heights, strict=True)):
            error = run.error if math.isfinite(run.error) else None
            add(axis.title, height, place, run.name, error, *run.told, run.fate, "")
        for height, label in axis.ticks:
            add(axis.title, height, -1, "", None, "", "", "tick", label)
    return columns


def parallel(titles: tuple[str, ...], run: str, error: str, seconds: str, theme: Theme) -> alt.LayerChart:
    """The chart for the rows of `table`.

    Args:
        titles: of the axes, from left to right.
        run, error, seconds: what the tooltip calls them; the error is the title of the colours as well.
        theme: light or dark.
    """
    with debug_mode(False):
        return _parallel(titles, run, error, seconds, theme)


def _parallel(titles: tuple[str, ...], run: str, error: str, seconds: str, theme: Theme) -> alt.LayerChart:
    text, quiet, red = ink(theme), colour("init", theme), colour("sde", theme)
    ground = (DENSITY_LIGHT if theme == "light" else DENSITY_DARK)[0]
    over = alt.selection_point(name="over", on="pointerover", clear="pointerout", fields=["run"])
    x = alt.X(
        "axis:N",
        sort=list(titles),
        scale=alt.Scale(type="point", domain=list(titles), padding=0.35),
        axis=alt.Axis(
            title=None,
            labelAngle=0,
            labelPadding=8,
            labelLimit=130,
            labelFontSize=12,
            labelExpr="length(datum.label) > 13 ? split(datum.label, ' ') : datum.label",
            domain=False,
            ticks=False,
            grid=True,
            gridColor=quiet,
            gridOpacity=0.7,
        ),
    )
    y = alt.Y("y:Q", scale=alt.Scale(domain=[-0.03, 1.03], nice=False), axis=None)
    # The same two hues as elsewhere, dark enough on either ground at both ends.
    # In "lab" they do not pass through the red of what has diverged.
    ramp = alt.Scale(type="log", range=[colour("velocity", theme), colour("data", theme)], interpolate="lab")
    level: Any = alt.Color(
        "error:Q",
        scale=ramp,
        legend=alt.Legend(
            title=error, orient="bottom", type="gradient", format="~%", tickCount=3, gradientLength=220, titleLimit=300
        ),
    )
    seen = alt.condition(over, alt.value(0.95), alt.value(0.12))

    def of(fate: Fate) -> alt.Chart:
        return alt.Chart(alt.NamedData("source")).transform_filter(f"datum.fate === '{fate}'").encode(x=x, y=y)

    def line(fate: Fate, **look: Any) -> Any:
        return of(fate).mark_line(aria=False, **look).encode(detail="run:N", opacity=seen)

    def points(fate: Fate, **look: Any) -> Any:
        return of(fate).mark_point(aria=False, **look).encode(opacity=seen)

    ticks = alt.Chart(alt.NamedData("source")).transform_filter("datum.fate === 'tick'").encode(x=x, y=y)
    lines = alt.Chart(alt.NamedData("source")).transform_filter("datum.fate !== 'tick'").encode(x=x, y=y)
    # What is pointed at: wider than what is seen.
    pointed = lines.mark_line(strokeWidth=12, opacity=0.001).encode(
        detail="run:N",
        tooltip=[
            alt.Tooltip("name:N", title=run),
            alt.Tooltip("told:N", title=error),
            alt.Tooltip("seconds:N", title=seconds),
        ],
    )
    layers = [
        line("other", strokeWidth=1.6).encode(color=level),
        points("other", filled=True, size=26).encode(color=level),
        line("diverged", strokeWidth=1.4, strokeDash=[4, 3], color=red),
        points("diverged", shape=CROSS, size=40, strokeWidth=2, color=red),
        line("best", strokeWidth=4).encode(color=level),
        points("best", filled=True, shape="diamond", size=150).encode(color=level),
        # On a border of the ground's colour, so that lines do not cross out what is written.
        ticks.mark_text(align="left", dx=8, fontSize=12, stroke=ground, strokeWidth=4, aria=False).encode(
            text="label:N"
        ),
        ticks.mark_text(align="left", dx=8, fontSize=12, color=text, aria=False).encode(text="label:N"),
        pointed.add_params(over),
    ]
    return style_altair(alt.LayerChart(layer=layers, height=HEIGHT), theme)


def _height(value: float, low: float, high: float) -> float:
    """Where a value stands between two others; in the middle if they are the same."""
    return (value - low) / (high - low) if high > low else 0.5


def _round_numbers(low: float, high: float) -> list[float]:
    """Powers of ten from `low` to `high`, or 1, 2 and 5 times those; the ends themselves where there are fewer than two."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1,), (1, 2, 5)):
        # 10^-3 is written, not computed: 10.0 ** -3 differs from 0.001 in the last place
        found = [float(f"{factor}e{power}") for power in powers for factor in factors]
        inside = [number for number in found if low <= number <= high]
        if len(inside) >= 3:
            return inside
    return inside if len(inside) >= 2 else sorted({low, high})
