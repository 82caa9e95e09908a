"""What a user has chosen on the page Bridges: the coupling of each panel, how pairs are made, and noise in between."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from fmviz.scene.scene import ScenePart, two_decimals
from fmviz.scene.views import LAYERS, Layers

__all__ = ["BLUR", "CHARTS", "COUPLINGS", "FAULTS", "MAX_BATCH", "ChartName", "CouplingName", "FaultName", "Settings"]

CouplingName = Literal["independent", "exact", "sinkhorn", "map", "reflow1", "reflow2", "reflow3"]
FaultName = Literal["none", "few", "coarse", "reversed"]
ChartName = Literal["steps", "batch", "rounds", "labels"]

COUPLINGS: tuple[CouplingName, ...] = get_args(CouplingName)
FAULTS: tuple[FaultName, ...] = get_args(FaultName)
CHARTS: tuple[ChartName, ...] = get_args(ChartName)

PAIRS = 1024
"""Pairs that a field is made from."""
BLUR = 0.1
"""Standard deviation by which each pair is blurred, in units of length."""
REFLOW_STEPS = 40
"""Steps of Heun's method that simulate the pairs of a reflow."""
MAX_BATCH = 4096
"""The largest batch that is paired (fmviz.theory.couplings.MAX_PAIRS)."""


class Settings(BaseModel):
    """The page Bridges.

    Attributes:
        a, b: how source and data are paired in the left and in the right panel.
        batch: n of mini-batch optimal transport.
        regularisation: of Sinkhorn's algorithm, as a multiple of the mean cost.
        gamma: g of the noise in between, gamma_t = g sqrt(t (1 - t)).
        fault: what is wrong on purpose with the pairs of the reflow.
        chart: the chart below the stage.
        layers: the layers that are on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    makes_picture: ClassVar[bool] = True
    scene_parts: ClassVar[tuple[ScenePart, ...]] = ("data", "init", "particles")

    a: CouplingName = Field("independent", alias="ba")
    b: CouplingName = Field("exact", alias="bb")
    batch: int = Field(256, ge=1, le=MAX_BATCH, alias="bn")
    regularisation: Annotated[float, BeforeValidator(two_decimals)] = Field(
        0.1, ge=0.01, le=10.0, allow_inf_nan=False, alias="breg"
    )
    gamma: Annotated[float, BeforeValidator(two_decimals)] = Field(
        0.0, ge=0.0, le=3.0, allow_inf_nan=False, alias="bgamma"
    )
    fault: FaultName = Field("none", alias="bfault")
    chart: ChartName = Field("steps", alias="bchart")
    layers: Layers = Field(
        ("density", "ode", "ode_trails", "pairs", "mixture"), max_length=len(LAYERS), alias="blayers"
    )
