"""The controls of the page Guidance, and the table that says its scale in the conventions of others."""

from __future__ import annotations

import streamlit as st

from fmviz.app import bound, state
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.app.order import picture_first
from fmviz.lessons.guidance.compute import results
from fmviz.lessons.guidance.settings import GROUNDS, KINDS, MAX_SCALE, MIN_SCALE, WEIGHTS
from fmviz.scene import scenes

__all__ = ["controls"]

LABEL, INTERVAL = "guidance.label", "guidance.interval"
MARKS = "●◆○✕"
"""The marks of the labels on the stage, in turn."""
SCALE_STEP, TIME_STEP = 0.05, 0.05
MOST_BUTTONS = 8


def controls(current: State) -> None:
    """What the stage shows, in the sidebar."""
    _label(current)
    bound.slide("guidance", "scale", tr("guidance.scale"), MIN_SCALE, MAX_SCALE, SCALE_STEP)
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="guidance_marks"):
        for value, name in ((0.0, "unguided"), (1.0, "plain")):
            st.button(
                f"w = {value:g}",
                key=f"guidance_{name}",
                type="tertiary",
                help=tr(f"guidance.{name}"),
                on_click=picture_first(_take_scale, value),
            )
        _conventions(current.guidance.scale)
    bound.segmented("guidance", "kind", tr("guidance.kind"), {name: tr(f"guidance.kind_{name}") for name in KINDS})
    bound.segmented(
        "guidance", "weights", tr("guidance.weights"), {name: tr(f"guidance.weights_{name}") for name in WEIGHTS}
    )
    _interval(current)
    bound.segmented(
        "guidance", "ground", tr("guidance.ground"), {name: tr(f"guidance.ground_{name}") for name in GROUNDS}
    )


def _label(current: State) -> None:
    """One of the labels that the components have; says so where a link or an earlier scene names another one."""
    classes = scenes.mixture(current.scene, "data").classes
    shown = results.label_of(current.scene, current.guidance)
    bound.show(LABEL, shown)
    marks = {label: f"{MARKS[place % len(MARKS)]} {label}" for place, label in enumerate(classes)}
    take = bound.user_change(LABEL, picture_first(_take_label))

    def text(label: int) -> str:
        return marks.get(label, str(label))

    if len(classes) <= MOST_BUTTONS:
        st.segmented_control(
            tr("guidance.label"), list(classes), format_func=text, key=LABEL, on_change=take, required=True
        )
    else:
        st.selectbox(tr("guidance.label"), list(classes), format_func=text, key=LABEL, on_change=take)
    wanted = current.guidance.label
    if wanted is not None and wanted not in classes:
        st.warning(tr("guidance.no_such_label", wanted=wanted, shown=shown), icon=":material/label_off:")
    elif len(classes) == 1:
        st.warning(tr("guidance.one_label"), icon=":material/label_off:")


def _take_scale(value: float) -> None:
    state.change("guidance", scale=value)


def _take_label() -> None:
    state.change("guidance", label=st.session_state[LABEL])


def _interval(current: State) -> None:
    bound.show(INTERVAL, current.guidance.interval)
    st.slider(
        tr("guidance.interval"),
        0.0,
        1.0,
        step=TIME_STEP,
        key=INTERVAL,
        on_change=bound.user_change(INTERVAL, picture_first(_take_interval)),
        help=tr("guidance.interval_help"),
    )


def _take_interval() -> None:
    """Two handles at one place leave no time for guidance: the nearest interval that has some is taken."""
    low, high = st.session_state[INTERVAL]
    if low >= high:
        low, high = (low - TIME_STEP, high) if high >= 1.0 else (low, high + TIME_STEP)
    state.change("guidance", interval=(low, high))


def _conventions(scale: float) -> None:
    """The same scale as other texts and libraries count it."""
    rows = (("course", scale), ("paper", scale - 1.0), ("classifier", scale))
    with st.popover(tr("guidance.which.title"), icon=":material/help:", key="guidance_which"):
        st.table(
            {
                tr("guidance.which.form"): [tr(f"guidance.which.{name}") for name, _ in rows],
                "w": [f"{value:.2f}" for _, value in rows],
            },
            border="horizontal",
            hide_index=True,
        )
        st.caption(tr("guidance.which.help"))
