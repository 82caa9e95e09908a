"""One colour for each quantity, in the stage, Plotly, Altair and the formulas.

Every role takes one of the named colours of the Streamlit theme (``.streamlit/config.toml``), light and dark, so that
markdown (``:blue[...]``), the stage (``--st-blue-color``) and the charts (the hex values here) agree. A test holds this
table against the theme file. The hues are told apart with the common colour vision deficiencies, and no quantity is
marked by colour alone: arrows, dots, rings and crosses differ in shape too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["DENSITY_DARK", "DENSITY_LIGHT", "DIVERGING_DARK", "DIVERGING_LIGHT", "ROLE_COLOURS", "Theme", "colour"]

Theme = Literal["light", "dark"]


@dataclass(frozen=True)
class RoleColour:
    """The theme colour name and its hex value on a light and on a dark ground."""

    name: str
    light: str
    dark: str


ROLE_COLOURS: dict[str, RoleColour] = {
    "init": RoleColour("gray", "#626b7a", "#98a3b0"),
    "data": RoleColour("orange", "#bb3c00", "#f0982f"),
    "path": RoleColour("text", "#1f2a44", "#e6eaf2"),
    "velocity": RoleColour("blue", "#266adc", "#4d95ff"),
    "score": RoleColour("violet", "#5f1fd8", "#c99bf0"),
    "ode": RoleColour("green", "#176d4a", "#55e6a5"),
    "sde": RoleColour("red", "#980430", "#ff5a70"),
    "learned": RoleColour("yellow", "#7a711c", "#fbdf3c"),
    "reference": RoleColour("text", "#1f2a44", "#e6eaf2"),
    # Solvers beside one another; each has a mark of its own too, as other layers may share a colour with them.
    "euler": RoleColour("red", "#980430", "#ff5a70"),
    "midpoint": RoleColour("yellow", "#7a711c", "#fbdf3c"),
    "heun": RoleColour("violet", "#5f1fd8", "#c99bf0"),
    "rk4": RoleColour("orange", "#bb3c00", "#f0982f"),
}

DENSITY_LIGHT = ("#ffffff", "#eef2f9", "#d3ddef", "#adbfde", "#8298c6")
DENSITY_DARK = ("#0f1420", "#182236", "#26375a", "#3a5288", "#5a78b8")

DIVERGING_LIGHT = (
    ("#980430", "#b43b5c", "#cf7188", "#e0a6b5", "#eddae2")
    + ("#ffffff",)
    + ("#dbe4f4", "#aac3ed", "#7aa0e1", "#4b77c4", "#1b4fa8")
)
"""From the most negative over zero, which looks like the page, to the most positive; so in the charts of the theme too."""
DIVERGING_DARK = (
    ("#ff5a70", "#d8536a", "#b24c64", "#793d53", "#3b2c40")
    + ("#0f1420",)
    + ("#243352", "#33518a", "#4871bc", "#6a97de", "#8dbcff")
)


def colour(role: str, theme: Theme) -> str:
    """The hex colour of `role` on the ground of `theme`."""
    entry = ROLE_COLOURS[role]
    return entry.light if theme == "light" else entry.dark
