"""What a user has chosen on the page Train: the network, the objective, the optimiser, and what is shown of the run."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from fmviz.scene.link import LeftOut
from fmviz.scene.scene import ScenePart
from fmviz.scene.views import LAYERS, Layers

__all__ = [
    "ACTIVATIONS",
    "DEVICES",
    "OBJECTIVES",
    "OPTIMIZERS",
    "SCALINGS",
    "SCHEDULES",
    "SCORE_WEIGHTINGS",
    "TIME_FEATURES",
    "T_SAMPLINGS",
    "WEIGHTS",
    "Settings",
]

ObjectiveName = Literal["cfm", "fm", "score", "noise", "data"]
ActivationName = Literal["silu", "relu", "tanh", "gelu"]
TimeFeaturesName = Literal["raw", "fourier"]
ScalingName = Literal["path", "none"]
ScheduleName = Literal["constant", "cosine"]
OptimizerName = Literal["adam", "adamw", "sgd"]
TSamplingName = Literal["uniform", "stratified", "logit_normal"]
ScoreWeightingName = Literal["beta_squared", "plain"]
DeviceName = Literal["auto", "cpu", "cuda", "mps"]
WeightsName = Literal["averaged", "raw"]

OBJECTIVES: tuple[ObjectiveName, ...] = get_args(ObjectiveName)
ACTIVATIONS: tuple[ActivationName, ...] = get_args(ActivationName)
TIME_FEATURES: tuple[TimeFeaturesName, ...] = get_args(TimeFeaturesName)
SCALINGS: tuple[ScalingName, ...] = get_args(ScalingName)
SCHEDULES: tuple[ScheduleName, ...] = get_args(ScheduleName)
OPTIMIZERS: tuple[OptimizerName, ...] = get_args(OptimizerName)
T_SAMPLINGS: tuple[TSamplingName, ...] = get_args(TSamplingName)
SCORE_WEIGHTINGS: tuple[ScoreWeightingName, ...] = get_args(ScoreWeightingName)
DEVICES: tuple[DeviceName, ...] = get_args(DeviceName)
WEIGHTS: tuple[WeightsName, ...] = get_args(WeightsName)

MAX_WIDTH, MAX_DEPTH, MAX_BATCH, MAX_STEPS, MAX_DRAW = 512, 8, 16_384, 200_000, 999_999
MAX_RATE = 1000.0


def _as_written(value: object) -> object:
    """A number as the link writes it, so that the link repeats it exactly."""
    return float(f"{float(value):g}") if isinstance(value, int | float | str) else value


Number = Annotated[float, BeforeValidator(_as_written)]


class Settings(BaseModel):
    """Every choice of a training run but the seed, which is the scene's; and the view on it.

    Attributes:
        objective: what the network regresses on.
        width, depth: of the hidden layers.
        activation, time_features, scaling: of the network.
        batch_size: draws of (t, z, eps) a step.
        learning_rate: peak step size; it may change during the run.
        steps: length of the run.
        schedule, warm_up: of the learning rate; `warm_up` is the part of the run over which it climbs.
        optimizer: "adam", "adamw" or "sgd".
        ema: decay of the average of the weights that a run keeps beside them; 0 keeps none. Links from before averaging was
            the default leave out 0.
        weights: whether the network of that average is shown or that of the weights themselves, where a run has both.
        t_sampling: the distribution of t.
        score_weighting: of the objective "score" alone.
        gradient_clip: largest norm of the gradient, or None.
        device: where to train.
        replay: the training step whose network is on stage; None: the latest.
        draw: which handful of draws the anatomy of a step shows.
        layers: the layers that are on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    objective: ObjectiveName = Field("cfm", alias="obj")
    width: int = Field(64, ge=1, le=MAX_WIDTH, alias="width")
    depth: int = Field(4, ge=1, le=MAX_DEPTH, alias="depth")
    activation: ActivationName = Field("silu", alias="act")
    time_features: TimeFeaturesName = Field("fourier", alias="time")
    scaling: ScalingName = Field("path", alias="scaling")
    batch_size: int = Field(1000, ge=1, le=MAX_BATCH, alias="batch")
    learning_rate: Number = Field(0.01, ge=1e-6, le=MAX_RATE, allow_inf_nan=False, alias="lr")
    steps: int = Field(3000, ge=1, le=MAX_STEPS, alias="train")
    schedule: ScheduleName = Field("cosine", alias="lrs")
    warm_up: Number = Field(0.02, ge=0.0, le=0.9, allow_inf_nan=False, alias="warm")
    optimizer: OptimizerName = Field("adam", alias="opt")
    ema: Annotated[Number, LeftOut(0.0)] = Field(0.995, ge=0.0, le=0.9999, allow_inf_nan=False, alias="ema")
    weights: WeightsName = Field("averaged", alias="weights")
    t_sampling: TSamplingName = Field("stratified", alias="tdraw")
    score_weighting: ScoreWeightingName = Field("beta_squared", alias="sweight")
    gradient_clip: Number | None = Field(None, gt=0.0, le=1e6, allow_inf_nan=False, alias="clip")
    device: DeviceName = Field("auto", alias="device")
    replay: int | None = Field(None, ge=0, le=MAX_STEPS, alias="replay")
    draw: int = Field(0, ge=0, le=MAX_DRAW, alias="draw")
    layers: Layers = Field(
        (
            "density",
            "velocity",
            "ode",
            "ode_trails",
            "learned_velocity",
            "learned",
            "learned_trails",
            "error",
        ),
        max_length=len(LAYERS),
        alias="tlayers",
    )

    @property
    def scene_parts(self) -> tuple[ScenePart, ...]:
        """What of the Scene acts on the page: no network here sees sigma_t."""
        return ("data", "init", "scheduler", "particles")
