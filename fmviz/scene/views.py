"""What a user has chosen on the pages rather than in the Scene: language, presenting, and each page's own settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from fmviz.scene.components import REACH, Decimal4

__all__ = [
    "LANGUAGES",
    "LAYERS",
    "METHODS",
    "Clock",
    "DensityScale",
    "Event",
    "Language",
    "LayerName",
    "Layers",
    "MethodName",
    "PathView",
    "Shell",
    "Sides",
    "Zoom",
]

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DensityScale = Literal["linear", "sqrt", "log"]
LayerName = Literal[
    "density",
    "contours",
    "velocity",
    "score",
    "ode",
    "ode_trails",
    "sde",
    "sde_trails",
    "learned_velocity",
    "learned",
    "learned_trails",
    "error",
    "error_contours",
    "reference",
    "steps",
    "mixture",
    "z",
    "click",
    "exact",
    "euler",
    "midpoint",
    "heun",
    "rk4",
    "mesh",
    "starts",
    "walks",
    "walk_trails",
    "band",
    "mean",
    "x0",
    "terms",
    "box",
    "difference",
    "classifier",
    "labels",
    "pairs",
    "crossings",
]
LAYERS: tuple[LayerName, ...] = get_args(LayerName)
MethodName = Literal["euler", "midpoint", "heun", "rk4"]
METHODS: tuple[MethodName, ...] = get_args(MethodName)
"""Solvers of an ODE."""


def _listed(separator: str) -> BeforeValidator:
    def split(value: Any) -> Any:
        return tuple(part for part in value.split(separator) if part) if isinstance(value, str) else value

    return BeforeValidator(split)


def _joined(separator: str) -> PlainSerializer:
    def join(value: tuple[Any, ...] | None) -> str | None:
        return None if value is None else separator.join(f"{v:g}" if isinstance(v, float) else str(v) for v in value)

    writer: Callable[..., Any] = join
    return PlainSerializer(writer)


Coordinate = Annotated[Decimal4, Field(ge=-REACH, le=REACH)]
Time = Annotated[Decimal4, Field(ge=0.0, le=1.0)]
Point = Annotated[tuple[Coordinate, Coordinate], _listed("_"), _joined("_")]
Sides = Annotated[tuple[Coordinate, Coordinate, Coordinate, Coordinate], _listed("_"), _joined("_")]
"""Of a rectangle: x0, x1, y0, y1."""
Event = Annotated[tuple[Coordinate, Coordinate, Time], _listed("_"), _joined("_")]
Zoom = Annotated[
    tuple[
        Annotated[float, Field(ge=0.0, le=1.0)],
        Annotated[float, Field(ge=0.0, le=1.0)],
        Annotated[float, Field(ge=0.25, le=1000.0)],
    ],
    _listed("_"),
    _joined("_"),
]
"""What is in view: its middle as a fraction of the picture's width and height, and how many times larger it is shown."""
Layers = Annotated[tuple[LayerName, ...] | None, _listed("."), _joined(".")]
"""Layers that are on; None: the stage's defaults."""


class Shell(BaseModel):
    """What belongs to the whole app: the language, whether it is being projected, the beat of the story, and what is compared.

    Attributes:
        pinned: the query of the link whose state is shown beside the present one; None shows that alone.
        beat: the lesson and the number of the beat that was shown last, as ``"paths.2"``; None before the first one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    language: Language = Field("en", alias="lang")
    present: bool = Field(False, alias="present")
    beat: str | None = Field(None, alias="beat", pattern=r"^[a-z_]{1,20}\.[1-9][0-9]?$")
    pinned: str | None = Field(None, alias="a", max_length=4000)


class Clock(BaseModel):
    """What all stages share: the clock, and how density becomes colour.

    Attributes:
        t: where the clock stands, in [0, 1].
        density: how colour follows density; `per_frame` rescales it in every frame.
        zoom: what is in view; None shows all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    t: Time = Field(0.0, alias="t")
    density: DensityScale = Field("sqrt", alias="scale")
    per_frame: bool = Field(False, alias="perframe")
    zoom: Zoom | None = Field(None, alias="view")


class PathView(BaseModel):
    """What every page that shows the scene's path on its own shares.

    Attributes:
        z: the data point of the conditional path; None takes the mean of the first component.
        layers: the layers that are on; None takes the defaults.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    z: Point | None = Field(None, alias="z")
    layers: Layers = Field(None, max_length=len(LAYERS), alias="layers")
