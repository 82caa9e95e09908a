"""The law behind a clip and the layers that the player evaluates from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fmviz.clips.roles import Floats, Role

__all__ = ["Given", "Guide", "Law", "LawDensity", "LawParticles", "LawValues", "LawVectors", "Schedule"]


@dataclass(frozen=True)
class Schedule:
    """alpha_t and beta_t as plain data.

    Attributes:
        name: one of ``fmviz.theory.schedulers.NAMES``, or "custom".
        parameters: of that scheduler: the exponent of "polynomial", b0 and b1 of "vp".
        curves: of "custom", for alpha and for beta: the formula (``fmviz.theory.expressions.Tree``), and value, slope and
            product at t = 0 and at t = 1; without these the formula holds there as well.
    """

    name: str
    parameters: tuple[float, ...] = ()
    curves: tuple[tuple[Any, tuple[tuple[float, ...], ...] | None], ...] = ()


@dataclass(frozen=True)
class Guide:
    """Guidance of a law.

    Attributes:
        classes: the label of each component of p_data.
        y: the one that is asked for.
        scale: w.
        interval: times from and to which the scale is w; elsewhere it is 1.
        slider: key of the page's slider for w, which the picture follows before the server has answered.
    """

    classes: tuple[int, ...]
    y: int
    scale: float
    interval: tuple[float, float] = (0.0, 1.0)
    slider: str | None = None


@dataclass(frozen=True)
class Law:
    """The probability path behind a clip, from which the player evaluates at any time what has a closed form.

    Attributes:
        init, data: components of p_init (J, 6) and p_data (K, 6), float64: weight, mean x, mean y, covariance xx, xy, yy.
        schedule: alpha_t and beta_t.
        z: the point that the conditional path ends in.
        z_name: the name under which a marker at z is dragged.
        follows: whether a picture of this law alone will do while something is dragged. The server then hears of the end
            only, and what was simulated for the law before is hidden till it has answered.
        gamma: g of the noise in between (T52); 0 for none.
        guide: what layers of a label, of the guided field, the tilted law and the classifier are evaluated from.
    """

    init: NDArray[np.float64]
    data: NDArray[np.float64]
    schedule: Schedule
    z: tuple[float, float] = (0.0, 0.0)
    z_name: str = "z"
    follows: bool = False
    gamma: float = 0.0
    guide: Guide | None = None


Given = Literal["marginal", "conditional", "label", "guided", "tilted", "classifier"]
"""Of what a layer speaks: p_t, p_t given the z of the law, p_t given the label of its guide, the guided field, the tilted law (with
all its mass in the panel), or the probability of the label."""


@dataclass(frozen=True)
class LawDensity:
    """The density of the clip's law. Its colours end at ``exp(log_max)`` for all t; see `Density`."""

    name: str
    of: Given
    log_max: float
    role: Role = "path"
    label: str = ""


@dataclass(frozen=True)
class LawVectors:
    """Velocity, score or, of "guided", u(x|y) - u(x), on a grid of `across` times `across` points of what is in view.

    Attributes:
        scale: world length drawn for a vector of length 1, the same for every t, while the whole extent is in view.
    """

    name: str
    role: Role
    of: Given
    quantity: Literal["velocity", "score", "difference"]
    scale: float
    across: int = 20


@dataclass(frozen=True)
class LawParticles:
    """Particles whose way follows from the clip's law.

    Attributes:
        starts: x_0, (N, 2).
        way: "flow": they follow the velocity of `of`, by Heun's method with one step a frame; "interpolant": they are at
            ``alpha_t z + beta_t x_0``.
        ends: of "interpolant", z, (N, 2); None: the z of the law for all.
        positions: of "flow", where the server found them, (T, N, 2); None leaves it to the player.
        weights: with positions, the area of each particle over the average one, (T, N).
    """

    name: str
    role: Role
    starts: Floats
    way: Literal["flow", "interpolant"]
    ends: Floats | None = None
    positions: Floats | None = None
    trail: int = 0
    trail_name: str | None = None
    size: float = 1.0
    of: Given = "marginal"
    weights: Floats | None = None


@dataclass(frozen=True, eq=False)
class LawValues:
    """A law and what torch says of it at T times and N points each, float64.

    Attributes:
        law: the path.
        times: (T,), none at which something is singular.
        points: (T, N, 2).
        log_density: (T, N).
        velocity, score: (T, N, 2).
    """

    law: Law
    times: tuple[float, ...]
    points: NDArray[np.float64]
    log_density: NDArray[np.float64]
    velocity: NDArray[np.float64]
    score: NDArray[np.float64]
