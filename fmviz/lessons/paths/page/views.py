"""The charts of the page on probability paths."""

from __future__ import annotations

import streamlit as st

from fmviz.app import bound, clips, state
from fmviz.app.altair import show_altair
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.app.theme import theme
from fmviz.errors import FmvizError
from fmviz.lessons.paths.charts.curves import curves
from fmviz.lessons.paths.charts.spacetime import spacetime
from fmviz.lessons.paths.compute import results

__all__ = ["charts"]

CHART_WIDTH = 760


def charts(current: State) -> None:
    """One chart at a time below the stage: drawing the space-time view takes the browser as long as a whole scene."""
    if current.shell.present:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="charts"):
        choices = {"curves": tr("paths.curves"), "spacetime": tr("paths.spacetime")}
        bound.segmented("paths", "chart", tr("paths.charts"), choices, collapsed=True)
        if current.paths.chart == "spacetime":
            bound.segmented("paths", "axis", tr("paths.spacetime_axis"), {"x": "x", "y": "y"}, collapsed=True)
        if current.paths.click is not None:
            st.space("stretch")
            st.button(
                tr("paths.forget_click"),
                icon=":material/close:",
                key="forget_click",
                on_click=lambda: state.change("paths", click=None),
            )
    with st.container(width=CHART_WIDTH):
        if current.paths.chart == "spacetime":
            _space_time(current)
        else:
            _schedulers(current)


def _schedulers(current: State) -> None:
    """alpha_t, beta_t, sigma_t with a rule where the clock was last stopped."""
    times, (alpha, beta, sigma) = clips.curves(current.scene)
    series = {"α": (alpha.values, "data"), "β": (beta.values, "init"), "σ": (sigma.values, "sde")}
    show_altair(
        lambda ground: curves(times, series, current.clock.t, ground, height=300),
        of=(current.scene, current.clock.t),
        description=tr("paths.curves_alt"),
        key="curves",
    )
    st.caption(tr("paths.curves_claim"))


def _space_time(current: State) -> None:
    """One coordinate against time; where the scene has no picture, the stage has already said why."""
    axis = 0 if current.paths.axis == "x" else 1
    try:
        seen = results.space_time(current.scene, axis)
        highlighted = results.trajectory(current.scene, current.paths.click, axis)
    except FmvizError:
        return
    figure = spacetime(
        seen.times,
        seen.coordinate,
        seen.density,
        seen.trajectories,
        theme(),
        now=current.clock.t,
        axis=current.paths.axis,
        highlighted=highlighted,
        height=300,
    )
    st.plotly_chart(
        figure,
        key="spacetime",
        theme=None,
        alt=tr("paths.spacetime_alt"),
        config={"displayModeBar": False, "scrollZoom": False},
    )
    st.caption(tr("paths.spacetime_claim"))
