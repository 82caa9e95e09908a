"""The closed forms in the browser: under the finger, among many pairs of components, and what a change weighs and takes."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench.browser import LAPTOP, change_ms, option, root_of, smoothness
from bench.report import Row, at_least, at_most, note
from fmviz.app.clips import conditional_point
from fmviz.lessons.paths.compute import results as paths
from fmviz.lessons.start import compute as start
from fmviz.scene import Scene, scenes
from fmviz.scene.scene import PRESETS
from fmviz.stage.payload import View
from tests.browser.helpers import Stage
from tools.find_chromium import FLAGS, find_chromium
from tools.serve import serve

__all__ = ["rows"]

HEAVY = "init=circles&data=checkerboard"

# Moves of the held pointer at every animation frame, as a mouse tells of them: frames a second over two seconds.
DRAG = """(root, [x, y]) => new Promise(done => {
    const plot = root.querySelector('canvas[data-panel=marginal]');
    const start = performance.now(), before = Number(root.dataset.frames);
    const look = () => {
        const spent = performance.now() - start;
        if (spent > 2000) return done((1000 * (Number(root.dataset.frames) - before)) / spent);
        const [clientX, clientY] = [x - 30 * Math.sin(spent / 150), y + 30 * (1 - Math.cos(spent / 150))];
        plot.dispatchEvent(new PointerEvent('pointermove', { clientX, clientY, pointerId: 1, pointerType: 'mouse' }));
        requestAnimationFrame(look);
    };
    look();
})"""

# From now until the density is as fine as the screen.
SHARP = """root => new Promise(done => {
    const start = performance.now();
    const look = () => Number(root.dataset.cells) >= 256 || performance.now() - start > 10000
        ? done(performance.now() - start) : requestAnimationFrame(look);
    look();
})"""


def dragging(page: Page, scene: Scene) -> tuple[float, float, float]:
    """Of a drag of the first component: frames a second, the mean cost of one, and milliseconds from rest until it is sharp."""
    root = root_of(page)
    stage = Stage(page)
    if root.get_attribute("data-playing") == "true":
        root.locator("[data-role=play]").click()
    first = scenes.components(scene, "data")[0]
    x, y = stage.place("marginal", first.x, first.y)
    page.mouse.move(x, y)
    page.mouse.down()
    fps = float(root.evaluate(DRAG, [x, y]))
    cost = float(root.get_attribute("data-frame-ms") or "nan")
    sharp = float(root.evaluate(SHARP))
    page.mouse.up()
    return fps, cost, sharp


def under_the_finger(browser: Browser, url: str) -> Iterator[Row]:
    """Ring of 8 and circles to checkerboard: dragged, playing, sharp again."""
    for query, scene, least in (("", Scene(), 50), (HEAVY, Scene(init="circles", data="checkerboard"), 15)):
        page = browser.new_context(viewport=LAPTOP).new_page()
        page.goto(f"{url}/probability-paths?t=0.5&{query}")
        fps, cost, sharp = dragging(page, scene)
        yield at_least(f"{query or 'ring of 8'}: frames per second while a component is dragged", fps, "fps", least)
        yield note(
            f"{query or 'ring of 8'}: mean cost of drawing one frame meanwhile (ring of 8: at most 12)", cost, "ms"
        )
        yield at_most(f"{query or 'ring of 8'}: at rest until the density is sharp", sharp, "ms", 300)
        page.context.close()
    page = browser.new_context(viewport=LAPTOP).new_page()
    page.goto(f"{url}/probability-paths?{HEAVY}")
    fps, cost = smoothness(page)
    yield at_least(f"{HEAVY}: frames per second while playing, all layers on", fps, "fps", 30)
    yield note(f"{HEAVY}: mean cost of drawing one frame", cost, "ms")
    page.context.close()


def many_pairs(browser: Browser, url: str) -> Iterator[Row]:
    """From the choice of data until the first new picture; the source is circles."""
    targets = {"/probability-paths": (300, 300), "/conservation": (1500, 1500), "/sample": (1500, 1500)}
    for address, (first, second) in targets.items():
        page = browser.new_context(viewport=LAPTOP).new_page()
        for data, target in (("checkerboard", first), ("spiral", second)):
            page.goto(f"{url}{address}?init=circles&data=grid")
            waited = change_ms(page, option(page, "scene-data", PRESETS.index(data)).click)
            yield at_most(f"{address}: circles → {data}, first new picture", waited, "ms", target)
        page.context.close()


def bytes_of_a_change() -> Iterator[Row]:
    """Payloads, deflated as the server sends them."""
    scene, view = Scene(), View()
    z = conditional_point(scene, None)
    for name, payload in (
        ("Start", start.payload(scene, view, "en")),
        ("Probability paths", paths.payload(scene, z, None, view, "en")),
    ):
        yield at_most(f"bytes of a change, deflated: {name}", len(zlib.compress(payload, 6)) / 1e6, "MB", 0.35)


def rows() -> Iterator[Row]:
    """All figures."""
    yield from bytes_of_a_change()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        with serve("app.py", Path(folder) / "app.log") as url:
            yield from under_the_finger(browser, url)
            yield from many_pairs(browser, url)
        browser.close()
    yield from memory()


def memory() -> Iterator[Row]:
    """What the process grows by over all pairs of presets, and again on a second round."""
    rounds = []
    for _ in range(3):
        before = resident_mb()
        for init in ("circles", "ring8", "two_modes"):
            for data in PRESETS:
                scene = Scene(init=init, data=data, count=100)
                paths.payload(scene, conditional_point(scene, None), None, View(), "en")
        rounds.append(resident_mb() - before)
    yield at_most("growth of the process over three sources and all presets", rounds[0], "MiB", 200)
    yield note("growth on a second round", rounds[1], "MiB")
    yield note("growth on a third round", rounds[2], "MiB")


def resident_mb() -> float:
    """Resident memory of this process in MiB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20
