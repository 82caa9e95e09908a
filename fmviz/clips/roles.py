"""What the arrays of a clip are, and the quantities that its layers show."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "Role"]

Floats = NDArray[np.float32]

Role = Literal[
    "init",
    "data",
    "path",
    "velocity",
    "score",
    "ode",
    "sde",
    "learned",
    "reference",
    "euler",
    "midpoint",
    "heun",
    "rk4",
]
"""The quantity a layer shows; one role has one colour everywhere (``fmviz.charts.palette``)."""
