"""What a user did on a stage, as plain values.

What comes from a browser is never trusted: anything malformed reads as None.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from fmviz.stage.payload import DensityScale

__all__ = ["Boxed", "Clicked", "DensityView", "Edited", "Moved", "Phase", "StageEvents", "Zoomed", "read"]

Phase = Literal["drag", "done"]
_MOST_COMPONENTS = 256


@dataclass(frozen=True)
class Edited:
    """A mixture after an edit: rows (weight, mean x, mean y, cov xx, cov xy, cov yy), weights summing to 1."""

    mixture: str
    components: tuple[tuple[float, ...], ...]
    phase: Phase
    seq: int


@dataclass(frozen=True)
class Clicked:
    """A click at (x, y) in world coordinates of `panel` while the clock stood at t."""

    x: float
    y: float
    t: float
    panel: str
    seq: int


@dataclass(frozen=True)
class Moved:
    """The marker dragged under `name` is now at (x, y)."""

    name: str
    x: float
    y: float
    phase: Phase
    seq: int


@dataclass(frozen=True)
class Boxed:
    """The box dragged under `name` now has these sides, ``x0 < x1`` and ``y0 < y1``."""

    name: str
    x0: float
    x1: float
    y0: float
    y1: float
    phase: Phase
    seq: int


@dataclass(frozen=True)
class Zoomed:
    """What is in view: its middle as a fraction of the extent, and how many times larger it is shown."""

    x: float
    y: float
    factor: float


@dataclass(frozen=True)
class DensityView:
    """How density is shown."""

    scale: DensityScale
    per_frame: bool


@dataclass(frozen=True)
class StageEvents:
    """What the user last did on a stage; None: nothing yet."""

    t: float | None = None
    layers: tuple[str, ...] | None = None
    density: DensityView | None = None
    edited: Edited | None = None
    clicked: Clicked | None = None
    moved: Moved | None = None
    boxed: Boxed | None = None
    shown: str | None = None
    zoomed: Zoomed | None = None


def read(state: Mapping[str, Any]) -> StageEvents:
    """The events in what a browser sent: a value for each name."""
    return StageEvents(
        t=_number(state.get("t")),
        layers=_names(state.get("layers")),
        density=_density(state.get("density")),
        edited=_edited(state.get("edited")),
        clicked=_clicked(state.get("clicked")),
        moved=_moved(state.get("moved")),
        boxed=_boxed(state.get("boxed")),
        shown=state.get("shown") if isinstance(state.get("shown"), str) else None,
        zoomed=_zoomed(state.get("zoomed")),
    )


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _numbers(value: Mapping[str, Any], *names: str) -> list[float] | None:
    found = [_number(value.get(name)) for name in names]
    return None if any(number is None for number in found) else [number for number in found if number is not None]


def _names(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        return None
    return tuple(value)


def _density(value: object) -> DensityView | None:
    if not isinstance(value, Mapping) or value.get("scale") not in get_args(DensityScale):
        return None
    return DensityView(scale=value["scale"], per_frame=value.get("per_frame") is True)


def _phase(value: Mapping[str, Any]) -> Phase | None:
    phase = value.get("phase")
    return phase if phase in get_args(Phase) else None


def _edited(value: object) -> Edited | None:
    if not isinstance(value, Mapping) or not isinstance(value.get("mixture"), str):
        return None
    phase, seq, rows = _phase(value), _number(value.get("seq")), value.get("components")
    if phase is None or seq is None or not isinstance(rows, list) or not 1 <= len(rows) <= _MOST_COMPONENTS:
        return None
    components = [_component(row) for row in rows]
    kept = tuple(row for row in components if row is not None)
    return Edited(value["mixture"], kept, phase, int(seq)) if len(kept) == len(rows) else None


def _component(row: object) -> tuple[float, ...] | None:
    if not isinstance(row, list) or len(row) not in (6, 7):
        return None
    numbers = [number for number in map(_number, row) if number is not None]
    if len(numbers) != len(row):
        return None
    weight, _, _, xx, xy, yy = numbers[:6]
    if weight < 0 or xx <= 0 or xx * yy - xy * xy <= 0:
        return None
    return tuple(numbers)


def _clicked(value: object) -> Clicked | None:
    if not isinstance(value, Mapping) or not isinstance(value.get("panel"), str):
        return None
    numbers = _numbers(value, "x", "y", "t", "seq")
    return None if numbers is None else Clicked(numbers[0], numbers[1], numbers[2], value["panel"], int(numbers[3]))


def _moved(value: object) -> Moved | None:
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
        return None
    phase, numbers = _phase(value), _numbers(value, "x", "y", "seq")
    if phase is None or numbers is None:
        return None
    return Moved(value["name"], numbers[0], numbers[1], phase, int(numbers[2]))


def _boxed(value: object) -> Boxed | None:
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
        return None
    phase, numbers = _phase(value), _numbers(value, "x0", "x1", "y0", "y1", "seq")
    if phase is None or numbers is None:
        return None
    x0, x1, y0, y1, seq = numbers
    return Boxed(value["name"], x0, x1, y0, y1, phase, int(seq)) if x0 < x1 and y0 < y1 else None


def _zoomed(value: object) -> Zoomed | None:
    numbers = _numbers(value, "x", "y", "factor") if isinstance(value, Mapping) else None
    return None if numbers is None else Zoomed(*numbers)
