"""The page Flows in a browser: launching, dragging, solvers and steps, a reload, the proofs."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from fmviz.app.choices import decode
from fmviz.lessons.flows.settings import STARTS
from fmviz.scene import Scene, scenes
from tests.browser.helpers import OpenPage, Stage, choose, english, query, settle, wait_for_query, widget

FLOWS = "/flows"
STILL = f"{FLOWS}?t=0.5"


def test_launch_drag_and_choose(open_page):
    page = open_page(STILL)
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0 && s.playing === 'false'")
    settle(page)

    clip = stage.data("clip")
    page.mouse.click(*stage.place("field", 1.5, -1.5))
    wait_for_query(page, "starts", ".+")
    stage.wait(f"s.clip !== '{clip}'")
    launched = decode(query(page))[0].flows.starts
    assert launched[: len(STARTS)] == STARTS
    assert launched[-1] == pytest.approx((1.5, -1.5), abs=0.05)

    clip, mesh = stage.data("clip"), stage.picture("mesh")
    stage.drag("field", launched[-1], (1.8, 1.8), release=False)
    stage.wait(f"s.clip !== '{clip}'")  # the trajectory follows while the button is still down
    page.mouse.up()
    wait_for_query(page, "starts", r".*1\.[78]\d*_1\.[78]\d*.*")
    assert decode(query(page))[0].flows.starts[-1] == pytest.approx((1.8, 1.8), abs=0.05)
    assert stage.picture("mesh") == mesh

    clip = stage.data("clip")
    widget(page, "flows-solvers").get_by_text(english("flows.rk4_short")).click()
    wait_for_query(page, "solvers", r"euler\.midpoint\.rk4")
    stage.wait(f"s.clip !== '{clip}'")
    expect(stage.chip("rk4")).to_be_visible()
    slider = widget(page, "flows-steps").get_by_role("slider")
    slider.focus()
    slider.press("ArrowLeft")
    wait_for_query(page, "nsteps", "10")
    choose(page, "flows-field", english("flows.fields.rotation"))
    wait_for_query(page, "flow", "rotation")
    widget(page, "flows-beside").get_by_text(english("flows.beside_conditional")).click()
    wait_for_query(page, "beside", "conditional")
    stage.wait("Number(s.frames) > 0")
    expect(stage.root.locator("canvas[data-panel=conditional]")).to_be_visible()

    stage.drag("conditional", first_mode(), (0.0, 2.0))
    wait_for_query(page, "z", ".+")
    assert decode(query(page))[0].path.z == pytest.approx((0.0, 2.0), abs=0.1)

    before = query(page)
    page.reload()
    settle(page)
    stage.wait("Number(s.frames) > 0")
    assert query(page) == before
    expect(stage.chip("rk4")).to_be_visible()
    widget(page, "flows_clear").get_by_role("button").click()
    page.wait_for_function("() => new URLSearchParams(location.search).get('starts') === ''")
    expect(stage.chip("starts")).to_have_count(0)
    settle(page)


def first_mode() -> tuple[float, float]:
    """Where z stands by default."""
    component = scenes.components(Scene(), "data")[0]
    return component.x, component.y


def test_a_change_that_the_picture_does_not_show_reaches_the_page_all_the_same_and_the_proofs_open(
    open_page: OpenPage,
) -> None:
    page = open_page(STILL)
    choose(page, "scene-data", english("preset.moons"))
    wait_for_query(page, "data", "moons")
    choose(page, "scene-scheduler", english("scheduler.trig"))
    wait_for_query(page, "sched", "trig")

    expect(page.get_by_test_id("stVegaLiteChart")).to_be_visible(timeout=30_000)
    settle(page)
    widget(page, "check_flows").locator("summary").click()
    expect(widget(page, "check_flows").get_by_test_id("stTable")).to_have_count(2, timeout=60_000)
    settle(page)
    widget(page, "code_flows").locator("summary").click()
    expect(page.get_by_test_id("stCode")).to_contain_text("exact_flow", timeout=20_000)
    settle(page)
