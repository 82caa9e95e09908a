"""One coordinate against time: its density behind, trajectories in front (Plotly)."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from fmviz.charts.palette import Theme, colour
from fmviz.charts.theme import density_scale, style_plotly
from fmviz.clips.clip import Floats

__all__ = ["spacetime"]


def spacetime(
    t: Floats,
    coordinate: Floats,
    density: Floats,
    trajectories: Floats,
    theme: Theme,
    *,
    now: float,
    axis: str,
    highlighted: Floats | None = None,
    height: int = 340,
) -> go.Figure:
    """The space-time view of a probability path.

    Args:
        t: (T,) times.
        coordinate: (H,) cell centres.
        density: (H, T) marginal density of the coordinate.
        trajectories: (T, N) coordinate of N ODE particles.
        theme: light or dark.
        now: where the clock stands.
        axis: the name of the coordinate, "x" or "y".
        highlighted: (T,) the trajectory through the clicked point, or None.
        height: in pixels.
    """
    figure = go.Figure()
    figure.add_heatmap(
        x=t,
        y=coordinate,
        z=np.sqrt(density),
        customdata=density,
        colorscale=density_scale(theme),
        showscale=False,
        zsmooth="best",
        hovertemplate=f"t = %{{x:.2f}}, {axis} = %{{y:.2f}}<br>p = %{{customdata:.3g}}<extra></extra>",
    )
    gaps = np.full((1, trajectories.shape[1]), np.nan, dtype=np.float32)
    lines = np.concatenate([trajectories, gaps]).T.reshape(-1)
    figure.add_scatter(
        x=np.tile(np.append(t, np.nan), trajectories.shape[1]),
        y=lines,
        mode="lines",
        hoverinfo="skip",
        line={"color": colour("ode", theme), "width": 1},
        opacity=0.55,
    )
    if highlighted is not None:
        figure.add_scatter(
            x=t, y=highlighted, mode="lines", line={"color": colour("velocity", theme), "width": 3}, hoverinfo="skip"
        )
    figure.add_vline(x=now, line={"color": colour("path", theme), "width": 1.5, "dash": "dot"})
    figure.update_layout(height=height)
    figure.update_xaxes(title="t", range=[0, 1])
    figure.update_yaxes(title=axis, range=[float(coordinate[0]), float(coordinate[-1])])
    return style_plotly(figure, theme)
