"""A clip: everything one animated scene is, as frozen arrays.

A clip knows no theory and no drawing. The server fills it once; the stage plays it. All arrays are float32 in world
coordinates; T is the number of frames, and every layer of a clip shares the same `times`. NaN in an array means
"nothing to draw there" (a conditional velocity at t = 1 has no value, for example).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from fmviz.clips.law_layers import Guide, Law, LawDensity, LawParticles, LawVectors, Schedule
from fmviz.clips.roles import Floats, Role

__all__ = [
    "Absent",
    "Bars",
    "BarsPanel",
    "Box",
    "Clip",
    "Contours",
    "Density",
    "Ellipses",
    "Extent",
    "Floats",
    "Guide",
    "Law",
    "LawDensity",
    "LawParticles",
    "LawVectors",
    "Layer",
    "Lines",
    "Markers",
    "Mesh",
    "Panel",
    "Particles",
    "PlanePanel",
    "Readout",
    "Role",
    "Schedule",
    "Signed",
    "Vectors",
]


@dataclass(frozen=True)
class Extent:
    """A rectangle of the plane, ``x0 < x1`` and ``y0 < y1``."""

    x0: float
    x1: float
    y0: float
    y1: float


@dataclass(frozen=True)
class Density:
    """Log densities on a regular grid of cell centres covering the panel's extent.

    Attributes:
        name: layer identifier; equal names in different panels share one chip.
        log_values: (T, H, W) float32, row 0 at the lowest y, natural logarithm, ``-inf`` allowed.
        log_max: the value at the top of the colour scale that all frames share.
        label: what the colour bar calls it, if it is not a density.
    """

    name: str
    log_values: Floats
    log_max: float
    role: Role = "path"
    label: str = ""


@dataclass(frozen=True)
class Signed:
    """A field that is positive here and negative there, on a grid of cell centres covering the panel's extent.

    It is shown in diverging colours with zero in the middle. Panels of one clip that are compared take the same limits.

    Attributes:
        values: (T, H, W) float32, row 0 at the lowest y; NaN where there is no value.
        limit: the absolute value at full colour, the same for all t.
        limits: (T,) the same for each frame, used where each frame has its own scale.
        label: what the colour bar calls it.
    """

    name: str
    values: Floats
    limit: float
    limits: Floats
    role: Role = "path"
    label: str = ""


@dataclass(frozen=True)
class Contours:
    """Contour lines of the density layer of the same panel, at fractions of the top of its colour scale."""

    name: str
    levels: tuple[float, ...] = (0.05, 0.2, 0.4, 0.6, 0.8)
    role: Role = "path"


@dataclass(frozen=True)
class Vectors:
    """A vector field at fixed positions.

    Attributes:
        positions: (N, 2).
        vectors: (T, N, 2); NaN where the field has no value.
        scale: world length drawn for a vector of length 1, the same for every t.
        longest: arrows are drawn at most this long (world units).
    """

    name: str
    role: Role
    positions: Floats
    vectors: Floats
    scale: float
    longest: float


@dataclass(frozen=True)
class Particles:
    """Moving points, ``positions`` (T, N, 2), with a trail over the last `trail` frames (0: none).

    With `trail_name` the trails are a layer of their own with its own chip. `weights` (T, N) are the area of each over the average.
    """

    name: str
    role: Role
    positions: Floats
    trail: int = 0
    trail_name: str | None = None
    size: float = 1.0
    weights: Floats | None = None


@dataclass(frozen=True)
class Lines:
    """Static polylines, one (M, 2) array each; ``dashed`` for auxiliary ones; `opacity` in (0, 1].

    With `dots` every vertex carries the mark of the role: the steps of a solver.
    """

    name: str
    role: Role
    points: tuple[Floats, ...]
    dashed: bool = False
    opacity: float = 1.0
    dots: bool = False


@dataclass(frozen=True)
class Mesh:
    """A grid of lines that is carried along: ``positions`` (T, R, C, 2), joined along rows and columns; NaN: nothing there."""

    name: str
    role: Role
    positions: Floats


@dataclass(frozen=True)
class Box:
    """A rectangle, the probability in it and what flows out of it.

    Attributes:
        x0, x1, y0, y1: its sides, ``x0 < x1`` and ``y0 < y1``.
        mass: (T,) probability inside.
        flux: (T, 4) outward flux through the left, right, bottom and top side, an arrow through the middle of each.
        flux_scale: world length drawn for a flux of 1.
        drag: with a name the user moves and resizes it, and its new sides are reported under that name. Boxes of the same
            drag name in different panels move together.
    """

    name: str
    role: Role
    x0: float
    x1: float
    y0: float
    y1: float
    mass: Floats
    flux: Floats
    flux_scale: float
    drag: str | None = None


@dataclass(frozen=True)
class Markers:
    """Single points, ``positions`` (M, 2) at rest or (T, M, 2) moving.

    With `drag` set (only for one resting point) the user can move it; the new place is reported under that name. Layers of
    the same name and different `drag` names may stand in one panel.
    """

    name: str
    role: Role
    positions: Floats
    shape: Literal["cross", "dot", "ring", "diamond"] = "cross"
    label: str = ""
    drag: str | None = None


@dataclass(frozen=True)
class Ellipses:
    """The components of a mixture: means (K, 2), covariances (K, 2, 2), weights (K,), drawn at one and two standard deviations.

    `edit` names the mixture ("data" or "init") if it can be edited on the stage, else None. `classes` are the labels of the
    components, which edits keep; empty: none are known.
    """

    name: str
    role: Role
    means: Floats
    covariances: Floats
    weights: Floats
    edit: str | None = None
    classes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Absent:
    """A layer of particles that has its chip and is off: it does not travel before it is switched on."""

    name: str
    role: Role
    trail_name: str | None = None


Layer = (
    Absent
    | Density
    | Signed
    | Contours
    | Vectors
    | Particles
    | Lines
    | Mesh
    | Markers
    | Ellipses
    | Box
    | LawDensity
    | LawVectors
    | LawParticles
)


@dataclass(frozen=True)
class PlanePanel:
    """A rectangle of the plane with its layers, drawn in the order given, at most one Density or Signed among them.

    Attributes:
        clickable: a click reports its position.
        aspect: width over height of the plot, for an x and a y that are different quantities; None: equal scales on both axes.
        x_label, y_label: what the axes are called; empty: nothing is written along them.
        formula: presentation MathML from our own assets, shown under the title.
        sign: what stands between this panel and the one before it, where the panels are an equation: "=", "+" or "−".
    """

    name: str
    title: str
    extent: Extent
    layers: tuple[Layer, ...]
    clickable: bool = False
    aspect: float | None = None
    x_label: str = ""
    y_label: str = ""
    formula: str = ""
    sign: str = ""


@dataclass(frozen=True)
class Bars:
    """Values (T, K) in [0, 1] that move with t, one bar per label; or, `at` a point, the posterior of the clip's law there."""

    labels: tuple[str, ...]
    values: Floats | None
    role: Role = "data"
    at: tuple[float, float] | None = None


@dataclass(frozen=True)
class BarsPanel:
    """A narrow panel of moving bars; `hint` is shown instead while `bars` is None, so that nothing jumps."""

    name: str
    title: str
    bars: Bars | None
    hint: str = ""


Panel = PlanePanel | BarsPanel


@dataclass(frozen=True)
class Readout:
    """A number shown beside the clock: ``values`` (T,) under a short label such as "α"."""

    label: str
    values: Floats


@dataclass(frozen=True)
class Clip:
    """One animated scene.

    Attributes:
        times: (T,) strictly increasing, T >= 2.
        panels: side by side, sharing one clock.
        readouts: numbers shown beside the clock.
        seconds: how long one pass takes at speed 1.
        law: what the layers of law are evaluated from.
        columns: panels in a row, where they are the cells of a table; None leaves it to the size of the window.
    """

    times: Floats
    panels: tuple[Panel, ...]
    readouts: tuple[Readout, ...] = field(default=())
    seconds: float = 5.0
    law: Law | None = None
    columns: int | None = None
