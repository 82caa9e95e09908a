"""The common look of every chart: quiet axes, the theme's ink, transparent ground."""

from __future__ import annotations

import altair as alt
import plotly.graph_objects as go

from fmviz.charts.palette import DENSITY_DARK, DENSITY_LIGHT, Theme, colour

__all__ = ["FONT", "density_scale", "ink", "style_altair", "style_plotly"]

FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"


def ink(theme: Theme) -> str:
    """The colour of text."""
    return colour("path", theme)


def density_scale(theme: Theme) -> list[tuple[float, str]]:
    """The density ramp as a Plotly colour scale."""
    ramp = DENSITY_LIGHT if theme == "light" else DENSITY_DARK
    return [(i / (len(ramp) - 1), c) for i, c in enumerate(ramp)]


def style_altair(chart: alt.LayerChart, theme: Theme) -> alt.LayerChart:
    """`chart` with the house style."""
    quiet, text = colour("init", theme), ink(theme)
    axis = alt.AxisConfig(
        labelColor=text, titleColor=text, gridColor=quiet, gridOpacity=0.18, domainColor=quiet, tickColor=quiet
    )
    legend = alt.LegendConfig(labelColor=text, titleColor=text, labelFontSize=13)
    view = alt.ViewConfig(strokeWidth=0)
    chart.config = alt.Config(font=FONT, background="transparent", axis=axis, legend=legend, view=view)
    return chart


def style_plotly(figure: go.Figure, theme: Theme) -> go.Figure:
    """`figure` with the house style."""
    quiet = colour("init", theme)
    figure.update_layout(
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "color": ink(theme), "size": 13},
        margin={"l": 50, "r": 12, "t": 12, "b": 44},
        showlegend=False,
        hoverlabel={"font": {"family": FONT}},
    )
    axis = {
        "showgrid": False,
        "zeroline": False,
        "linecolor": quiet,
        "tickcolor": quiet,
        "ticks": "outside",
        "ticklen": 4,
    }
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    return figure
