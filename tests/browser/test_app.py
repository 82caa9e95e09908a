"""The app in a browser, as a lecturer uses it: the stage linked with the scene, the address, the language, the theme.

What can be seen in one visit is one test; its parts fail apart from each other.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from playwright.sync_api import Download, Page, expect

from fmviz.app.catalogue import translate
from fmviz.app.choices import decode
from tests.browser.helpers import OpenPage, Stage, choose, colour, english, query, settle, wait_for_query, widget

PATHS = "/probability-paths"
STILL = f"{PATHS}?t=0.5"


def opened(open_page: OpenPage, link: str) -> tuple[Page, Stage]:
    """The page on probability paths, at rest."""
    page = open_page(f"{PATHS}?{link}")
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0 && s.playing === 'false'")
    return page, stage


def test_start_moves_by_itself_and_leads_to_a_lesson_whose_time_goes_into_the_link(open_page: OpenPage) -> None:
    page = open_page("/?data=moons")
    moving = "s.playing === 'true' && Number(s.frames) > 5 && Number(s.t) > 0"
    Stage(page).wait(moving)
    page.get_by_role("link", name=english("paths.nav")).first.click()
    page.wait_for_url("**/probability-paths*")
    wait_for_query(page, "data", "moons")
    expect(page.get_by_role("heading", name=english("paths.title"), exact=True)).to_be_visible()
    stage = Stage(page)
    stage.wait("s.playing === 'true' && Number(s.frames) > 0 && Number(s.t) > 0.1")
    stage.tool("play").click()
    wait_for_query(page, "t", r"0\.\d+")
    stage.wait("s.playing === 'false'")
    assert float(query(page)["t"]) == pytest.approx(stage.t, abs=1e-3)


CLIPS = """root => {
    window.clips = [];
    const note = () => clips.at(-1) === root.dataset.clip || clips.push(root.dataset.clip);
    new MutationObserver(note).observe(root, { attributes: true, attributeFilter: ['data-clip'] });
}"""


def test_controls_change_the_clip_and_a_shared_link_reproduces_it_to_the_byte(
    open_page: OpenPage, subtests: pytest.Subtests
) -> None:
    mix = "1_1.5_0.5_0.3_0.1_0.2~0.5_-2_1_0.2_0_0.4"
    page, stage = opened(
        open_page, f"mix={mix}&sched=trig&sigma=bump&sn=7&t=0.35&z=0.5_1&at=0.2_0.1_0.35&layers=density.sde&scale=log"
    )
    with subtests.test("presses of a key during runs all count"):
        widget(page, "scene-amplitude").get_by_role("slider").focus()
        # Each while the page is run for the last one: its picture is there, its widgets are still to come.
        for _ in range(5):
            before = stage.data("clip")
            page.keyboard.press("ArrowRight")
            stage.wait(f"s.clip !== '{before}'")
        page.keyboard.press("ArrowRight")
        wait_for_query(page, "amp", "1.3")

    with subtests.test("a change of the scene is one new clip"):
        stage.root.evaluate(CLIPS)
        choose(page, "scene-scheduler", english("scheduler.polynomial"))
        page.wait_for_function("clips.length === 1")
        settle(page)
        assert page.evaluate("clips") == [stage.data("clip")]

    widget(page, "share").get_by_role("button").first.click()
    link = widget(page, "share").page.locator("[data-testid=stCode] code").first
    expect(link).to_contain_text("mix=")
    second = open_page(link.inner_text().strip())
    again = Stage(second)
    again.wait("Number(s.frames) > 0")
    with subtests.test("the shared link"):
        assert again.data("clip") == stage.data("clip") != ""
        assert again.t == stage.t == pytest.approx(0.35)
        assert again.data("layers") == stage.data("layers")

    for key, text, name in (
        ("scene-data", "preset.spiral", "data"),
        ("scene-scheduler", "scheduler.sqrt", "sched"),
    ):
        with subtests.test("a control", key=key):
            before = again.data("clip")
            choose(second, key, english(text))
            again.wait(f"s.clip !== '{before}'")
            wait_for_query(second, name, text.split(".")[1])
            assert again.t == pytest.approx(0.35)
    settle(second)


def test_layers_theme_presenting_keys_and_language(open_page: OpenPage, subtests: pytest.Subtests) -> None:
    page, stage = opened(open_page, "t=0.5")
    with subtests.test("layers go into the link"):
        stage.chip("score").click()
        wait_for_query(page, "layers", ".*score.*")
        stage.chip("score").click()
        page.wait_for_function("() => !location.search.includes('score')")
        assert "density" in query(page)["layers"]

    with subtests.test("the theme of the system"):
        picture = stage.picture("marginal")
        colour(page, "dark")
        stage.wait_for_other_picture("marginal", picture)
        colour(page, "light")

    with subtests.test("a click shows trajectories and posterior"):
        before = stage.data("clip")
        page.mouse.click(*stage.place("marginal", 0.5, 0.6))
        wait_for_query(page, "at", ".+")
        stage.wait(f"s.clip !== '{before}'")
        assert decode(query(page))[0].paths.click == pytest.approx((0.5, 0.6, 0.5), abs=0.05)
        expect(stage.chip("click")).to_be_visible()
        widget(page, "forget_click").get_by_role("button").click()
        stage.wait(f"s.clip === '{before}'")

    with subtests.test("presenting"):
        expect(page.get_by_test_id("stSidebar")).to_be_visible()
        widget(page, "present").get_by_role("button").click()
        wait_for_query(page, "present", "1")
        expect(page.get_by_text(english("lesson.notice"))).to_have_count(0)
        stage.wait("Number(s.frames) > 0")
        expect(widget(page, "present_end")).to_be_visible()
        widget(page, "present_end").get_by_role("button").click()
        expect(page.get_by_text(english("lesson.notice"))).to_be_visible()
        settle(page)

    with subtests.test("every key"):
        stage.root.focus()
        for key, condition in (
            ("ArrowRight", "Math.abs(s.t - 31/60) < 1e-3"),
            ("ArrowLeft", "Math.abs(s.t - 0.5) < 1e-3"),
            ("End", "Number(s.t) === 1"),
            ("Home", "Number(s.t) === 0"),
            ("Space", "s.playing === 'true'"),
            ("Space", "s.playing === 'false'"),
        ):
            page.keyboard.press(key)
            stage.wait(condition)
        settle(page)

    with subtests.test("the language"):
        page.get_by_role("radio", name="简体中文").or_(page.get_by_role("button", name="简体中文")).first.click()
        wait_for_query(page, "lang", "zh")
        expect(page.get_by_role("heading", name=translate("zh", "paths.title"), exact=True)).to_be_visible()
        expect(stage.tool("play")).to_have_attribute("aria-label", translate("zh", "stage.play"))
        expect(stage.chip("density")).to_contain_text(translate("zh", "layer.density"))
        assert not re.search(r"What to notice|Scene\b|Velocity", page.locator("[data-testid=stApp]").inner_text())
    page.get_by_role("radio", name="English").or_(page.get_by_role("button", name="English")).first.click()
    page.wait_for_function("() => !location.search.includes('lang=zh')")
    settle(page)

    with subtests.test("check and code"):
        widget(page, "check_paths").locator("summary").click()
        table = page.get_by_test_id("stTable").first
        expect(table).to_be_visible(timeout=30_000)
        # the browser's own closed forms have answered, and agree to 1e-9
        expect(table).to_contain_text(re.compile(r"This browser.*?·10⁻(⁹|¹.)", re.DOTALL), timeout=30_000)
        widget(page, "code_paths").locator("summary").click()
        expect(page.get_by_test_id("stCode")).to_contain_text("ProbabilityPath")
        settle(page)


def test_nonsense_in_the_link_shows_a_note_and_a_wrong_schedule_is_explained(open_page: OpenPage) -> None:
    page = open_page(f"{PATHS}?data=%3Cscript%3E&mix=1_2&amp=nan&foo=bar&sched=custom&alpha=1/0")
    expect(page.get_by_test_id("stAlert")).to_contain_text(english("app.link_problems"))
    expect(page.get_by_test_id("stText").filter(has_text="foo")).to_be_visible()
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0")
    settle(page)
    page.wait_for_url(lambda _: "foo" not in query(page))
    # It named a scheduler, if an impossible one: like every older link it keeps what it left out then (`LeftOut`).
    assert query(page) == {"ema": "0"}
    page.get_by_role("button", name=english("app.link_dismiss")).click()
    expect(page.get_by_test_id("stAlert")).to_have_count(0)

    stage.tool("play").click()
    wait_for_query(page, "t", r"\d")
    choose(page, "scene-scheduler", english("scheduler.custom"))
    wait_for_query(page, "sched", "custom")
    field = widget(page, "typed-alpha").locator("input")
    for text in ("1/0", "__import__('os')", "t**1e9", "", "0.5*t"):
        before = stage.data("clip")
        field.fill(text)
        field.press("Enter")
        expect(page.get_by_test_id("stAlert")).to_contain_text(english("schedule_error.unchanged"))
        stage.wait(f"s.clip === '{before}'")
        field.fill("sin(pi*t/2)")
        field.press("Enter")
        expect(page.get_by_test_id("stAlert")).to_have_count(0)
        settle(page)


def test_the_dark_room_is_black_and_its_sentence_readable(open_page: OpenPage) -> None:
    page, stage = opened(open_page, "present=1&layers=ode&t=0.5")
    for scheme, turned in (("dark", False), ("light", True)):
        colour(page, scheme)
        stage.root.focus()
        page.keyboard.press("b")
        page.wait_for_function("document.documentElement.classList.contains('fmviz-dark-room')")
        stage.wait("s.playing === 'false'")
        assert page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor") == "rgb(0, 0, 0)"
        assert stage.pixel("marginal", 4, -3.5)[:3] == [0, 0, 0]
        # Words that are dark on paper are turned over, and only they.
        filtered = page.evaluate("getComputedStyle(document.querySelector('[class*=st-key-heading_]')).filter")
        assert (filtered != "none") is turned
        page.keyboard.press("b")
        page.wait_for_function("!document.documentElement.classList.contains('fmviz-dark-room')")


def test_what_is_saved_of_a_picture(open_page: OpenPage, tmp_path: Path) -> None:
    page, stage = opened(open_page, "t=0.5")
    with page.expect_download() as waiting:
        stage.tool("png").click()
    saved(waiting.value, tmp_path / "png", b"\x89PNG\r\n\x1a\n")
    settle(page)

    widget(page, "share").get_by_role("button").first.click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name=english("app.figure")).click()
    waiting.value.save_as(tmp_path / "fmviz.svg")
    assert ET.parse(tmp_path / "fmviz.svg").getroot().attrib["width"] == "170mm"
    file = tmp_path / "fmviz.html"
    with page.expect_download() as waiting:
        page.get_by_role("button", name=english("app.standalone")).click()
    waiting.value.save_as(file)
    page.keyboard.press("Escape")

    with page.expect_download() as waiting:
        stage.tool("record").click()
        stage.wait("Number(s.filmed) > 0")
        stage.tool("record").click()
    saved(waiting.value, tmp_path / "webm", b"\x1a\x45\xdf\xa3")
    settle(page)

    page.goto(file.as_uri())
    alone = Stage(page)
    alone.wait("Number(s.frames) > 0")
    assert alone.data("clip") != ""
    assert alone.t == pytest.approx(0.5)


def saved(download: Download, file: Path, magic: bytes) -> None:
    """What was downloaded is of the kind that begins so, and not empty."""
    download.save_as(file)
    assert file.read_bytes().startswith(magic)
    assert file.stat().st_size > 2000
