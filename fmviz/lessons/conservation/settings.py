"""What a user has chosen on the page Conservation: which path, which law, what breaks it, and the box."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from fmviz.scene.views import LAYERS, Layers, Point, Sides

__all__ = ["BREAKS", "KINDS", "LAWS", "LEAST_SIDE", "NORMS", "BreakName", "KindName", "LawName", "Settings"]

KindName = Literal["marginal", "conditional"]
LawName = Literal["continuity", "fokker_planck"]
BreakName = Literal["none", "velocity", "score"]
NormName = Literal["max", "l1"]

KINDS: tuple[KindName, ...] = get_args(KindName)
LAWS: tuple[LawName, ...] = get_args(LawName)
BREAKS: tuple[BreakName, ...] = get_args(BreakName)
NORMS: tuple[NormName, ...] = get_args(NormName)

LEAST_SIDE = 0.05
"""No side of a box is shorter."""


def _in_order(sides: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    x0, x1, y0, y1 = sides
    if x1 - x0 < LEAST_SIDE or y1 - y0 < LEAST_SIDE:
        raise ValueError(f"x0_x1_y0_y1 with sides of at least {LEAST_SIDE}")
    return sides


class Settings(BaseModel):
    """The choices of the page Conservation.

    Attributes:
        kind: of the marginal path, or of the path given z.
        law: the continuity equation, or Fokker-Planck with the scene's sigma_t.
        broken: what is wrong on purpose: nothing, u scaled by 1.1, or the score dropped from the drift.
        z: the data point; None takes the mean of the first component.
        box: x0, x1, y0, y1.
        norm: which number of a map the chart shows.
        layers: the layers that are on.
        sheet: whether the printable sheet of formulas is open.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    makes_picture: ClassVar[bool] = True

    kind: KindName = Field("marginal", alias="of")
    law: LawName = Field("fokker_planck", alias="law")
    broken: BreakName = Field("none", alias="broken")
    z: Point | None = Field(None, alias="cz")
    box: Annotated[Sides, AfterValidator(_in_order)] = Field((0.5, 3.0, -0.8, 1.4), alias="box")
    norm: NormName = Field("l1", alias="norm")
    layers: Layers = Field(
        ("density", "contours", "terms", "ode", "sde", "box", "z"), max_length=len(LAYERS), alias="clayers"
    )
    sheet: bool = Field(False, alias="sheet")
