"""The lecturer's own story on the page: collecting moments, putting them in order, saving, opening and passing it on."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import streamlit as st

from fmviz.app import bound, state, story
from fmviz.app.choices import READER, encode
from fmviz.app.explain import explain
from fmviz.app.i18n import tr
from fmviz.app.own_story import MAX_MOMENTS, Moment, OwnStory, StoryError, packed, read, written
from fmviz.errors import FmvizError

__all__ = ["story_editor"]

ERROR, UPLOAD, TURN = "fmviz_story_error", "story_file", "fmviz_story_turn"


def story_editor(page: str) -> None:
    """A popover; what is in it is drawn while it is open. `page` is the lesson on screen."""
    popover = st.popover(tr("story.title"), icon=":material/playlist_add:", on_change="rerun", key="story")
    if popover.open:
        with popover:
            _editor(page)


def _editor(page: str) -> None:
    own = story.own()
    st.caption(tr("story.help"))
    error: FmvizError | None = st.session_state.pop(ERROR, None)
    if error is not None:
        st.error(explain(error), icon=":material/error:")
    with st.container(horizontal=True):
        st.button(
            tr("story.add"),
            icon=":material/add:",
            disabled=len(own.moments) >= MAX_MOMENTS,
            on_click=lambda: story.keep(own.with_moment(_here(page))),
            key="story_add",
        )
        if own.moments:
            st.button(
                tr("story.tell"),
                icon=":material/slideshow:",
                on_click=story.tell,
                args=(page,),
                key="story_tell",
            )
    for index, moment in enumerate(own.moments):
        _row(own, index, moment)
    if own.moments:
        st.download_button(
            tr("story.save"),
            written(own),
            "fmviz-story.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
            key="story_save",
        )
        text = packed(own)
        st.caption(tr("story.link") if text else tr("story.no_link"))
        if text:
            st.code(f"{st.context.url}?{urlencode({story.LINK: text})}", language=None, wrap_lines=True)
    turn = st.session_state.get(TURN, 0)
    st.file_uploader(tr("story.open"), type="json", key=f"{UPLOAD}_{turn}", on_change=_uploaded)


def _row(own: OwnStory, index: int, moment: Moment) -> None:
    name = tr(f"{moment.page}.nav")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xxsmall", key=f"story_row_{index}"):
        key = f"story_sentence_{index}"
        bound.show(key, moment.sentence)
        st.text_input(
            f"{index + 1} · {name}",
            max_chars=300,
            placeholder=tr("story.sentence"),
            key=key,
            on_change=lambda: story.keep(own.saying(index, str(st.session_state[key]))),
        )
        _act("up", "arrow_upward", index, lambda: own.moved(index, -1), disabled=index == 0)
        _act("down", "arrow_downward", index, lambda: own.moved(index, 1), disabled=index == len(own.moments) - 1)
        _act("out", "delete", index, lambda: own.without(index))


def _act(name: str, icon: str, index: int, change: Callable[[], OwnStory], *, disabled: bool = False) -> None:
    """A button that shows its icon alone (`css/shell.css`)."""
    st.button(
        tr(f"story.{name}"),
        icon=f":material/{icon}:",
        type="tertiary",
        disabled=disabled,
        on_click=lambda: story.keep(change()),
        key=f"story_{name}_{index}",
    )


def _here(page: str) -> Moment:
    """What is on screen."""
    now = state.current()
    shared = {name: value for name, value in encode(now).items() if name not in READER}
    return Moment(page=page, link=urlencode(shared))


def _uploaded() -> None:
    turn = st.session_state.get(TURN, 0)
    file = st.session_state.get(f"{UPLOAD}_{turn}")
    if file is None:
        return
    try:
        story.keep(read(file.getvalue()))
    except StoryError as error:
        st.session_state[ERROR] = error
    st.session_state[TURN] = turn + 1  # another widget, so that the same file can be opened again
