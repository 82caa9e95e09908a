"""The charts of the page on probability paths: what one reads beside the stage."""

from __future__ import annotations

import streamlit as st

from fmviz.charts.curves import curves
from fmviz.charts.spacetime import spacetime
from fmviz.errors import FmvizError
from fmviz.specs import State
from fmviz.ui import bound, clips, state
from fmviz.ui.altair import show_altair
from fmviz.ui.i18n import tr
from fmviz.ui.theme import theme

__all__ = ["schedulers", "space_time"]


def schedulers(current: State) -> None:
    """alpha_t, beta_t, sigma_t with a rule where the clock was last stopped."""
    st.subheader(tr("paths.curves"), anchor=False)
    times, (alpha, beta, sigma) = clips.curves(current.scene)
    series = {"α": (alpha.values, "data"), "β": (beta.values, "init"), "σ": (sigma.values, "sde")}
    show_altair(
        curves(times, series, current.clock.t, theme(), height=300), description=tr("paths.curves_alt"), key="curves"
    )
    st.caption(tr("paths.curves_claim"))


def space_time(current: State) -> None:
    """One coordinate against time; where the scene has no picture, the stage has already said why."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(tr("paths.spacetime"), anchor=False)
        st.space("stretch")
        bound.segmented("paths", "axis", tr("paths.spacetime_axis"), {"x": "x", "y": "y"}, collapsed=True)
        if current.paths.click is not None:
            st.button(
                tr("paths.forget_click"),
                icon=":material/close:",
                key="forget_click",
                on_click=lambda: state.change("paths", click=None),
            )
    axis = 0 if current.paths.axis == "x" else 1
    try:
        seen = clips.space_time(current.scene, axis)
        highlighted = clips.trajectory(current.scene, current.paths.click, axis)
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
        height=320,
    )
    st.plotly_chart(
        figure,
        key="spacetime",
        theme=None,
        alt=tr("paths.spacetime_alt"),
        config={"displayModeBar": False, "scrollZoom": False},
    )
    st.caption(tr("paths.spacetime_claim"))
