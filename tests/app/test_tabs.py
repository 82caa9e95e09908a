"""Who is waited for, who is let in, and that a farewell is heard."""

import asyncio

import pytest
from starlette.requests import Request
from starlette.routing import Match

from fmviz.app import seats, tabs
from fmviz.app.tabs import PATIENCE, TAB_ROUTES, Tab
from fmviz.errors import ParameterError
from fmviz.settings import most_sessions


def say_farewell(path: str) -> int:
    """The status of the server's answer."""
    scope = {"type": "http", "method": "POST", "path": path, "headers": [], "query_string": b""}
    route = next(route for route in TAB_ROUTES if route.matches(scope)[0] == Match.FULL)
    return asyncio.run(route.endpoint(Request(scope | route.matches(scope)[1]))).status_code


class Line:
    """A connection that can be cut, and a clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.up, self.now = True, 1000.0
        monkeypatch.setattr(tabs.time, "monotonic", lambda: self.now)


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    return Line(monkeypatch)


@pytest.fixture
def tab(line: Line) -> Tab:
    made = Tab()
    made.attach(lambda: line.up)
    return made


def test_somebody_who_was_cut_off_is_waited_for_and_no_longer(line, tab):
    assert tab.present()
    line.up = False
    line.now += PATIENCE - 1.0
    assert tab.present()
    line.now += 2.0
    assert not tab.present()
    line.up = True
    assert tab.present()


def test_somebody_who_left_is_not_waited_for_until_they_are_back(line, tab):
    line.up = False
    assert say_farewell("/tab/unknown") == 204
    assert tab.present()
    assert say_farewell(f"/tab/{tab.token}") == 204
    assert not tab.present()
    line.up = True
    assert tab.present()
    line.up = False
    assert tab.present()


def test_a_farewell_is_heard_below_a_base_path(line, tab):
    line.up = False
    say_farewell(f"/course/fmviz/tab/{tab.token}")
    assert not tab.present()


def test_where_nobody_was_ever_connected_nobody_is_waited_for():
    tab = Tab()
    tab.attach(lambda: False)
    assert not tab.present()


def test_who_was_let_in_stays_and_a_free_place_is_given_away(monkeypatch, line):
    monkeypatch.setenv("FMVIZ_MAX_SESSIONS", "2")
    connected = dict.fromkeys("abc", True)
    house, people = seats._House(), {}
    for name in "abc":
        people[name] = Tab()
        people[name].attach(lambda name=name: connected[name])
    assert [house.admit(people[name]) for name in "abc"] == [True, True, False]
    connected["a"] = False
    assert house.admit(people["c"])
    connected["a"] = True
    assert house.admit(people["a"])


@pytest.mark.parametrize("text", ["0", "-1", "many", "1e3", "100001"])
def test_a_bound_that_is_none_is_refused(monkeypatch, text):
    monkeypatch.setenv("FMVIZ_MAX_SESSIONS", text)
    with pytest.raises(ParameterError, match="FMVIZ_MAX_SESSIONS"):
        most_sessions()
