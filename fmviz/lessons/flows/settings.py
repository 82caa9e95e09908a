"""What a user has chosen on the page Flows: the field, the solvers and their steps, where points start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationInfo, field_validator

from fmviz.scene.components import Decimal4
from fmviz.scene.scene import ScenePart
from fmviz.scene.views import LAYERS, METHODS, Layers, MethodName, Point

__all__ = [
    "BESIDE",
    "FLOWS",
    "MAX_STARTS",
    "MAX_STEPS",
    "RATES",
    "STARTS",
    "BesideName",
    "FlowName",
    "Rate",
    "Settings",
]

FlowName = Literal["linear", "rotation", "saddle", "shear", "vortex", "marginal"]
BesideName = Literal["mesh", "conditional"]

FLOWS: tuple[FlowName, ...] = get_args(FlowName)
BESIDE: tuple[BesideName, ...] = get_args(BesideName)
MAX_STARTS, MAX_STEPS = 6, 200
STARTS = ((1.2, 0.4), (-0.5, 1.1), (-0.6, -0.8))
"""Where points start by default."""


@dataclass(frozen=True)
class Rate:
    """The one parameter of a field: its symbol, its range and its value by default."""

    symbol: str
    low: float
    high: float
    default: float


RATES: dict[FlowName, Rate] = {
    "linear": Rate("θ", -1.5, 3.0, 1.0),
    "rotation": Rate("ω", -6.0, 6.0, 3.0),
    "saddle": Rate("λ", -1.5, 1.5, 0.8),
    "shear": Rate("k", -2.0, 2.0, 1.0),
    "vortex": Rate("a", -6.0, 6.0, 4.0),
}
"""The fields that have a parameter; the marginal field has the scene."""


def _split(value: Any) -> Any:
    return tuple(part for part in value.split("~") if part) if isinstance(value, str) else value


def _join(points: tuple[tuple[float, float], ...]) -> str:
    return "~".join("_".join(f"{v:g}" for v in point) for point in points)


def _names(value: Any) -> Any:
    return tuple(part for part in value.split(".") if part) if isinstance(value, str) else value


def _in_order(names: tuple[MethodName, ...]) -> str:
    return ".".join(names)


Starts = Annotated[tuple[Point, ...], BeforeValidator(_split), PlainSerializer(_join)]
Solvers = Annotated[tuple[MethodName, ...], BeforeValidator(_names), PlainSerializer(_in_order)]


class Settings(BaseModel):
    """The page Flows. Few steps by default: the error of a solver should be seen.

    Attributes:
        field: the vector field.
        rate: its parameter; None takes the field's default.
        solvers: those that are shown beside the exact flow.
        steps: how many steps each takes from t = 0 to t = 1.
        starts: where points start at t = 0, at most `MAX_STARTS`.
        beside: the second panel: a mesh carried along by this field, or the conditional field of the scene.
        layers: the layers that are on; None takes the defaults.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    makes_picture: ClassVar[bool] = True

    field: FlowName = Field("vortex", alias="flow")
    rate: Decimal4 | None = Field(None, alias="rate")
    solvers: Solvers = Field(("euler", "midpoint"), max_length=len(METHODS), alias="solvers")
    steps: int = Field(12, ge=1, le=MAX_STEPS, alias="nsteps")
    starts: Starts = Field(STARTS, max_length=MAX_STARTS, alias="starts")
    beside: BesideName = Field("mesh", alias="beside")
    layers: Layers = Field(None, max_length=len(LAYERS), alias="flayers")

    @field_validator("rate")
    @classmethod
    def _within_the_range_of_its_field(cls, rate: float | None, info: ValidationInfo) -> float | None:
        known = RATES.get(info.data.get("field", "marginal"))
        if rate is not None and (known is None or not known.low <= rate <= known.high):
            raise ValueError("outside the range of this field")
        return rate

    @field_validator("solvers")
    @classmethod
    def _each_once(cls, solvers: tuple[MethodName, ...]) -> tuple[MethodName, ...]:
        return tuple(name for name in METHODS if name in solvers)

    @property
    def scene_parts(self) -> tuple[ScenePart, ...]:
        """What of the Scene acts on the page: the path, where a field is the path's."""
        return ("data", "init", "scheduler") if self.field == "marginal" or self.beside == "conditional" else ()

    @property
    def chosen_rate(self) -> float:
        """The parameter of the field, 0 for the marginal field, which has none."""
        known = RATES.get(self.field)
        return 0.0 if known is None else known.default if self.rate is None else self.rate
