"""Playing, scrubbing, keys, layers, recording: what everybody does with a stage."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from fmviz.clips.clip import Clip
from fmviz.stage.payload import View, decode_header, encode, layer_names
from fmviz.stage.standalone import standalone_html
from tests.browser.helpers import OpenPage, Stage
from tests.stage.scenes import (
    TEXTS,
    default_clip,
    english,
)


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
        "j": 0.0,
        "l": 1.0,
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
    still.wait("s.recording === 'true' && Number(s.t) > 0.05 && Number(s.filmed) > 0")
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
        for box in (
            b.bounding_box() for b in stage.root.locator("button:visible:not(:disabled), select:visible").all()
        ):
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


def test_a_browser_that_cannot_record_says_so(open_plain: OpenPage, site: tuple[str, Path]) -> None:
    page = open_plain(f"{site[0]}/still.html", init_script="delete window.MediaRecorder")
    record = Stage(page).tool("record")
    expect(record).to_be_disabled()
    assert record.get_attribute("title") == TEXTS["no_recording"]


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


GO_ON = """async () => {
    const times = [];
    const { dataset } = [...document.querySelectorAll('#root')][0].shadowRoot.querySelector('[data-testid=fmviz-stage]');
    await window.show('moved.bin');
    for (let n = 0; n < 300 && times.at(-1) !== 0.2; n++) {
        times.push(Number(dataset.t));
        await new Promise(requestAnimationFrame);
    }
    return times;
}"""


def test_the_clock_moves_smoothly_to_the_next_state_of_the_page(host: Stage) -> None:
    times = host.page.evaluate(GO_ON)
    assert times[-1] == 0.2
    assert len([t for t in times if 0.2 < t < 0.5]) > 3
    assert times == sorted(times, reverse=True)
    host.page.emulate_media(reduced_motion="reduce")
    host.root.press("End")
    host.wait("Number(s.t) === 1")
    host.page.evaluate("show('clip.bin')")
    host.wait("Number(s.t) !== 1")
    assert host.t == 0.5, "at once for those who want less motion"


def test_the_summary_says_what_is_shown_and_how_it_moves(still: Stage, clip: Clip) -> None:
    summary = still.root.locator(".summary")
    described = still.root.get_attribute("aria-describedby")
    assert summary.get_attribute("id") == described
    text = summary.inner_text()
    assert all(panel.title in text for panel in clip.panels)
    name = "Velocity"
    still.chip("velocity").click()
    assert (name in summary.inner_text()) != (name in text)
