"""Helpers for tests that drive the app or a player in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Error, Locator, Page

from fmviz.app.catalogue import translate

__all__ = [
    "LISTEN",
    "OpenPage",
    "Stage",
    "choose",
    "colour",
    "english",
    "heap",
    "query",
    "settle",
    "stage",
    "wait_for_query",
    "widget",
]

OpenPage = Callable[..., Page]
QUIET_MS, QUIET_FRAMES = 250, 8
"""A rerun starts a moment after the click that asks for it, and on a busy machine a few frames after that."""
LISTEN = """(() => {
    const Native = window.WebSocket;
    const open = new Set();
    const seen = (window.testSocket = { sent: 0, heard: 0, offline: false });
    seen.cut = () => { seen.offline = true; for (const socket of open) socket.close(); };
    window.WebSocket = class extends Native {
        constructor(url, ...more) {
            super(seen.offline ? 'ws://127.0.0.1:9' : url, ...more);
            open.add(this);
            this.addEventListener('message', () => { seen.heard = performance.now(); });
            this.addEventListener('close', () => open.delete(this));
        }
        send(data) {
            seen.sent = performance.now();
            super.send(data);
        }
    };
})()"""
"""Runs before a page's own scripts: when the browser last asked the server for something, and last heard of it."""


def settle(page: Page, timeout: float = 60_000) -> None:
    """Wait until the app is on screen, its script has not been running for a moment, and no question is unanswered."""
    page.wait_for_selector("[data-testid=stApp]", timeout=timeout)
    page.evaluate("() => { window.testQuiet = null; }")
    page.wait_for_function(
        """([quiet, frames]) => {
            const state = document.querySelector('[data-testid=stApp]')?.dataset.testScriptState;
            const now = performance.now(), { sent, heard } = window.testSocket ?? { sent: 0, heard: 0 };
            const asked = sent > heard && now - sent < 10000;
            const sidebar = document.querySelector('[data-testid=stSidebarContent]');
            const hidden = sidebar && getComputedStyle(sidebar).visibility === 'hidden';
            if (!state || ['running', 'initial', 'rerunRequested'].includes(state) || asked || hidden) window.testQuiet = null;
            else window.testQuiet ??= { since: now, frames: 0 };
            if (!window.testQuiet) return false;
            window.testQuiet.frames += 1;
            return now - window.testQuiet.since >= quiet && window.testQuiet.frames >= frames;
        }""",
        arg=[QUIET_MS, QUIET_FRAMES],
        polling="raf",
        timeout=timeout,
    )


def stage(page: Page, index: int = 0) -> Locator:
    """The root of the player (CSS reaches into its shadow root), once it has drawn a frame."""
    root = page.locator("[data-testid=fmviz-stage]").nth(index)
    root.wait_for(state="visible", timeout=60_000)
    page.wait_for_function("e => Number(e.dataset.frames) > 0", arg=root.element_handle(), timeout=60_000)
    return root


def query(page: Page) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query, keep_blank_values=True).items()}


def wait_for_query(page: Page, key: str, pattern: str) -> None:
    page.wait_for_url(re.compile(rf".*[?&]{key}={pattern}"), timeout=20_000)
    settle(page)


