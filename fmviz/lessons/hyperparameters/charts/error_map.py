"""The map of cells over the axes: the error as a colour, the best cell framed, the guess marked. Clicked, it says which cell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import altair as alt
from altair.utils.schemapi import debug_mode

from fmviz.charts.palette import DENSITY_DARK, DENSITY_LIGHT, Theme, colour
from fmviz.charts.theme import ink, style_altair

__all__ = ["CELL", "Mark", "Square", "Words", "error_map", "table"]

CELL = "cell"
"""The selection: what is clicked."""
ROW_HEIGHT, AXIS_HEIGHT = 52, 48
DECADES = (-4.0, 0.0)
"""Powers of ten of the relative error at the ends of the colours."""


Mark = Literal["best", "guess", "chosen"]


@dataclass(frozen=True)
class Square:
    """One cell.

    Attributes:
        column, row: its place, row 0 the lowest.
        error: relative error; NaN while there is none, infinite where a run has diverged.
        text: what is written in it.
        marks: what it is beside that.
    """

    column: int
    row: int
    error: float
    text: str
    marks: frozenset[Mark] = frozenset()


@dataclass(frozen=True)
class Words:
    """Titles of the axes (an empty one: one axis alone), names of their values, and what the error and the guess are called."""

    x: str
    y: str
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    error: str
    guess: str


def table(squares: Sequence[Square], words: Words) -> dict[str, list[object]]:
    """The rows of the map, by column."""
    rows = [
        {
            "column": square.column,
            "row": square.row,
            "x": words.columns[square.column],
            "y": words.rows[square.row],
            "known": math.isfinite(square.error),
            "level": math.log10(max(square.error, 1e-12)) if math.isfinite(square.error) else 0.0,
            "broken": math.isinf(square.error),
            "text": square.text,
            "guess": words.guess if "guess" in square.marks else "",
            "best": "best" in square.marks,
            "chosen": "chosen" in square.marks,
        }
        for square in squares
    ]
    return {name: [row[name] for row in rows] for name in rows[0]}


def error_map(words: Words, theme: Theme) -> alt.LayerChart:
    """The map for the rows of `table`."""
    with debug_mode(False):
        return _error_map(words, theme)


def _error_map(words: Words, theme: Theme) -> alt.LayerChart:
    def base(keep: str = "true") -> alt.Chart:
        return alt.Chart(alt.NamedData("source")).transform_filter(keep).encode(x=x, y=y)

    x = alt.X(
        "x:N",
        sort=list(words.columns),
        scale=alt.Scale(domain=list(words.columns), paddingInner=0.04),
        axis=alt.Axis(title=words.x, labelAngle=0, domain=False, ticks=False, labelLimit=110),
    )
    y = alt.Y(
        "y:N",
        sort=list(reversed(words.rows)),
        scale=alt.Scale(domain=list(reversed(words.rows)), paddingInner=0.06),
        axis=alt.Axis(title=words.y, domain=False, ticks=False, labelLimit=110) if words.y else None,
    )
    ramp = list(DENSITY_LIGHT if theme == "light" else DENSITY_DARK)
    colours = alt.Scale(domain=list(DECADES), range=ramp, clamp=True)
    quiet, text = colour("init", theme), ink(theme)
    tip = [alt.Tooltip("x:N", title=words.x), alt.Tooltip("text:N", title=words.error)]
    if words.y:
        tip.insert(1, alt.Tooltip("y:N", title=words.y))
    empty = base().mark_rect(fill=quiet, fillOpacity=0.12, stroke=quiet, strokeOpacity=0.5, strokeDash=[3, 3])
    known = base("datum.known").mark_rect(aria=False).encode(color=alt.Color("level:Q", scale=colours, legend=None))
    broken = base("datum.broken").mark_rect(
        fill=colour("sde", theme), fillOpacity=0.18, stroke=colour("sde", theme), aria=False
    )
    # The whole of a cell answers to a click, whatever lies in it.
    clicked = base().mark_rect(fillOpacity=0.001, fill=quiet, cursor="pointer").encode(tooltip=tip)
    clicked = clicked.add_params(alt.selection_point(name=CELL, fields=["column", "row"], toggle=False, clear=False))
    layers = [
        empty,
        known,
        broken,
        base("datum.best").mark_rect(fillOpacity=0, stroke=text, strokeWidth=3, aria=False),
        base("datum.chosen && !datum.best").mark_rect(
            fillOpacity=0, stroke=text, strokeWidth=1.5, strokeDash=[4, 3], aria=False
        ),
        base().mark_text(color=text, fontSize=13, dy=-1, aria=False).encode(text="text:N"),
        base("datum.guess")
        .mark_text(color=colour("data", theme), fontSize=12, fontWeight=600, dy=16, aria=False)
        .encode(text="guess:N"),
        clicked,
    ]
    return style_altair(alt.LayerChart(layer=layers, height=AXIS_HEIGHT + ROW_HEIGHT * len(words.rows)), theme)
