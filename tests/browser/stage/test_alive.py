"""The standalone page without a server: components and z are dragged, data and schedule chosen, all worked out by the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page

from fmviz.app.clips import choices, conditional_point
from fmviz.clips.clip import Schedule
from fmviz.lessons.paths.compute import results
from fmviz.scene import Scene
from fmviz.stage.payload import View, decode_header, packed
from fmviz.stage.standalone import Choices, standalone_html
from tests.browser.helpers import OpenPage, Stage, heap

pytestmark = pytest.mark.browser

KILOBYTES = 262


@pytest.fixture(scope="module")
def payload() -> bytes:
    return results.payload(Scene(), conditional_point(Scene(), None), None, View(t=0.6), "en")


@pytest.fixture(scope="module")
def file(payload: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page that a lecturer takes away."""
    path = tmp_path_factory.mktemp("alive") / "path.html"
    path.write_text(standalone_html(payload, "fmviz", "en", choices=choices("en")), encoding="utf-8")
    return path


@pytest.fixture
def alive(file: Path, open_plain: OpenPage) -> tuple[Page, Stage]:
    page = open_plain(file.as_uri(), offline=True)
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0")
    return page, stage


def test_the_page_is_a_small_file(file: Path) -> None:
    assert file.stat().st_size <= KILOBYTES * 1000


def test_a_component_is_dragged_and_everything_follows(alive: tuple[Page, Stage]) -> None:
    _, stage = alive
    before, left, right = stage.data("clip"), stage.pixel("conditional", 1.7, 0.3), stage.picture("marginal")
    stage.drag("marginal", (2.8, 0.0), (0.5, 1.0))
    stage.wait(f"s.clip !== '{before}'")
    assert stage.picture("marginal") != right
    assert stage.pixel("conditional", 1.7, 0.3) == pytest.approx(left, abs=3)  # the scale is found anew, in float64
    moved = stage.data("clip")
    stage.drag("conditional", (2.8, 0.0), (-1.0, 1.0))
    stage.wait(f"s.clip !== '{moved}'")
    assert stage.pixel("conditional", 1.7, 0.3) != pytest.approx(left, abs=3)


def test_an_edit_can_be_undone(alive: tuple[Page, Stage]) -> None:
    page, stage = alive
    stage.wait("Number(s.cells) >= 256")
    before, mean = stage.data("clip"), stage.pixel("marginal", 2.8, 0.0)
    stage.drag("marginal", (2.8, 0.0), (-0.5, 4.0))
    stage.wait(f"s.clip !== '{before}'")
    assert stage.pixel("marginal", 2.8, 0.0) != pytest.approx(mean, abs=3)
    moved = stage.data("clip")
    stage.root.focus()
    page.keyboard.press("Control+z")
    stage.wait(f"s.clip !== '{moved}'")
    assert stage.pixel("marginal", 2.8, 0.0) == pytest.approx(mean, abs=3)


def test_data_and_schedule_are_chosen(alive: tuple[Page, Stage]) -> None:
    page, stage = alive
    for role, label in (("data", "Checkerboard"), ("schedule", "Variance preserving (VP)"), ("data", "Grid")):
        before, picture = stage.data("clip"), stage.picture("marginal")
        page.locator(f"[data-role={role}]").select_option(label=label)
        stage.wait(f"s.clip !== '{before}'")
        assert stage.picture("marginal") != picture


def test_it_zooms_and_plays(alive: tuple[Page, Stage]) -> None:
    page, stage = alive
    stage.root.focus()
    page.keyboard.press("+")
    stage.wait("Number(s.zoom) > 1")
    page.keyboard.press("Space")
    stage.wait("s.playing === 'true' && Number(s.frames) > 10")


def test_a_clicked_point_has_its_posterior(alive: tuple[Page, Stage]) -> None:
    page, stage = alive
    before = stage.picture("posterior")
    page.mouse.click(*stage.place("marginal", 0.3, 0.4))
    stage.root.evaluate(
        "(root, before) => new Promise((done) => { const look = () => root.querySelector('canvas[data-panel=posterior]')"
        ".toDataURL() !== before ? done() : requestAnimationFrame(look); look(); })",
        before,
    )


