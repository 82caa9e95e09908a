"""A box that is moved and resized by mouse, finger and keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.helpers import Stage
from tests.stage.scenes import conservation_clip

BOX = (-1.0, 0.5, -0.75, 0.75)


def _boxed(stage: Stage) -> list[dict[str, Any]]:
    return [e["value"] for e in stage.messages("boxed")]


def _sides(value: dict[str, Any]) -> tuple[float, ...]:
    return tuple(value[name] for name in ("x0", "x1", "y0", "y1"))


def test_a_box_is_moved_by_its_inside(show: Callable[..., Stage]) -> None:
    stage = show(conservation_clip(2, 5, 16))
    others = stage.picture("transport")
    stage.drag("change", (0.1, 0.3), (0.6, 0.1))
    events = _boxed(stage)
    assert [e["phase"] for e in events].count("done") == 1
    assert events[-1]["phase"] == "done"
    assert events[-1]["name"] == "box"
    assert _sides(events[-1]) == pytest.approx((-0.5, 1.0, -0.95, 0.55), abs=0.03)
    assert [e["seq"] for e in events] == sorted({e["seq"] for e in events})
    assert stage.picture("transport") != others, "boxes of one name move together"
    stage.drag("change", (0.25, 0.0), (9, 0.0), steps=5)
    assert _sides(_boxed(stage)[-1])[:2] == pytest.approx((0.5, 2.0), abs=0.03), (
        "it stays in the panel, of the same size"
    )


@pytest.mark.parametrize(
    ("start", "end", "sides"),
    [
        ((0.5, 0.75), (1.0, 1.5), (-1.0, 1.0, -0.75, 1.5)),
        ((-1.0, -0.75), (-1.5, -0.25), (-1.5, 0.5, -0.25, 0.75)),
        ((0.5, 0.0), (1.25, 0.5), (-1.0, 1.25, -0.75, 0.75)),
        ((-0.25, -0.75), (0.5, -1.5), (-1.0, 0.5, -1.5, 0.75)),
        ((0.5, 0.75), (-1.5, -1.5), (-1.0, -0.88, -0.75, -0.63)),
    ],
)
def test_a_box_is_resized_by_its_handles(
    show: Callable[..., Stage], start: tuple[float, float], end: tuple[float, float], sides: tuple[float, ...]
) -> None:
    stage = show(conservation_clip(1, 5, 16))
    stage.drag("change", start, end)
    assert _sides(_boxed(stage)[-1]) == pytest.approx(sides, abs=0.03)


def test_a_box_listens_to_the_keyboard(show: Callable[..., Stage]) -> None:
    stage = show(conservation_clip(2, 5, 16))
    handle = stage.root.get_by_role("application", name="Box: x from −1.00 to 0.50")
    expect(handle).to_have_count(1)
    assert "mass 0.300, out −0.300, +0.100, +0.010, +0.400" in (handle.get_attribute("aria-label") or "")
    handle.focus()
    page = stage.page
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    assert _sides(_boxed(stage)[-1]) == pytest.approx((-0.92, 0.58, -0.67, 0.83), abs=1e-3)
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    assert _sides(_boxed(stage)[-1]) == pytest.approx((-0.92, 0.66, -0.67, 0.75), abs=1e-3)
    assert [e["phase"] for e in _boxed(stage)].count("done") == 4
    assert stage.data("t") == "0.5", "arrows moved the box, not the clock"


def test_escape_takes_a_box_back(show: Callable[..., Stage]) -> None:
    stage = show(conservation_clip(1, 5, 16))
    page = stage.page
    page.mouse.move(*stage.place("change", -0.2, 0.3))
    page.mouse.down()
    page.mouse.move(*stage.place("change", 1.0, 1.0), steps=3)
    stage.root.focus()
    page.keyboard.press("Escape")
    page.mouse.up()
    done = [e for e in _boxed(stage) if e["phase"] == "done"]
    assert [_sides(e) for e in done] == [pytest.approx(BOX)]


def test_a_finger_moves_a_box(show: Callable[..., Stage]) -> None:
    stage = show(conservation_clip(1, 5, 16), viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    touch = stage.page.context.new_cdp_session(stage.page)
    start, end = stage.place("change", 0.1, 0.2), stage.place("change", 0.6, -0.3)
    for kind, at in (("touchStart", start), ("touchMove", end), ("touchEnd", None)):
        points = [] if at is None else [{"x": at[0], "y": at[1]}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    stage.page.wait_for_function("messages.at(-1)?.value?.phase === 'done'")
    assert _sides(_boxed(stage)[-1]) == pytest.approx((-0.5, 1.0, -1.25, 0.25), abs=0.05)


def test_a_read_only_box_cannot_be_moved(show: Callable[..., Stage]) -> None:
    stage = show(conservation_clip(1, 5, 16), read_only=True)
    assert stage.root.locator(".stop").count() == 0
