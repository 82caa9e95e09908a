"""What a user has chosen on the page Bridges: the coupling of each panel, how pairs are made, and noise in between."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from fmviz.scene.components import MAX_COMPONENTS
from fmviz.scene.scene import ScenePart, two_decimals
from fmviz.scene.views import LAYERS, Layers

__all__ = [
    "BLUR",
    "CHARTS",
    "COUPLINGS",
    "FAULTS",
    "FIELDS",
    "MAX_BATCH",
    "ChartName",
    "CouplingName",
    "FaultName",
    "FieldName",
    "Settings",
]

CouplingName = Literal["independent", "exact", "sinkhorn", "map", "reflow1", "reflow2", "reflow3"]
FaultName = Literal["none", "few", "coarse", "reversed"]
ChartName = Literal["steps", "batch", "rounds", "labels"]

FieldName = Literal["exact", "network"]

COUPLINGS: tuple[CouplingName, ...] = get_args(CouplingName)
FAULTS: tuple[FaultName, ...] = get_args(FaultName)
CHARTS: tuple[ChartName, ...] = get_args(ChartName)
FIELDS: tuple[FieldName, ...] = get_args(FieldName)

PAIRS = 1024
"""Pairs that a field is made from."""
BLUR = 0.1
"""Standard deviation by which each pair is blurred, in units of length."""
REFLOW_STEPS = 40
"""Steps of Heun's method that simulate the pairs of a reflow."""
MAX_BATCH = 4096
"""The largest batch that is paired (fmviz.theory.couplings.MAX_PAIRS)."""


def _two_decimals(value: object) -> float | None:
    return None if value is None else two_decimals(value)


class Settings(BaseModel):
    """The page Bridges.

    Attributes:
        a, b: how source and data are paired in the left and in the right panel.
        batch: n of mini-batch optimal transport.
        regularisation: of Sinkhorn's algorithm, as a multiple of the mean cost.
        gamma: g of the noise in between, gamma_t = g sqrt(t (1 - t)): in A, and in B as well unless it has its own.
        gamma_b: that of B; None for the same as in A.
        fault: what is wrong on purpose with the pairs of the reflow.
        field: what moves the particles: the exact field of the coupling or of its pairs, or a network that learns it.
        steps: training steps of such a network.
        chart: the chart below the stage.
        label: whose share the chart of labels shows; None, and any that no component has, takes the first of the data.
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
    gamma_b: Annotated[float | None, BeforeValidator(_two_decimals)] = Field(
        None, ge=0.0, le=3.0, allow_inf_nan=False, alias="bgammab"
    )
    fault: FaultName = Field("none", alias="bfault")
    field: FieldName = Field("exact", alias="bfield")
    steps: int = Field(1500, ge=100, le=20_000, alias="bsteps")
    chart: ChartName = Field("steps", alias="bchart")
    label: int | None = Field(None, ge=0, lt=MAX_COMPONENTS, alias="blabel")
    layers: Layers = Field(
        ("density", "ode", "ode_trails", "pairs", "mixture"), max_length=len(LAYERS), alias="blayers"
    )
