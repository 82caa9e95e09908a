"""How many people one server takes at once: FMVIZ_MAX_SESSIONS. Who was let in stays, also over a lost connection."""

from __future__ import annotations

import threading
from functools import lru_cache
from weakref import WeakSet

from fmviz.app import tabs
from fmviz.settings import most_sessions

__all__ = ["admitted"]


class _House:
    """The tabs that have been let in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside: WeakSet[tabs.Tab] = WeakSet()

    def admit(self, tab: tabs.Tab) -> bool:
        """Whether `tab` is inside, after it was let in if there was room."""
        with self._lock:
            if tab in self._inside:
                return True
            if sum(other.connected for other in self._inside) >= most_sessions():
                return False
            self._inside.add(tab)
            return True


@lru_cache(maxsize=1)
def _house() -> _House:
    return _House()


def admitted() -> bool:
    """Whether this session may use the app."""
    return _house().admit(tabs.current())
