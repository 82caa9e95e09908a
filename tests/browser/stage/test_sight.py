"""A playing stage that is scrolled out of sight: its clock goes on, it draws nothing, and it is where it should be when it comes back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fmviz.clips.clip import Clip
from fmviz.stage.payload import View
from tests.browser.helpers import Stage

SECOND = """async () => {
    const { default: stage } = await import("./stage.js");
    const other = document.createElement("div");
    other.style.marginTop = "3000px";
    document.body.append(other);
    const data = new Uint8Array(await (await fetch("shown.bin")).arrayBuffer());
    stage({ data, parentElement: other.attachShadow({ mode: "open" }) });
}"""
"""Another stage far below, from the same script."""

DRAWN = """(ms) => {
    const stages = [...document.querySelectorAll("div")].map((node) => node.shadowRoot?.querySelector("[data-testid=fmviz-stage]"));
    const frames = () => stages.filter(Boolean).map(({ dataset }) => Number(dataset.frames));
    return new Promise((done) => {
        const before = frames();
        setTimeout(() => done(frames().map((count, n) => count - before[n])), ms);
    });
}"""
"""How many pictures each stage draws in a while."""

LOOKED = "() => new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 100))"
"""The browser has told what is in sight."""

WHILE, FEW = 700, 5


@pytest.fixture
def playing(show: Callable[..., Stage], clip: Clip) -> Stage:
    """A stage that plays slowly, and room below."""
    stage = show(clip, View(playing=True, speed=0.25, loop=False))
    stage.page.evaluate("() => { document.body.style.paddingBottom = '3000px'; }")
    stage.wait("Number(s.t) > 0.01")
    return stage


def scroll(stage: Stage, y: int) -> None:
    stage.page.evaluate("(y) => scrollTo(0, y)", y)
    stage.page.evaluate(LOOKED)


def drawn(stage: Stage) -> list[int]:
    counts: list[int] = stage.page.evaluate(DRAWN, WHILE)
    return counts


def test_of_two_stages_only_the_one_in_sight_draws(playing: Stage) -> None:
    playing.page.evaluate(SECOND)
    playing.page.evaluate(LOOKED)
    seen, unseen = drawn(playing)
    assert seen > FEW
    assert unseen == 0
    scroll(playing, 3000)
    unseen, seen = drawn(playing)
    assert seen > FEW
    assert unseen == 0


def test_the_clock_has_gone_on_when_the_stage_comes_back(playing: Stage) -> None:
    scroll(playing, 3000)
    left = playing.t
    assert drawn(playing) == [0]
    scroll(playing, 0)
    # A pass takes 20 s here. A machine so busy that a picture takes longer than a tenth of a second loses time, seen or not.
    assert playing.t > left + 0.5 * WHILE / 20_000
    assert drawn(playing)[0] > FEW


def test_out_of_sight_it_stops_at_the_end_and_says_so(playing: Stage) -> None:
    playing.tool("speed").select_option("4")
    scroll(playing, 3000)
    frames = int(playing.data("frames"))
    playing.page.wait_for_function("messages.some(({ name, value }) => name === 't' && value === 1)")
    playing.wait("s.playing === 'false' && Number(s.t) === 1")
    assert int(playing.data("frames")) <= frames + 2, "one picture, that of the end"


def test_what_comes_while_it_is_out_of_sight_is_drawn_when_it_is_back(playing: Stage) -> None:
    scroll(playing, 3000)
    playing.page.evaluate("show('other.bin')")
    assert drawn(playing) == [0]
    clip = playing.data("clip")
    frames = int(playing.data("frames"))
    scroll(playing, 0)
    playing.wait(f"Number(s.frames) > {frames} && s.clip === {clip!r}")


def test_a_film_needs_its_pictures_out_of_sight_too(playing: Stage) -> None:
    playing.tool("record").click()
    playing.wait("s.recording === 'true'")
    scroll(playing, 3000)
    assert drawn(playing)[0] > FEW
    with playing.page.expect_download():
        playing.tool("record").click()


def test_paper_shows_the_picture_of_the_time(playing: Stage) -> None:
    scroll(playing, 3000)
    before = playing.data("frames")
    playing.page.emulate_media(media="print")
    playing.wait(f"s.frames !== {before!r}")
    playing.page.emulate_media(media="screen")
