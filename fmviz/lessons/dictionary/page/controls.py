"""The controls of the page Dictionary, and what a click on its picture means."""

from __future__ import annotations

import math

import streamlit as st
import torch

from fmviz.app import bound, state
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.lessons.dictionary.compute import results
from fmviz.lessons.dictionary.settings import BETAS, COUNTS, DIALECTS, LEVELS, MAX_AMPLITUDE, SCALES, VIEWS
from fmviz.stage.events import Clicked

__all__ = ["click", "controls"]


def controls(current: State) -> None:
    """What the picture shows, in the sidebar."""
    own = current.dictionary
    bound.choose("dictionary", "view", tr("dictionary.view"), VIEWS, "dictionary.views")
    bound.choose("dictionary", "a", tr("dictionary.a"), DIALECTS, "dictionary.dialects")
    if own.view == "clocks":
        bound.choose("dictionary", "b", tr("dictionary.b"), DIALECTS, "dictionary.dialects")
    shown = (own.a, own.b) if own.view == "clocks" else (own.a,)
    if "ddpm" in shown:
        bound.choose("dictionary", "betas", tr("dictionary.betas"), BETAS, "dictionary.beta_rules")
    if "rectified_flow" in shown:
        bound.slide("dictionary", "shift", tr("dictionary.shift"), 1.0, 10.0, 0.5)
    if own.view == "forward":
        bound.slide("dictionary", "amplitude", tr("dictionary.amplitude"), 0.0, MAX_AMPLITUDE, 0.1)
    if own.view == "steps":
        bound.snap("dictionary", "steps", tr("dictionary.steps"), COUNTS)
        levels: dict[str, str] = {name: tr(f"dictionary.levels_{name}") for name in LEVELS}
        bound.segmented("dictionary", "levels", tr("dictionary.levels"), levels)
    if own.view == "clocks":
        bound.switch("dictionary", "aligned", tr("dictionary.aligned"))
        scales: dict[str, str] = {name: tr(f"dictionary.scales.{name}") for name in SCALES}
        bound.segmented("dictionary", "scale", tr("dictionary.scale"), scales)


def click(clicked: Clicked) -> None:
    """Keeps the point on the linear path that was clicked in the time and the scale of either dialect."""
    own = state.current().dictionary
    if own.view != "clocks":
        return
    frames = results.frames(own)[0 if clicked.panel == "a" else 1]
    # Between two frames the share of the steps is interpolated, as the picture does.
    place = min(max(clicked.t, 0.0), 1.0) * (len(frames.times) - 1)
    i = min(int(place), len(frames.times) - 2)

    def at(values: torch.Tensor) -> float:
        return float(values[i] + (place - i) * (values[i + 1] - values[i]))

    total = 1.0 if own.scale == "common" else at(frames.total)
    point = (clicked.x / total, clicked.y / total, at(frames.linear))
    if all(math.isfinite(value) for value in point):
        state.change("dictionary", click=point)


def forget() -> None:
    """No point is clicked any more."""
    state.change("dictionary", click=None)


def forget_button() -> None:
    """Takes the clicked point away."""
    st.button(tr("paths.forget_click"), icon=":material/close:", key="forget_dictionary_click", on_click=forget)
