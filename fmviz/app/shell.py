"""The frame around every page: configuration, language, navigation, the Scene, the address."""

from __future__ import annotations

from contextlib import suppress
from contextvars import ContextVar

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from fmviz.app import bound, compare, order, seats, state, story, tabs
from fmviz.app.catalogue import ASSETS
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.app.own_story import StoryError, read
from fmviz.app.player import first_view, standalone
from fmviz.app.runs import runs
from fmviz.app.scene_bar import scene_bar
from fmviz.app.story_editor import story_editor
from fmviz.lessons import LESSONS
from fmviz.runtime import prepare_process
from fmviz.settings import most_sessions

__all__ = ["framed", "run", "warm_up"]

# Until `st.navigation` has run once, Streamlit takes the folder pages/ for its own kind of pages, and tells the first
# visitor who opens a page by its address that there is no such page.
PagesManager.uses_pages_directory = False

_framed: ContextVar[bool] = ContextVar("framed", default=False)
STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding-inline: clamp(1rem, 2.5vw, 2.5rem); }
[class*="st-key-formulas_"] { min-height: 2.75rem; }
[class*="st-key-formulas_"] .katex { font-size: clamp(0.88em, 0.05em + 0.98vw, 1.2em); }
.st-key-tab, .st-key-beat_left, .st-key-beat_right, .st-key-beats kbd { display: none; }
:is(.st-key-beat_previous, .st-key-beat_next, [class*="st-key-story_row_"] .stButton) [data-testid="stMarkdownContainer"] {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
}
[class*="st-key-heading_"] > :has(> [data-testid="stMarkdown"]) { flex: 1 1 16rem; min-width: 0; }
button:is([data-variant="segmented_control"], [data-variant="pills"])[data-selected="true"]:not([data-disabled]) {
  color: inherit; font-weight: 600;
}
</style>"""
TRY_AGAIN = 5.0
"""Seconds after which somebody who waits for a place asks again."""
PRESENT_STYLE = """<style>
html { font-size: 20px; }
[data-testid="stMainBlockContainer"] { padding-top: 4.25rem; }
</style>"""


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


def framed() -> bool:
    """Whether the frame is around the page that is being drawn."""
    return _framed.get()


def run() -> None:
    """Runs the app once, as Streamlit does for every interaction."""
    token = _framed.set(True)
    try:
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
        initial_sidebar_state="collapsed" if shell.present else "auto",
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
        st.switch_page(next(entry.file for entry in LESSONS if entry.name == wanted))
    st.html(STYLE)
    tabs.mount(bool(runs()), story.own_as_text(), _restore)
    if shell.present:
        st.html(PRESENT_STYLE)
    _link_note()
    if tabs.restarted():
        st.toast(tr("app.restarted"), icon=":material/restart_alt:")
    if not shell.present:
        st.sidebar.caption(tr("app.tagline"))
    page.run()
    if not shell.present:  # after the page: the picture comes first, and is on its way while the sidebar is drawn
        with st.sidebar:
            _controls(lesson)
            scene_bar()
    state.write_address()


def _full_house() -> None:
    """What somebody sees for whom there is no room: why, and that the page tries again by itself. The link stays."""
    st.navigation(_pages(), position="hidden")  # known, so that the address stays
    st.header(tr("app.full_title"), anchor=False)
    st.markdown(tr("app.full", most=most_sessions()))
    st.fragment(_try_again, run_every=TRY_AGAIN)()


def _try_again() -> None:
    if seats.admitted():
        st.rerun()


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
    with st.container(horizontal=True):
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
            st.text(", ".join(names), width="content")
            st.button(tr("app.link_dismiss"), on_click=state.dismiss_problems, key="dismiss")
