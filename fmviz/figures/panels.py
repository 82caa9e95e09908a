"""One square panel: how points of the plane become millimetres, and a path's densities, particles and arrows as marks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fmviz.figures.contours import contours
from fmviz.figures.marks import Area, Dots, Floats, Ink, Line, Mark, Words, thinned

__all__ = ["Panel", "arrows", "density", "edge", "frame", "ground", "level_lines", "levels", "lines", "particles"]

TEXT = 2.6
"""Size of numbers and titles, about 7 points."""
TITLE = 4.5
"""Room for a title."""
LINE = 0.18
"""Width of a thin line."""
HEAD = 0.9
"""Length of the head of a long arrow."""
LEAST_ARROW = 0.25
"""Shorter arrows are not drawn."""


@dataclass(frozen=True)
class Panel:
    """A rectangle of the plane, (x0, x1, y0, y1), and where it is drawn: its upper left corner and its width."""

    extent: tuple[float, float, float, float]
    left: float
    top: float
    width: float

    @property
    def scale(self) -> float:
        """Millimetres for one unit."""
        return self.width / (self.extent[1] - self.extent[0])

    @property
    def height(self) -> float:
        """In millimetres."""
        return self.scale * (self.extent[3] - self.extent[2])

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, width and height."""
        return self.left, self.top, self.width, self.height

    def place(self, points: Tensor | Floats) -> Floats:
        """Points (..., 2) of the plane in millimetres."""
        x, y = np.moveaxis(np.asarray(points, dtype=np.float64), -1, 0)
        right, down = self.left + (x - self.extent[0]) * self.scale, self.top + (self.extent[3] - y) * self.scale
        return np.stack((right, down), axis=-1)

    def grid(self, cells: int) -> Tensor:
        """Points on and around the panel, (H W, 2), float64: `cells` along the width, and one more on each side."""
        x, y = self._axes(cells)
        yy, xx = torch.meshgrid(torch.from_numpy(y), torch.from_numpy(x), indexing="ij")
        return torch.stack((xx, yy), dim=-1).reshape(-1, 2)

    def loops(self, values: Tensor, level: float, cells: int) -> list[Floats]:
        """Contours of values on `grid`, in millimetres."""
        x, y = self._axes(cells)
        found = contours(np.asarray(values).reshape(len(y), len(x)), level)
        step = (self.extent[1] - self.extent[0]) / cells
        return [thinned(self.place(loop * step + np.array([x[0], y[0]]))) for loop in found]

    def _axes(self, cells: int) -> tuple[Floats, Floats]:
        x0, x1, y0, y1 = self.extent
        step = (x1 - x0) / cells
        rows = math.ceil((y1 - y0) / step - 1e-9)
        return x0 + step * np.arange(-1.0, cells + 2.0), y0 + step * np.arange(-1.0, rows + 2.0)


def levels(count: int) -> Floats:
    """Shares of the largest density at which contours lie: squares, so that low densities are told apart."""
    return np.square(np.arange(1, count + 1) / (count + 1))


def ground(left: float, top: float, width: float, height: float) -> Mark:
    """A rectangle in the colour of no density."""
    right, bottom = left + width, top + height
    return Area([np.array([[left, top], [right, top], [right, bottom], [left, bottom]])], Ink(level=0.0))


def density(panel: Panel, values: Tensor, top: float, count: int, cells: int) -> list[Mark]:
    """Areas of more and more density.

    Args:
        panel: where.
        values: the density on ``panel.grid(cells)``.
        top: the density with the full colour.
        count: how many areas.
        cells: of the grid.
    """
    areas: list[Mark] = [ground(*panel.box)]
    for share in levels(count).tolist():
        loops = panel.loops(values, share * top, cells)
        if loops:
            areas.append(Area(loops, Ink(level=math.sqrt(share))))
    return areas


def level_lines(panel: Panel, values: Tensor, top: float, count: int, cells: int) -> list[Mark]:
    """Lines of equal density, at the levels of `density`."""
    loops = [
        np.concatenate((loop, loop[:1])) for share in levels(count) for loop in panel.loops(values, share * top, cells)
    ]
    return [Line(loops, Ink("path", opacity=0.55), LINE)] if loops else []


