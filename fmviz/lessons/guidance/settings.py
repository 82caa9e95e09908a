"""What a user has chosen on the page Guidance: the label, the scale, when it acts, and what is done with the weights."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from fmviz.scene.components import MAX_COMPONENTS
from fmviz.scene.scene import ScenePart, two_decimals
from fmviz.scene.views import LAYERS, Event, Layers

__all__ = ["CHARTS", "GROUNDS", "KINDS", "MAX_SCALE", "MIN_SCALE", "WEIGHTS", "ChartName", "Settings"]

KindName = Literal["ode", "sde"]
WeightsName = Literal["off", "on", "resampled"]
GroundName = Literal["tilted", "classifier"]
ChartName = Literal["effective", "distance", "quality", "posterior"]

KINDS: tuple[KindName, ...] = get_args(KindName)
WEIGHTS: tuple[WeightsName, ...] = get_args(WeightsName)
GROUNDS: tuple[GroundName, ...] = get_args(GroundName)
CHARTS: tuple[ChartName, ...] = get_args(ChartName)

MIN_SCALE, MAX_SCALE = -1.0, 8.0


def _pair(value: Any) -> Any:
    return tuple(value.split("_")) if isinstance(value, str) else value


def _rising(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] >= value[1]:
        raise ValueError("the interval must end after it begins")
    return value


def _joined(value: tuple[float, float]) -> str:
    return "_".join(f"{t:g}" for t in value)


Moment = Annotated[float, BeforeValidator(two_decimals), Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Interval = Annotated[tuple[Moment, Moment], BeforeValidator(_pair), AfterValidator(_rising), PlainSerializer(_joined)]


class Settings(BaseModel):
    """The page Guidance.

    Attributes:
        label: the class y; None, and any that no component has, takes the first of the scene.
        scale: w.
        interval: from when until when the scale is w; it is 1 at other times.
        kind: which dynamics move the particles of the guided field.
        weights: whether the weights are carried, and whether particles are resampled by them.
        ground: what lies under the guided particles: the tilted distribution, or the probability of the label.
        chart: the chart below the stage.
        layers: the layers that are on.
        click: (x, y, t) whose guided trajectory is followed, or None.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    makes_picture: ClassVar[bool] = True

    label: int | None = Field(None, ge=0, lt=MAX_COMPONENTS, alias="y")
    scale: Annotated[float, BeforeValidator(two_decimals)] = Field(
        3.0, ge=MIN_SCALE, le=MAX_SCALE, allow_inf_nan=False, alias="w"
    )
    interval: Interval = Field((0.0, 1.0), alias="gtime")
    kind: KindName = Field("ode", alias="gkind")
    weights: WeightsName = Field("off", alias="gweights")
    ground: GroundName = Field("tilted", alias="gmap")
    chart: ChartName = Field("effective", alias="gchart")
    layers: Layers = Field(
        ("density", "velocity", "ode", "ode_trails", "sde", "reference", "labels", "click"),
        max_length=len(LAYERS),
        alias="glayers",
    )
    click: Event | None = Field(None, alias="gat")

    @property
    def scene_parts(self) -> tuple[ScenePart, ...]:
        """What of the Scene acts on the page: all, but sigma_t on the SDE alone."""
        path: tuple[ScenePart, ...] = ("data", "init", "scheduler", "particles")
        return (*path, "sigma") if self.kind == "sde" else path
