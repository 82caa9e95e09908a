"""The player in a real browser: the standalone page, and a host page that stands in for Streamlit and takes its messages."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from fmviz.charts.palette import DIVERGING_DARK, DIVERGING_LIGHT
from fmviz.clips.clip import Clip
from fmviz.stage.assets import script, style
from fmviz.stage.payload import View, decode_header, encode, layer_names
from fmviz.stage.standalone import standalone_html
from tests.stage.scenes import (
    TEXTS,
    conservation_clip,
    default_clip,
    english,
    f32,
    flow_clip,
    signed_panel,
    small_clip,
)

OpenPage = Callable[..., Page]

HOST = """<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>host</title>
<style>:root{--st-background-color:#ffffff;--st-text-color:#1f2a44;--st-blue-color:#0b5fc0}</style></head>
<body><div id="root"></div><p id="below">below</p>
<script type="module">
import stage from "./stage.js";
const shadow = document.getElementById("root").attachShadow({mode: "open"});
const css = document.createElement("style");
css.textContent = await (await fetch("stage.css")).text();
shadow.append(css);
window.messages = [];
window.answer = true;
const load = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());
window.show = async (name) => {
  const bytes = await load(name);
  const odd = new Uint8Array(bytes.length + 1);
  odd.set(bytes, 1);
  window.cleanup = stage({data: odd.subarray(1), parentElement: shadow, key: "k", setStateValue: (name, value) => {
    window.messages.push({name, value: structuredClone(value), at: performance.now()});
  }});
};
await show("clip.bin");
window.ready = true;
</script></body></html>"""


@pytest.fixture(scope="module")
def clip() -> Clip:
    return small_clip()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, clip: Clip) -> Iterator[tuple[str, Path]]:
    """Address and folder of a small web server with the standalone pages and the host page."""
    folder = tmp_path_factory.mktemp("stage")
    labels = english(clip)
    still = encode(clip, labels, View(t=0.5))
    moved = encode(clip, labels, View(t=0.2, revision=1))
    other = encode(default_clip(frames=7, side=20, particles=10), labels, View(t=0.9))
    (folder / "still.html").write_text(standalone_html(still, "A <b>title</b>", "en"))
    (folder / "playing.html").write_text(standalone_html(encode(clip, labels, View(playing=True)), "p", "en"))
    (folder / "host.html").write_text(HOST)
    (folder / "stage.js").write_text(script())
    (folder / "stage.css").write_text(style())
    for name, payload in {"clip": still, "moved": moved, "other": other}.items():
        (folder / f"{name}.bin").write_bytes(payload)
    handler = functools.partial(_Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", folder
    server.shutdown()
    thread.join()
    server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing."""


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
            " : performance.now() - start > 10000 ? fail(new Error(source + ' in ' + JSON.stringify(root.dataset)))"
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


