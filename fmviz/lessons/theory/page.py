"""Theory: every law that the app uses, by name, with its formula and its sources."""

from __future__ import annotations

import streamlit as st

from fmviz.app import bound, lesson, state
from fmviz.app.i18n import tr
from fmviz.app.laws import Law, by_name
from fmviz.lessons.theory.compute import found, opened
from fmviz.lessons.theory.settings import Settings

__all__ = ["show"]

SEARCH = "theory.search"


def show() -> None:
    """Draws the page."""
    chosen: Settings = state.current().theory
    lesson.opening("theory")
    bound.show(SEARCH, chosen.search)
    st.text_input(
        tr("theory.search"),
        key=SEARCH,
        on_change=_search,
        max_chars=80,
        icon=":material/search:",
    )
    with st.container(key="theory_laws"):
        _laws(chosen)


def _search() -> None:
    state.change("theory", search=st.session_state[SEARCH] or "", law=None)


def _laws(chosen: Settings) -> None:
    law = opened(chosen.law)
    if law is not None:
        with st.container(border=True, key="theory_opened"):
            _law(law)
    shown = found(chosen.search)
    if not shown:
        st.info(tr("theory.none"))
    for part in shown:
        st.subheader(part.title, anchor=False)
        if part.text:
            st.markdown(by_name(part.text, state.current().shell.language))
        for entry in part.laws:
            if entry is not law:
                _law(entry)


def _law(law: Law) -> None:
    """Its names, and the text without the numbers by which code cites laws."""
    st.markdown(f"#### {law.english} :gray[{law.chinese}]\n\n{by_name(law.text, state.current().shell.language)}")
