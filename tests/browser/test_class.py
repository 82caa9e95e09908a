"""What a class does to a page: reload it, go back, open it twice, pass its link on, lose the network; and a server that ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from fmviz.learning.pool import OWNER_TIMEOUT
from tests.browser import helpers
from tests.browser.helpers import Stage, choose, english, query, settle, wait_for_query, widget
from tests.browser.test_train import LONG, SLOW_MACHINE, press, progress, state, step, wait_for, wait_past
from tools.serve import free_port, start, stop

LOST = english("train.lost")


def training(page: Page) -> int:
    """Starts a run, and returns a step that it has done."""
    press(page, "go")
    return step(wait_for(page, r"step [1-9]"))


def end(*pages: Page) -> None:
    for page in pages:
        press(page, "reset")
        wait_for(page, "Untrained")


def test_a_reload_keeps_the_run_and_its_curve(open_page):
    page = open_page(f"{LONG}&t=0.5")
    before = training(page)
    page.reload()
    settle(page)
    wait_past(page, before)
    expect(page.get_by_test_id("fmviz-progress")).to_contain_text(state("running"))
    assert Stage(page).t == pytest.approx(0.5)
    expect(page.get_by_text(LOST)).to_have_count(0)
    end(page)


def test_a_page_that_is_reloaded_twice_at_once_keeps_the_run(open_page):
    page = open_page(LONG)
    before = training(page)
    page.reload(wait_until="commit")
    with page.expect_navigation():  # Playwright's own reload refuses while a page is being replaced
        page.evaluate("location.reload()")
    settle(page)
    wait_past(page, before)
    end(page)


def test_a_reload_keeps_what_can_be_undone(open_page):
    page = open_page("/probability-paths")
    before = query(page)
    choose(page, "scene-scheduler", english("scheduler.trig"))
    wait_for_query(page, "sched", "trig")
    page.reload()
    settle(page)
    widget(page, "undo").get_by_role("button").click()
    page.wait_for_function("!location.search.includes('sched=')")
    assert query(page) == before


def test_a_copied_link_and_a_second_tab_start_fresh(open_page):
    first = open_page(LONG)
    training(first)
    second = open_page(first.url)
    expect(second.get_by_test_id("fmviz-progress")).to_contain_text("Untrained")
    steps = training(second)
    press(first, "go")
    wait_for(first, state("paused"))
    wait_past(second, steps)
    end(first, second)


def test_a_duplicated_tab_leaves_the_run_to_the_first(open_page):
    first = open_page(LONG)
    training(first)
    stored = first.evaluate("sessionStorage.getItem('fmviz-tab')")
    assert stored
    second = open_page("/theory")
    second.wait_for_function("sessionStorage.getItem('fmviz-tab')")  # what marks it when the page is left listens
    # As the browser copies it: not marked by the page that is left here.
    second.evaluate("value => addEventListener('pagehide', () => sessionStorage.setItem('fmviz-tab', value))", stored)
    second.goto(first.url)
    settle(second)
    expect(second.get_by_test_id("fmviz-progress")).to_contain_text("Untrained")
    expect(first.get_by_test_id("fmviz-progress")).to_contain_text(state("running"))
    second.wait_for_function("stored => sessionStorage.getItem('fmviz-tab') !== stored", arg=stored)
    end(first)


def test_the_history_has_one_entry_for_each_page_visited(open_page):
    page = open_page("/probability-paths")
    length = page.evaluate("history.length")
    for scheduler in ("trig", "sqrt"):
        choose(page, "scene-scheduler", english(f"scheduler.{scheduler}"))
        wait_for_query(page, "sched", scheduler)
    assert page.evaluate("history.length") == length
    page.get_by_role("link", name=english("flows.nav"), exact=True).first.click()
    page.wait_for_url(re.compile("/flows"))
    settle(page)
    choose(page, "scene-scheduler", english("scheduler.vp"))
    wait_for_query(page, "sched", "vp")
    assert page.evaluate("history.length") == length + 1
    page.go_back()
    page.wait_for_url(re.compile("/probability-paths"))
    settle(page)
    assert query(page)["sched"] == "sqrt"
    Stage(page).wait("Number(s.frames) > 0")
    page.go_forward()
    page.wait_for_url(re.compile("/flows"))
    settle(page)
    assert query(page)["sched"] == "vp"
    Stage(page).wait("Number(s.frames) > 0")


@pytest.fixture
def lonely(browser: Browser) -> Iterator[Callable[[str], Page]]:
    """A page whose complaints about a server that cannot be reached are no fault."""
    opened: list[BrowserContext] = []

    def open_(url: str) -> Page:
        context = browser.new_context(viewport={"width": 1366, "height": 768})
        context.add_init_script(helpers.LISTEN)
        opened.append(context)
        page = context.new_page()
        page.goto(url)
        settle(page)
        return page

    yield open_
    for context in opened:
        context.close()


def test_a_connection_lost_and_found_finds_the_run_going_on(lonely, app_url):
    page = lonely(app_url + LONG)
    training(page)
    page.evaluate("window.testSocket.cut()")
    page.context.set_offline(True)
    # Longer than a run goes on whose page was closed.
    page.wait_for_function(
        f"began => performance.now() - began > {1e3 * OWNER_TIMEOUT + 4e3}", arg=page.evaluate("performance.now()")
    )
    at = step(progress(page))
    page.context.set_offline(False)
    page.evaluate("window.testSocket.offline = false")
    wait_past(page, at + 1000)
    expect(page.get_by_test_id("fmviz-progress")).to_contain_text(state("running"))
    end(page)


@pytest.fixture(scope="module")
def small_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server of its own that takes two people at once."""
    house = House(tmp_path_factory.mktemp("house") / "server.log")
    yield house
    house.close()


class House:
    """A server that can be killed and started again at its old address."""

    def __init__(self, log: Path) -> None:
        self.log, self.port = log, free_port()
        self.open()

    def open(self) -> None:
        self.server, self.url = start("app.py", self.log, port=self.port, FMVIZ_MAX_SESSIONS="2")

    def kill(self) -> None:
        self.server.kill()
        self.server.wait()

    def close(self) -> None:
        stop(self.server)


def test_a_full_house_says_so_and_opens_when_somebody_leaves(lonely, small_house):
    first, second = lonely(small_house.url), lonely(f"{small_house.url}/train")
    third = lonely(f"{small_house.url}/probability-paths?sched=trig")
    expect(third.get_by_role("heading", name=english("app.full_title"))).to_be_visible()
    expect(third.get_by_test_id("fmviz-stage")).to_have_count(0)
    second.close()
    Stage(third).wait("Number(s.frames) > 0")
    assert query(third)["sched"] == "trig"
    assert "/probability-paths" in third.url
    first.reload()
    settle(first)
    Stage(first).wait("Number(s.frames) > 0")
    expect(first.get_by_role("heading", name=english("app.full_title"))).to_have_count(0)


def test_a_killed_server_finds_its_page_as_it_was(lonely, small_house):
    page = lonely(f"{small_house.url}{LONG}&sched=trig&t=0.5")
    training(page)
    link = query(page)
    small_house.kill()
    small_house.open()
    expect(page.get_by_text(LOST)).to_be_visible(timeout=SLOW_MACHINE)
    settle(page)
    assert query(page) == link
    page.get_by_role("button", name=english("train.lost_start")).click()
    wait_for(page, r"step [1-9]")
    expect(page.get_by_text(LOST)).to_have_count(0)