@pytest.fixture
def open_plain(browser: Browser) -> Iterator[OpenPage]:
    """``open_plain(url, **context_options)``: a page that is no Streamlit app. Any complaint of the browser fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_(url: str, **options: Any) -> Page:
        context = browser.new_context(**({"viewport": {"width": 1366, "height": 768}} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: complaints.append(str(e)))
        page.goto(url)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def still(open_plain: OpenPage, site: tuple[str, Path]) -> Stage:
    return Stage(open_plain(f"{site[0]}/still.html"))


@pytest.fixture
def host(open_plain: OpenPage, site: tuple[str, Path]) -> Stage:
    page = open_plain(f"{site[0]}/host.html")
    page.wait_for_function("window.ready")
    return Stage(page)


def test_attributes(still: Stage, site: tuple[str, Path], clip: Clip) -> None:
    header = decode_header((site[1] / "clip.bin").read_bytes())
    assert still.data("clip") == header["clip"]
    assert still.t == 0.5
    assert still.data("playing") == "false"
    assert int(still.data("frames")) >= 1
    assert float(still.data("frame-ms")) > 0
    assert still.data("layers").split(",") == header["view"]["layers_on"]
    assert still.page.get_by_role("heading").first.inner_text() == "A <b>title</b>"


def test_plays_and_pauses(still: Stage) -> None:
    still.tool("play").click()
    still.wait("s.playing === 'true' && Number(s.t) > 0.55")
    assert still.tool("play").get_attribute("aria-label") == TEXTS["pause"]
    still.tool("play").click()
    still.wait("s.playing === 'false'")
    frames = still.data("frames")
    still.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    still.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert int(still.data("frames")) <= int(frames) + 1, "a paused stage draws nothing"


def test_loop_starts_over_and_without_it_stops(still: Stage) -> None:
    still.tool("speed").select_option("4")
    still.root.press("End")
    still.tool("play").click()
    still.wait("s.playing === 'true' && Number(s.t) > 0.9")
    still.wait("Number(s.t) < 0.5")
    still.tool("loop").click()
    still.wait("s.playing === 'false' && Number(s.t) === 1")


def test_scrubbing_draws_within_one_frame(still: Stage) -> None:
    before = still.picture("marginal")
    drawn = still.tool("time").evaluate(
        """(slider) => new Promise((done) => {
            const root = slider.closest('[data-testid]');
            slider.value = 0.83;
            slider.dispatchEvent(new Event('input'));
            requestAnimationFrame(() => requestAnimationFrame(() => done(root.dataset.t)));
        })"""
    )
    assert float(drawn) == pytest.approx(0.83)
    assert still.tool("time").get_attribute("aria-valuetext") == "t = 0.83"
    assert still.picture("marginal") != before


def test_keys(still: Stage) -> None:
    root = still.root
    root.focus()
    for key, t in {
        "ArrowRight": 0.6,
        "ArrowLeft": 0.5,
        "Home": 0.0,
        "End": 1.0,
        "Shift+ArrowLeft": 0.0,
        "Shift+ArrowRight": 1.0,
    }.items():
        root.press(key)
        still.wait(f"Math.abs(Number(s.t) - {t}) < 1e-6")
    root.press("Space")
    still.wait("s.playing === 'true'")
    root.press("Space")
    still.wait("s.playing === 'false'")
    on = still.data("layers")
    root.press("2")
    still.wait(f"s.layers !== {on!r}")
    root.press("?")
    expect(still.root.get_by_role("dialog")).to_be_visible()
    root.press("Escape")
    expect(still.root.get_by_role("dialog")).to_be_hidden()
    root.focus()
    root.press("f")
    still.page.wait_for_function("document.fullscreenElement !== null")
    root.press("f")
    still.page.wait_for_function("document.fullscreenElement === null")


def test_frame_buttons(still: Stage) -> None:
    still.tool("forward").click()
    still.wait("Math.abs(Number(s.t) - 0.6) < 1e-6")
    still.tool("back").click()
    still.wait("Math.abs(Number(s.t) - 0.5) < 1e-6")


def test_chips_switch_layers(still: Stage, clip: Clip) -> None:
    for name in layer_names(clip):
        before, was = still.picture("marginal"), still.chip(name).get_attribute("aria-pressed")
        still.chip(name).click()
        expect(still.chip(name)).to_have_attribute("aria-pressed", "false" if was == "true" else "true")
        still.wait(f"s.layers.split(',').includes({name!r}) === {'false' if was == 'true' else 'true'}")
        if name not in ("lines", "z"):  # these lie in the other panel
            still.page.wait_for_function(
                "([c, old]) => c.toDataURL() !== old",
                arg=[still.root.locator("canvas[data-panel=marginal]").element_handle(), before],
            )


def test_density_scale(still: Stage) -> None:
    before = still.picture("marginal")
    for scale in ("log", "linear"):
        still.tool("scale").select_option(scale)
        still.page.wait_for_function(
            "([c, old]) => c.toDataURL() !== old",
            arg=[still.root.locator("canvas[data-panel=marginal]").element_handle(), before],
        )
        before = still.picture("marginal")
    still.tool("range").select_option("frame")
    still.page.wait_for_function(
        "([c, old]) => c.toDataURL() !== old",
        arg=[still.root.locator("canvas[data-panel=marginal]").element_handle(), before],
    )


def test_hover_reads_the_density(still: Stage) -> None:
    still.page.mouse.move(*still.place("marginal", 1.0, -1.0))
    hover = still.root.locator(".panel.plane .hover").nth(1)
    expect(hover).to_contain_text("x 1.0")
    expect(hover).to_contain_text("y −1.0")
    expect(hover).to_contain_text("p 0.")
    still.page.mouse.move(5, 5)
    expect(hover).to_have_text("")


def test_standalone_page_cannot_be_edited(still: Stage) -> None:
    assert still.root.locator(".stop").count() == 0
    still.page.mouse.dblclick(*still.place("marginal", 2.4, 0.2))
    assert still.root.locator(".edit-tools").count() == 0


def _drag(stage: Stage, panel: str, start: tuple[float, float], end: tuple[float, float], steps: int = 40) -> None:
    mouse = stage.page.mouse
    a, b = stage.place(panel, *start), stage.place(panel, *end)
    mouse.move(*a)
    mouse.down()
    for n in range(1, steps + 1):
        mouse.move(a[0] + (b[0] - a[0]) * n / steps, a[1] + (b[1] - a[1]) * n / steps)
    mouse.up()


def test_drag_a_mean(host: Stage) -> None:
    _drag(host, "marginal", (2.4, 0.2), (1.2, -0.6))
    events = host.messages("edited")
    phases = [e["value"]["phase"] for e in events]
    assert phases.count("done") == 1
    assert phases[-1] == "done"
    last = events[-1]["value"]
    assert last["mixture"] == "data"
    assert len(last["components"]) == 5
    assert last["components"][0][1:3] == pytest.approx([1.2, -0.6], abs=0.03)
    assert last["components"][1][1:3] == pytest.approx([0.7, 2.2], abs=1e-5)
    assert [e["value"]["seq"] for e in events] == sorted({e["value"]["seq"] for e in events})
    drags = [e["at"] for e in events if e["value"]["phase"] == "drag"]
    # sent 400 ms apart; a busy machine may hear of the first late
    assert all(b - a >= 300 for a, b in pairwise(drags)), "unanswered drags wait"


def test_answered_drags_come_at_most_eight_times_a_second(host: Stage) -> None:
    page = host.page
    page.mouse.move(*host.place("marginal", 2.4, 0.2))
    page.mouse.down()
    for n in range(4):
        page.mouse.move(*host.place("marginal", 2.0 - 0.1 * n, 0.2))
        page.wait_for_function("n => messages.filter((m) => m.name === 'edited').length > n", arg=n)
        page.evaluate("n => show(n % 2 ? 'clip.bin' : 'moved.bin')", n)
    page.mouse.up()
    page.wait_for_function("messages.at(-1)?.value?.phase === 'done'")
    events = host.messages("edited")
    drags = [e["at"] for e in events if e["value"]["phase"] == "drag"]
    assert len(drags) >= 4
    assert all(b - a >= 100 for a, b in pairwise(drags))
    assert events[-1]["value"]["components"][0][1] == pytest.approx(1.7, abs=0.03), (
        "new data did not move the finger's mean"
    )


def test_drag_an_axis_gives_a_full_covariance(host: Stage) -> None:
    host.page.mouse.click(*host.place("marginal", -2.0, 1.4))
    expect(host.root.get_by_role("toolbar")).to_be_visible()
    _drag(host, "marginal", (-2.0 + 2 * 0.15**0.5, 1.4), (-1.0, 2.4))
    xx, xy, yy = host.messages("edited")[-1]["value"]["components"][2][3:]
    assert xy > 0.05
    assert xx * yy - xy * xy > 0


def test_toolbar_adds_weighs_deletes_and_undoes(host: Stage) -> None:
    page = host.page
    page.mouse.click(*host.place("marginal", 2.4, 0.2))
    tool = lambda name: host.root.locator(f"[data-tool={name}]")  # noqa: E731
    last = lambda: host.messages("edited")[-1]["value"]["components"]  # noqa: E731
    tool("heavier").click()
    assert last()[0][0] == pytest.approx(0.25 * 1.25 / (1 + 0.0625), rel=1e-4)
    assert sum(row[0] for row in last()) == pytest.approx(1)
    tool("lighter").click()
    tool("undo").click()
    tool("undo").click()
    assert last()[0][0] == pytest.approx(0.25)
    tool("add").click()
    page.mouse.click(*host.place("marginal", -3.0, 3.0))
    assert len(last()) == 6
    assert last()[5][1:3] == pytest.approx([-3, 3], abs=0.03)
    tool("remove").click()
    assert len(last()) == 5
    page.keyboard.press("Control+z")
    page.wait_for_function("messages.at(-1).value.components.length === 6")
    assert all(e["value"]["phase"] == "done" for e in host.messages("edited"))


def test_double_click_adds_and_sends_no_click(host: Stage) -> None:
    host.page.mouse.dblclick(*host.place("marginal", 0.0, 0.0))
    assert len(host.messages("edited")[-1]["value"]["components"]) == 6
    host.page.mouse.click(*host.place("conditional", 3.0, 3.0))
    host.page.wait_for_function("messages.some((m) => m.name === 'clicked')")
    assert [e["value"]["panel"] for e in host.messages("clicked")] == ["conditional"]


def test_click_reports_place_and_time(host: Stage) -> None:
    host.page.mouse.click(*host.place("marginal", 1.0, -1.5))
    host.page.wait_for_function("messages.some((m) => m.name === 'clicked')")
    (event,) = host.messages("clicked")
    value = event["value"]
    assert (value["x"], value["y"], value["t"]) == pytest.approx((1.0, -1.5, 0.5), abs=0.02)
    assert value["panel"] == "marginal"


def test_keyboard_edits_a_component(host: Stage) -> None:
    host.root.get_by_role("application", name="Component 2 of 5").focus()
    page = host.page
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    page.keyboard.press("]")
    page.keyboard.press(",")
    done = [e["value"] for e in host.messages("edited") if e["value"]["phase"] == "done"]
    assert len(done) == 4
    weight, x, y, xx, _, yy = done[-1]["components"][1]
    assert x == pytest.approx(0.78)
    assert y == pytest.approx(2.2)
    assert weight > 0.2
    assert xx + yy == pytest.approx(0.3 * 1.08**2)
    page.keyboard.press("Delete")
    assert len(host.messages("edited")[-1]["value"]["components"]) == 4
    assert host.data("t") == "0.5", "arrows moved the component, not the clock"


def test_marker_is_dragged_by_mouse_and_keys(host: Stage) -> None:
    _drag(host, "conditional", (2.4, 0.2), (-1.0, 1.0))
    moved = [e["value"] for e in host.messages("moved")]
    assert [m["phase"] for m in moved].count("done") == 1
    assert (moved[-1]["name"], moved[-1]["x"], moved[-1]["y"]) == (
        "z",
        pytest.approx(-1, abs=0.03),
        pytest.approx(1, abs=0.03),
    )
    host.root.get_by_role("application", name="z at").focus()
    host.page.keyboard.press("ArrowUp")
    assert host.messages("moved")[-1]["value"]["y"] == pytest.approx(1.08, abs=0.03)
    assert host.messages("moved")[-1]["value"]["phase"] == "done"


def test_escape_takes_a_drag_back(host: Stage) -> None:
    page = host.page
    page.mouse.move(*host.place("marginal", 2.4, 0.2))
    page.mouse.down()
    page.mouse.move(*host.place("marginal", 1.0, 1.0), steps=3)
    host.root.focus()
    page.keyboard.press("Escape")
    page.mouse.up()
    done = [e["value"] for e in host.messages("edited") if e["value"]["phase"] == "done"]
    assert len(done) == 1
    assert done[0]["components"][0][1:3] == pytest.approx([2.4, 0.2], abs=1e-5)


def test_time_is_reported_on_pause_and_after_scrubbing_only(host: Stage) -> None:
    host.tool("play").click()
    host.wait("Number(s.t) > 0.55")
    assert host.messages("t") == []
    host.tool("play").click()
    host.wait("s.playing === 'false'")
    assert [e["value"] for e in host.messages("t")] == [pytest.approx(host.t, abs=1e-5)]
    host.tool("time").fill("0.25")
    host.page.wait_for_function("messages.filter((m) => m.name === 't').at(-1).value === 0.25")
    host.root.press("Home")
    host.page.wait_for_function("messages.filter((m) => m.name === 't').at(-1).value === 0")


def test_layers_and_density_are_reported(host: Stage) -> None:
    host.chip("contours").click()
    assert "contours" in host.messages("layers")[-1]["value"]
    host.tool("scale").select_option("log")
    assert host.messages("density")[-1]["value"] == {"scale": "log", "per_frame": False}


def test_new_data_keeps_what_the_user_set_until_a_new_revision(host: Stage) -> None:
    host.root.press("Home")
    host.chip("contours").click()
    host.wait("s.t === '0'")
    digest = host.data("clip")
    host.page.evaluate("show('other.bin')")
    host.wait(f"s.clip !== {digest!r}")
    assert host.t == 0
    assert "contours" in host.data("layers").split(",")
    host.page.evaluate("show('moved.bin')")
    host.wait("s.t === '0.2'")
    assert "contours" not in host.data("layers").split(",")
    assert host.root.count() == 1


def test_cleanup_takes_everything_away(host: Stage) -> None:
    host.tool("play").click()
    host.wait("s.playing === 'true'")
    host.page.evaluate("cleanup()")
    assert host.root.count() == 0
    host.page.evaluate("show('clip.bin')")
    host.root.wait_for()
    assert host.t == 0.5


def test_png(still: Stage, tmp_path: Path) -> None:
    with still.page.expect_download() as download:
        still.tool("png").click()
    assert download.value.suggested_filename.endswith(".png")
    download.value.save_as(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(data[16:20], "big") > 1500, "drawn at twice the size"


def test_webm(still: Stage, tmp_path: Path) -> None:
    still.tool("record").click()
    still.wait("s.recording === 'true' && Number(s.t) > 0.05")
    with still.page.expect_download() as download:
        still.tool("record").click()
    download.value.save_as(tmp_path / "a.webm")
    data = (tmp_path / "a.webm").read_bytes()
    assert data[:4] == b"\x1a\x45\xdf\xa3"
    assert b"webm" in data[:64]
    assert len(data) > 2000


def test_phone_has_no_sideways_scroll(open_plain: OpenPage, site: tuple[str, Path]) -> None:
    for width in (320, 390):
        page = open_plain(
            f"{site[0]}/still.html", viewport={"width": width, "height": 780}, has_touch=True, is_mobile=True
        )
        stage = Stage(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        first, second = (
            stage.root.locator(f"canvas[data-panel={p}]").bounding_box() for p in ("conditional", "marginal")
        )
        assert first is not None
        assert second is not None
        assert second["y"] > first["y"] + first["height"], "one column"
        assert first["width"] == pytest.approx(first["height"], abs=1)
        for box in (b.bounding_box() for b in stage.root.locator("button:visible, select:visible").all()):
            assert box is not None
            assert min(box["height"], box["width"]) >= 32


def test_fits_a_laptop(still: Stage) -> None:
    box = still.root.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 768


def test_panels_stay_in_one_row_at_any_width(host: Stage) -> None:
    for width in (1297.3, 997.71875, 911.5):
        host.page.evaluate("w => { document.getElementById('root').style.width = `${w}px`; }", width)
        host.page.wait_for_function(
            "([root, w]) => { const tops = [...root.querySelectorAll('.panel')].map((p) => p.getBoundingClientRect());"
            " return tops.every((b) => b.top === tops[0].top) && tops.at(-1).right - tops[0].left > 0.8 * w; }",
            arg=[host.root.element_handle(), width],
        )


@pytest.fixture
def show(open_plain: OpenPage, site: tuple[str, Path]) -> Callable[..., Stage]:
    """``show(clip, view)``: that clip on a host page that takes the messages; ``read_only`` on a page for slides."""

    def show_(clip: Clip, view: View | None = None, *, read_only: bool = False, **options: Any) -> Stage:
        url, folder = site
        payload = encode(clip, english(clip), view or View(t=0.5))
        (folder / "shown.bin").write_bytes(payload)
        (folder / "shown.html").write_text(
            standalone_html(payload, "p", "en") if read_only else HOST.replace('show("clip.bin")', 'show("shown.bin")')
        )
        page = open_plain(f"{url}/shown.html", **options)
        if not read_only:
            page.wait_for_function("window.ready")
        stage = Stage(page)
        stage.wait("Number(s.frames) > 0")
        return stage

    return show_


def _pixel(stage: Stage, panel: str, x: float, y: float) -> list[int]:
    """The colour drawn at a world point."""
    plot = stage.root.locator(f"canvas[data-panel={panel}]")
    x0, x1, y0, y1 = map(float, (plot.get_attribute("data-extent") or "").split(","))
    found: list[int] = plot.evaluate(
        "(c, [u, v]) => Array.from(c.getContext('2d').getImageData(u * c.width, v * c.height, 1, 1).data.slice(0, 3))",
        [(x - x0) / (x1 - x0), (y1 - y) / (y1 - y0)],
    )
    return found


def _rgb(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def _thirds(*values: float) -> object:
    """(2, 6, 6): a third of the panel each, the same in both frames."""
    return np.broadcast_to(np.repeat(values, 2), (2, 6, 6))


def _signed(values: object, **more: Any) -> Clip:
    return Clip(f32([0, 1]), (signed_panel("field", values, 2.0, **more),))


@pytest.mark.parametrize(("scheme", "ramp"), [("light", DIVERGING_LIGHT), ("dark", DIVERGING_DARK)])
def test_signed_colours(show: Callable[..., Stage], scheme: str, ramp: tuple[str, ...]) -> None:
    stage = show(_signed(_thirds(-2, 0, 2)), read_only=True, color_scheme=scheme)
    for x, colour in ((-1.5, ramp[0]), (0, ramp[5]), (1.5, ramp[-1])):
        assert _pixel(stage, "field", x, 0) == pytest.approx(_rgb(colour), abs=2)


def test_no_value_looks_like_zero_and_a_gap_in_time_keeps_the_other_frame(show: Callable[..., Stage]) -> None:
    values = np.array(_thirds(-2, np.nan, 2))
    values[1, :, 4:] = np.nan
    stage = show(_signed(values), read_only=True)
    assert _pixel(stage, "field", 0, 0) == pytest.approx(_rgb(DIVERGING_LIGHT[5]), abs=2)
    assert _pixel(stage, "field", 1.5, 0) == pytest.approx(_rgb(DIVERGING_LIGHT[-1]), abs=2)
    stage.page.mouse.move(*stage.place("field", 0, 0))
    expect(stage.root.locator(".hover")).to_contain_text("∂p –")


def test_signed_fields_follow_the_scale_control(show: Callable[..., Stage]) -> None:
    quarter = show(_signed(_thirds(-0.5, 0, 0.5), limits=[0.5, 0.5]), View(t=0, density_scale="linear"))
    light = [_rgb(colour) for colour in DIVERGING_LIGHT]
    linear = _pixel(quarter, "field", 1.5, 0)
    assert linear == pytest.approx([(3 * a + b) / 4 for a, b in zip(light[6], light[7], strict=True)], abs=3), (
        "a quarter"
    )
    texts = quarter.tool("scale").locator("option").all_inner_texts()
    assert texts == [TEXTS["scale_linear"], TEXTS["signed_sqrt"], TEXTS["signed_log"]]
    assert quarter.tool("scale").get_attribute("aria-label") == TEXTS["signed_group"]
    quarter.tool("scale").select_option("sqrt")
    pause = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    quarter.page.evaluate(pause)
    half = [(a + b) / 2 for a, b in zip(light[7], light[8], strict=True)]
    assert _pixel(quarter, "field", 1.5, 0) == pytest.approx(half, abs=3), "the root of a quarter is a half"
    quarter.tool("range").select_option("frame")
    quarter.page.evaluate(pause)
    assert _pixel(quarter, "field", 1.5, 0) == pytest.approx(light[-1], abs=2), "full colour at the limit of the frame"
    quarter.tool("scale").select_option("log")
    quarter.page.evaluate(pause)
    assert _pixel(quarter, "field", -1.5, 0) == pytest.approx(light[0], abs=2)


def test_hover_reads_the_signed_value(show: Callable[..., Stage]) -> None:
    stage = show(_signed(_thirds(-0.5, 0, 2)))
    stage.page.mouse.move(*stage.place("field", -1.5, 0))
    expect(stage.root.locator(".hover")).to_contain_text("∂p −0.5")
    stage.page.mouse.move(*stage.place("field", 1.5, 0))
    expect(stage.root.locator(".hover")).to_contain_text("∂p +2")


def test_densities_and_signed_fields_keep_their_words(host: Stage) -> None:
    texts = host.tool("scale").locator("option").all_inner_texts()
    assert texts == [TEXTS["scale_linear"], TEXTS["scale_sqrt"], TEXTS["scale_log"]]
    assert host.tool("scale").get_attribute("aria-label") == TEXTS["density_group"]


BOX = (-1.0, 0.5, -0.75, 0.75)


def _boxed(stage: Stage) -> list[dict[str, Any]]:
    return [e["value"] for e in stage.messages("boxed")]


def _sides(value: dict[str, Any]) -> tuple[float, ...]:
    return tuple(value[name] for name in ("x0", "x1", "y0", "y1"))


def test_a_box_is_moved_by_its_inside(show: Callable[..., Stage]) -> None:
    stage = show(conservation_clip(2, 5, 16))
    others = stage.picture("transport")
    _drag(stage, "change", (0.1, 0.3), (0.6, 0.1))
    events = _boxed(stage)
    assert [e["phase"] for e in events].count("done") == 1
    assert events[-1]["phase"] == "done"
    assert events[-1]["name"] == "box"
    assert _sides(events[-1]) == pytest.approx((-0.5, 1.0, -0.95, 0.55), abs=0.03)
    assert [e["seq"] for e in events] == sorted({e["seq"] for e in events})
    assert stage.picture("transport") != others, "boxes of one name move together"
    _drag(stage, "change", (0.25, 0.0), (9, 0.0), steps=5)
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
    _drag(stage, "change", start, end)
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


@pytest.mark.parametrize(("layer", "panel"), [("mesh", "transport"), ("box", "change"), ("term", "sum")])
def test_each_new_layer_draws_something(show: Callable[..., Stage], layer: str, panel: str) -> None:
    stage = show(conservation_clip(5, 5, 16))
    before = stage.picture(panel)
    stage.chip(layer).click()
    stage.page.wait_for_function(
        "([c, old]) => c.toDataURL() !== old",
        arg=[stage.root.locator(f"canvas[data-panel={panel}]").element_handle(), before],
    )


def test_a_mesh_moves_with_the_clock(show: Callable[..., Stage]) -> None:
    stage = show(conservation_clip(2, 5, 16), View(t=0, layers_on=("mesh",)))
    assert _pixel(stage, "transport", -1.5, 0.12) != [255, 255, 255]
    stage.root.press("End")
    stage.wait("s.t === '1'")
    assert _pixel(stage, "transport", -1.5, 0.12) == [255, 255, 255]
    assert _pixel(stage, "transport", -1.1, 0.12) != [255, 255, 255]


def test_steps_are_dots(show: Callable[..., Stage]) -> None:
    stage = show(flow_clip(), View(t=0.5, layers_on=("euler",)))
    inside = [_pixel(stage, "plane", *corner) for corner in ((-2.0, 0.0), (0.0, -1.0))]
    assert all(pixel == pytest.approx([0x98, 0x04, 0x30], abs=12) for pixel in inside)
    above, below = stage.place("plane", -2, 0), stage.place("plane", -2, 0.06)
    assert below[1] < above[1]
    assert _pixel(stage, "plane", -2.03, 0.04) != [255, 255, 255], "wider than the line"


def test_starts_of_one_layer_are_dragged_one_by_one(show: Callable[..., Stage]) -> None:
    stage = show(flow_clip())
    expect(stage.root.locator(".stop")).to_have_count(3)
    assert [c.get_attribute("data-layer") for c in stage.root.locator(".chip").all()].count("start") == 1
    _drag(stage, "plane", (-1, 2), (0, -3))
    last = stage.messages("moved")[-1]["value"]
    assert (last["name"], last["phase"]) == ("start1", "done")
    assert (last["x"], last["y"]) == pytest.approx((0, -3), abs=0.05)
    stage.root.get_by_role("application", name="Start at (1.00, 2.00)").focus()
    stage.page.keyboard.press("ArrowLeft")
    last = stage.messages("moved")[-1]["value"]
    assert (last["name"], last["x"], last["y"]) == ("start2", pytest.approx(0.92), pytest.approx(2.0))


@pytest.mark.parametrize("width", [1366, 390])
def test_a_panel_keeps_its_aspect(show: Callable[..., Stage], width: int) -> None:
    stage = show(flow_clip(), viewport={"width": width, "height": 800})
    box = stage.root.locator("canvas[data-panel=time]").bounding_box()
    assert box is not None
    assert box["width"] / box["height"] == pytest.approx(1.6, abs=0.02)
    assert stage.root.locator("canvas[data-panel=time]").get_attribute("aria-label") == (
        "Against time: t from 0.00 to 1.00, X from −25.00 to 25.00"
    )
    if width > 500:
        stage.page.mouse.move(*stage.place("time", 0.5, 10))
        expect(stage.root.locator(".hover").nth(1)).to_contain_text("t 0.50  X 10.0")


def test_arrows_point_along_free_scales(show: Callable[..., Stage]) -> None:
    """From (0.3, -20) by (0.1, 10), in world units: the head is there in pixels too."""
    stage = show(flow_clip(), View(t=0.5, layers_on=("slope",)))
    assert _pixel(stage, "time", 0.35, -15) != [255, 255, 255]
    assert _pixel(stage, "time", 0.397, -10.3) != [255, 255, 255]


def test_a_formula_stands_under_the_title(show: Callable[..., Stage]) -> None:
    stage = show(conservation_clip(2, 5, 16))
    formula = stage.root.locator(".formula math")
    expect(formula).to_have_count(2)
    assert formula.first.evaluate("node => node.namespaceURI") == "http://www.w3.org/1998/Math/MathML"
    assert (formula.first.text_content() or "") == "∂tp+∇·(pu)=0"
    title, plot = stage.root.locator(".title").first.bounding_box(), stage.root.locator(".plot").first.bounding_box()
    box = formula.first.bounding_box()
    assert title is not None
    assert plot is not None
    assert box is not None
    assert title["y"] < box["y"] < box["y"] + box["height"] <= plot["y"]


def test_a_formula_brings_no_script_along(show: Callable[..., Stage]) -> None:
    """The payload is checked where it is made; the browser does not rely on it."""
    stage = show(conservation_clip(1, 5, 16))
    stage.page.evaluate(
        """async () => {
            const { probeMath } = await import(URL.createObjectURL(new Blob([
                await (await fetch('stage.js')).text() + '; export const probeMath = mathElement;'], {type: 'text/javascript'})));
            const math = probeMath('<math xmlns="http://www.w3.org/1998/Math/MathML"><mi onclick="alert(1)" mathvariant="bold">x</mi>'
                + '<script>alert(1)</script><b xmlns="http://www.w3.org/1999/xhtml">y</b></math>');
            window.math = math.outerHTML;
            window.noMath = [probeMath('<p>x</p>'), probeMath('<math><mi>')];
        }"""
    )
    assert stage.page.evaluate("window.math") == '<math><mi mathvariant="bold">x</mi></math>'
    assert stage.page.evaluate("window.noMath") == [None, None]


@pytest.mark.parametrize("panels", [4, 6])
def test_small_multiples_fit_a_laptop(show: Callable[..., Stage], panels: int) -> None:
    """Under a page's head of 200 pixels and beside its sidebar."""
    stage = show(conservation_clip(panels, 5, 16))
    stage.page.evaluate(
        "() => { const root = document.getElementById('root'); root.style.cssText = 'width: 998px; margin-top: 190px';"
        " window.dispatchEvent(new Event('resize')); }"
    )
    stage.page.wait_for_function(
        "root => root.getBoundingClientRect().bottom <= 768 && root.getBoundingClientRect().top > 180",
        arg=stage.root.element_handle(),
    )
    boxes = [plot.bounding_box() for plot in stage.root.locator("canvas.plot").all()]
    sizes = {(round(box["width"]), round(box["height"])) for box in boxes if box is not None}
    assert len(boxes) == panels
    assert len(sizes) == 1, "of one size"
    assert min(min(sizes)) >= 130
    assert len({round(box["y"]) for box in boxes if box is not None}) == (1 if panels == 4 else 2)


