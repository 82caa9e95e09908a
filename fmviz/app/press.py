"""Buttons whose action runs once for each press.

Streamlit sends a press in a task of its own, a moment after the click. The clock of a fragment (`run_every`) that ticks in
that moment sends the press as well, and the button's callback would run twice: a pause would be resumed at once.
"""

from __future__ import annotations

from collections.abc import Callable

from streamlit.runtime.scriptrunner import get_script_run_ctx

__all__ = ["ignore_duplicate_press"]


def ignore_duplicate_press(act: Callable[..., object], *args: object) -> Callable[[], None]:
    """The callback of a button that lies outside all fragments: `act` of `args`, unless a fragment alone is run.

    The press comes again with the run of the whole page that it asks for.
    """

    def callback() -> None:
        context = get_script_run_ctx()
        if context is None or not context.fragment_ids_this_run:
            act(*args)

    return callback
