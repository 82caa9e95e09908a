"""The story of a lesson on its page: its beats one after the other, by buttons, by keys or by a clicker.

Whoever touches a control leaves the story, and "Back to the story" returns to the beat that was left.
"""

from __future__ import annotations

import streamlit as st

from fmviz.app import state
from fmviz.app.beats import Beat, beats, same_moment
from fmviz.app.catalogue import catalogue
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.app.press import ignore_duplicate_press

__all__ = ["begin", "sentence", "steps"]


def begin(page: str) -> None:
    """When a link to `page` has been opened: one that names nothing but a beat opens that."""
    number = _number(page)
    if number and same_moment(state.current(), State()):
        _open(page, number)


def sentence(page: str) -> None:
    """What the present beat says, its question's answer folded. Before the first beat the claim of the page, not presented."""
    beat = _current(page)
    if beat is None and state.current().shell.present:
        st.space("stretch")
        return
    key = f"{page}.claim" if beat is None else f"{page}.beats.{beat.name}"
    asks = beat is not None and f"{key}_question" in catalogue("en")
    st.markdown(tr(key) + (f" **{tr(f'{key}_question')}**" if asks else ""), width="stretch")
    if asks:
        answer = st.popover(
            tr("lesson.answer_short"), icon=":material/lightbulb:", on_change="rerun", key="beat_answer"
        )
        if answer.open:
            with answer:
                st.markdown(tr(f"{key}_answer"))


def steps(page: str) -> None:
    """Back, where one is, and on; and back to the story for whoever has left it."""
    count = len(beats(page))
    if not count:
        return
    number, beat = _number(page), _current(page)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="content", key="beats"):
        _button("previous", page, number - 1, ":material/chevron_left:", "PageUp", disabled=number <= 1)
        st.caption(f"{number or '–'} / {count}", width="content")
        _button("next", page, number + 1, ":material/chevron_right:", "PageDown", disabled=number >= count)
        if beat is not None and not same_moment(state.current(), beat.state):
            _button("return", page, number, ":material/u_turn_left:")
        # A button has one key, so that the other two keys need buttons as well; these are not shown.
        _button("left", page, number - 1, None, "Shift+Left", disabled=number <= 1)
        _button("right", page, number + 1, None, "Shift+Right", disabled=number >= count)


def _button(name: str, page: str, to: int, icon: str | None, key: str | None = None, *, disabled: bool = False) -> None:
    """A button that opens beat `to`; those with a key show their icon alone (`fmviz.app.shell.STYLE`)."""
    st.button(
        tr(f"app.beat_{name}"),
        icon=icon,
        type="tertiary",
        shortcut=key,
        disabled=disabled,
        on_click=ignore_duplicate_press(_open, page, to),
        key=f"beat_{name}",
    )


def _number(page: str) -> int:
    """The number of the beat of `page` that was shown last; 0 before the first."""
    lesson, _, number = (state.current().shell.beat or "").partition(".")
    return int(number) if lesson == page and int(number) <= len(beats(page)) else 0


def _current(page: str) -> Beat | None:
    number = _number(page)
    return beats(page)[number - 1] if number else None


def _open(page: str, number: int) -> None:
    state.open_link(beats(page)[number - 1].parameters, beat=f"{page}.{number}")
