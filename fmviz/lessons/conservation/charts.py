"""The size of each term of a conservation law against t, on a logarithmic axis (Altair)."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import numpy as np
from altair.utils.schemapi import debug_mode
from numpy.typing import NDArray

from fmviz.charts.palette import Theme, colour
from fmviz.charts.theme import ink, style_altair
from fmviz.clips.clip import Floats

__all__ = ["table", "terms"]

STYLES = {
    "rate": ("path", [1, 0]),
    "total": ("reference", [2, 3]),
    "transport": ("velocity", [6, 3]),
    "diffusion": ("sde", [1, 0]),
    "score_transport": ("score", [2, 2]),
    "residual": ("data", [1, 0]),
}
"""Role and dash of each map."""
FLOOR = 1e-18
"""Smaller numbers are rounding of zero, which has no logarithm."""


def table(
    t: Floats, sizes: Mapping[str, NDArray[np.float64]], names: Mapping[str, str], now: float
) -> dict[str, list[object]]:
    """The rows of `terms`, as columns.

    Args:
        t: (T,) times.
        sizes: map to its size at each time, (T,); NaN is left out.
        names: map to what the reader calls it.
        now: where the rule stands.
    """
    known = {key: np.isfinite(values) for key, values in sizes.items()}
    times = [float(x) for key in sizes for x in t[known[key]]]
    return {
        "t": list[object](times),
        "size": [max(float(y), FLOOR) for key, values in sizes.items() for y in values[known[key]]],
        "map": [names[key] for key in sizes for _ in range(int(known[key].sum()))],
        "now": [now if row == 0 else None for row in range(len(times))],
    }


def terms(names: Mapping[str, str], theme: Theme, *, height: int) -> alt.LayerChart:
    """Lines over t in [0, 1] for the rows of `table`.

    Args:
        names: map that is shown to what the reader calls it.
        theme: light or dark.
        height: in pixels.
    """
    with debug_mode(False):
        shown = list(names.values())
        rows = alt.Chart(alt.NamedData("source"))
        legend = alt.Legend(orient="right", title=None, symbolStrokeWidth=2.5, symbolSize=160, labelLimit=240)
        colours = alt.Scale(domain=shown, range=[colour(STYLES[key][0], theme) for key in names])
        dashes = alt.Scale(domain=shown, range=[STYLES[key][1] for key in names])
        lines = rows.mark_line(strokeWidth=2.2).encode(
            x=alt.X("t:Q", axis=alt.Axis(title="t", format="~g"), scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("size:Q", axis=alt.Axis(title=None, format=".0e", tickCount=6), scale=alt.Scale(type="log")),
            color=alt.Color("map:N", sort=shown, scale=colours, legend=legend),
            strokeDash=alt.StrokeDash("map:N", sort=shown, scale=dashes, legend=legend),
            tooltip=[
                alt.Tooltip("map:N", title=" "),
                alt.Tooltip("t:Q", format=".3f"),
                alt.Tooltip("size:Q", title="=", format=".3g"),
            ],
        )
        rule = rows.mark_rule(color=ink(theme), strokeWidth=1.5, opacity=0.7).encode(x="now:Q")
        return style_altair(alt.LayerChart(layer=[lines, rule], height=height), theme)
