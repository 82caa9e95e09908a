"""The order of the first run of a session: the stage, and all of the page once it has been drawn, or else in the next run."""

from types import SimpleNamespace

import pytest

from fmviz.app import order


class StoppedError(Exception):
    """The run has ended."""


@pytest.fixture
def session(monkeypatch):
    """A session with a browser; its state."""

    def stop():
        raise StoppedError

    context = SimpleNamespace(headers={"Upgrade": "websocket"})
    state: dict[str, object] = {}
    monkeypatch.setattr(order, "st", SimpleNamespace(session_state=state, context=context, stop=stop))
    return state


def run() -> bool:
    """A run of the whole page; whether it ended with the stage."""
    order.whole_page()
    order.expect_stage()
    try:
        order.wait_for_first_drawing()
    except StoppedError:
        return True
    return False


def test_the_first_run_ends_with_the_stage_and_the_next_is_whole_though_no_drawing_was_told(session):
    assert run()
    assert order.page_run_pending()
    assert not run()
    assert not order.nothing_drawn_yet()
    assert not run()


def test_without_a_browser_every_run_is_whole(session, monkeypatch):
    monkeypatch.setattr(order.st.context, "headers", {})
    assert not run()
