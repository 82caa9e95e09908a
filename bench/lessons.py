"""The pages of lecture 1 and of the conservation laws, as a person feels them: smoothness, and a changed control."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from bench.browser import LAPTOP, change_ms, option, root_of, scheduler_ms, smoothness
from bench.report import Row, at_least, at_most, note
from tools.find_chromium import FLAGS, find_chromium
from tools.serve import serve

__all__ = ["rows"]


def flows(page: Page) -> list[float]:
    """Another field, five times."""
    return [change_ms(page, option(page, "flows-field", n).click) for n in (0, 1, 2, 3, 4)]


def theta(page: Page) -> list[float]:
    """Another theta, by the keyboard, seven times."""
    root_of(page)
    slider = page.locator(".st-key-noise-theta").get_by_role("slider")
    slider.focus()
    return [change_ms(page, lambda: page.keyboard.press("ArrowRight")) for _ in range(7)]


def schedulers(page: Page) -> list[float]:
    """Another scheduler, four times, each for the first time."""
    return [scheduler_ms(page, name) for name in ("sqrt", "trig", "polynomial", "vp")]


def broken(page: Page) -> list[float]:
    """Breaking the law in both ways and mending it."""
    root_of(page)
    buttons = page.locator(".st-key-conservation-broken").get_by_role("radio")
    return [change_ms(page, buttons.nth(n).click) for n in (1, 2, 0)]


Pages = tuple[tuple[str, str, Callable[[Page], list[float]]], ...]
PAGES: Pages = (
    ("flows, field", "/flows", flows),
    ("noise, θ of Ornstein–Uhlenbeck", "/noise?process=ou", theta),
    ("conservation, scheduler", "/conservation", schedulers),
    ("conservation, broken law", "/conservation?data=grid", broken),
)


def rows() -> Iterator[Row]:
    """For each page its frames per second and the median of its changes."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        with serve("app.py", Path(folder) / "app.log") as url:
            for name, address, change in PAGES:
                context = browser.new_context(viewport=LAPTOP)
                page = context.new_page()
                page.goto(url + address)
                fps, cost = smoothness(page)
                waits = change(page)
                context.close()
                yield at_least(f"{name}: frames per second, all layers on", fps, "fps", 55)
                yield note(f"{name}: mean cost of drawing one frame", cost, "ms")
                yield at_most(f"{name}: control changed → new clip drawn, median", statistics.median(waits), "ms", 300)
        browser.close()
