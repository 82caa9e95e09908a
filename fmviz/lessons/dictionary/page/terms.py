"""The table of terms on the page Dictionary, with its search."""

from __future__ import annotations

import streamlit as st

from fmviz.app import bound, state
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.lessons.dictionary.compute.terms import Term, found

__all__ = ["table"]

SEARCH = "dictionary.search"


def table(current: State) -> None:
    """The terms that were searched for, in both languages."""
    st.subheader(tr("dictionary.terms"), anchor=False)
    bound.show(SEARCH, current.dictionary.search)
    st.text_input(tr("dictionary.search"), key=SEARCH, on_change=_search, max_chars=80, icon=":material/search:")
    shown = found(current.dictionary.search)
    if not shown:
        st.info(tr("dictionary.no_term"))
        return
    heads = [tr(f"dictionary.term_{name}") for name in ("name", "here", "there", "formula")]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads), *(_row(term) for term in shown)]
    st.markdown("\n".join(lines))


def _search() -> None:
    state.change("dictionary", search=st.session_state[SEARCH] or "")


def _row(term: Term) -> str:
    there = " · ".join(f"{text} ${symbol}$" for text, symbol in term.there.items())
    english, chinese = term.names
    return f"| {english} :gray[{chinese}] | ${term.here}$ | {there} | ${term.formula}$ |"
