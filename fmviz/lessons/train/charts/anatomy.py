"""A handful of draws of one training step in the plane: z, eps, the point between them, target and prediction (Altair)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
from altair.utils.schemapi import debug_mode

from fmviz.charts.palette import Theme, colour
from fmviz.charts.theme import ink, style_altair

__all__ = ["Words", "anatomy"]

Pair = tuple[float, float]


@dataclass(frozen=True)
class Words:
    """What the marks are called."""

    target: str
    prediction: str


def anatomy(
    draws: Sequence[tuple[Pair, Pair, Pair, Pair, Pair]], half: float, words: Words, theme: Theme, *, size: int = 400
) -> alt.LayerChart:
    """A square picture.

    Args:
        draws: (z, eps, x, end of the target's arrow, end of the prediction's arrow) of each draw; arrows start at x.
        half: the picture shows [-half, half]².
        words: names of the two arrows.
        theme: light or dark.
        size: pixels a side.
    """
    with debug_mode(False):
        return _anatomy(draws, half, words, theme, size)


def _anatomy(
    draws: Sequence[tuple[Pair, Pair, Pair, Pair, Pair]], half: float, words: Words, theme: Theme, size: int
) -> alt.LayerChart:
    names, colours = [words.target, words.prediction], [colour("velocity", theme), colour("learned", theme)]
    scale = alt.Scale(domain=[-half, half], nice=False)
    x, y = alt.X("x:Q", scale=scale, title=None), alt.Y("y:Q", scale=scale, title=None)
    links = [{"x": e[0], "y": e[1], "x2": z[0], "y2": z[1]} for z, e, _, _, _ in draws]
    arrows = [
        {"x": p[0], "y": p[1], "x2": end[0], "y2": end[1], "what": name, "angle": _angle(p, end)}
        for _, _, p, *ends in draws
        for name, end in zip(names, ends, strict=True)
    ]
    points = [{"x": p[0], "y": p[1], "n": str(n)} for n, (_, _, p, _, _) in enumerate(draws, start=1)]
    key = alt.Color("what:N", title=None, scale=alt.Scale(domain=names, range=colours), legend=alt.Legend(orient="top"))
    layers = [
        _of(links)
        .mark_rule(color=colour("init", theme), opacity=0.5, strokeDash=[3, 3])
        .encode(x=x, y=y, x2="x2", y2="y2"),
        _of([{"x": e[0], "y": e[1]} for _, e, _, _, _ in draws])
        .mark_point(shape="circle", size=55, color=colour("init", theme), strokeWidth=2)
        .encode(x=x, y=y),
        _of([{"x": z[0], "y": z[1]} for z, _, _, _, _ in draws])
        .mark_point(shape="cross", size=90, color=colour("data", theme), filled=True)
        .encode(x=x, y=y),
        _of(arrows).mark_rule(strokeWidth=2.5, clip=True).encode(x=x, y=y, x2="x2", y2="y2", color=key),
        _of(arrows)
        .mark_point(shape="triangle", size=70, filled=True, opacity=1, clip=True)
        .encode(
            x=alt.X("x2:Q", scale=scale),
            y=alt.Y("y2:Q", scale=scale),
            color=key,
            angle=alt.Angle("angle:Q", scale=None),
        ),
        _of(points).mark_point(size=60, filled=True, color=ink(theme), opacity=1).encode(x=x, y=y),
        _of(points).mark_text(dx=11, dy=-9, fontSize=13, fontWeight=600, color=ink(theme)).encode(x=x, y=y, text="n:N"),
    ]
    return style_altair(alt.LayerChart(layer=layers, width=size, height=size), theme)


def _of(values: list[dict[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=values))


def _angle(start: Pair, end: Pair) -> float:
    """The clockwise turn, in degrees, after which an upright triangle points from start to end."""
    return math.degrees(math.atan2(end[0] - start[0], end[1] - start[1]))