def widget(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-{key}")


def choose(page: Page, key: str, text: str) -> None:
    widget(page, key).wait_for(state="attached")
    settle(page)
    fold = page.locator("[data-testid=stSidebar] [data-testid=stExpander]", has=widget(page, key))
    if fold.count() and not widget(page, key).is_visible():
        fold.locator("summary").first.click()  # what the page does not use is folded away
    field = widget(page, key).locator("input, [role=combobox]").first
    field.scroll_into_view_if_needed()
    # A list that opens while the sidebar is still being scrolled closes again.
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    option = page.get_by_role("option", name=text, exact=True)
    for last in (False, False, True):
        field.click()
        try:
            option.click(timeout=30_000 if last else 5_000)
            return
        except Error:  # a rerun that came meanwhile has closed the list
            if last:
                raise
            page.keyboard.press("Escape")


GROUND = "() => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"


def colour(page: Page, scheme: Literal["light", "dark"]) -> None:
    """Make the system light or dark, which it was not, and wait until the page is."""
    before = page.evaluate(GROUND)
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(f"before => ({GROUND})() !== before", arg=before)
    settle(page)


def english(key: str, **values: Any) -> str:
    return translate("en", key, **values)


class Stage:
    """What the tests do with a stage on a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.get_by_test_id("fmviz-stage")
        self.root.wait_for()

    def data(self, name: str) -> str:
        return self.root.get_attribute(f"data-{name}") or ""

    @property
    def t(self) -> float:
        return float(self.data("t"))

    def wait(self, condition: str) -> None:
        """Until `condition` holds; in it ``s`` is the root's dataset."""
        self.root.evaluate(
            "(root, source) => new Promise((done, fail) => { const test = new Function('s', 'return ' + source);"
            " const start = performance.now(); const look = () => test(root.dataset) ? done()"
            " : performance.now() - start > 60000 ? fail(new Error(source + ' in ' + JSON.stringify(root.dataset)))"
            " : setTimeout(look, 5); look(); })",
            condition,
        )

    def tool(self, role: str) -> Locator:
        return self.root.locator(f"[data-role={role}]")

    def chip(self, name: str) -> Locator:
        return self.root.locator(f".chip[data-layer='{name}']")

    def place(self, panel: str, x: float, y: float) -> tuple[float, float]:
        """Page coordinates of a world point."""
        plot = self.root.locator(f"canvas[data-panel={panel}]")
        x0, x1, y0, y1 = map(float, (plot.get_attribute("data-extent") or "").split(","))
        box = plot.bounding_box()
        assert box is not None
        return box["x"] + (x - x0) / (x1 - x0) * box["width"], box["y"] + (y1 - y) / (y1 - y0) * box["height"]

    def messages(self, name: str) -> list[Any]:
        found: list[Any] = self.page.evaluate("name => messages.filter((m) => m.name === name)", name)
        return found

    def picture(self, panel: str) -> str:
        """The pixels of a plot."""
        return str(self.root.locator(f"canvas[data-panel={panel}]").evaluate("c => c.toDataURL()"))

    def wait_for_other_picture(self, panel: str, before: str) -> None:
        """Until the pixels of a plot are not those of `before`."""
        self.root.locator(f"canvas[data-panel={panel}]").evaluate(
            "(c, before) => new Promise((done, fail) => { const start = performance.now(); const look = () =>"
            " c.toDataURL() !== before ? done() : performance.now() - start > 60000 ? fail(new Error('the same picture'))"
            " : setTimeout(look, 50); look(); })",
            before,
        )

    def drag(
        self,
        panel: str,
        start: tuple[float, float],
        end: tuple[float, float],
        *,
        steps: int = 8,
        release: bool = True,
    ) -> None:
        """Press at one world point, move to another, and let go; the picture may change its extent on the way."""
        mouse = self.page.mouse
        mouse.move(*self.place(panel, *start))
        mouse.down()
        for n in range(1, steps + 1):
            x, y = (a + (b - a) * n / steps for a, b in zip(start, end, strict=True))
            mouse.move(*self.place(panel, x, y))
        if release:
            mouse.up()

    def pixel(self, panel: str, x: float, y: float) -> list[int]:
        """The colour drawn at a world point."""
        plot = self.root.locator(f"canvas[data-panel={panel}]")
        x0, x1, y0, y1 = map(float, (plot.get_attribute("data-extent") or "").split(","))
        found: list[int] = plot.evaluate(
            "(c, [u, v]) => Array.from(c.getContext('2d').getImageData(u * c.width, v * c.height, 1, 1).data.slice(0, 3))",
            [(x - x0) / (x1 - x0), (y1 - y) / (y1 - y0)],
        )
        return found


def heap(page: Page) -> float:
    """The tab's heap in megabytes, after the garbage has been collected."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = float(session.send("Runtime.getHeapUsage")["usedSize"]) / 1e6
    session.detach()
    return used
