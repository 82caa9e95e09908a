"""What a class does to a page: reload it, go back, open it twice, pass its link on, lose the network; and a server that ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from fmviz.learning.pool import OWNER_TIMEOUT
from tests.browser.helpers import OpenPage, Stage, choose, english, query, settle, wait_for_query, widget
from tests.browser.tabs import Tabs
from tests.browser.test_train import (
    LONG,
    SLOW_MACHINE,
    press,
    progress,
    reset,
    state,
    step,
    training,
    wait_for,
    wait_past,
)
from tools.serve import free_port, start, stop

LOST = english("train.lost")


@pytest.mark.timeout(240)
def test_a_run_outlives_reloads_and_belongs_to_its_tab(open_page: OpenPage, subtests: pytest.Subtests) -> None:
    first = open_page(f"{LONG}&t=0.5")
    before = training(first)
    with subtests.test("a reload keeps the run and its curve"):
        first.reload()
        settle(first)
        wait_past(first, before)
        expect(first.get_by_test_id("fmviz-progress")).to_contain_text(state("running"))
        assert Stage(first).t == pytest.approx(0.5)
        expect(first.get_by_text(LOST)).to_have_count(0)

    with subtests.test("so do two reloads at once"):
        before = step(progress(first))
        first.reload(wait_until="commit")
        with first.expect_navigation():  # Playwright's own reload refuses while a page is being replaced
            first.evaluate("location.reload()")
        settle(first)
        wait_past(first, before)

    with subtests.test("a copied link and a second tab start fresh, and two train at once"):
        second = open_page(first.url)
        expect(second.get_by_test_id("fmviz-progress")).to_contain_text("Untrained")
        choose(second, "train-objective", english("train.objectives.noise"))
        wait_for_query(second, "obj", "noise")
        steps = training(second)
        press(first, "go")
        wait_for(first, state("paused"))
        expect(second.get_by_test_id("fmviz-progress")).to_contain_text(state("running"))
        wait_past(second, steps + 50)
        reset(second)
    press(first, "go")
    wait_for(first, state("running"))

    with subtests.test("a duplicated tab leaves the run to the first"):
        stored = first.evaluate("sessionStorage.getItem('fmviz-tab')")
        assert stored
        # As the browser copies it: not marked by the page that is left here.
        second.evaluate(
            "value => addEventListener('pagehide', () => sessionStorage.setItem('fmviz-tab', value))", stored
        )
        second.goto(first.url)
        settle(second)
        expect(second.get_by_test_id("fmviz-progress")).to_contain_text("Untrained")
        expect(first.get_by_test_id("fmviz-progress")).to_contain_text(state("running"))
        second.wait_for_function("stored => sessionStorage.getItem('fmviz-tab') !== stored", arg=stored)
    reset(first)


def test_the_history_has_one_entry_for_each_page_visited_and_a_reload_keeps_what_can_be_undone(
    open_page: OpenPage,
) -> None:
    page = open_page("/probability-paths")
    length, before = page.evaluate("history.length"), query(page)
    choose(page, "scene-scheduler", english("scheduler.trig"))
    wait_for_query(page, "sched", "trig")
    page.reload()
    settle(page)
    widget(page, "undo").get_by_role("button").click()
    page.wait_for_function("!location.search.includes('sched=')")
    assert query(page) == before
    choose(page, "scene-scheduler", english("scheduler.sqrt"))
    wait_for_query(page, "sched", "sqrt")
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
def lonely(tabs: Tabs) -> Iterator[Callable[[str], Page]]:
    """A page whose complaints about a server that cannot be reached are no fault."""
    opened: list[Page] = []

    def open_(url: str) -> Page:
        page = tabs.take([])
        opened.append(page)
        page.goto(url)
        settle(page)
        return page

    yield open_
    for page in opened:
        page.context.set_offline(False)
        tabs.give_back(page)


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
    reset(page)


@pytest.fixture
def small_house(tmp_path: Path) -> Iterator[House]:
    """A server of its own that takes two people at once."""
    house = House(tmp_path / "server.log")
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


@pytest.mark.timeout(240)
def test_a_full_house_opens_when_somebody_leaves_and_a_killed_server_finds_its_page_as_it_was(lonely, small_house):
    first, second = lonely(f"{small_house.url}/?t=0.5"), lonely(f"{small_house.url}/train?t=0.5")
    third = lonely(f"{small_house.url}/probability-paths?sched=trig&t=0.5")
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
    third.close()

    first.goto(f"{small_house.url}{LONG}&sched=trig&t=0.5")
    settle(first)
    training(first)
    link = query(first)
    small_house.kill()
    small_house.open()
    expect(first.get_by_text(LOST)).to_be_visible(timeout=SLOW_MACHINE)
    settle(first)
    assert query(first) == link
    first.get_by_role("button", name=english("train.lost_start")).click()
    wait_for(first, r"step [1-9]")
    expect(first.get_by_text(LOST)).to_have_count(0)
