"""Schedulers and the diffusion coefficient against t, with a rule at the current time (Altair)."""

from __future__ import annotations

import altair as alt
import numpy as np
from altair.utils.schemapi import debug_mode

from fmviz.charts.palette import Theme, colour
from fmviz.charts.theme import ink, style_altair
from fmviz.clips.clip import Floats

__all__ = ["curves"]

DASHES = ([1, 0], [6, 3], [2, 2])


def curves(
    t: Floats,
    series: dict[str, tuple[Floats, str]],
    now: float | None,
    theme: Theme,
    *,
    height: int = 220,
) -> alt.LayerChart:
    """Lines over t in [0, 1].

    Args:
        t: (T,) times.
        series: name to (values (T,), role); each line has its role's colour and a dash of its own.
        now: where the rule stands; None leaves it out.
        theme: light or dark.
        height: in pixels.
    """
    with debug_mode(False):  # checking every mark against the schema costs more than all else; a test does it
        return _curves(t, series, now, theme, height)


def _curves(
    t: Floats, series: dict[str, tuple[Floats, str]], now: float | None, theme: Theme, height: int
) -> alt.LayerChart:
    names = list(series)
    rows = [
        {"t": float(x), "value": float(y), "curve": name}
        for name, (values, _) in series.items()
        for x, y in zip(t, values, strict=True)
        if np.isfinite(y)
    ]
    key = alt.Legend(orient="top", title=None, symbolStrokeWidth=2.5, symbolSize=160, offset=4)
    axis = alt.Axis(title="t", format="~g")
    scale = alt.Axis(title=None, tickCount=6)
    lines = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(strokeWidth=2.5)
        .encode(
            x=alt.X("t:Q", axis=axis, scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("value:Q", axis=scale),
            color=alt.Color(
                "curve:N",
                sort=names,
                legend=key,
                scale=alt.Scale(domain=names, range=[colour(role, theme) for _, role in series.values()]),
            ),
            strokeDash=alt.StrokeDash(
                "curve:N", sort=names, legend=key, scale=alt.Scale(domain=names, range=DASHES[: len(names)])
            ),
            tooltip=[
                alt.Tooltip("curve:N", title=" "),
                alt.Tooltip("t:Q", format=".2f"),
                alt.Tooltip("value:Q", title="=", format=".3f"),
            ],
        )
    )
    layers = [lines]
    if now is not None:
        rule = (
            alt.Chart(alt.InlineData(values=[{"t": now}]))
            .mark_rule(color=ink(theme), strokeWidth=1.5, opacity=0.7)
            .encode(x="t:Q")
        )
        layers.append(rule)
    return style_altair(alt.LayerChart(layer=layers, height=height), theme)
