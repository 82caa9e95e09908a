"""Anatomy of one step: a handful of draws as picture and table, drawn anew by hand."""

from __future__ import annotations

import streamlit as st

from fmviz.app import state
from fmviz.app.altair import show_altair
from fmviz.app.catalogue import number
from fmviz.app.i18n import tr
from fmviz.clips.extents import extent
from fmviz.errors import FmvizError
from fmviz.lessons.train.charts.anatomy import Words
from fmviz.lessons.train.charts.anatomy import anatomy as picture
from fmviz.lessons.train.compute.anatomy import Draw, Pair, anatomy
from fmviz.lessons.train.page import training
from fmviz.lessons.train.settings import MAX_DRAW
from fmviz.scene import scenes

__all__ = ["anatomy_of_a_step"]

ARROW = 0.35
"""Length of an arrow for a vector of length 1."""
PICTURE = 320
"""Pixels a side; it fits a phone."""


def anatomy_of_a_step() -> None:
    """An expander, computed when opened."""
    if state.current().shell.present:
        return
    expander = st.expander(tr("train.anatomy.title"), icon=":material/labs:", on_change="rerun", key="train_anatomy")
    if expander.open:
        with expander:
            st.fragment(_opened)()


def _opened() -> None:
    now = state.current()
    try:
        seen = training.shown(training.status(), now.train)
        draws = anatomy(scenes.path(now.scene), training.run_spec(), seen.model, draw=now.train.draw)
    except FmvizError as error:
        st.error(training.explain(error), icon=":material/error:")
        return
    left, right = st.columns([2, 3], gap="large", vertical_alignment="center")
    with left:
        points = now.train.objective == "data"
        marks, edge = tuple(_marks(draw, points) for draw in draws), extent(now.scene).x1
        words = Words(tr("train.anatomy.target"), tr("train.anatomy.prediction"))
        show_altair(
            lambda ground: picture(marks, edge, words, ground, size=PICTURE),
            of=(marks, edge),
            description=tr("train.anatomy.alt"),
            key="train_anatomy_picture",
            width="content",
        )
    with right:
        st.markdown(tr("train.anatomy.what"))
        st.button(tr("train.anatomy.again"), icon=":material/casino:", on_click=_again, key="train_draw")
        st.markdown(
            tr("train.anatomy.mean", loss=number(sum(draw.error for draw in draws) / len(draws)), step=seen.step)
        )
        st.caption(tr("train.anatomy.step_hint"))
    st.table(_table(draws), border="horizontal")


def _again() -> None:
    state.change("train", draw=(state.current().train.draw + 1) % (MAX_DRAW + 1))


def _marks(draw: Draw, points: bool) -> tuple[Pair, Pair, Pair, Pair, Pair]:
    """z, eps, x and the ends of both arrows; a predicted data point is itself the end of its arrow."""
    if points:
        return draw.z, draw.eps, draw.x, draw.target, draw.prediction
    ends = [(draw.x[0] + ARROW * a, draw.x[1] + ARROW * b) for a, b in (draw.target, draw.prediction)]
    return draw.z, draw.eps, draw.x, ends[0], ends[1]


def _table(draws: tuple[Draw, ...]) -> dict[str, list[str]]:
    columns = {
        "#": [str(n) for n in range(1, len(draws) + 1)],
        "t": [f"{draw.t:.2f}" for draw in draws],
        "z": [_pair(draw.z) for draw in draws],
        "ε": [_pair(draw.eps) for draw in draws],
        "xₜ": [_pair(draw.x) for draw in draws],
    }
    return columns | {
        tr("train.anatomy.target"): [_pair(draw.target) for draw in draws],
        tr("train.anatomy.prediction"): [_pair(draw.prediction) for draw in draws],
        tr("train.anatomy.error"): [number(draw.error) for draw in draws],
    }


def _pair(values: Pair) -> str:
    return f"({values[0]:.2f}, {values[1]:.2f})".replace("-", "−")
