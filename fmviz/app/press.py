"""Controls outside all fragments, used at the very moment at which a fragment runs.

Streamlit sends a press in a task of its own, a moment after the click, and two things may come between. The clock of a fragment
(`run_every`) that ticks in that moment sends the press as well: it comes twice, and a pause would be resumed at once. And what
the stage tells in that moment goes out with the press, or with the new value of any control, in one message, which asks for the
fragment of the stage alone: what the user did comes with it, and not again.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

__all__ = ["at_once", "ignore_duplicate_press", "in_a_fragment", "whole_page_follows", "whole_page_wanted"]

WHOLE_PAGE = "fmviz_whole_page"


def ignore_duplicate_press(act: Callable[..., object], *args: object) -> Callable[[], None]:
    """The callback of a button whose action must not run twice: `act` of `args`, unless a fragment alone is run."""

    def callback() -> None:
        if not in_a_fragment():
            act(*args)

    return callback


def at_once(act: Callable[..., object], *args: object) -> Callable[[], None]:
    """The callback of a button whose action may run twice and must not be lost: `act` of `args`, whatever is run.

    If the fragment of the stage alone is run, the whole page follows.
    """

    def callback() -> None:
        act(*args)
        whole_page_follows()

    return callback


def whole_page_follows() -> None:
    """If a fragment alone is run, and it is that of the stage, the whole page is run after it."""
    if in_a_fragment():
        st.session_state[WHOLE_PAGE] = True


def whole_page_wanted() -> bool:
    """Whether `whole_page_follows` was called for the present run of a fragment; True once for each."""
    return bool(st.session_state.pop(WHOLE_PAGE, False)) and in_a_fragment()


def in_a_fragment() -> bool:
    """Whether a fragment alone is run."""
    context = get_script_run_ctx()
    return context is not None and bool(context.fragment_ids_this_run)
