"""Bridges to start from: a source and data for each."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fmviz.scene.components import Component
from fmviz.scene.scene import InitName, PresetName, Scene
from fmviz.scene.scenes import components

__all__ = ["BRIDGES", "bridged"]

QUARTER = math.pi / 2


@dataclass(frozen=True)
class _Bridge:
    """A source and data: presets, or components in their place."""

    init: InitName
    data: PresetName
    init_components: tuple[Component, ...] | None = None
    data_components: tuple[Component, ...] | None = None


def _turned(name: PresetName, angle: float) -> tuple[Component, ...]:
    """A preset turned about the origin, anticlockwise."""
    c, s = math.cos(angle), math.sin(angle)
    turned = []
    for of in components(Scene(data=name), "data"):
        xx = c * c * of.xx - 2.0 * c * s * of.xy + s * s * of.yy
        yy = s * s * of.xx + 2.0 * c * s * of.xy + c * c * of.yy
        xy = c * s * (of.xx - of.yy) + (c * c - s * s) * of.xy
        turned.append(
            Component(
                weight=of.weight, x=c * of.x - s * of.y, y=s * of.x + c * of.y, xx=xx, xy=xy, yy=yy, label=of.label
            )
        )
    return tuple(turned)


BRIDGES: dict[str, _Bridge] = {
    "ring8_moons": _Bridge("ring8", "moons"),
    "circles_checkerboard": _Bridge("circles", "checkerboard"),
    "moons_turned": _Bridge("moons", "moons", data_components=_turned("moons", QUARTER)),
    "two_gaussians": _Bridge(
        "gaussian",
        "two_modes",
        (Component(x=-1.6, y=-0.8, xx=1.1, xy=0.55, yy=0.5),),
        (Component(x=1.6, y=0.9, xx=0.25, xy=-0.3, yy=0.9, label=0),),
    ),
    "spiral_smiley": _Bridge("spiral", "smiley"),
}
"""By name, in the order of the menu."""


def bridged(scene: Scene, name: str) -> Scene:
    """`scene` with the source and the data of a bridge; the name is one of `BRIDGES`."""
    chosen = BRIDGES[name]
    return scene.model_copy(
        update={
            "init": chosen.init,
            "data": chosen.data,
            "init_components": chosen.init_components,
            "data_components": chosen.data_components,
        }
    )
