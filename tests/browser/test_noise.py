"""The page Noise in a browser: its views, the dragged start, process time on the clock, a link taken elsewhere, Chinese."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from fmviz.app.catalogue import translate
from fmviz.app.choices import decode
from tests.browser.helpers import OpenPage, Stage, choose, english, query, settle, wait_for_query, widget

STILL = "/noise?n=60&t=0.5&process=ou"


def panels(stage: Stage) -> list[str]:
    return stage.root.locator("canvas[data-panel]").evaluate_all("all => all.map(c => c.dataset.panel)")


def switch(page: Page, text: str) -> Stage:
    widget(page, "noise_process").get_by_text(text, exact=True).click()
    settle(page)
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0")
    return stage


def press(page: Page, key: str, what: str) -> None:
    widget(page, key).get_by_role("slider").press(what)


def test_parameters_and_the_start_move_the_picture_and_the_link(open_page: OpenPage) -> None:
    page = open_page(STILL)
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0 && s.playing === 'false'")
    assert panels(stage) == ["over_time", "plane"]
    assert stage.t == pytest.approx(2.0)  # half of the process's time, not of 1
    clip = stage.data("clip")
    stage.drag("plane", (2.0, 1.0), (-1.0, 0.5))
    # a slow machine writes the link on the way as well
    page.wait_for_url(lambda _: decode(query(page))[0].noise.start[0] < -0.9)
    settle(page)
    start = decode(query(page))[0].noise.start
    assert start == (pytest.approx(-1.0, abs=0.1), pytest.approx(0.5, abs=0.1))
    stage.wait(f"s.clip !== '{clip}'")
    stage.drag("over_time", (0.0, start[0]), (0.0, 1.5))
    page.wait_for_url(lambda _: decode(query(page))[0].noise.start[0] > 1.4)
    settle(page)
    moved = decode(query(page))[0].noise.start
    assert moved == (pytest.approx(1.5, abs=0.1), start[1])
    for key, name in (("noise-theta", "outheta"), ("noise-sigma", "ousigma"), ("noise-em_steps", "ousteps")):
        clip = stage.data("clip")
        press(page, key, "ArrowRight")
        stage.wait(f"s.clip !== '{clip}'")
        wait_for_query(page, name, r"\d")
    view = decode(query(page))[0].noise
    assert (view.theta, view.sigma, view.em_steps) == (1.1, 1.1, 12)
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(4)
    clip, address = stage.data("clip"), page.url
    other = open_page(address)  # the link makes the same picture elsewhere
    elsewhere = Stage(other)
    elsewhere.wait("Number(s.frames) > 0")
    assert elsewhere.data("clip") == clip
    assert elsewhere.t == pytest.approx(stage.t, abs=1e-3)


def test_every_view_plays_in_its_own_time_and_in_chinese(open_page: OpenPage) -> None:
    page = open_page("/noise?n=60")
    stage = Stage(page)
    stage.wait("s.playing === 'true' && Number(s.t) > 0.1")
    assert panels(stage) == ["over_time", "plane"]
    clip = stage.data("clip")
    for steps in ("64", "32", "16"):
        press(page, "noise-grid", "ArrowLeft")
        wait_for_query(page, "bmsteps", steps)
    stage.wait(f"s.clip !== '{clip}'")
    stage = switch(page, english("noise.processes.collapse"))
    assert panels(stage) == ["over_time", "over_pace"]
    stage = switch(page, english("noise.processes.langevin"))
    assert panels(stage) == ["langevin"]
    box = stage.root.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 768, "the stage and its controls fit a laptop"
    stage.wait("Number(s.t) > 1.2")  # beyond the time of a probability path
    stage.tool("play").click()
    wait_for_query(page, "t", r"0\.\d+")
    assert float(query(page)["t"]) == pytest.approx(stage.t / 5.0, abs=1e-3)
    clip = stage.data("clip")
    choose(page, "noise-langevin_start", english("noise.starts.mode"))
    wait_for_query(page, "lvstart", "mode")
    stage.wait(f"s.clip !== '{clip}'")
    widget(page, "shell-language").get_by_text("简体中文").click()
    wait_for_query(page, "lang", "zh")
    expect(page.get_by_role("heading", name=translate("zh", "noise.title"), exact=True)).to_be_visible()
    expect(page.get_by_text(re.compile(re.escape(translate("zh", "noise.chart.mixing"))))).to_be_visible()
    stage = switch(page, translate("zh", "noise.processes.ou"))
    assert panels(stage) == ["over_time", "plane"]
    expect(page.get_by_text(translate("zh", "noise.errors.title"))).to_be_visible()
