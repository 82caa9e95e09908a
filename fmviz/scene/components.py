"""A mixture as a user edits it: a short list of weighted Gaussian components, and its form in a link.

Numbers are rounded to four decimals when a component is made, so that what is on screen, what is in the link and what
another machine opens are the same mixture to the bit.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

__all__ = ["DECIMALS", "MAX_COMPONENTS", "Component", "Components", "Decimal4"]

DECIMALS = 4
MAX_COMPONENTS = 64
REACH = 20.0  # means live in [-REACH, REACH]²
MIN_STD, MAX_STD = 0.05, 10.0


def _rounded(value: Any) -> Any:
    return round(float(value), DECIMALS)


Decimal4 = Annotated[float, BeforeValidator(_rounded), Field(allow_inf_nan=False)]


class Component(BaseModel):
    """One Gaussian of a mixture: weight, mean (x, y) and covariance [[xx, xy], [xy, yy]], and its class.

    Without a label of its own a component has that of the preset's component in its place, if the mixture still has as many
    components as its preset; else it is a class by itself.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    weight: Annotated[Decimal4, Field(gt=0, le=1000)] = 1.0
    x: Annotated[Decimal4, Field(ge=-REACH, le=REACH)]
    y: Annotated[Decimal4, Field(ge=-REACH, le=REACH)]
    xx: Annotated[Decimal4, Field(ge=MIN_STD**2, le=MAX_STD**2)] = 0.09
    xy: Annotated[Decimal4, Field(ge=-(MAX_STD**2), le=MAX_STD**2)] = 0.0
    yy: Annotated[Decimal4, Field(ge=MIN_STD**2, le=MAX_STD**2)] = 0.09
    label: Annotated[int, Field(ge=0, lt=MAX_COMPONENTS)] | None = None

    @model_validator(mode="after")
    def _positive_definite(self) -> Component:
        gap = ((self.xx - self.yy) ** 2 + 4 * self.xy**2) ** 0.5
        smallest = (self.xx + self.yy - gap) / 2
        if smallest < MIN_STD**2 / 2:
            raise ValueError(
                f"covariance must be positive definite with standard deviations above {MIN_STD / 2**0.5:.3f}"
            )
        return self

    def row(self) -> tuple[float, float, float, float, float, float]:
        """(weight, x, y, xx, xy, yy), the order of the link and of the stage's messages, where the label follows."""
        return (self.weight, self.x, self.y, self.xx, self.xy, self.yy)

    @classmethod
    def from_row(cls, row: Any) -> Component:
        """The component of six numbers in the order of `row`, or of seven with the label.

        Raises pydantic.ValidationError (a ValueError).
        """
        values = list(row)
        if len(values) not in (6, 7):
            raise ValueError(f"a component has 6 numbers, or 7 with its label, got {len(values)}")
        return cls(**dict(zip(("weight", "x", "y", "xx", "xy", "yy", "label"), values, strict=False)))


def _parse(value: Any) -> Any:
    """Components from their form in a link; anything else passes through to pydantic."""
    if not isinstance(value, str):
        return value
    if len(value) > 100 * MAX_COMPONENTS:
        raise ValueError("too long")
    return tuple(Component.from_row(part.split("_")) for part in value.split("~"))


def _format(components: tuple[Component, ...] | None) -> str | None:
    if components is None:
        return None
    return "~".join(_format_one(c) for c in components)


def _format_one(component: Component) -> str:
    numbers = [f"{v:.{DECIMALS}f}".rstrip("0").rstrip(".") for v in component.row()]
    return "_".join(numbers if component.label is None else [*numbers, str(component.label)])


Listed = Annotated[tuple[Component, ...], Field(min_length=1, max_length=MAX_COMPONENTS)]
Components = Annotated[Listed | None, BeforeValidator(_parse), PlainSerializer(_format)]
"""A mixture's components, or None for "as the preset has them"; in a link ``w_x_y_xx_xy_yy~…``, or with labels ``w_x_y_xx_xy_yy_label~…``."""