def particles(panel: Panel, points: Tensor, role: str, radius: float = 0.35, opacity: float = 0.8) -> list[Mark]:
    """A disc at each point (N, 2)."""
    return [Dots(panel.place(points[points.isfinite().all(-1)]), radius, Ink(role, opacity=opacity))]


def lines(panel: Panel, trajectories: Tensor, role: str, opacity: float = 0.35) -> list[Mark]:
    """A line for each of the trajectories (T, N, 2), T at least 2."""
    kept = trajectories[:, trajectories.isfinite().all(-1).all(0)]
    return (
        [Line([thinned(line) for line in panel.place(kept.transpose(0, 1))], Ink(role, opacity=opacity), LINE)]
        if kept.shape[1]
        else []
    )


def arrows(panel: Panel, at: Tensor, vectors: Tensor, role: str, scale: float, longest: float) -> list[Mark]:
    """Arrows centred at points.

    Args:
        panel: where.
        at: (N, 2).
        vectors: (N, 2); those that are not finite are left out.
        role: whose colour they have.
        scale: the length of a unit vector, in units of the plane.
        longest: the longest arrow, in units of the plane.
    """
    shown = vectors.isfinite().all(-1)
    at, vectors = at[shown].double(), vectors[shown].double()
    lengths = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    vectors = vectors * (scale * (longest / (scale * lengths).clamp(min=1e-12)).clamp(max=1.0))
    tails, tips = panel.place(at - 0.5 * vectors), panel.place(at + 0.5 * vectors)
    steps = tips - tails
    size = np.hypot(*steps.T)
    tails, tips, steps, size = (a[size >= LEAST_ARROW] for a in (tails, tips, steps, size))
    if not len(size):
        return []
    along = steps / size[:, None]
    across = np.stack((-along[:, 1], along[:, 0]), axis=1)
    head = np.minimum(HEAD, 0.5 * size)[:, None]
    necks = tips - head * along
    corners = np.stack((tips, necks + 0.4 * head * across, necks - 0.4 * head * across), axis=1)
    return [
        Line(list(np.stack((tails, necks + 0.3 * head * along), axis=1)), Ink(role), LINE),
        Area(list(corners), Ink(role)),
    ]


def edge(panel: Panel, title: str) -> list[Mark]:
    """The edge of a panel, and its title above."""
    left, top, width, height = panel.box
    right, bottom = left + width, top + height
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom], [left, top]])
    words: list[Mark] = [Words(title, left + width / 2, top - 1.1, TEXT, anchor="middle")] if title else []
    return [Line([corners], Ink("init"), LINE), *words]


def frame(panel: Panel, title: str, *, x_numbers: bool, y_numbers: bool) -> list[Mark]:
    """The same with ticks, and numbers below and on the left where they are wanted."""
    left, top, _, height = panel.box
    bottom, quiet = top + height, Ink("init")
    ticks: list[Floats] = []
    marks = edge(panel, title)
    for value in nice_numbers(panel.extent[0], panel.extent[1]):
        x = float(panel.place(np.array([value, 0.0]))[0])
        ticks.append(np.array([[x, bottom], [x, bottom + 0.8]]))
        if x_numbers:
            marks.append(Words(_number(value), x, bottom + 1.2 + 0.8 * TEXT, TEXT, quiet, "middle"))
    for value in nice_numbers(panel.extent[2], panel.extent[3]):
        y = float(panel.place(np.array([0.0, value]))[1])
        ticks.append(np.array([[left - 0.8, y], [left, y]]))
        if y_numbers:
            marks.append(Words(_number(value), left - 1.3, y + 0.36 * TEXT, TEXT, quiet, "end"))
    return [Line(ticks, quiet, LINE), *marks] if ticks else marks


def nice_numbers(low: float, high: float) -> Sequence[float]:
    """About four round numbers between two ends."""
    rough = (high - low) / 4.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1.0, 2.0, 5.0, 10.0) if power * factor >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [step * i for i in range(first, last + 1)]


def _number(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")
