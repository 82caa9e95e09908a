"""Training in the running app, the page open and the stage playing, against the bare loop on the same machine (criterion 2).

The bare loop is `Trainer.advance` and nothing else, in a process of its own, measured before and after every visit of the
page, which trains the same run while headless Chromium plays the stage beside it.
"""

from __future__ import annotations

import itertools
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from bench.browser import ALL_LAYERS_ON, FRAMES_DURING, LAPTOP, SCRUB, root_of
from bench.report import Row, at_least, at_most, note
from tests.browser.helpers import settle
from tools.find_chromium import FLAGS, find_chromium
from tools.serve import ROOT, serve

__all__ = ["rows"]

TRAIN = "/train?train=200000"
WARM, SECONDS = 3.0, 6.0
SCRUBS = 9
VISITS = 3

BARE = """
import time, torch
torch.set_num_threads(1)
from fmviz.lessons.train.spec import train_spec
from fmviz.scene import scenes
from fmviz.learning import Trainer
from fmviz.scene import Scene
from fmviz.lessons.train.settings import Settings as TrainSettings
scene = Scene()
trainer = Trainer(scenes.path(scene), train_spec(scene, TrainSettings(steps=200000)))
trainer.advance(100)
began = time.perf_counter()
while time.perf_counter() - began < 3.0:
    trainer.advance(20)
print((trainer.step - 100) / (time.perf_counter() - began))
"""

# Times at which the stage got a new clip, for so many seconds.
UPDATES = """(root, seconds) => new Promise(done => {
    let clip = root.dataset.clip, changes = 0;
    const start = performance.now();
    const look = () => {
        if (root.dataset.clip !== clip) { clip = root.dataset.clip; changes += 1; }
        const gone = performance.now() - start;
        if (gone > seconds * 1000) done(changes * 1000 / gone); else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
})"""


def bare() -> float:
    """Steps per second of the loop alone."""
    done = subprocess.run([sys.executable, "-c", BARE], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)


def steps_done(page: Page) -> tuple[float, int]:
    """The time, and the number of training steps that the page shows."""
    text = page.get_by_test_id("fmviz-progress").inner_text()
    found = re.search(r"step (\d+) of", text)
    if found is None:
        raise RuntimeError(f"no training step in {text!r}")
    return time.perf_counter(), int(found.group(1))


@dataclass(frozen=True)
class Live:
    """What one visit of the page shows: steps, updates and frames a second; animation frames until a scrub is drawn, worst."""

    speed: float
    updates: float
    fps: float
    scrub: int


def visit() -> Live:
    """Trains in a fresh app with a fresh browser."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        with serve("app.py", Path(folder) / "app.log") as url:
            page = browser.new_context(viewport=LAPTOP).new_page()
            page.goto(url + TRAIN)
            root = root_of(page)
            root.evaluate(ALL_LAYERS_ON)
            settle(page)
            page.locator(".st-key-train_go").get_by_role("button").click()
            expect(page.get_by_test_id("fmviz-progress")).to_contain_text(re.compile(r"step [1-9]"), timeout=60_000)
            page.wait_for_timeout(WARM * 1000)
            began, first = steps_done(page)
            updates = float(root.evaluate(UPDATES, SECONDS))
            ended, last = steps_done(page)
            fps = float(root.evaluate(FRAMES_DURING, SECONDS))
            root.locator("[data-role=play]").click()
            page.wait_for_timeout(500)
            frames = [int(root.evaluate(SCRUB, (i + 0.5) / SCRUBS)) for i in range(SCRUBS)]
        browser.close()
    return Live((last - first) / (ended - began), updates, fps, max(frames))


def rows() -> Iterator[Row]:
    """Bare loop and app in turns, for the speed of these machines wanders: medians of `VISITS`."""
    alone, live = [bare()], []
    for _ in range(VISITS):
        live.append(visit())
        alone.append(bare())
    shares = [
        seen.speed / statistics.mean(around) for seen, around in zip(live, itertools.pairwise(alone), strict=True)
    ]
    median = statistics.median
    yield note("the bare loop", median(alone), "steps/s")
    yield note("the same run in the app, page open, stage playing", median(seen.speed for seen in live), "steps/s")
    yield at_least("the app's share of the bare loop", median(shares), "", 0.75)
    yield note("the same, least of the visits", min(shares), "")
    yield at_least("updates of the stage a second", median(seen.updates for seen in live), "Hz", 4)
    yield at_least("frames a second meanwhile, all layers on", median(seen.fps for seen in live), "fps", 50)
    yield at_most("scrubbing meanwhile: animation frames, worst", max(seen.scrub for seen in live), "frames", 1)
