"""A figure of a probability path for a paper: panels at a few times, in vectors and in millimetres."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import get_args

import torch
from torch import Tensor

from fmviz.charts.palette import Theme
from fmviz.clips import scales
from fmviz.clips.clip import Extent
from fmviz.errors import ParameterError
from fmviz.figures import panels
from fmviz.figures.marks import Clip, Mark
from fmviz.figures.panels import Panel
from fmviz.figures.pdf import write_pdf
from fmviz.figures.svg import write_svg
from fmviz.theory import ProbabilityPath
from fmviz.theory.arrays import as_numbers
from fmviz.theory.counts import as_count
from fmviz.theory.solvers import solve_ode

__all__ = ["LAYERS", "Figure", "figure"]

LAYERS = ("density", "contours", "trajectories", "velocity", "score", "particles")
"""What a panel can show, in the order in which it is painted."""

MOST_TIMES = 24
MOST_PARTICLES = 5000
SMALLEST, LARGEST = 20.0, 600.0
"""Widths of a figure in millimetres."""
GAP = 3.0
LEFT, BOTTOM = 7.0, 5.0
"""Room for numbers on the left and below, in millimetres."""
AREAS = 9
CELLS = 96
ARROWS = 15
STEPS = 64
"""Steps of the particles over all of [0, 1]."""
REACH = (2.5, 0.25)
"""A panel shows the means to so many standard deviations, rounded up to a multiple of this."""


@dataclass(frozen=True, eq=False)
class Figure:
    """Marks on a sheet.

    Attributes:
        marks: what is drawn, in millimetres.
        width, height: of the sheet, in millimetres.
        description: what a screen reader says.
        theme: the ground it is made for.
    """

    marks: tuple[Mark, ...]
    width: float
    height: float
    description: str
    theme: Theme = "light"

    def __repr__(self) -> str:
        return f"<Figure: {self.width:g} x {self.height:.4g} mm, {self.description}>"

    @property
    def svg(self) -> str:
        """As one SVG element; a file with it and nothing else is a picture."""
        return write_svg(self.marks, self.width, self.height, self.description, theme=self.theme)

    @property
    def pdf(self) -> bytes:
        """As a PDF of one page of the size of the sheet, its font embedded.

        Raises:
            FmvizError: reportlab is not installed (``pip install "fmviz[pdf]"``).
        """
        return write_pdf(self.marks, self.width, self.height, self.description, theme=self.theme)

    def save(self, file: str | Path) -> Path:
        """Write ``.svg`` or ``.pdf``, as the name ends.

        Raises:
            ParameterError: the name ends otherwise.
            OSError: the file cannot be written.
        """
        path = Path(file)
        match path.suffix.lower():
            case ".svg":
                path.write_text(self.svg, encoding="utf-8")
            case ".pdf":
                path.write_bytes(self.pdf)
            case _:
                raise ParameterError("file", "a name that ends in .svg or .pdf", str(file))
        return path

    def _repr_html_(self) -> str:
        return self.svg


@torch.no_grad()
def figure(
    path: ProbabilityPath,
    times: Sequence[float] | float | Tensor = (0.0, 0.25, 0.5, 0.75, 1.0),
    layers: Sequence[str] | str = ("density", "trajectories", "particles"),
    *,
    width: float = 170.0,
    columns: int | None = None,
    extent: float | Sequence[float] | None = None,
    particles: int = 150,
    seed: int = 0,
    theme: Theme = "light",
    description: str | None = None,
) -> Figure:
    """A row of panels, one for each time.

    The densities of all panels share one scale of colours, and arrows of one kind one scale of lengths. Particles start from
    p_init and follow the marginal velocity.

    Args:
        path: the path.
        times: those of the panels, each in [0, 1], at most `MOST_TIMES`.
        layers: names out of `LAYERS`: areas of equal density, lines of equal density, the particles with the way behind
            them, and arrows of the velocity and of the score.
        width: of the whole figure, in millimetres.
        columns: panels in a row; by default all of them, at most five.
        extent: the half width of a square around the origin, or (x0, x1, y0, y1); by default both mixtures are in view.
        particles: how many, at most `MOST_PARTICLES`.
        seed: of the particles.
        theme: "light" or "dark".
        description: what a screen reader says, and the title of a PDF; by default the layers and the times.

    Raises:
        ParameterError: an argument is not as described.
        SingularTimeError: a layer needs the velocity at a time where it is infinite.

    Example:
        >>> from fmviz.theory import GaussianMixture, presets, schedulers
        >>> ring = ProbabilityPath(GaussianMixture.standard(), presets.get("ring8"), schedulers.get("linear"))
        >>> figure(ring, times=(0.0, 1.0), layers="density", width=80)
        <Figure: 80 x 44 mm, density at t = 0, 1>
    """
    shown = _names(layers)
    moments = _moments(times)
    view = _view(path, extent)
    count = as_count("particles", particles, 1, MOST_PARTICLES)
    if not SMALLEST <= width <= LARGEST:
        raise ParameterError("width", f"millimetres from {SMALLEST:g} to {LARGEST:g}", width)
    if theme not in get_args(Theme):
        raise ParameterError("theme", "'light' or 'dark'", theme)
    across = min(len(moments), 5) if columns is None else as_count("columns", columns, 1, MOST_TIMES)
    path = path.to("cpu").to(torch.float64)
    places = _places(len(moments), across, width, view)
    sheet = _Sheet(path, moments, places, count, seed)
    painted: list[list[Mark]] = [[] for _ in moments]
    for name in LAYERS:
        if name in shown:
            for marks, more in zip(painted, _PAINTERS[name](sheet), strict=True):
                marks.extend(more)
    all_marks: list[Mark] = []
    for i, (t, panel, marks) in enumerate(zip(moments, places, painted, strict=True)):
        below = i + across >= len(moments)
        all_marks.append(Clip(panel.box, marks))
        all_marks += panels.frame(panel, f"t = {t:.6g}", x_numbers=below, y_numbers=i % across == 0)
    height = places[-1].top + places[-1].height + BOTTOM
    if theme == "dark":
        all_marks.insert(0, panels.ground(0.0, 0.0, width, height))
    told = f"{', '.join(name for name in LAYERS if name in shown)} at t = {', '.join(f'{t:.6g}' for t in moments)}"
    return Figure(tuple(all_marks), float(width), height, told if description is None else description, theme)


def _names(layers: Sequence[str] | str) -> tuple[str, ...]:
    names = (layers,) if isinstance(layers, str) else tuple(layers)
    if not names or any(name not in LAYERS for name in names):
        raise ParameterError("layers", f"names out of {', '.join(LAYERS)}", layers)
    return names


def _moments(times: Sequence[float] | float | Tensor) -> list[float]:
    found = as_numbers("times", times, torch.zeros((), dtype=torch.float64)).reshape(-1).tolist()
    if not 1 <= len(found) <= MOST_TIMES or not all(0.0 <= t <= 1.0 for t in found):
        raise ParameterError("times", f"1 to {MOST_TIMES} times in [0, 1]", times)
    return [float(t) for t in found]


def _view(path: ProbabilityPath, extent: float | Sequence[float] | None) -> tuple[float, float, float, float]:
    if extent is None:
        deviations, step = REACH
        reach = 0.0
        for mixture in (path.p_init, path.p_data):
            spread = deviations * mixture.covariances.diagonal(dim1=-2, dim2=-1).sqrt()
            reach = max(reach, float((mixture.means.abs() + spread).max()))
        half = step * math.ceil(reach / step)
        return -half, half, -half, half
    numbers = as_numbers("extent", extent, torch.zeros((), dtype=torch.float64)).reshape(-1).tolist()
    x0, x1, y0, y1 = (
        numbers if len(numbers) == 4 else (-numbers[0], numbers[0]) * 2 if len(numbers) == 1 else (0.0,) * 4
    )
    if not (x0 < x1 and y0 < y1 and all(map(math.isfinite, numbers)) and 0.1 <= (y1 - y0) / (x1 - x0) <= 10.0):
        raise ParameterError("extent", "a positive half width, or x0 < x1 and y0 < y1 of like size", extent)
    return x0, x1, y0, y1


def _places(count: int, across: int, width: float, view: tuple[float, float, float, float]) -> list[Panel]:
    side = (width - LEFT - (across - 1) * GAP - 1.0) / across
    if side < 8.0:
        raise ParameterError("columns", "panels at least 8 mm wide: fewer columns or a wider figure", across)
    rise = panels.TITLE + side * (view[3] - view[2]) / (view[1] - view[0])
    return [
        Panel(view, LEFT + (i % across) * (side + GAP), panels.TITLE + (i // across) * (rise + GAP), side)
        for i in range(count)
    ]


# ---------------------------------------------------------------------- layers


@dataclass(frozen=True, eq=False)
class _Sheet:
    """What the layers are painted from, each value found once."""

    path: ProbabilityPath
    times: list[float]
    places: list[Panel]
    count: int
    seed: int

    @property
    def column(self) -> Tensor:
        """The times, (T, 1)."""
        return torch.tensor(self.times, dtype=torch.float64)[:, None]

    @cached_property
    def densities(self) -> Tensor:
        """On the grid of the panels, (T, N)."""
        return self.path.log_density(self.places[0].grid(CELLS)[None], self.column).exp()

    @cached_property
    def top(self) -> float:
        """The largest density of the path."""
        return max(float(self.densities.max()), math.exp(scales.density_top(self.path, STEPS)))

    @cached_property
    def moved(self) -> tuple[Tensor, list[int]]:
        """Trajectories (S, N, 2) from t = 0 to the last of the times, and where the times are among them."""
        last = max(self.times)
        grid = sorted({0.0, *self.times, *(i / STEPS for i in range(STEPS) if i / STEPS < last)})
        x0 = self.path.p_init.sample(self.count, generator=torch.Generator().manual_seed(self.seed))
        if len(grid) == 1:
            return x0[None], [0] * len(self.times)
        self.path.prepare(grid)
        found, _ = solve_ode(self.path.marginal_velocity, x0, method="heun", times=grid)
        return found, [grid.index(t) for t in self.times]


Painter = Callable[[_Sheet], list[list[Mark]]]


def _density(sheet: _Sheet) -> list[list[Mark]]:
    places = zip(sheet.places, sheet.densities, strict=True)
    return [panels.density(panel, values, sheet.top, AREAS, CELLS) for panel, values in places]


def _contours(sheet: _Sheet) -> list[list[Mark]]:
    places = zip(sheet.places, sheet.densities, strict=True)
    return [panels.level_lines(panel, values, sheet.top, AREAS, CELLS) for panel, values in places]


def _particles(sheet: _Sheet) -> list[list[Mark]]:
    found, index = sheet.moved
    return [panels.particles(panel, found[i], "ode") for panel, i in zip(sheet.places, index, strict=True)]


def _trajectories(sheet: _Sheet) -> list[list[Mark]]:
    found, index = sheet.moved
    places = zip(sheet.places, index, strict=True)
    return [panels.lines(panel, found[: i + 1], "ode") if i else [] for panel, i in places]


def _arrows(role: str, field: Callable[[ProbabilityPath, Tensor, Tensor], Tensor]) -> Painter:
    def paint(sheet: _Sheet) -> list[list[Mark]]:
        extent = Extent(*sheet.places[0].extent)
        at = scales.cell_centres(extent, ARROWS).double()
        vectors = field(sheet.path, at[None], sheet.column)
        scale, longest = scales.arrow_scale(vectors, extent, ARROWS), 1.4 * (extent.x1 - extent.x0) / ARROWS
        places = zip(sheet.places, vectors, strict=True)
        return [panels.arrows(panel, at, own, role, scale, longest) for panel, own in places]

    return paint


_PAINTERS: dict[str, Painter] = {
    "density": _density,
    "contours": _contours,
    "trajectories": _trajectories,
    "velocity": _arrows("velocity", ProbabilityPath.marginal_velocity),
    "score": _arrows("score", ProbabilityPath.marginal_score),
    "particles": _particles,
}
