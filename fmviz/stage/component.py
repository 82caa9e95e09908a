"""The player as a Streamlit component: mounted with a payload, it reports what the user did.

Events come back as state values and so survive reruns: an event is new when its ``seq`` is one not seen before
(``seq`` grows with the wall clock, so it never repeats, not even after the stage was mounted anew). What comes from a
browser is never trusted: anything malformed reads as None.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import streamlit as st

from fmviz.stage.assets import script, style
from fmviz.stage.payload import DensityScale

__all__ = ["Boxed", "Clicked", "DensityView", "Edited", "Moved", "Phase", "StageEvents", "Zoomed", "events", "stage"]

Phase = Literal["drag", "done"]
_MOST_COMPONENTS = 256

_MOUNT = st.components.v2.component("fmviz_stage", js=script(), css=style())


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


def _nothing() -> None:
    """A callback that only makes the result's attribute exist."""


def stage(
    payload: bytes,
    *,
    key: str,
    height: Literal["content", "stretch"] | int = "content",
    on_t: Callable[[], None] = _nothing,
    on_layers: Callable[[], None] = _nothing,
    on_density: Callable[[], None] = _nothing,
    on_edited: Callable[[], None] = _nothing,
    on_clicked: Callable[[], None] = _nothing,
    on_moved: Callable[[], None] = _nothing,
    on_boxed: Callable[[], None] = _nothing,
    on_shown: Callable[[], None] = _nothing,
    on_zoomed: Callable[[], None] = _nothing,
) -> StageEvents:
    """Show `payload` (of `fmviz.stage.payload.encode`) and return what the user last did.

    Args:
        payload: the same bytes again cost nothing; new bytes replace the picture and leave the user's clock and layers.
        key: names the stage on the page; a callback reads the new value with ``events(key)``.
        height: the stage knows its own height; a number of pixels makes it scroll inside.
        on_t, on_layers, on_density, on_edited, on_clicked, on_moved, on_boxed, on_shown, on_zoomed: run before the script when that
            value changed.
    """
    result = _MOUNT(
        key=key,
        data=payload,
        width="stretch",
        height=height,
        on_t_change=on_t,
        on_layers_change=on_layers,
        on_density_change=on_density,
        on_edited_change=on_edited,
        on_clicked_change=on_clicked,
        on_moved_change=on_moved,
        on_boxed_change=on_boxed,
        on_shown_change=on_shown,
        on_zoomed_change=on_zoomed,
    )
    return _read(result)


def events(key: str) -> StageEvents:
    """What the user last did on the stage `key`, readable inside its callbacks."""
    state = st.session_state.get(key)
    return _read(state) if isinstance(state, Mapping) else StageEvents()


def _read(state: Mapping[str, Any]) -> StageEvents:
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
