"""The picture first: which part of the window the plots cover, and that nothing jumps."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from fmviz.lessons import LESSONS, READING
from tests.browser.helpers import settle, widget

PAGES = tuple("/" if lesson == LESSONS[0] else f"/{lesson.address}" for lesson in LESSONS if lesson != READING)
WINDOWS = {"laptop": ((1366, 768), (1920, 1080), 35.0), "phone": ((390, 844), None, 55.0)}
"""A window, one that it is then enlarged to, and the least part of either that the plots cover, in percent."""
PRESENTED = 55.0
PRESENTED_ON_A_PHONE = ("/", "/conservation")

COVERED = """() => {
    let area = 0;
    const add = (node) => {
        for (const one of node.querySelectorAll('*')) {
            if (one.matches('canvas.plot.plane')) {
                const box = one.getBoundingClientRect();
                const wide = Math.min(box.right, innerWidth) - Math.max(box.left, 0);
                const high = Math.min(box.bottom, innerHeight) - Math.max(box.top, 0);
                area += Math.max(wide, 0) * Math.max(high, 0);
            }
            if (one.shadowRoot) add(one.shadowRoot);
        }
    };
    add(document);
    return (100 * area) / (innerWidth * innerHeight);
}"""
"""The part of the window that lies within the axes of the plots, in percent."""


ROUNDING = 0.1
"""A tenth of a percent for the fonts of another machine."""

MOST_SHIFT = 0.03
"""Of the layout-shift measure of browsers, by which 0.1 is good. On a quiet machine it stays below 0.02."""

MOST_TEXT_SHIFT = 0.02
"""The same on the page Theory, which is text from top to bottom: a line more above moves all of it."""

BEAT_SHIFT = 0.07
"""The same on the way to a beat, whose picture may need fewer rows of panels than the one before."""

SHIFTS = """() => {
    window.testShift = 0;
    window.testShifted = [];
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
            if (entry.hadRecentInput) continue;
            window.testShift += entry.value;
            const moved = entry.sources.map(({ node }) => node?.parentElement?.className ?? '?');
            window.testShifted.push([entry.value, Math.round(entry.startTime), moved]);
        }
    }).observe({ type: 'layout-shift' });
}"""


@pytest.mark.timeout(240)
@pytest.mark.parametrize("window", WINDOWS)
def test_the_plots_cover_the_window_and_nothing_moves_as_it_loads(open_page, window):
    first, larger, least = WINDOWS[window]
    page = open_page("/theory", viewport=size(first), init_script=f"({SHIFTS})()")
    origin = page.url.removesuffix("/theory")
    covered, shifted = {}, {}
    for path in PAGES:
        # Nobody presents on a phone, so a few pages will do there.
        modes = (
            (("t=0.5", least), ("present=1", PRESENTED))
            if larger or path in PRESENTED_ON_A_PHONE
            else (("t=0.5", least),)
        )
        for mode, floor in modes:
            page.goto(f"{origin}{path}?{mode}")
            page.locator("[data-testid=fmviz-stage]").wait_for()
            settle(page)
            covered[path, mode, first] = (page.evaluate(COVERED), floor)
            if page.evaluate("window.testShift") > MOST_SHIFT:
                shifted[path, mode] = page.evaluate("window.testShifted")
            if larger:
                page.set_viewport_size(size(larger))
                page.wait_for_function(f"({COVERED})() >= {floor - ROUNDING}", timeout=5000)
                page.set_viewport_size(size(first))
    assert not {key: found for key, (found, floor) in covered.items() if found < floor - ROUNDING}
    assert not shifted


PATIENT = """addEventListener('DOMContentLoaded', () => {
    const style = document.createElement('style');
    style.textContent = 'html :is([data-testid=stAppViewContainer], [data-testid=stSidebarContent]) { animation-duration: 60s; }';
    document.head.append(style);
});"""
"""A page that takes long shows what it has. On a machine that is busy with other things this one is given the time."""


@pytest.mark.parametrize("window", WINDOWS)
def test_nothing_moves_on_the_page_theory(open_page, window):
    """It has no stage whose first picture would show it."""
    page = open_page("/theory", viewport=size(WINDOWS[window][0]), init_script=f"{PATIENT} ({SHIFTS})()")
    for _ in ("first", "again"):
        expect(page.locator("html.fmviz-drawn.fmviz-calm")).to_have_count(1)
        settle(page)
        assert page.evaluate("window.testShift") <= MOST_TEXT_SHIFT, page.evaluate("window.testShifted")
        page.reload()


def size(window):
    return dict(zip(("width", "height"), window, strict=True))


@pytest.mark.parametrize("path", ["/flows", "/conservation", "/train"])
def test_a_beat_moves_the_picture_and_not_the_page(open_page, path):
    page = open_page(f"{path}?t=0.5")
    expect(widget(page, "beat_next").get_by_role("button")).to_be_enabled()
    settle(page)
    page.evaluate(SHIFTS)
    page.keyboard.press("PageDown")
    page.wait_for_function("new URLSearchParams(location.search).has('beat')")
    settle(page)
    assert page.evaluate("window.testShift") < BEAT_SHIFT
