"""One page at a time: who waits, and who may go on meanwhile."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fmviz.app.turns import let_others, one_page


def test_pages_are_built_one_at_a_time():
    busy = threading.Lock()

    def page(_: int) -> bool:
        with one_page():
            alone = busy.acquire(blocking=False)
            threading.Event().wait(0.002)
            if alone:
                busy.release()
        return alone

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(page, range(24)))


def test_another_page_is_built_while_one_waits_for_a_process():
    waiting, built = threading.Event(), threading.Event()

    def first() -> bool:
        with one_page(), let_others():
            waiting.set()
            return built.wait(5)

    def second() -> None:
        waiting.wait(5)
        with one_page():
            built.set()

    with ThreadPoolExecutor(2) as pool:
        found, _ = pool.submit(first), pool.submit(second)
        assert found.result()


def _a_page() -> bool:
    with one_page():
        return True


def _page_that_is_interrupted(wait: bool) -> None:
    with one_page():
        if wait:
            with let_others():
                raise KeyError
        raise KeyError


@pytest.mark.parametrize("wait", [False, True])
def test_a_page_that_is_interrupted_gives_up_its_turn(wait):
    with pytest.raises(KeyError):
        _page_that_is_interrupted(wait)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(_a_page).result(5)


def test_outside_a_turn_nobody_is_let_in():
    """A fragment that waits holds no turn, so it must not give one away."""
    inside, entered = threading.Event(), threading.Event()

    def other() -> None:
        with one_page():
            entered.set()

    with ThreadPoolExecutor(1) as pool:
        with one_page():
            found = pool.submit(other)
            inner = threading.Thread(target=lambda: _wait(inside))
            inner.start()
            inner.join()
            assert inside.is_set()
            assert not entered.wait(0.05)
        found.result(5)


def _wait(done: threading.Event) -> None:
    with let_others():
        done.set()
