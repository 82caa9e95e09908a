"""What a network may predict at the clicked point, in both conventions, and what becomes of an error when it is converted."""

from __future__ import annotations

import streamlit as st

from fmviz.app import bound
from fmviz.app.catalogue import number
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.cache import shared
from fmviz.clips.clip import Floats
from fmviz.lessons.dictionary.charts import Axis, Curve
from fmviz.lessons.dictionary.compute import clocks, results
from fmviz.lessons.dictionary.compute import curves as work
from fmviz.lessons.dictionary.compute.clocks import Predictions
from fmviz.lessons.dictionary.page.controls import forget_button
from fmviz.lessons.dictionary.page.plot import plot
from fmviz.lessons.dictionary.settings import TARGETS, Settings
from fmviz.scene import Scene, scenes
from fmviz.theory.dialects import Prediction

__all__ = ["errors", "table"]

ROLES: dict[Prediction, tuple[str, int]] = {
    "data": ("data", 0),
    "noise": ("init", 1),
    "score": ("score", 0),
    "velocity": ("velocity", 1),
    "v": ("path", 2),
}
"""Colour and dash of each prediction."""


@shared
def _predictions(scene: Scene, own: Settings) -> tuple[Predictions | None, Predictions | None]:
    data = scenes.mixture(scene, "data")
    assert own.click is not None
    a, b = (clocks.predictions_at(data, own.click, moment) for moment in results.frames(own))
    return a, b


@shared
def _errors(scene: Scene, own: Settings) -> tuple[dict[Prediction, Floats], dict[Prediction, Floats]]:
    data = scenes.mixture(scene, "data")
    a, b = (work.converted_errors(data, moment, own.target) for moment in results.frames(own))
    return a, b


def table(current: State) -> None:
    """The predictions at the clicked point, as numbers."""
    own = current.dictionary
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(tr("dictionary.predictions"), anchor=False)
        if own.click is not None:
            st.space("stretch")
            forget_button()
    if own.click is None:
        st.caption(tr("dictionary.predictions_hint"))
        return
    a, b = _predictions(results.gaussian(current.scene), own.model_copy(update={"layers": None}))
    heads = [_head(side, tr(f"dictionary.dialects.{name}")) for side, name in (("A", own.a), ("B", own.b))]
    rows: dict[str, list[str]] = {
        "": [tr("dictionary.time"), "x", *(tr(f"dictionary.predicted.{name}") for name in TARGETS)]
    }
    for head, found in zip(heads, (a, b), strict=True):
        outside = [tr("dictionary.outside")] + ["–"] * (1 + len(TARGETS))
        rows[head] = (
            outside
            if found is None
            else [number(found.s), _pair(found.x), *(_pair(found.values[name]) for name in TARGETS)]
        )
    st.table(rows, border="horizontal", hide_index=True)
    st.caption(tr("dictionary.predictions_claim"))


def errors(current: State) -> None:
    """The error of one prediction when a network with 1 % of error predicts another, over the steps of A and of B."""
    own = current.dictionary
    st.subheader(tr("dictionary.errors"), anchor=False)
    with st.container(horizontal=True, key="dictionary_target"):
        bound.choose("dictionary", "target", tr("dictionary.target"), TARGETS, "dictionary.predicted")
    u, now = results.clock(), current.clock.t
    found = _errors(results.gaussian(current.scene), own.model_copy(update={"layers": None, "click": None}))
    sides = (("A", own.a, found[0]), ("B", own.b, found[1]))
    for column, (side, name, table) in zip(st.columns(2, gap="large"), sides, strict=True):
        lines = [
            Curve(tr(f"dictionary.predicted.{kind}"), u, 100.0 * values, *ROLES[kind]) for kind, values in table.items()
        ]
        x = Axis(f"{_head(side, tr(f'dictionary.dialects.{name}'))} · {tr('dictionary.share_axis')}", range=(0.0, 1.0))
        y = Axis(tr("dictionary.error_axis"), log=True, range=(0.01, 1000.0))
        with column:
            plot(f"errors_{side}", lines, x, y, tr("dictionary.errors_alt"), now=now)
    st.caption(tr("dictionary.errors_claim"))


def _head(side: str, name: str) -> str:
    return f"{side} · {name}"


def _pair(value: tuple[float, float]) -> str:
    return f"({number(value[0])}, {number(value[1])})".replace("-", "−")
