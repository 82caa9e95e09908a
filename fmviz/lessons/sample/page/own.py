"""An uploaded network beside the exact field: the file, how it is to be read, and the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import streamlit as st

from fmviz.app import measured, presence
from fmviz.app.catalogue import number
from fmviz.app.choices import State
from fmviz.app.explain import explain
from fmviz.app.i18n import tr
from fmviz.comparison.onnx_network import MAX_BYTES
from fmviz.comparison.sentences import percent
from fmviz.learning.checkpoint import CheckpointError
from fmviz.lessons.sample.compute.own import DIRECTIONS, PREDICTIONS, Held, held, held_checkpoint
from fmviz.scene import scenes
from fmviz.tasks.task import FINAL, Task

__all__ = ["section"]

FOUND = "fmviz_own_network"
CHECKPOINT = "safetensors"
EVERY = 0.4
FACTORS = (1.0, 999.0, 1000.0)
"""What is common: times from 0 to 1, and counted in steps."""
INK = "#7f8896"
"""Of axes and words in the figures, legible on a light and on a dark ground."""
WIDTHS = {"over_time": 560, "over_x": 700, "particles": 340}


@dataclass
class Asked:
    """A question and what has come of it: None while too much else is waiting."""

    question: tuple[object, ...]
    answer: Task[Held] | Held | None = None

    @property
    def waiting(self) -> bool:
        """Whether something is still to come."""
        return self.answer is None or (isinstance(self.answer, Task) and self.answer.state not in FINAL)


def section(current: State) -> None:
    """The upload, in an expander."""
    folded = st.expander(tr("sample.own.title"), icon=":material/upload_file:", on_change="rerun", key="sample_own")
    if not folded.open:
        return
    with folded:
        st.markdown(tr("sample.own.what"))
        file = st.file_uploader(
            tr("sample.own.file"),
            type=["onnx", CHECKPOINT],
            key="sample_own_file",
            max_upload_size=MAX_BYTES >> 20,
        )
        # A checkpoint says by itself what follows.
        told = file is not None and file.name.lower().endswith(CHECKPOINT)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            predicts = st.selectbox(
                tr("sample.own.predicts"),
                PREDICTIONS,
                format_func=lambda name: tr(f"comparison.quantity.{name}"),
                key="sample_own_predicts",
                disabled=told,
            )
            time = st.selectbox(
                tr("sample.own.time"),
                DIRECTIONS,
                format_func=lambda name: tr(f"sample.own.{'forward' if name == DIRECTIONS[0] else 'backward'}"),
                key="sample_own_time",
                disabled=told,
            )
            factor = st.selectbox(
                tr("sample.own.factor"),
                FACTORS,
                format_func=lambda value: f"0 … {value:g}",
                key="sample_own_factor",
                disabled=told,
            )
        if file is None:
            st.session_state.pop(FOUND, None)
            return
        scene = scenes.learned_part(current.scene)
        question = (scene, file.file_id, predicts, time, factor, current.shell.language)
        asked: Asked | None = st.session_state.get(FOUND)
        if asked is None or asked.question != question:
            asked = st.session_state[FOUND] = Asked(question)
        language = current.shell.language
        ask = partial(measured.ask_once, held, scene, file.getvalue(), predicts, time, factor, language)
        if told:
            ask = partial(measured.ask_once, held_checkpoint, scene, file.getvalue(), language)
        _ask(asked, ask)
        st.fragment(_answer, run_every=EVERY if asked.waiting else None)(asked, ask, asked.waiting)


def _ask(asked: Asked, ask: Callable[..., Task[Held] | Held | None]) -> None:
    """Asks, unless that has been done; again after a while where too much else was waiting."""
    if asked.answer is None:
        asked.answer = ask(present=presence.connection_check())


def _answer(asked: Asked, ask: Callable[..., Task[Held] | Held | None], waited: bool) -> None:
    """The report, or why there is none; until then asks and looks again."""
    _ask(asked, ask)
    if asked.waiting:
        st.caption(f":material/hourglass_top: {tr('app.measuring')}")
        return
    if waited:
        st.rerun()  # without a clock that nobody needs any more
    answer = asked.answer
    found = answer.result if isinstance(answer, Task) else answer
    if found is not None:
        _draw(found)
    elif isinstance(answer, Task):
        error = answer.error
        if isinstance(error, CheckpointError):
            said = tr("learned.refused", reason=tr(f"learned.problem.{error.kind}"))
        else:
            said = explain(error)
        st.error(said, icon=":material/error:")


def _draw(found: Held) -> None:
    """The report, as the page shows it."""
    first, *more = found.sentences
    st.markdown(f"**{first}**")
    for sentence in more:
        st.warning(sentence, icon=":material/warning:")
    at, worst = found.worst
    error, worst_name = tr("comparison.error"), tr("comparison.worst", t=f"{at:.2f}")
    st.markdown(f"{error}: {percent(found.error)}; {worst_name} ({percent(worst)})")
    for name, picture in found.figures:
        st.image(picture.replace("currentColor", INK), caption=tr(f"comparison.{name}"), width=WIDTHS[name])
    heads = [tr(f"comparison.{key}") for key in ("own", "exact", "floor")]
    columns = zip(*(values for _, values in found.distances), strict=True)
    st.table(
        {
            "": [tr(f"comparison.{name}") for name, _ in found.distances],
            **{head: [number(value) for value in column] for head, column in zip(heads, columns, strict=True)},
        },
        border="horizontal",
        hide_index=True,
        width="content",
    )
    st.markdown(tr("comparison.readings"))
    names = [f"{name} ({tr('comparison.declared')})" if said else name for name, _, said in found.readings]
    st.table(
        {
            tr("comparison.reading_head"): names,
            tr("comparison.error_head"): [percent(error) for _, error, _ in found.readings],
        },
        border="horizontal",
        hide_index=True,
        width="content",
    )
