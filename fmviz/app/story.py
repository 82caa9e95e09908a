"""The story on a page: that of the lesson, or a lecturer's own. One beat after the other, by buttons, by keys or by a clicker.

Whoever touches a control leaves the story, and "Back to the story" returns to the beat that was left.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from fmviz.app import state, tabs
from fmviz.app.beats import beats, same_moment
from fmviz.app.catalogue import catalogue
from fmviz.app.choices import State, decode
from fmviz.app.i18n import tr
from fmviz.app.own_story import OwnStory, StoryError, unpacked, written
from fmviz.app.press import at_once

__all__ = ["LINK", "begin", "keep", "own", "own_as_text", "page_wanted", "restore", "sentence", "steps", "tell"]

LINK = "story"
"""The parameter of a link that holds an own story."""
OWN, OWN_STORY = "own", "own_story"
PAGE_WANTED = "fmviz_page_of_the_moment"


@dataclass(frozen=True)
class _Place:
    """Where one is: in which story (a lesson's name, or `OWN`), at which beat (0 before the first), of how many."""

    story: str
    number: int
    count: int


def _place(page: str) -> _Place:
    name, _, text = (state.current().shell.beat or "").partition(".")
    number = int(text) if text else 0
    moments = len(own().moments)
    if name == OWN and 0 < number <= moments:
        return _Place(OWN, number, moments)
    count = len(beats(page))
    return _Place(page, number if name == page and number <= count else 0, count)


def _shown(place: _Place) -> State | None:
    """What the beat shows; None before the first one."""
    if not place.number:
        return None
    if place.story == OWN:
        return decode(own().moments[place.number - 1].parameters)[0]
    return beats(place.story)[place.number - 1].state


# ------------------------------------------------------------------ what is there


def own() -> OwnStory:
    """The own story of this tab."""
    return tabs.belonging(OWN_STORY, OwnStory)


def keep(story: OwnStory) -> None:
    """Replaces the own story."""
    tabs.current().belongings[OWN_STORY] = story


def own_as_text() -> str | None:
    """The own story for the browser to keep; None where there is none."""
    return written(own()) if own().moments else None


def restore(story: OwnStory) -> None:
    """Takes the own story that the browser has kept, unless there is one already."""
    if not own().moments:
        keep(story)


def begin(page: str, packed: str | None) -> None:
    """When a link to `page` has been opened: one that names nothing but a beat, or an own story, opens that."""
    if packed is not None:
        try:
            keep(unpacked(packed))
        except StoryError:
            state.report(LINK)
        else:
            tell(page)
        return
    place = _place(page)
    if place.number and same_moment(state.current(), State()):
        _open(page, place, place.number)


def tell(page: str) -> None:
    """Begins the own story, on `page` or on another one."""
    if own().moments:
        _open(page, _Place(OWN, 0, len(own().moments)), 1)


def page_wanted() -> str | None:
    """The lesson to which the present moment leads, once, if it is another one than that on screen."""
    wanted: str | None = st.session_state.pop(PAGE_WANTED, None)
    return wanted


# ------------------------------------------------------------------ what is drawn


def sentence(page: str) -> None:
    """What the present beat says, its question's answer folded. Before the first beat the claim of the page, not presented."""
    place = _place(page)
    if not place.number:
        if state.current().shell.present:
            st.space("stretch")
        else:
            st.markdown(tr(f"{page}.claim"), width="stretch")
    elif place.story == OWN:  # from outside: plain text
        st.text(own().moments[place.number - 1].sentence or " ", width="stretch")
    else:
        _beat(f"{page}.beats.{beats(page)[place.number - 1].name}")


def _beat(key: str) -> None:
    asks = f"{key}_question" in catalogue("en")
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
    place = _place(page)
    if not place.count:
        return
    number, shown = place.number, _shown(place)
    first, last = number <= 1, number >= place.count
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="content", key="beats"):
        _button("previous", page, place, number - 1, ":material/chevron_left:", "PageUp", disabled=first)
        st.caption(f"{number or '–'} / {place.count}", width="content")
        _button("next", page, place, number + 1, ":material/chevron_right:", "PageDown", disabled=last)
        if shown is not None and not same_moment(state.current(), shown):
            _button("return", page, place, number, ":material/u_turn_left:")
        if place.story == OWN and not state.current().shell.present:
            st.button(
                tr("story.end"),
                type="tertiary",
                on_click=state.change,
                args=("shell",),
                kwargs={"beat": None},
                key="story_end",
            )
        # A button has one key, so that the other two keys need buttons as well; these are not shown.
        _button("left", page, place, number - 1, None, "Shift+Left", disabled=first)
        _button("right", page, place, number + 1, None, "Shift+Right", disabled=last)


def _button(
    name: str, page: str, place: _Place, to: int, icon: str | None, key: str | None = None, *, disabled: bool = False
) -> None:
    """A button that opens beat `to`; those with a key show their icon alone (`css/shell.css`)."""
    st.button(
        tr(f"app.beat_{name}"),
        icon=icon,
        type="tertiary",
        shortcut=key,
        disabled=disabled,
        on_click=at_once(_open, page, place, to),
        key=f"beat_{name}",
    )


def _open(page: str, place: _Place, number: int) -> None:
    beat = f"{place.story}.{number}"
    if place.story != OWN:
        state.open_link(beats(place.story)[number - 1].parameters, beat=beat)
        return
    moment = own().moments[number - 1]
    state.open_link(moment.parameters, beat=beat)
    if moment.page != page:
        st.session_state[PAGE_WANTED] = moment.page
