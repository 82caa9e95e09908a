"""The skeleton that every page shares: claim, formula strip, stage, what to notice, check it, in code."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import streamlit as st

from fmviz.app import compare, order, state, story
from fmviz.app.catalogue import catalogue
from fmviz.app.choices import encode
from fmviz.app.i18n import tr
from fmviz.app.laws import law
from fmviz.lessons import LESSONS, READING

__all__ = ["check", "code", "controls", "notice", "opening"]

QUESTION = ("predict", "answer")
READ = "read"
"""The parameter of a link that opens the page Theory at a law, by its number."""


@lru_cache(maxsize=1)
def _formulas() -> dict[str, dict[str, Any]]:
    """The formula strips of all lessons: that of a lesson under its name, others under names that begin with it."""
    strips: dict[str, dict[str, Any]] = {}
    for lesson in LESSONS:
        with (lesson.folder / "formulas.toml").open("rb") as file:
            strips.update(tomllib.load(file))
    return strips


def opening(page: str, *, strip: str | None = None, general_source: bool = False) -> None:
    """The title, the story with its sentence (before its first beat the page's claim), what is compared, and the formula strip.

    Args:
        page: whose words.
        strip: whose formulas, if not the page's.
        general_source: p_init is not the standard Gaussian.
    """
    with st.container(horizontal=True, vertical_alignment="center", key=f"heading_{page}"):
        st.header(tr(f"{page}.title"), anchor=False, width="content")
        story.steps(page)
        story.sentence(page)
        if state.current().shell.present:
            st.button(
                tr("app.present_end"),
                icon=":material/close_fullscreen:",
                type="tertiary",
                on_click=state.change,
                args=("shell",),
                kwargs={"present": False},
                key="present_end",
            )
    compare.line(page)
    _formula_strip(strip or page, general_source)


def controls(body: Callable[[], None]) -> None:
    """The lesson's own controls, first in the sidebar; none while presenting."""
    if not state.current().shell.present:
        with st.sidebar, st.container(key="lesson_controls"):
            body()


def _formula_strip(page: str, general_source: bool) -> None:
    """Each symbol in the colour of its layer."""
    table = _formulas()[page]
    strip = list(table["strip"])
    if general_source and "general_source" in table:
        strip[0] = table["general_source"]
    with st.container(horizontal=True, wrap=False, gap="small", key=f"formulas_{page}"):
        if order.nothing_drawn_yet():  # the browser loads what typesets formulas once the picture moves
            st.markdown("&nbsp;", width="content")
            return
        for formula in strip:
            st.markdown(formula, width="content")


def notice(page: str) -> None:
    """What to notice: a question to predict before pressing play, its answer folded, then the points."""
    if state.current().shell.present:
        return
    prefix = f"{page}.notice."
    points = [key for key in catalogue("en") if key.startswith(prefix) and key.removeprefix(prefix) not in QUESTION]
    with st.container(border=True, key=f"notice_{page}"):
        st.subheader(tr("lesson.notice"), anchor=False)
        st.markdown(f":material/psychology: **{tr('lesson.predict')}** — {tr(f'{prefix}predict')}")
        with st.expander(tr("lesson.answer"), icon=":material/lightbulb:", key=f"answer_{page}"):
            st.markdown(tr(f"{prefix}answer"))
        st.markdown("\n".join(f"- {tr(key)}" for key in points))
        _laws(page)


def _laws(page: str) -> None:
    """The laws behind the page, each a link to its place on the page Theory; the link keeps all other choices."""
    now = state.current()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"laws_{page}"):
        st.caption(tr("lesson.laws"), width="content")
        for number in _formulas()[page]["laws"]:
            query = encode(now) | {READ: str(number)}
            st.page_link(READING.file, label=law(number).name(now.shell.language), query_params=query)


def check(page: str, body: Callable[[], None]) -> None:
    """The numbers that prove the picture, computed when opened."""
    _unfolded(f"check_{page}", tr("lesson.check"), ":material/verified:", body)


def code(page: str, script: Callable[[], str], *, intro: str = "lesson.code_intro") -> None:
    """Runnable PyTorch for exactly this scene."""

    def body() -> None:
        st.caption(tr(intro))
        st.code(script(), language="python")

    _unfolded(f"code_{page}", tr("lesson.code"), ":material/code:", body)


def _unfolded(key: str, title: str, icon: str, body: Callable[[], None]) -> None:
    if state.current().shell.present:
        return
    expander = st.expander(title, icon=icon, on_change="rerun", key=key)
    if expander.open:
        with expander:
            body()
