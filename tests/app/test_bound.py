"""Which messages of a browser are changes made by its user."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from fmviz.app import bound, press

KEY, OLD, NEW, OTHER = "values", ["a"], ["a", "b"], ["c"]


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """``browser(value, fragment=...)`` sends a message with another value of the widget; what has been changed so far."""
    session: dict[str, Any] = {}
    changed: list[Any] = []
    context = SimpleNamespace(fragment_ids_this_run=[])
    for module in (bound, press):
        monkeypatch.setattr(module, "st", SimpleNamespace(session_state=session))
    monkeypatch.setattr(press, "get_script_run_ctx", lambda: context)
    bound.show(KEY, OLD)
    callback = bound.user_change(KEY, lambda: changed.append(session[KEY]))

    def send(value: list[str], *, fragment: bool) -> list[Any]:
        session[KEY] = value
        context.fragment_ids_this_run = ["clock"] if fragment else []
        callback()
        return changed

    return send


def test_a_message_for_a_fragment_that_was_overtaken_changes_nothing_and_neither_does_the_next_one(browser):
    bound.show(KEY, NEW)
    assert browser(OLD, fragment=True) == []
    assert browser(NEW, fragment=True) == []  # the browser has heard of it
    assert browser(OLD, fragment=False) == [OLD]


def test_what_the_user_chooses_after_an_overtaken_message_counts(browser):
    bound.show(KEY, NEW)
    browser(OLD, fragment=True)
    assert browser(OTHER, fragment=False) == [OTHER]
    assert browser(NEW, fragment=False) == [OTHER, NEW]


def test_a_message_for_the_whole_page_and_one_long_after_are_the_users(browser, monkeypatch: pytest.MonkeyPatch):
    bound.show(KEY, NEW)
    assert browser(OLD, fragment=False) == [OLD]
    bound.show(KEY, NEW)
    monkeypatch.setattr(bound.time, "monotonic", lambda: 1e9)
    assert browser(OLD, fragment=True) == [OLD, OLD]


def test_the_page_follows_what_came_with_a_message_for_a_fragment(browser):
    browser(NEW, fragment=True)
    assert press.whole_page_wanted()
    assert not press.whole_page_wanted()
    browser(OTHER, fragment=False)
    assert not press.whole_page_wanted()