def test_a_payload_is_packed_without_what_its_header_no_longer_names(payload: bytes) -> None:
    header = decode_header(payload)
    again = packed(header, payload)
    assert again == payload
    less = packed(header | {"readouts": []}, payload)
    assert len(less) < len(payload)
    entry = decode_header(less)["law"]["data"]
    there = np.frombuffer(less, "<f8", entry["count"], decode_header(less)["start"] + entry["offset"])
    entry = header["law"]["data"]
    np.testing.assert_array_equal(
        there, np.frombuffer(payload, "<f8", entry["count"], header["start"] + entry["offset"])
    )


def test_a_label_cannot_leave_its_script(payload: bytes) -> None:
    evil = "</script><script>alert(1)</script>"
    page = standalone_html(
        payload,
        "x",
        "en",
        choices=Choices(evil, evil, {evil: np.array([[1.0, 0, 0, 1, 0, 1]])}, {evil: Schedule("linear")}),
    )
    assert evil not in page
    assert "\\u003c/script>" in page


def test_the_heap_stays_flat(alive: tuple[Page, Stage]) -> None:
    """Rounds of dragging, zooming, playing and choosing, as many as a lesson has: nothing is left behind by them."""
    page, stage = alive

    def round_of_everything() -> None:
        for data, schedule in (("Grid", "Trigonometric (sin, cos)"), ("Ring of 8", "Linear (t, 1 − t)")):
            before = stage.data("clip")
            page.locator("[data-role=data]").select_option(label=data)
            page.locator("[data-role=schedule]").select_option(label=schedule)
            stage.wait(f"s.clip !== '{before}'")
        stage.drag("marginal", (2.8, 0.0), (0.0, 0.5), steps=20)
        stage.drag("conditional", (2.8, 0.0), (1.0, 0.5), steps=20)
        stage.root.focus()
        for key in ("+", "+", "d", "0", "Space"):
            page.keyboard.press(key)
        frames = int(stage.data("frames"))
        stage.wait(f"Number(s.frames) > {frames + 20}")
        page.keyboard.press("Space")

    for _ in range(3):
        round_of_everything()
    settled = heap(page)
    for _ in range(6):
        round_of_everything()
    assert heap(page) < settled + 2.0


Touch = Callable[..., None]


@pytest.fixture
def phone(file: Path, open_plain: OpenPage) -> tuple[Stage, Touch]:
    """The page on a phone, and ``touch(kind, *places)`` with as many fingers as places."""
    page = open_plain(
        file.as_uri(), offline=True, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    stage = Stage(page)
    stage.wait("Number(s.cells) >= 256")
    stage.root.locator("canvas[data-panel=marginal]").scroll_into_view_if_needed()
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    return stage, touch


def test_a_finger_drags_a_component(phone: tuple[Stage, Touch]) -> None:
    stage, touch = phone
    before = stage.data("clip")
    (x, y), end = stage.place("marginal", 2.8, 0.0), stage.place("marginal", 1.0, 2.0)
    touch("touchStart", (x, y))
    for n in range(1, 6):
        touch("touchMove", (x + (end[0] - x) * n / 5, y + (end[1] - y) * n / 5))
    touch("touchEnd")
    stage.wait(f"s.clip !== '{before}'")


def test_two_fingers_zoom(phone: tuple[Stage, Touch]) -> None:
    stage, touch = phone
    x, y = stage.place("marginal", -0.5, 3.5)  # the controls cover the lower half
    touch("touchStart", (x - 20, y), (x + 20, y))
    for n in range(1, 6):
        touch("touchMove", (x - 20 - 8 * n, y), (x + 20 + 8 * n, y))
    touch("touchEnd")
    stage.wait("Number(s.zoom) > 2")
