"""What a figure is made of: lines, areas, dots, words and clipped groups, in millimetres from the upper left corner.

Colours are named by the role of what is drawn (`fmviz.charts.palette`) or by a step of the ramp of densities, so one list of
marks can be written for a light ground, for a dark one, or for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fmviz.charts.palette import DENSITY_DARK, DENSITY_LIGHT, ROLE_COLOURS, Theme, colour

__all__ = ["Area", "Clip", "Dots", "Floats", "Ink", "Line", "Mark", "Words", "hex_colour", "ramp", "thinned"]

Floats = NDArray[np.float64]
"""Points (N, 2): millimetres to the right and down."""
UNSEEN = 0.012
"""Millimetres that nobody sees: half of the finest dot of a printer."""
Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True)
class Ink:
    """A colour: that of a role, or with a level from 0 to 1 that of a density, and how opaque it is."""

    role: str = "path"
    level: float | None = None
    opacity: float = 1.0


@dataclass(frozen=True, eq=False)
class Line:
    """Lines through points, all of one kind; `dashes` in millimetres."""

    lines: Sequence[Floats]
    ink: Ink
    width: float
    dashes: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Area:
    """What closed loops enclose, counted even-odd: a loop within another is a hole."""

    loops: Sequence[Floats]
    ink: Ink


@dataclass(frozen=True, eq=False)
class Dots:
    """Discs of one radius."""

    at: Floats
    radius: float
    ink: Ink


@dataclass(frozen=True)
class Words:
    """A line of text; `size` is the height of its letters with descenders, in millimetres, and y its base line."""

    text: str
    x: float
    y: float
    size: float
    ink: Ink = Ink()
    anchor: Anchor = "start"


@dataclass(frozen=True, eq=False)
class Clip:
    """Marks of which only what lies in the rectangle (x, y, width, height) is seen."""

    box: tuple[float, float, float, float]
    marks: Sequence[Mark]


Mark = Line | Area | Dots | Words | Clip


def thinned(points: Floats) -> Floats:
    """Without those points that a line through their neighbours misses by less than `UNSEEN`; the ends stay."""
    while len(points) > 2:
        before, here, after = points[:-2:2], points[1:-1:2], points[2::2]
        before, here = before[: len(after)], here[: len(after)]
        along, apart = after - before, here - before
        length = np.maximum((along**2).sum(1), 1e-12)
        share = np.clip((along * apart).sum(1) / length, 0.0, 1.0)
        needless = ((apart - share[:, None] * along) ** 2).sum(1) < UNSEEN**2
        if not needless.any():
            break
        keep = np.ones(len(points), dtype=bool)
        keep[1 : 2 * len(needless) : 2] = ~needless
        points = points[keep]
    return points


def ramp(level: float, theme: Theme) -> str:
    """The colour of a density on its ramp, from 0 for none to 1 for the largest."""
    stops = DENSITY_LIGHT if theme == "light" else DENSITY_DARK
    place = min(max(level, 0.0), 1.0) * (len(stops) - 1)
    i = min(int(place), len(stops) - 2)
    low, high = (np.array([int(stop[k : k + 2], 16) for k in (1, 3, 5)]) for stop in stops[i : i + 2])
    return "#" + "".join(f"{round(c):02x}" for c in low + (place - i) * (high - low))


def hex_colour(ink: Ink, theme: Theme) -> str:
    """The colour of an ink on the ground of a theme."""
    if ink.level is not None:
        return ramp(ink.level, theme)
    if ink.role not in ROLE_COLOURS:
        raise KeyError(ink.role)
    return colour(ink.role, theme)
