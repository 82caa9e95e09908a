"""What a user has chosen on the page Noise: which process, its parameters, how finely it is simulated."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from fmviz.scene.scene import ScenePart, two_decimals
from fmviz.scene.views import LAYERS, LayerName, Layers, Point

__all__ = [
    "EM_STEPS",
    "GRIDS",
    "HORIZONS",
    "LANGEVIN_STEPS",
    "MAX_SIGMA",
    "PROCESSES",
    "SHOWN",
    "STARTS",
    "ProcessName",
    "Settings",
    "StartName",
]

ProcessName = Literal["brownian", "ou", "collapse", "langevin"]
StartName = Literal["gaussian", "mode", "data"]

PROCESSES: tuple[ProcessName, ...] = get_args(ProcessName)
STARTS: tuple[StartName, ...] = get_args(StartName)

GRIDS = (2, 4, 8, 16, 32, 64, 128)
"""Steps that Brownian motion is drawn with, each grid part of the next."""
EM_STEPS = (4, 5, 6, 8, 10, 12, 15, 20, 24, 30, 40, 60, 120)
"""Step counts of Euler-Maruyama that divide the frames of the clip: every step ends on a point of the exact path."""
HORIZONS = (1, 2, 5, 10, 20, 50, 100, 200)
LANGEVIN_STEPS = (20, 50, 100, 200, 300, 500, 1000, 2000)
MAX_SIGMA, MAX_THETA = 3.0, 5.0
SHOWN: tuple[LayerName, ...] = ("density", "band", "mean", "walks", "walk_trails", "steps", "mixture", "x0")
"""Layers that are on at first."""


def _one_of(allowed: tuple[int, ...]) -> AfterValidator:
    def check(value: int) -> int:
        if value not in allowed:
            raise ValueError(f"one of {allowed}")
        return value

    return AfterValidator(check)


Parameter = Annotated[float, BeforeValidator(two_decimals)]


class Settings(BaseModel):
    """The page Noise.

    Attributes:
        process: which of its four views.
        grid: steps of Brownian motion on [0, 1].
        theta, sigma: of the Ornstein-Uhlenbeck process; sigma 0 is the ODE.
        start: its x_0 in the plane; the picture over time shows the first coordinate.
        time: how long it runs.
        em_steps: steps of Euler-Maruyama over that time.
        langevin_start: the standard Gaussian, the heaviest mode of p_data, or p_data itself.
        langevin_sigma, langevin_time, langevin_steps: of Langevin dynamics.
        layers: the layers that are on, of all processes together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    makes_picture: ClassVar[bool] = True

    process: ProcessName = Field("brownian", alias="process")
    grid: Annotated[int, _one_of(GRIDS)] = Field(GRIDS[-1], alias="bmsteps")
    theta: Parameter = Field(1.0, ge=0.1, le=MAX_THETA, allow_inf_nan=False, alias="outheta")
    sigma: Parameter = Field(1.0, ge=0.0, le=MAX_SIGMA, allow_inf_nan=False, alias="ousigma")
    start: Point = Field((2.0, 1.0), alias="oustart")
    time: Parameter = Field(4.0, ge=0.5, le=10.0, allow_inf_nan=False, alias="outime")
    em_steps: Annotated[int, _one_of(EM_STEPS)] = Field(10, alias="ousteps")
    langevin_start: StartName = Field("gaussian", alias="lvstart")
    langevin_sigma: Parameter = Field(1.0, ge=0.0, le=MAX_SIGMA, allow_inf_nan=False, alias="lvsigma")
    langevin_time: int = Field(5, ge=1, le=HORIZONS[-1], alias="lvtime")
    langevin_steps: int = Field(300, ge=1, le=LANGEVIN_STEPS[-1], alias="lvsteps")
    layers: Layers = Field(SHOWN, max_length=len(LAYERS), alias="nlayers")

    @property
    def scene_parts(self) -> tuple[ScenePart, ...]:
        """What of the Scene acts on the page: the particles, and p_data for Langevin dynamics alone."""
        return ("data", "particles") if self.process == "langevin" else ("particles",)
