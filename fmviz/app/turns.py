"""One page is built at a time, and the others wait in line.

Pages share one interpreter. Built at the same time, each takes as long as all of them together, and some take far longer:
a class of a hundred waited up to 30 s for a page, and waits 4 s in line. Fragments, so the picture, do not stand in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Semaphore

__all__ = ["let_others", "one_page"]

_line = Semaphore(1)
_mine: ContextVar[bool] = ContextVar("mine", default=False)


@contextmanager
def one_page() -> Iterator[None]:
    """Waits until no other page is being built, and keeps the others waiting until this one has been."""
    with _line:
        token = _mine.set(True)
        try:
            yield
        finally:
            _mine.reset(token)


@contextmanager
def let_others() -> Iterator[None]:
    """Around a wait for another process: the next page is built meanwhile. Nothing outside a page's turn."""
    if not _mine.get():
        yield
        return
    _line.release()
    try:
        yield
    finally:
        _line.acquire()
