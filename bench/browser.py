"""What a person feels, in headless Chromium without a GPU: smoothness, scrubbing, a changed control, the first picture."""

from __future__ import annotations

import math
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from bench.report import Row, at_least, at_most, note
from fmviz.scene.scene import SCHEDULERS
from tests.browser.helpers import settle, stage
from tools.find_chromium import FLAGS, find_chromium
from tools.serve import serve

__all__ = ["rows"]

PATHS = "/probability-paths"
LAPTOP = {"width": 1366, "height": 768}
FPS_SECONDS = 3
LOADS = 5
CHANGES = 7
SCRUBS = 15

# `root` is the stage's element; playwright looks into shadow roots, document.querySelector does not.
FRAMES_DURING = """(root, seconds) => new Promise(done => {
    const begin = Number(root.dataset.frames), start = performance.now();
    setTimeout(() => done((Number(root.dataset.frames) - begin) * 1000 / (performance.now() - start)), seconds * 1000);
})"""

ALL_LAYERS_ON = """root => {
    for (const chip of root.querySelectorAll('.chip[data-layer]')) if (chip.ariaPressed !== 'true') chip.click();
}"""

# How many animation frames pass until the clock shows the time that the slider was moved to.
SCRUB = """(root, t) => new Promise(done => {
    const slider = root.querySelector('[data-role=time]'), before = root.dataset.frames;
    let frames = 0;
    const look = () => {
        frames += 1;
        const there = Math.abs(Number(root.dataset.t) - t) < 1e-3 && root.dataset.frames !== before;
        if (there || frames > 60) done(frames); else requestAnimationFrame(look);
    };
    requestAnimationFrame(() => setTimeout(() => {
        slider.value = t;
        slider.dispatchEvent(new Event('input', {bubbles: true, composed: true}));
        requestAnimationFrame(look);
    }));
})"""

# From the next press, of the pointer or a key, to the first animation frame that finds a clip with another digest: the
# stage sets the digest and draws in one go, so the new picture is on the canvas by then.
ARM = """root => {
    const clip = root.dataset.clip;
    window.benchChange = new Promise(done => {
      const pressed = () => {
        document.removeEventListener('pointerdown', pressed, true);
        document.removeEventListener('keydown', pressed, true);
        const start = performance.now();
        const look = () => {
            if (root.dataset.clip !== clip) done(performance.now() - start);
            else if (performance.now() - start > 20000) done(NaN);
            else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      };
      document.addEventListener('pointerdown', pressed, true);
      document.addEventListener('keydown', pressed, true);
    });
}"""

# Milliseconds from navigation to the moment a condition holds, looked at once a frame.
MOVING = """() => {
    const find = node => {
        for (const e of node.querySelectorAll('*')) {
            if (e.dataset?.testid === 'fmviz-stage') return e;
            const inside = e.shadowRoot && find(e.shadowRoot);
            if (inside) return inside;
        }
    };
    window.benchStage ??= find(document);
    const data = window.benchStage?.dataset;
    return data?.playing === 'true' && Number(data.frames) >= 2 && Number(data.t) > 0 ? performance.now() : false;
}"""

LOADED = """() => {
    const app = document.querySelector('[data-testid=stApp]');
    return app?.dataset.testScriptState === 'notRunning' ? performance.now() : false;
}"""


def root_of(page: Page) -> Locator:
    """The first stage of the page, drawn at least once."""
    settle(page)
    return stage(page)


def load_ms(browser: Browser, url: str, condition: str) -> float:
    """From navigation to `condition`, in a browser context that has cached nothing."""
    context = browser.new_context(viewport=LAPTOP)
    try:
        page = context.new_page()
        page.goto(url, wait_until="commit")
        return float(page.wait_for_function(condition, timeout=60_000, polling="raf").json_value())
    finally:
        context.close()


def smoothness(page: Page) -> tuple[float, float]:
    """Frames per second and the mean cost of drawing one in milliseconds, every layer shown."""
    root = root_of(page)
    root.evaluate(ALL_LAYERS_ON)
    settle(page)
    page.wait_for_timeout(1000)
    if root.get_attribute("data-playing") != "true":
        root.locator("[data-role=play]").click()
    page.wait_for_timeout(500)
    fps = float(root.evaluate(FRAMES_DURING, FPS_SECONDS))
    return fps, float(root.get_attribute("data-frame-ms") or math.nan)


def playing(page: Page) -> Iterator[Row]:
    """Frames per second, cost of a frame and scrubbing with every layer shown on both panels."""
    fps, cost = smoothness(page)
    root = root_of(page)
    layers = len((root.get_attribute("data-layers") or "").split(","))
    yield note("layers shown, on two panels and the posterior", layers, "")
    yield at_least("frames per second, all layers on", fps, "fps", 55)
    yield at_most("mean cost of drawing one frame", cost, "ms", 4)

    root.locator("[data-role=play]").click()
    page.wait_for_timeout(300)
    frames = [int(root.evaluate(SCRUB, (i + 0.5) / SCRUBS)) for i in range(SCRUBS)]
    yield at_most("scrubbing: animation frames until the picture follows, worst", max(frames), "frames", 1)


def change_ms(page: Page, press: Callable[[], None]) -> float:
    """From `press`, one press of the pointer or a key, until another clip is on screen."""
    root_of(page).evaluate(ARM)
    press()
    waited = float(page.evaluate("() => window.benchChange"))
    settle(page)
    return waited


def option(page: Page, key: str, n: int) -> Locator:
    """Option n of the drop-down `key`, opened."""
    root_of(page)
    page.locator(f".st-key-{key} [role=combobox], .st-key-{key} input").first.click()
    found = page.get_by_role("option").nth(n)
    found.wait_for()
    return found


def scheduler_ms(page: Page, scheduler: str) -> float:
    """From the click on a scheduler in the sidebar until its clip is on screen."""
    return change_ms(page, option(page, "scene-scheduler", SCHEDULERS.index(scheduler)).click)


def changes(page: Page, url: str) -> Iterator[Row]:
    """A scheduler nobody has asked for before, so that no cache helps."""
    fresh = [(data, s) for data in ("ring8", "grid") for s in ("sqrt", "trig", "polynomial", "vp")][:CHANGES]
    waits, shown = [], None
    for data, scheduler in fresh:
        if data != shown:
            page.goto(f"{url}{PATHS}?data={data}")
            shown = data
        waits.append(scheduler_ms(page, scheduler))
    yield at_most("control changed → new clip drawn, median", statistics.median(waits), "ms", 200)
    yield note("the slowest of them", max(waits), "ms")


def rows() -> Iterator[Row]:
    """All figures; two servers run, the app's and that of an empty script."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        empty = Path(folder) / "empty.py"
        empty.write_text("")
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        with serve("app.py", Path(folder) / "app.log") as url, serve(empty, Path(folder) / "empty.log") as nothing:
            load_ms(browser, url, MOVING)  # both servers have answered once before anything counts
            load_ms(browser, nothing, LOADED)
            pairs = [(load_ms(browser, url, MOVING), load_ms(browser, nothing, LOADED)) for _ in range(LOADS)]
            moving, loaded = (statistics.median(side) for side in zip(*pairs, strict=True))
            yield note("first moving picture of the start page", moving, "ms")
            yield note("an empty Streamlit page loaded", loaded, "ms")
            yield at_most("the first over the second", moving / loaded, "×", 1.5)

            context = browser.new_context(viewport=LAPTOP)
            page = context.new_page()
            page.goto(url + PATHS)
            yield from playing(page)
            yield from changes(page, url)
            context.close()
        browser.close()
