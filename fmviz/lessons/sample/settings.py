"""What a user has chosen on the page Sample: whose field, which solver, how many steps, on which grid of times."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from fmviz.scene.views import LAYERS, Event, Layers, MethodName

__all__ = ["FIELDS", "GRIDS", "FieldName", "GridName", "Settings"]

FieldName = Literal["exact", "learned", "both"]
GridName = Literal["uniform", "refined"]

FIELDS: tuple[FieldName, ...] = get_args(FieldName)
GRIDS: tuple[GridName, ...] = get_args(GridName)

MAX_STEPS, MAX_SDE_STEPS = 200, 1000


class Settings(BaseModel):
    """The sampler, and what is shown of it. Small step counts by default: the error of a solver should be seen.

    Attributes:
        field: whose velocity and score; the learned ones are shown once there is a network.
        method: the solver of the ODE; the SDE is always solved by Euler-Maruyama.
        steps: steps of the ODE solver.
        sde_steps: steps of Euler-Maruyama.
        grid: "uniform" steps, or "refined" ones, smaller and smaller towards t = 1.
        layers: the layers that are on.
        click: (x, y, t) whose likelihood is followed, or None.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    field: FieldName = Field("both", alias="field")
    method: MethodName = Field("euler", alias="solver")
    steps: int = Field(16, ge=1, le=MAX_STEPS, alias="steps")
    sde_steps: int = Field(64, ge=1, le=MAX_SDE_STEPS, alias="sdesteps")
    grid: GridName = Field("uniform", alias="grid")
    layers: Layers = Field(("density", "ode", "ode_trails", "sde", "click"), max_length=len(LAYERS), alias="slayers")
    click: Event | None = Field(None, alias="sat")
