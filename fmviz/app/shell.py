"""The frame around every page: configuration, language, navigation, the Scene, the address."""

from __future__ import annotations

from contextlib import suppress
from contextvars import ContextVar
from functools import cache
from importlib.resources import files

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from fmviz.app import bound, compare, order, seats, state, story, tabs
from fmviz.app.catalogue import ASSETS
from fmviz.app.choices import State
from fmviz.app.explain import explain_parameter
from fmviz.app.i18n import tr
from fmviz.app.own_story import StoryError, read
from fmviz.app.player import first_view, standalone
from fmviz.app.runs import runs
from fmviz.app.scene_bar import scene_bar
from fmviz.app.still import FIGURE_FILE, figure_of_scene
from fmviz.app.story_editor import story_editor
from fmviz.app.turns import one_page
from fmviz.app.unsent import keep_unsent
from fmviz.lessons import LESSONS, named
from fmviz.runtime import prepare_process
from fmviz.scene.scene import SCENE_PARTS
from fmviz.settings import most_sessions

__all__ = ["framed", "run", "warm_up"]

# Until `st.navigation` has run once, Streamlit takes the folder pages/ for its own kind of pages, and tells the first
# visitor who opens a page by its address that there is no such page.
PagesManager.uses_pages_directory = False

_framed: ContextVar[bool] = ContextVar("framed", default=False)
SIDEBAR = 220
"""Width of the sidebar in CSS pixels; on a phone it is closed at first."""
TRY_AGAIN = 5.0
"""Seconds after which somebody who waits for a place asks again."""


def warm_up() -> None:
    """What the first visitor would otherwise wait for: process settings, the default scene's clip, the first optimiser.

    Everything that is imported later is walked through by the garbage collector after every run of a script.
    """
    view = first_view(State())
    for lesson in LESSONS:
        page = lesson.page()
        if hasattr(page, "warm_up"):
            page.warm_up(view)
    prepare_process()
    keep_unsent()


@cache
def _style(name: str) -> str:
    """A style sheet of the shell, as an element of the page."""
    return f"<style>{(files('fmviz.app') / 'css' / f'{name}.css').read_text(encoding='utf-8')}</style>"


def framed() -> bool:
    """Whether the frame is around the page that is being drawn."""
    return _framed.get()


def run() -> None:
    """Runs the app once, as Streamlit does for every interaction."""
    token = _framed.set(True)
    try:
        with one_page():
            _run()
    finally:
        _framed.reset(token)


def _run() -> None:
    order.whole_page()
    packed = st.query_params.get(story.LINK)
    link = state.read_address(story.LINK) or packed is not None
    shell = state.current().shell
    st.set_page_config(
        page_title=tr("app.name"),
        page_icon=str(ASSETS / "logo.svg"),
        layout="wide",
        initial_sidebar_state="collapsed" if shell.present else SIDEBAR,
    )
    prepare_process()
    if not seats.admitted():
        _full_house()
        return
    st.logo(str(ASSETS / "logo.svg"), size="large")
    pages = _pages()
    page = st.navigation(pages, position="top")
    lesson = LESSONS[pages.index(page)].name
    if link:
        story.begin(lesson, packed)
    wanted = story.page_wanted()
    if wanted is not None and wanted != lesson:
        st.switch_page(named(wanted).file)
    tabs.mount(bool(runs()), shell.present, story.own_as_text(), _restore, _present)
    if shell.present:
        st.html(_style("present"))
    _link_note()
    if tabs.restarted():
        st.toast(tr("app.restarted"), icon=":material/restart_alt:")
    with st.sidebar:
        st.space("small")  # so that the sidebar is there from the start, and nothing moves when its controls come
    page.run()
    if not shell.present:  # after the page: the picture comes first, and is on its way while the sidebar is drawn
        with st.sidebar:
            _controls(lesson)
            scene_bar(getattr(getattr(state.current(), lesson, None), "scene_parts", SCENE_PARTS))
    state.write_address()


def _full_house() -> None:
    """What somebody sees for whom there is no room: why, and that the page tries again by itself. The link stays."""
    st.navigation(_pages(), position="hidden")  # known, so that the address stays
    with st.container(key="full_house"):
        st.header(tr("app.full_title"), anchor=False)
        st.markdown(tr("app.full", most=most_sessions()))
    st.fragment(_try_again, run_every=TRY_AGAIN)()


def _try_again() -> None:
    if seats.admitted():
        st.rerun()


def _present(present: bool) -> None:
    state.change("shell", present=present)


def _restore(text: str) -> None:
    """The own story that the browser has kept; what it has kept is looked at like everything from outside."""
    with suppress(StoryError):
        story.restore(read(text))


def _pages() -> list[st.Page]:
    return [
        st.Page(
            lesson.file,
            title=tr(f"{lesson.name}.nav"),
            icon=lesson.icon,
            default=lesson == LESSONS[0],
            url_path=lesson.address,
            help=tr(f"{lesson.name}.nav_help"),
        )
        for lesson in LESSONS
    ]


def _controls(lesson: str) -> None:
    bound.segmented("shell", "language", tr("app.language"), {"en": "English", "zh": "简体中文"}, collapsed=True)
    with st.container(horizontal=True, gap="xxsmall", key="app_controls"):
        st.button(
            tr("app.present"),
            icon=":material/present_to_all:",
            help=tr("app.present_help"),
            on_click=state.change,
            args=("shell",),
            kwargs={"present": True},
            key="present",
        )
        share = st.popover(tr("app.share"), icon=":material/link:", on_change="rerun", key="share")
        if share.open:
            with share:
                st.caption(tr("app.share_help"))
                st.code(_address(), language=None, wrap_lines=True)
                if order.stage_key() is not None:
                    st.download_button(
                        tr("app.standalone"),
                        standalone(tr("app.name")),
                        "fmviz.html",
                        "text/html",
                        icon=":material/slideshow:",
                        help=tr("app.standalone_help"),
                        key="standalone",
                        on_click="ignore",
                    )
                    st.download_button(
                        tr("app.figure"),
                        figure_of_scene(),
                        *FIGURE_FILE,
                        icon=":material/draw:",
                        help=tr("app.figure_help"),
                        key="figure",
                        on_click="ignore",
                    )
        story_editor(lesson)
        if order.page_has_stage() and state.current().shell.pinned is None:
            compare.button()


def _address() -> str:
    query = state.query()
    return f"{st.context.url}?{query}" if query else str(st.context.url)


def _link_note() -> None:
    names = state.problems()
    if names:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.warning(tr("app.link_problems"), icon=":material/link_off:")
            # plain text: names come from outside, and are never read as Markdown
            st.text(", ".join(explain_parameter(name) for name in names), width="content")
            st.button(tr("app.link_dismiss"), on_click=state.dismiss_problems, key="dismiss")
