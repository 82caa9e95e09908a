"""How often each mode is hit, against its weight (Altair)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
from altair.utils.schemapi import debug_mode

from fmviz.charts.palette import DENSITY_DARK, DENSITY_LIGHT, Theme, colour
from fmviz.charts.theme import ink, style_altair
from fmviz.clips.clip import Floats

__all__ = ["occupancy", "table"]

GROUND: dict[Theme, str] = {"light": DENSITY_LIGHT[0], "dark": DENSITY_DARK[0]}
"""What outlined bars are filled with."""


def table(weights: Floats, series: Mapping[str, Floats]) -> dict[str, list[Any]]:
    """The columns of `occupancy`: a row for each component of each series, and one without a name for its weight.

    Args:
        weights: (K,), what the shares should be.
        series: name to shares, (K,).
    """
    found: list[tuple[int, str | None, float | None, float]] = [
        (k + 1, None, None, float(w)) for k, w in enumerate(weights)
    ]
    for name, shares in series.items():
        found += [(k + 1, name, float(share), float(weights[k])) for k, share in enumerate(shares)]
    return {name: [row[k] for row in found] for k, name in enumerate(("k", "name", "share", "weight"))}


def occupancy(
    series: Mapping[str, tuple[str, bool]], theme: Theme, *, component: str, share: str, height: int = 240
) -> alt.LayerChart:
    """Bars for each component, one a series, and a tick at the component's weight, for the rows of `table`.

    Args:
        series: name to (role, whether the bars are only outlined).
        theme: light or dark.
        component: title of the x axis.
        share: title of the y axis.
        height: in pixels.
    """
    with debug_mode(False):
        return _occupancy(series, theme, component, share, height)


def _occupancy(
    series: Mapping[str, tuple[str, bool]], theme: Theme, component: str, share: str, height: int
) -> alt.LayerChart:
    names = list(series)
    edges = alt.Scale(domain=names, range=[colour(role, theme) for role, _ in series.values()])
    fills = alt.Scale(
        domain=names,
        range=[GROUND[theme] if outlined else colour(role, theme) for role, outlined in series.values()],
    )
    legend = alt.Legend(orient="top", title=None, symbolType="square", offset=4, columns=4)
    x = alt.X("k:O", axis=alt.Axis(title=component, labelAngle=0, labelOverlap=True))
    tooltip = [
        alt.Tooltip("name:N", title=" "),
        alt.Tooltip("k:O", title=component),
        alt.Tooltip("share:Q", title=share, format=".3f"),
        alt.Tooltip("weight:Q", title="w", format=".3f"),
    ]
    bars = (
        alt.Chart(alt.NamedData("source"))
        .transform_filter("datum.name !== null")
        .mark_bar(strokeWidth=1.5)
        .encode(
            x=x,
            xOffset=alt.XOffset("name:N", sort=names),
            y=alt.Y("share:Q", axis=alt.Axis(title=share, tickCount=5)),
            fill=alt.Fill("name:N", sort=names, scale=fills, legend=legend),
            stroke=alt.Stroke("name:N", sort=names, scale=edges, legend=legend),
            tooltip=tooltip,
        )
    )
    rules = (
        alt.Chart(alt.NamedData("source"))
        .transform_filter("datum.name === null")
        .mark_tick(color=colour("data", theme), thickness=3, width=alt.RelativeBandSize(0.95))
        .encode(x=x, y=alt.Y("weight:Q"), tooltip=[alt.Tooltip("k:O"), alt.Tooltip("weight:Q", format=".3f")])
    )
    edge = rules.mark_tick(color=ink(theme), thickness=1, width=alt.RelativeBandSize(0.95), opacity=0.6)
    return style_altair(alt.LayerChart(layer=[bars, rules, edge], height=height), theme)
