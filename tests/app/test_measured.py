"""A page that waits for a helper process: a place that says so, then the result, or why there is none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fmviz.app import measured
from fmviz.app.catalogue import translate
from fmviz.cache import Cache
from fmviz.tasks.runner import Runner
from tests.tasks import calls

PATIENCE = 40.0


def page(function: object, arguments: tuple[object, ...], quiet: bool) -> None:
    import streamlit as st

    from fmviz.app import measured

    def draw(found: object) -> None:
        st.markdown(f"found {found}")

    measured.show("place", function, *arguments, draw=draw, height=200, quiet=quiet)  # type: ignore[arg-type]
    st.markdown("the rest of the page")


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    made = Runner(1, patience=60.0)
    made.ask("test", calls.doubled, 0.0).ended.wait(PATIENCE)
    yield made
    made.close()


@pytest.fixture
def open_page(runner: Runner, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(measured, "runner", lambda: runner)

    def opened(function: object, *arguments: object, quiet: bool = False) -> AppTest:
        return AppTest.from_function(page, args=(function, arguments, quiet), default_timeout=PATIENCE).run()

    return opened


def run_until(app: AppTest, condition) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        app.run()
    assert not app.exception


def texts(app: AppTest) -> list[str]:
    return [element.value for element in app.markdown]


def kept(function, monkeypatch: pytest.MonkeyPatch, **options: int):
    """A function of `calls` whose results are kept, as the helper process finds it by its name."""
    made = Cache(options.get("budget", 1 << 20)).shared(function)
    monkeypatch.setattr(calls, function.__name__, made)
    return made


def test_the_page_is_whole_while_it_waits_and_then_shows_what_was_found(open_page, monkeypatch, tmp_path: Path):
    app = open_page(kept(calls.noted, monkeypatch), str(tmp_path), "slow", 1.0)
    assert texts(app) == ["the rest of the page"]
    assert translate("en", "app.measuring") in app.caption[0].value
    run_until(app, lambda: "found slow" in texts(app))
    assert not app.caption
    assert len((tmp_path / "slow").read_text().split()) == 1


def test_what_comes_at_once_is_drawn_at_once(open_page, monkeypatch):
    app = open_page(kept(calls.doubled, monkeypatch), 21.0)
    assert texts(app) == ["found 42.0", "the rest of the page"]


def test_another_session_finds_what_one_has_found(open_page, monkeypatch, tmp_path: Path, runner: Runner):
    function = kept(calls.noted, monkeypatch)
    first = open_page(function, str(tmp_path), "once", 0.5)
    run_until(first, lambda: "found once" in texts(first))
    monkeypatch.setattr(measured, "runner", lambda: pytest.fail("it is kept"))
    assert texts(open_page(function, str(tmp_path), "once", 0.5))[0] == "found once"


def test_a_result_that_is_too_large_to_be_kept_is_shown(open_page, monkeypatch):
    app = open_page(kept(calls.doubled, monkeypatch, budget=1), 4.0)
    run_until(app, lambda: "found 8.0" in texts(app))


@pytest.mark.parametrize(("quiet", "told"), [(False, 1), (True, 0)])
def test_a_scene_that_cannot_be_measured_says_why_unless_that_is_told_elsewhere(open_page, monkeypatch, quiet, told):
    app = open_page(kept(calls.refused, monkeypatch), -1, quiet=quiet)
    run_until(app, lambda: not app.caption)
    assert [e.value for e in app.error] == told * [translate("en", "error.parameter", name="`n`")]
    assert not app.button


def test_after_a_bug_one_may_try_again(open_page, monkeypatch, tmp_path: Path):
    app = open_page(kept(calls.dying, monkeypatch), str(tmp_path), 2, quiet=True)
    run_until(app, lambda: app.error)
    assert app.error[0].value == translate("en", "error.process_died")
    app.button(key="place_again").click().run()
    run_until(app, lambda: "found 2" in texts(app))
    assert not app.error
