"""What a user has chosen on the page Hyperparameters: what varies, over which values, and what stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationInfo, field_validator

from fmviz.scene.scene import ScenePart
from fmviz.scene.views import LAYERS, Layers

__all__ = [
    "AXES",
    "CHARTS",
    "GOALS",
    "LARGEST",
    "MAX_CELLS",
    "MAX_SEEDS",
    "NAMES",
    "PLAIN",
    "Axis",
    "AxisName",
    "Settings",
    "canonical",
]

AxisName = Literal[
    "learning_rate",
    "batch_size",
    "width",
    "depth",
    "activation",
    "time_features",
    "objective",
    "t_sampling",
    "optimizer",
    "schedule",
    "scheduler",
    "ema",
    "steps",
    "seed",
]
SecondName = Literal[AxisName, "none"]
ActivationName = Literal["silu", "relu", "tanh", "gelu"]
ObjectiveName = Literal["cfm", "fm", "score", "noise", "data"]
TimeFeaturesName = Literal["raw", "fourier"]
TSamplingName = Literal["uniform", "stratified", "logit_normal"]
OptimizerName = Literal["adam", "adamw", "sgd"]
ScheduleName = Literal["constant", "cosine"]
PathSchedulerName = Literal["linear", "sqrt", "trig", "polynomial", "vp"]
ChartName = Literal["error", "reach", "distance", "parallel"]
StageName = Literal["cells", "pins"]

AXES: tuple[AxisName, ...] = get_args(AxisName)
CHARTS: tuple[ChartName, ...] = get_args(ChartName)
MAX_CELLS, MAX_SEEDS = 16, 3
GOALS = (0.5, 0.2, 0.1, 0.05, 0.02)
"""Proposals for the error whose steps are counted."""

NAMES: dict[str, tuple[str, ...]] = {
    "activation": get_args(ActivationName),
    "time_features": get_args(TimeFeaturesName),
    "objective": get_args(ObjectiveName),
    "t_sampling": get_args(TSamplingName),
    "optimizer": get_args(OptimizerName),
    "schedule": get_args(ScheduleName),
    "scheduler": get_args(PathSchedulerName),
}
"""The values of the axes that have names for values; "scheduler" is that of the path."""
PLAIN = (
    "objective",
    "batch_size",
    "learning_rate",
    "steps",
    "activation",
    "time_features",
    "t_sampling",
    "optimizer",
    "schedule",
    "ema",
)
"""Settings that are fields of `fmviz.learning.TrainSpec` of the same name."""
LARGEST: dict[str, tuple[float, float]] = {
    "learning_rate": (1e-6, 1000.0),
    "batch_size": (1, 2048),
    "width": (1, 128),
    "depth": (1, 6),
    "ema": (0.0, 0.9999),
    "steps": (1, 2000),
    "seed": (0, 999_999),
}
"""The least and the largest value of the other axes."""
REAL = ("learning_rate", "ema")
"""Axes whose values need not be whole numbers."""
ALONE: dict[str, tuple[str, ...]] = {
    "learning_rate": ("0.0003", "0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1"),
    "batch_size": ("8", "16", "32", "64", "128", "256", "512", "1024"),
    "width": ("2", "4", "8", "16", "32", "64", "128"),
    "depth": ("1", "2", "3", "4", "5", "6"),
    "ema": ("0", "0.8", "0.9", "0.95", "0.98", "0.99"),
    "steps": ("25", "50", "100", "200", "400", "800"),
    "seed": ("0", "1", "2", "3", "4", "5", "6", "7"),
}
"""Proposals for an axis that is alone."""
BESIDE: dict[str, tuple[str, ...]] = {
    "learning_rate": ("0.01", "0.03", "0.1", "0.3"),
    "batch_size": ("16", "64", "256", "1024"),
    "width": ("8", "16", "32", "64"),
    "depth": ("1", "2", "3", "4"),
    "ema": ("0", "0.9", "0.95", "0.99"),
    "steps": ("50", "100", "200", "400"),
    "seed": ("0", "1", "2", "3"),
    "objective": ("cfm", "score", "noise", "data"),
    "scheduler": ("linear", "trig", "polynomial", "vp"),
}
"""Proposals for one of two axes."""


@dataclass(frozen=True)
class Axis:
    """What varies, and the values it takes, as a link writes them."""

    name: str
    values: tuple[str, ...]


def canonical(axis: str, text: str) -> str:
    """A value of an axis in its one spelling, whichever of several a user or a link has chosen.

    Raises:
        ValueError: no such value, or one outside the bounds.
    """
    if axis in NAMES:
        name = text.replace("-", "_")
        if name not in NAMES[axis]:
            raise ValueError(f"one of {', '.join(NAMES[axis])}")
        return name
    number, (low, high) = float(text), LARGEST[axis]
    if not low <= number <= high or (axis not in REAL and number != int(number)):
        raise ValueError(f"a number from {low:g} to {high:g}")
    return f"{number:g}" if axis in REAL else str(int(number))


def _listed(value: Any) -> Any:
    return tuple(value.split("_")) if isinstance(value, str) else value


def _as_written(value: object) -> object:
    """A number as the link writes it, so that the link repeats it exactly."""
    return float(f"{float(value):g}") if isinstance(value, int | float | str) else value


def _joined(value: tuple[Any, ...] | None) -> str | None:
    """Underscores lie between the values of a link, and so become hyphens within one; `canonical` takes them back."""
    return None if value is None else "_".join(str(one).replace("_", "-") for one in value)


_write: Callable[..., Any] = _joined
Values = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1, max_length=MAX_CELLS)]
Cell = Annotated[
    tuple[Annotated[int, Field(ge=0, lt=MAX_CELLS)], Annotated[int, Field(ge=0, lt=MAX_CELLS)]],
    BeforeValidator(_listed),
]
"""Column and row of a cell."""
Number = Annotated[float, BeforeValidator(_as_written)]


class Settings(BaseModel):
    """The page Hyperparameters.

    Attributes:
        x, y: what varies from left to right, and from bottom to top; "none" for one axis alone, and so is an x twice.
        x_values, y_values: the values; None takes the proposals. Together they make at most `MAX_CELLS` cells.
        seeds: runs of each cell, counted up from the scene's network seed; 1 where the seed is an axis.
        learning_rate, batch_size, width, depth, activation, time_features, objective, t_sampling, optimizer, schedule, ema,
            steps: of all cells, but for the axes.
        guess: the cell that is expected to be the best, or None.
        cell: the cell whose settings can be taken to Train; None takes the best one.
        stage: all cells, or the pinned runs where there are two or more.
        chart: the chart below the map.
        goal: the error whose steps are counted in one of the charts.
        layers: the layers that are on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    x: AxisName = Field("learning_rate", alias="hx")
    x_values: Annotated[Values | None, PlainSerializer(_write)] = Field(None, alias="hxv")
    y: SecondName = Field("batch_size", alias="hy")
    y_values: Annotated[Values | None, PlainSerializer(_write)] = Field(None, alias="hyv")
    seeds: int = Field(1, ge=1, le=MAX_SEEDS, alias="hseeds")
    learning_rate: Number = Field(0.03, ge=1e-6, le=1000.0, allow_inf_nan=False, alias="hlr")
    batch_size: int = Field(128, ge=1, le=2048, alias="hbatch")
    width: int = Field(32, ge=1, le=128, alias="hwidth")
    depth: int = Field(3, ge=1, le=6, alias="hdepth")
    activation: ActivationName = Field("silu", alias="hact")
    time_features: TimeFeaturesName = Field("fourier", alias="htime")
    objective: ObjectiveName = Field("cfm", alias="hobj")
    t_sampling: TSamplingName = Field("stratified", alias="htdraw")
    optimizer: OptimizerName = Field("adam", alias="hopt")
    schedule: ScheduleName = Field("cosine", alias="hlrs")
    ema: Number = Field(0.95, ge=0.0, le=0.9999, allow_inf_nan=False, alias="hema")
    steps: int = Field(400, ge=1, le=2000, alias="hsteps")
    guess: Annotated[Cell | None, PlainSerializer(_write)] = Field(None, alias="hguess")
    cell: Annotated[Cell | None, PlainSerializer(_write)] = Field(None, alias="hcell")
    stage: StageName = Field("cells", alias="hstage")
    chart: ChartName = Field("error", alias="hchart")
    goal: Number = Field(0.1, ge=1e-4, le=1.0, allow_inf_nan=False, alias="hgoal")
    layers: Layers = Field(
        ("density", "mixture", "learned_velocity", "learned", "learned_trails"), max_length=len(LAYERS), alias="hlayers"
    )

    @field_validator("x_values", "y_values")
    @classmethod
    def _of_the_axis(cls, values: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        if values is None:
            return None
        axis = info.data.get("x" if info.field_name == "x_values" else "y")
        if axis is None or axis == "none":
            raise ValueError("values of an axis")
        found = tuple(canonical(axis, text) for text in values)
        if len(set(found)) < len(found):
            raise ValueError("each value once")
        if info.field_name == "y_values" and axis != info.data.get("x"):
            others = info.data.get("x_values")
            if len(found) * len(others or _proposals(info.data.get("x", axis), 2)) > MAX_CELLS:
                raise ValueError(f"at most {MAX_CELLS} cells")
        return found

    @property
    def axes(self) -> tuple[Axis, ...]:
        """One axis or two."""
        two = self.y not in ("none", self.x)
        first = Axis(self.x, self.x_values or _proposals(self.x, 2 if two else 1))
        if self.y == "none" or self.y == self.x:
            return (first,)
        room = MAX_CELLS // len(first.values)
        return (first, Axis(self.y, (self.y_values or _proposals(self.y, 2))[:room]))

    @property
    def runs_of_a_cell(self) -> int:
        """How many seeds there are of each cell."""
        return 1 if any(axis.name == "seed" for axis in self.axes) else self.seeds

    @property
    def scene_parts(self) -> tuple[ScenePart, ...]:
        """What of the Scene acts on the page: no network here sees sigma_t."""
        return ("data", "init", "scheduler", "particles")


def _proposals(axis: str, of: int) -> tuple[str, ...]:
    """Values for an axis that is alone, or one of two."""
    table = ALONE if of == 1 else BESIDE
    return table.get(axis) or NAMES[axis]
