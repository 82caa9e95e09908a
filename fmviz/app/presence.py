"""Whether the user is still there: work on a server goes on while its owner's browser is connected, whatever page it shows.

Signs of life from the page itself are not enough: a browser lets the clock of a hidden tab tick once a minute.
"""

from __future__ import annotations

from collections.abc import Callable

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

__all__ = ["connection_check"]


def connection_check() -> Callable[[], bool]:
    """A function that any thread may call: whether the browser of this session is connected. Always False without a server."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None or not runtime.exists():
        return lambda: False
    server, session = runtime.get_instance(), context.session_id
    # `is True`: what stands for a server in `AppTest` returns other objects
    return lambda: server.is_active_session(session) is True
