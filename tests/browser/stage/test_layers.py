"""Meshes, broken lines, starts and terms; panels with an aspect and free scales."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from fmviz.stage.payload import View
from tests.browser.helpers import Stage
from tests.stage.scenes import (
    conservation_clip,
    flow_clip,
)


@pytest.mark.parametrize(("layer", "panel"), [("mesh", "transport"), ("box", "change"), ("term", "sum")])
def test_each_new_layer_draws_something(show: Callable[..., Stage], layer: str, panel: str) -> None:
    stage = show(conservation_clip(5, 5, 16))
    before = stage.picture(panel)
    stage.chip(layer).click()
    stage.page.wait_for_function(
        "([c, old]) => c.toDataURL() !== old",
        arg=[stage.root.locator(f"canvas[data-panel={panel}]").element_handle(), before],
    )


def test_a_mesh_moves_with_the_clock(show: Callable[..., Stage]) -> None:
    stage = show(conservation_clip(2, 5, 16), View(t=0, layers_on=("mesh",)))
    assert stage.pixel("transport", -1.5, 0.12) != [255, 255, 255]
    stage.root.press("End")
    stage.wait("s.t === '1'")
    assert stage.pixel("transport", -1.5, 0.12) == [255, 255, 255]
    assert stage.pixel("transport", -1.1, 0.12) != [255, 255, 255]


def test_steps_are_dots(show: Callable[..., Stage]) -> None:
    stage = show(flow_clip(), View(t=0.5, layers_on=("euler",)))
    inside = [stage.pixel("plane", *corner) for corner in ((-2.0, 0.0), (0.0, -1.0))]
    assert all(pixel == pytest.approx([0x98, 0x04, 0x30], abs=12) for pixel in inside)
    above, below = stage.place("plane", -2, 0), stage.place("plane", -2, 0.06)
    assert below[1] < above[1]
    assert stage.pixel("plane", -2.03, 0.04) != [255, 255, 255], "wider than the line"


def test_starts_of_one_layer_are_dragged_one_by_one(show: Callable[..., Stage]) -> None:
    stage = show(flow_clip())
    expect(stage.root.locator(".stop")).to_have_count(3)
    assert [c.get_attribute("data-layer") for c in stage.root.locator(".chip").all()].count("start") == 1
    stage.drag("plane", (-1, 2), (0, -3))
    last = stage.messages("moved")[-1]["value"]
    assert (last["name"], last["phase"]) == ("start1", "done")
    assert (last["x"], last["y"]) == pytest.approx((0, -3), abs=0.05)
    stage.root.get_by_role("application", name="Start at (1.00, 2.00)").focus()
    stage.page.keyboard.press("ArrowLeft")
    last = stage.messages("moved")[-1]["value"]
    assert (last["name"], last["x"], last["y"]) == ("start2", pytest.approx(0.92), pytest.approx(2.0))


@pytest.mark.parametrize("width", [1366, 390])
def test_a_panel_keeps_its_aspect(show: Callable[..., Stage], width: int) -> None:
    stage = show(flow_clip(), viewport={"width": width, "height": 800})
    box = stage.root.locator("canvas[data-panel=time]").bounding_box()
    assert box is not None
    assert box["width"] / box["height"] == pytest.approx(1.6, abs=0.02)
    assert stage.root.locator("canvas[data-panel=time]").get_attribute("aria-label") == (
        "Against time: t from 0.00 to 1.00, X from −25.00 to 25.00"
    )
    if width > 500:
        stage.page.mouse.move(*stage.place("time", 0.5, 10))
        expect(stage.root.locator(".hover").nth(1)).to_contain_text("t 0.50  X 10.0")


def test_arrows_point_along_free_scales(show: Callable[..., Stage]) -> None:
    """From (0.3, -20) by (0.1, 10), in world units: the head is there in pixels too."""
    stage = show(flow_clip(), View(t=0.5, layers_on=("slope",)))
    assert stage.pixel("time", 0.35, -15) != [255, 255, 255]
    assert stage.pixel("time", 0.397, -10.3) != [255, 255, 255]
