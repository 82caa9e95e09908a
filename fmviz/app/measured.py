"""What takes long to measure, computed by a helper process, and shown on the page as soon as it is there.

Until then a place as high as what comes says that it is being computed. What all sessions have found is kept in the one cache
(`fmviz.cache`).
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import TypeVar

import streamlit as st

from fmviz.app import tabs
from fmviz.app.explain import explain
from fmviz.app.i18n import tr
from fmviz.app.turns import let_others
from fmviz.cache import Shared
from fmviz.errors import FmvizError
from fmviz.runtime import cores
from fmviz.settings import helpers
from fmviz.tasks.runner import Runner
from fmviz.tasks.task import Task, TaskDiedError, TasksFullError, TaskTimeoutError, UnforeseenError

__all__ = ["ask", "ask_once", "runner", "show"]

EVERY = 0.4
"""Seconds between two looks of a page that waits."""
FIRST_LOOK = 0.1
"""Seconds that a page waits at once for what is being computed already: most comes within that time."""
MOST_HELPERS = 2
AGAIN = (TaskDiedError, TaskTimeoutError, UnforeseenError)
"""What may go well another time."""

R = TypeVar("R")


@lru_cache(maxsize=1)
def runner() -> Runner:
    """The one runner of this server."""
    made = Runner(helpers(max(1, min(MOST_HELPERS, cores() - 1))))
    atexit.register(made.close)
    return made


def ask(
    function: Shared[..., R], *arguments: Hashable, present: Callable[[], bool] | None = None
) -> R | Task[R] | None:
    """The result where it is known, else the task that finds it, None while too much else is waiting."""
    known = function.kept(*arguments)
    if known is not None:
        return known
    found = ask_once(function, *arguments, present=present)
    if found is not None and not isinstance(found, Task):
        function.keep(found, *arguments)
    return found


def ask_once(
    function: Callable[..., R], *arguments: Hashable, present: Callable[[], bool] | None = None
) -> R | Task[R] | None:
    """The same for a function whose results are of use to nobody else, and are not kept."""
    try:
        task = runner().ask(tabs.current().token, function, *arguments, present=present)
    except TasksFullError:
        return None
    return task if task.state != "done" else task.result


def show(
    key: str,
    function: Shared[..., R],
    *arguments: Hashable,
    draw: Callable[[R], None],
    height: int,
    quiet: bool = False,
    reason: Callable[[FmvizError], str] = explain,
) -> None:
    """Draws what a function finds, now or once it is there.

    Args:
        key: names the place on the page.
        function: a pure function of a module that knows no Streamlit; it returns no None.
        arguments: its arguments, hashable.
        draw: draws the result.
        height: of the place while it is empty, in pixels: about that of the result.
        quiet: whether an error of the library is told elsewhere on the page.
        reason: says an error of the library in the language of the page.
    """

    found = ask(function, *arguments)
    if isinstance(found, Task) and found.state == "running":
        with let_others():
            found.ended.wait(FIRST_LOOK)
        found = ask(function, *arguments)
    if isinstance(found, Task) and found.error is not None:
        _told(key, found, quiet, reason)
    elif found is not None and not isinstance(found, Task):
        draw(found)
    else:

        def wait() -> None:
            now = ask(function, *arguments)
            if now is not None and (not isinstance(now, Task) or now.error is not None):
                st.rerun()
            running = now is not None and now.state == "running"
            with st.container(height=height, border=False, key=f"{key}_place"):
                st.caption(f":material/hourglass_top: {tr('app.measuring' if running else 'app.measuring_queued')}")

        st.fragment(wait, run_every=EVERY)()


def _told(key: str, task: Task[R], quiet: bool, reason: Callable[[FmvizError], str]) -> None:
    """Why there is no result."""
    assert task.error is not None
    if isinstance(task.error, AGAIN):
        st.error(explain(task.error), icon=":material/error:")
        st.button(tr("app.measure_again"), key=f"{key}_again", on_click=runner().forget, args=(task,))
    elif not quiet:
        st.error(reason(task.error))
