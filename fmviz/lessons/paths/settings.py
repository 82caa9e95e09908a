"""What a user has chosen on the page on probability paths."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from fmviz.scene.views import Event

__all__ = ["Settings"]


class Settings(BaseModel):
    """The page on probability paths; z and the layers are the path's (`fmviz.scene.views.PathView`).

    Attributes:
        click: (x, y, t) that the trajectory and the posterior are shown for, or None.
        axis: the coordinate of the space-time view.
        chart: which chart stands below the stage.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    click: Event | None = Field(None, alias="at")
    axis: Literal["x", "y"] = Field("x", alias="axis")
    chart: Literal["curves", "spacetime"] = Field("curves", alias="chart")
