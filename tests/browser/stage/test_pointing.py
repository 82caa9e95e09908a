"""Pointing at a picture: the pen, the laser, and the numbers under the pointer."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.browser.helpers import Stage

INKED = """(canvas) => {
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    let inked = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i] > 40) inked++;
    return inked;
}"""


def ink(stage: Stage) -> Locator:
    return stage.root.locator("canvas.ink")


def scribble(stage: Stage) -> None:
    x, y = stage.place("marginal", 0.0, 0.0)
    mouse = stage.page.mouse
    mouse.move(x, y)
    mouse.down()
    for n in range(1, 6):
        mouse.move(x + 20 * n, y + 10 * (n % 2))
    mouse.up()


def test_the_pen_draws_takes_back_and_wipes(host: Stage) -> None:
    host.root.press("p")
    expect(host.tool("pen")).to_have_attribute("aria-pressed", "true")
    scribble(host)
    once = ink(host).evaluate(INKED)
    assert once > 100
    scribble(host)
    expect(ink(host)).to_have_attribute("data-strokes", "2")
    assert not host.messages("clicked"), "the pen takes the pointer"
    host.root.press("Control+z")
    expect(ink(host)).to_have_attribute("data-strokes", "1")
    host.tool("pen").click()
    assert ink(host).evaluate(INKED) == once, "the pen laid down, its drawing stays"
    host.root.press("Escape")
    assert ink(host).evaluate(INKED) == 0
    assert host.root.get_attribute("data-ink") is None


def test_the_laser_fades_and_leaves_nothing(still: Stage) -> None:
    still.root.press("x")
    scribble(still)
    expect(ink(still)).to_have_attribute("data-trail", "1")  # faded to the point that stays in hand
    assert ink(still).evaluate(INKED) > 0
    expect(ink(still)).to_have_attribute("data-strokes", "0")
    still.root.press("Escape")
    assert ink(still).evaluate(INKED) == 0
