"""A path's closed forms on a page: they follow the finger, are as sharp as the screen at any zoom, and cost no message."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
import torch
from playwright.sync_api import Page, expect

from fmviz.app.choices import decode
from fmviz.scene import scenes
from fmviz.scene.scene import Scene
from tests.browser.helpers import OpenPage, Stage, query, settle, wait_for_query, widget

pytestmark = pytest.mark.browser

PATHS = "/probability-paths"
MEAN = (2.8, 0.0)
"""Of the first component of the ring."""

COUNT_MESSAGES = """() => {
    window.sent = 0;
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (...given) { window.sent += 1; return send.apply(this, given); };
}"""


def opened(open_page: OpenPage) -> tuple[Page, Stage]:
    """The page on probability paths, at rest."""
    page = open_page(f"{PATHS}?t=0.5")
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0 && s.playing === 'false'")
    return page, stage


def test_what_is_dragged_follows_the_finger_and_the_server_hears_of_it_once(
    open_page: OpenPage, subtests: pytest.Subtests
) -> None:
    page, stage = opened(open_page)
    page.evaluate(COUNT_MESSAGES)
    before = stage.data("clip")
    with subtests.test("escape takes a drag back"):
        stage.wait("s.frameMs !== undefined")
        stage.drag("marginal", MEAN, (1.0, 1.5), release=False)
        version = int(stage.data("law"))
        page.evaluate("() => { window.sent = 0; }")
        page.keyboard.press("Escape")
        stage.wait(f"Number(s.law) > {version}")
        page.mouse.up()
        settle(page)
        assert page.evaluate("window.sent") == 0, "nothing has changed"
        assert "mix" not in query(page)

    with subtests.test("a component is drawn at every move"):
        version, picture = int(stage.data("law")), stage.picture("marginal")
        page.evaluate("() => { window.sent = 0; }")
        stage.drag("marginal", MEAN, (1.0, 1.5), steps=20, release=False)
        stage.wait(f"Number(s.law) > {version + 5}")
        stage.wait_for_other_picture("marginal", picture)
        assert page.evaluate("window.sent") == 0
        dragged = stage.picture("marginal")
        assert stage.data("clip") == before
        page.mouse.up()
        stage.wait(f"s.clip !== '{before}'")
        wait_for_query(page, "mix", ".+")
        moved = decode(query(page))[0].scene.data_components
        assert moved is not None
        assert (moved[0].x, moved[0].y) == pytest.approx((1.0, 1.5), abs=0.05)
        stage.wait_for_other_picture("marginal", dragged)  # the server's trajectories have come

    with subtests.test("it can be undone"):
        undo = widget(page, "undo").get_by_role("button")
        expect(undo).to_be_enabled()
        undo.click()
        stage.wait(f"s.clip === '{before}'")
        page.wait_for_function("() => !location.search.includes('mix=')")

    with subtests.test("z changes the conditional panel only"):
        left, right = stage.picture("conditional"), stage.picture("marginal")
        version = int(stage.data("law"))
        stage.drag("conditional", MEAN, (0.0, 2.0), release=False)
        stage.wait(f"Number(s.law) > {version}")
        stage.wait_for_other_picture("conditional", left)
        page.mouse.up()
        wait_for_query(page, "z", ".+")
        assert decode(query(page))[0].path.z == pytest.approx((0.0, 2.0), abs=0.05)
        stage.wait("s.playing === 'false'")
        assert stage.picture("marginal") == right


def extent(stage: Stage, panel: str = "marginal") -> list[float]:
    text = stage.root.locator(f"canvas[data-panel={panel}]").get_attribute("data-extent") or ""
    return [float(side) for side in text.split(",")]


def show_all(page: Page, stage: Stage) -> None:
    stage.root.focus()
    page.keyboard.press("0")
    stage.wait("s.zoom === '1'")


def test_a_zoomed_view_is_fine_can_be_dragged_and_is_in_the_link(
    open_page: OpenPage, subtests: pytest.Subtests
) -> None:
    page, stage = opened(open_page)
    with subtests.test("at rest a density is as fine as the screen"):
        stage.wait("Number(s.cells) >= 256")
        stage.root.focus()
        page.keyboard.press("Space")
        stage.wait("Number(s.cells) <= 128")
        page.keyboard.press("Space")
        stage.wait("Number(s.cells) >= 256")

    with subtests.test("the wheel zooms around the pointer in both panels"):
        box = stage.root.locator("canvas[data-panel=marginal]").bounding_box()
        assert box is not None
        at = round(stage.place("marginal", 2.0, 1.0)[0])  # a wheel tells of whole pixels
        page.mouse.move(at, stage.place("marginal", 2.0, 1.0)[1])
        x0, x1, *y = extent(stage)
        assert y == [-4.5, 4.5], "as high as the extent; a panel may be wider"
        x = x0 + (x1 - x0) * (at - box["x"]) / box["width"]
        for _ in range(12):
            page.mouse.wheel(0, -120)
        stage.wait("Number(s.zoom) > 10")
        x0, x1, *_ = extent(stage)
        assert extent(stage, "conditional") == extent(stage)
        assert box["x"] + (x - x0) / (x1 - x0) * box["width"] == pytest.approx(at, abs=1.0)
        wait_for_query(page, "view", ".+")
    show_all(page, stage)

    with subtests.test("the background can be dragged"):
        for _ in range(4):
            page.keyboard.press("+")
        stage.wait("Number(s.zoom) > 2")
        x0, x1, y0, y1 = extent(stage)
        middle = ((x0 + x1) / 2, (y0 + y1) / 2)
        start = stage.place("marginal", *middle)
        page.mouse.move(*start)
        page.mouse.down()
        page.mouse.move(start[0] + 40, start[1] + 20, steps=4)
        page.mouse.up()
        now = extent(stage)
        assert now[0] < x0
        assert now[2] > y0
    show_all(page, stage)

    with subtests.test("the view is in the link, and a double click shows all"):
        page.wait_for_function("() => !location.search.includes('view=')")
        for _ in range(6):
            page.keyboard.press("+")
        stage.wait("Number(s.zoom) > 3")
        page.keyboard.press("d")
        wait_for_query(page, "view", ".+")
        other = Stage(open_page(f"{PATHS}?{urlsplit(page.url).query}"))
        other.wait("Number(s.zoom) > 3")
        assert extent(other) == pytest.approx(extent(stage), abs=1e-3)
        x0, x1, y0, y1 = extent(stage)
        page.mouse.dblclick(*stage.place("conditional", (x0 + x1) / 2, (y0 + y1) / 2))
        stage.wait("s.zoom === '1'")
        left, right, *height = extent(stage)
        assert height == [-4.5, 4.5]
        assert left == -right <= -4.5, "a panel may be wider than high"
        page.wait_for_function("() => !location.search.includes('view=')")

    with subtests.test("layers that are off travel when they are switched on"):
        before, picture = stage.data("clip"), stage.picture("marginal")
        stage.chip("sde").click()
        stage.wait(f"s.clip !== '{before}'")
        stage.wait_for_other_picture("marginal", picture)
        sent = stage.data("clip")
        stage.chip("sde").click()
        stage.chip("score").click()
        stage.chip("sde").click()
        assert stage.data("clip") == sent  # what has come once stays

    with subtests.test("the lengths of velocity and score are shown on request"):
        lengths(page, stage)


def lengths(page: Page, stage: Stage) -> None:
    """Those under the pointer are those of the law."""
    page.mouse.move(*stage.place("marginal", 1.0, 0.5))
    hover = stage.root.locator(".panel", has=page.locator("[data-panel=marginal]")).locator(".hover")
    assert "|u|" not in hover.inner_text()
    stage.root.press("v")
    plot = stage.root.locator("canvas[data-panel=marginal]")
    box = plot.bounding_box()
    assert box is not None
    x0, x1, y0, y1 = map(float, (plot.get_attribute("data-extent") or "").split(","))
    # A pointer stands on a whole pixel: of what it shows two decimals are left.
    at = re.findall(r"[xy] (−?\d+\.\d+)", hover.inner_text())
    point = torch.tensor([float(value.replace("−", "-")) for value in at], dtype=torch.float64)
    assert (point - torch.tensor([1.0, 0.5])).abs().max() <= max(
        (x1 - x0) / box["width"], (y1 - y0) / box["height"]
    ) + 0.01
    shown = dict(re.findall(r"\|([us])\| (\d+\.\d+)", hover.inner_text()))
    path = scenes.path(Scene())
    for name, exact in {"u": path.marginal_velocity, "s": path.marginal_score}.items():
        assert float(shown[name]) == pytest.approx(float(exact(point.float(), stage.t).norm()), abs=0.05)
