"""What a user has chosen on the page Dictionary: two dialects, how they are laid side by side, and what is shown of them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from fmviz.scene.scene import ScenePart, two_decimals
from fmviz.scene.views import LAYERS, Event, LayerName, Layers

__all__ = [
    "BETAS",
    "COUNTS",
    "DIALECTS",
    "LEVELS",
    "MAX_AMPLITUDE",
    "SCALES",
    "SHOWN",
    "TARGETS",
    "VIEWS",
    "BetasName",
    "DialectName",
    "LevelsName",
    "ScaleName",
    "Settings",
    "TargetName",
    "ViewName",
]

DialectName = Literal["ddpm", "vp", "ve", "edm", "flow_matching", "rectified_flow", "interpolant"]
BetasName = Literal["linear", "scaled_linear", "cosine"]
ScaleName = Literal["own", "common"]
ViewName = Literal["clocks", "forward", "steps"]
LevelsName = Literal["own", "karras"]
TargetName = Literal["data", "noise", "score", "velocity", "v"]

DIALECTS: tuple[DialectName, ...] = get_args(DialectName)
BETAS: tuple[BetasName, ...] = get_args(BetasName)
SCALES: tuple[ScaleName, ...] = get_args(ScaleName)
VIEWS: tuple[ViewName, ...] = get_args(ViewName)
LEVELS: tuple[LevelsName, ...] = get_args(LevelsName)
TARGETS: tuple[TargetName, ...] = get_args(TargetName)
COUNTS = (4, 8, 16, 32, 64, 128, 256, 512, 1024)
"""Numbers of steps that the samplers may take."""
SHOWN: tuple[LayerName, ...] = (
    "density",
    "ode",
    "ode_trails",
    "sde",
    "learned",
    "walks",
    "euler",
    "heun",
    "click",
)
"""Layers that are on at first, of all views together."""
MAX_AMPLITUDE, MAX_SHIFT = 2.0, 10.0


def _known(count: int) -> int:
    if count not in COUNTS:
        raise ValueError(f"one of {COUNTS}")
    return count


Rounded = Annotated[float, BeforeValidator(two_decimals)]


class Settings(BaseModel):
    """The page Dictionary.

    Attributes:
        view: which of its three parts is shown.
        a, b: the dialects of the left and of the right picture.
        betas: of DDPM, on either side.
        shift: of rectified flow, on either side.
        aligned: B follows A at the same log signal-to-noise ratio; otherwise each goes along its own steps.
        scale: x as each dialect has it, or x / (alpha + beta), which all share.
        click: (x, y, t) on the linear path, in whose time and scale a point has the same numbers for every dialect; or None.
        target: the prediction whose error is shown, whatever the network predicts.
        amplitude: of the second reversal, in units of the time reversal's diffusion coefficient; 0 is the ODE.
        steps: of the samplers.
        levels: the noise levels that they visit: the convention's own, or those of Karras et al. for every convention.
        search: what the table of terms is searched for.
        layers: the layers that are on, of all views together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    makes_picture: ClassVar[bool] = True

    view: ViewName = Field("clocks", alias="dview")
    a: DialectName = Field("ddpm", alias="da")
    b: DialectName = Field("flow_matching", alias="db")
    betas: BetasName = Field("linear", alias="betas")
    shift: Rounded = Field(3.0, ge=1.0, le=MAX_SHIFT, allow_inf_nan=False, alias="shift")
    aligned: bool = Field(False, alias="same")
    scale: ScaleName = Field("own", alias="dscale")
    click: Event | None = Field(None, alias="dat")
    target: TargetName = Field("velocity", alias="dto")
    amplitude: Rounded = Field(0.0, ge=0.0, le=MAX_AMPLITUDE, allow_inf_nan=False, alias="damp")
    steps: Annotated[int, AfterValidator(_known)] = Field(16, alias="dsteps")
    levels: LevelsName = Field("karras", alias="dlevels")
    search: str = Field("", max_length=80, alias="dfind")
    layers: Layers = Field(SHOWN, max_length=len(LAYERS), alias="dlayers")

    @property
    def scene_parts(self) -> tuple[ScenePart, ...]:
        """What of the Scene acts on the page: a convention has its own source and schedule."""
        return ("data", "particles")
