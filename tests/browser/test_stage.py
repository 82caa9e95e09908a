"""The player in a real browser: the standalone page, and a host page that stands in for Streamlit and takes its messages."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from fmviz.clips.clip import Clip
from fmviz.stage.assets import script, style
from fmviz.stage.payload import View, decode_header, encode, layer_names
from fmviz.stage.standalone import standalone_html
from tests.stage.scenes import TEXTS, default_clip, english, small_clip

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
    assert all(b - a >= 395 for a, b in pairwise(drags)), "unanswered drags wait 400 ms"


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
    assert len(drags) == 4
    assert all(b - a >= 120 for a, b in pairwise(drags))
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
