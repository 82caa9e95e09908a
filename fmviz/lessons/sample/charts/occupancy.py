"""How often each mode is hit, against its weight (Altair)."""

from __future__ import annotations

import altair as alt
from altair.utils.schemapi import debug_mode

from fmviz.charts.palette import DENSITY_DARK, DENSITY_LIGHT, Theme, colour
from fmviz.charts.theme import ink, style_altair
from fmviz.clips.clip import Floats

__all__ = ["occupancy"]

GROUND: dict[Theme, str] = {"light": DENSITY_LIGHT[0], "dark": DENSITY_DARK[0]}
"""What outlined bars are filled with."""


def occupancy(
    weights: Floats,
    series: dict[str, tuple[Floats, str, bool]],
    theme: Theme,
    *,
    component: str,
    share: str,
    height: int = 240,
) -> alt.LayerChart:
    """Bars for each component, one a series, and a tick at the component's weight.

    Args:
        weights: (K,), what the shares should be.
        series: name to (shares (K,), role, whether the bars are only outlined).
        theme: light or dark.
        component: title of the x axis.
        share: title of the y axis.
        height: in pixels.
    """
    with debug_mode(False):
        return _occupancy(weights, series, theme, component, share, height)


def _occupancy(
    weights: Floats, series: dict[str, tuple[Floats, str, bool]], theme: Theme, component: str, share: str, height: int
) -> alt.LayerChart:
    names = list(series)
    rows = [
        {"k": k + 1, "name": name, "share": float(value), "weight": float(weights[k])}
        for name, (shares, _, _) in series.items()
        for k, value in enumerate(shares)
    ]
    edges = alt.Scale(domain=names, range=[colour(role, theme) for _, role, _ in series.values()])
    fills = alt.Scale(
        domain=names,
        range=[GROUND[theme] if outlined else colour(role, theme) for _, role, outlined in series.values()],
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
        alt.Chart(alt.InlineData(values=rows))
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
    expected = [{"k": k + 1, "weight": float(weight)} for k, weight in enumerate(weights)]
    rules = (
        alt.Chart(alt.InlineData(values=expected))
        .mark_tick(color=colour("data", theme), thickness=3, width=alt.RelativeBandSize(0.95))
        .encode(x=x, y=alt.Y("weight:Q"), tooltip=[alt.Tooltip("k:O"), alt.Tooltip("weight:Q", format=".3f")])
    )
    edge = rules.mark_tick(color=ink(theme), thickness=1, width=alt.RelativeBandSize(0.95), opacity=0.6)
    return style_altair(alt.LayerChart(layer=[bars, rules, edge], height=height), theme)