def test_a_browser_that_cannot_record_says_so(open_plain: OpenPage, site: tuple[str, Path]) -> None:
    page = open_plain(f"{site[0]}/still.html")
    page.add_init_script("delete window.MediaRecorder")
    page.reload()
    record = Stage(page).tool("record")
    expect(record).to_be_disabled()
    assert record.get_attribute("title") == TEXTS["no_recording"]


def test_a_picture_of_small_multiples(show: Callable[..., Stage], tmp_path: Path) -> None:
    stage = show(conservation_clip(4, 5, 16), read_only=True)
    with stage.page.expect_download() as download:
        stage.tool("png").click()
    download.value.save_as(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_reduced_motion_does_not_start_by_itself(open_plain: OpenPage, site: tuple[str, Path]) -> None:
    moving = Stage(open_plain(f"{site[0]}/playing.html"))
    moving.wait("s.playing === 'true' && Number(s.t) > 0")
    quiet = Stage(open_plain(f"{site[0]}/playing.html", reduced_motion="reduce"))
    assert quiet.data("playing") == "false"
    assert quiet.t == 0


def test_follows_the_theme(host: Stage, still: Stage) -> None:
    ground = "c => Array.from(c.getContext('2d').getImageData(2, 2, 1, 1).data.slice(0, 3))"
    plot = still.root.locator("canvas[data-panel=marginal]")
    assert plot.evaluate(ground)[0] > 200
    still.page.emulate_media(color_scheme="dark")
    still.page.wait_for_function(f"c => ({ground})(c)[0] < 60", arg=plot.element_handle())
    plot = host.root.locator("canvas[data-panel=marginal]")
    host.page.evaluate("document.documentElement.style.setProperty('--st-background-color', '#0f1420')")
    host.page.wait_for_function(f"c => ({ground})(c)[0] < 60", arg=plot.element_handle())


def test_smooth_with_everything_on(open_plain: OpenPage, tmp_path: Path, site: tuple[str, Path]) -> None:
    """A guard against losing an order of magnitude; `make bench` holds the exact figures on a quiet machine."""
    clip = default_clip()
    payload = encode(clip, english(clip), View(playing=True, layers_on=layer_names(clip)))
    (site[1] / "full.html").write_text(standalone_html(payload, "p", "en"))
    stage = Stage(open_plain(f"{site[0]}/full.html"))
    stage.wait("Number(s.frames) > 90")
    assert float(stage.data("frame-ms")) < 40
