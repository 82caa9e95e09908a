"""Buttons outside all fragments, pressed at the very moment at which a fragment runs.

Streamlit sends a press in a task of its own, a moment after the click, and two things may come between. The clock of a fragment
(`run_every`) that ticks in that moment sends the press as well: it comes twice, and a pause would be resumed at once. And what
the stage tells in that moment goes out with the press in one message, which asks for the fragment of the stage alone: the press
comes with it, and not again.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

__all__ = ["at_once", "ignore_duplicate_press", "whole_page_wanted"]

WHOLE_PAGE = "fmviz_whole_page"


def ignore_duplicate_press(act: Callable[..., object], *args: object) -> Callable[[], None]:
    """The callback of a button whose action must not run twice: `act` of `args`, unless a fragment alone is run."""

    def callback() -> None:
        if not _in_a_fragment():
            act(*args)

    return callback


def at_once(act: Callable[..., object], *args: object) -> Callable[[], None]:
    """The callback of a button whose action may run twice and must not be lost: `act` of `args`, whatever is run.

    If a fragment alone is run, that of the stage has the whole page follow (`whole_page_wanted`).
    """

    def callback() -> None:
        act(*args)
        if _in_a_fragment():
            st.session_state[WHOLE_PAGE] = True

    return callback


def whole_page_wanted() -> bool:
    """Whether a press came while only the present fragment is run; True once for each."""
    return bool(st.session_state.pop(WHOLE_PAGE, False)) and _in_a_fragment()


def _in_a_fragment() -> bool:
    context = get_script_run_ctx()
    return context is not None and bool(context.fragment_ids_this_run)
