"""The app in a browser, as a lecturer uses it: the stage linked with the scene, the address, the language, the theme."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from playwright.sync_api import Page, expect

from fmviz.app.catalogue import translate
from fmviz.app.choices import decode
from fmviz.scene import Scene
from tests.browser.helpers import OpenPage, Stage, choose, english, query, settle, wait_for_query, widget

PATHS = "/probability-paths"
STILL = f"{PATHS}?t=0.5"


@pytest.fixture
def paths(open_page: OpenPage) -> tuple[Page, Stage]:
    page = open_page(STILL)
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0 && s.playing === 'false'")
    return page, stage


def test_start_moves_by_itself(open_page):
    stage = Stage(open_page("/"))
    stage.wait("s.playing === 'true' && Number(s.frames) > 5 && Number(s.t) > 0")


def test_start_leads_to_the_lesson_and_keeps_the_scene(open_page):
    page = open_page("/?data=moons")
    page.get_by_role("link", name=english("paths.nav")).first.click()
    page.wait_for_url("**/probability-paths*")
    wait_for_query(page, "data", "moons")
    Stage(page).wait("Number(s.frames) > 0")
    expect(page.get_by_role("heading", name=english("paths.title"), exact=True)).to_be_visible()


def test_pausing_puts_the_time_into_the_link(open_page):
    page = open_page(PATHS)
    stage = Stage(page)
    stage.wait("s.playing === 'true' && Number(s.t) > 0.1")
    stage.tool("play").click()
    wait_for_query(page, "t", r"0\.\d+")
    stage.wait("s.playing === 'false'")
    assert float(query(page)["t"]) == pytest.approx(stage.t, abs=1e-3)


def test_layers_go_into_the_link(paths):
    page, stage = paths
    stage.chip("score").click()
    wait_for_query(page, "layers", ".*score.*")
    stage.chip("score").click()
    page.wait_for_function("() => !location.search.includes('score')")
    assert "density" in query(page)["layers"]


@pytest.mark.parametrize(
    ("key", "text", "name"), [("scene-data", "preset.spiral", "data"), ("scene-scheduler", "scheduler.trig", "sched")]
)
def test_a_control_changes_the_clip(paths, key, text, name):
    page, stage = paths
    before = stage.data("clip")
    choose(page, key, english(text))
    stage.wait(f"s.clip !== '{before}'")
    wait_for_query(page, name, text.split(".")[1])
    assert stage.t == pytest.approx(0.5)


def test_presses_of_a_key_during_runs_all_count(paths):
    page, stage = paths
    widget(page, "scene-amplitude").get_by_role("slider").focus()
    # Each while the page is run for the last one: its picture is there, its widgets are still to come.
    for _ in range(5):
        before = stage.data("clip")
        page.keyboard.press("ArrowRight")
        stage.wait(f"s.clip !== '{before}'")
    page.keyboard.press("ArrowRight")
    wait_for_query(page, "amp", "1.3")


def test_a_change_of_the_scene_is_one_new_clip(paths, open_page):
    page, stage = paths
    stage.root.evaluate(
        "root => { window.clips = []; new MutationObserver(() => clips.at(-1) === root.dataset.clip"
        " || clips.push(root.dataset.clip)).observe(root, { attributes: true, attributeFilter: ['data-clip'] }); }"
    )
    choose(page, "scene-scheduler", english("scheduler.polynomial"))
    page.wait_for_function("clips.length === 1")
    settle(page)
    (whole,) = page.evaluate("clips")
    assert whole == stage.data("clip")
    opened = Stage(open_page(f"{PATHS}?{page.url.partition('?')[2]}"))
    opened.wait("Number(s.frames) > 0")
    assert opened.data("clip") == whole


def test_dragging_a_mean_moves_the_density_and_can_be_undone(open_page):
    page = open_page(f"{PATHS}?t=1&data=two_modes")
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0")
    before, picture = stage.data("clip"), stage.picture("marginal")
    mode = Scene(data="two_modes")
    from fmviz.scene import scenes

    component = scenes.components(mode, "data")[0]
    start, end = (component.x, component.y), (component.x + 1.0, component.y + 1.5)
    stage.drag("marginal", start, end, release=False)
    stage.wait("Number(s.law) > 1")
    # the density follows while the button is still down, without an answer of the server
    stage.wait_for_other_picture("marginal", picture)
    assert stage.data("clip") == before
    page.mouse.up()
    stage.wait(f"s.clip !== '{before}'")
    wait_for_query(page, "mix", ".+")
    moved = decode(query(page))[0].scene.data_components
    assert moved is not None
    assert (moved[0].x, moved[0].y) == pytest.approx(end, abs=0.05)
    stage.wait_for_other_picture("marginal", picture)
    expect(widget(page, "undo").get_by_role("button")).to_be_enabled()
    widget(page, "undo").get_by_role("button").click()
    stage.wait(f"s.clip === '{before}'")
    page.wait_for_function("() => !location.search.includes('mix=')")


def test_dragging_z_changes_the_conditional_panel_only(paths):
    page, stage = paths
    left, right = stage.picture("conditional"), stage.picture("marginal")
    first = decode({})[0]
    from fmviz.scene import scenes

    component = scenes.components(first.scene, "data")[0]
    stage.drag("conditional", (component.x, component.y), (0.0, -2.0))
    wait_for_query(page, "z", ".+")
    assert decode(query(page))[0].path.z == pytest.approx((0.0, -2.0), abs=0.05)
    stage.wait_for_other_picture("conditional", left)
    assert stage.picture("marginal") == right


def test_clicking_shows_trajectories_and_posterior(paths):
    page, stage = paths
    before = stage.data("clip")
    page.mouse.click(*stage.place("marginal", 0.5, 0.6))
    wait_for_query(page, "at", ".+")
    stage.wait(f"s.clip !== '{before}'")
    assert decode(query(page))[0].paths.click == pytest.approx((0.5, 0.6, 0.5), abs=0.05)
    expect(stage.chip("click")).to_be_visible()
    widget(page, "forget_click").get_by_role("button").click()
    stage.wait(f"s.clip === '{before}'")


def test_every_key(paths):
    page, stage = paths
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


def test_a_shared_link_reproduces_the_clip_to_the_byte(open_page):
    mix = "1_1.5_0.5_0.3_0.1_0.2~0.5_-2_1_0.2_0_0.4"
    page = open_page(
        f"{PATHS}?mix={mix}&sched=trig&sigma=bump&amp=2&sn=7&t=0.35&z=0.5_1&at=0.2_0.1_0.35&layers=density.sde&scale=log"
    )
    first = Stage(page)
    first.wait("Number(s.frames) > 0")
    widget(page, "share").get_by_role("button").first.click()
    link = widget(page, "share").page.locator("[data-testid=stCode] code").first
    expect(link).to_contain_text("mix=")
    address = link.inner_text().strip()
    second = Stage(open_page(address))
    second.wait("Number(s.frames) > 0")
    assert second.data("clip") == first.data("clip") != ""
    assert second.t == first.t == pytest.approx(0.35)
    assert second.data("layers") == first.data("layers")
    settle(page)


def test_nonsense_in_the_link_shows_a_note(open_page):
    page = open_page(f"{PATHS}?data=%3Cscript%3E&mix=1_2&amp=nan&foo=bar&sched=custom&alpha=1/0")
    expect(page.get_by_test_id("stAlert")).to_contain_text(english("app.link_problems"))
    expect(page.get_by_test_id("stText").filter(has_text="foo")).to_be_visible()
    Stage(page).wait("Number(s.frames) > 0")
    settle(page)
    page.wait_for_url(lambda _: "foo" not in query(page))
    # It named a scheduler, if an impossible one: like every older link it keeps what it left out then (`LeftOut`).
    assert query(page) == {"ema": "0"}
    page.get_by_role("button", name=english("app.link_dismiss")).click()
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def test_switching_the_language(paths):
    page, stage = paths
    page.get_by_role("radio", name="简体中文").or_(page.get_by_role("button", name="简体中文")).first.click()
    wait_for_query(page, "lang", "zh")
    expect(page.get_by_role("heading", name=translate("zh", "paths.title"), exact=True)).to_be_visible()
    expect(stage.tool("play")).to_have_attribute("aria-label", translate("zh", "stage.play"))
    expect(stage.chip("density")).to_contain_text(translate("zh", "layer.density"))
    assert not re.search(r"What to notice|Scene\b|Velocity", page.locator("[data-testid=stApp]").inner_text())


def test_following_the_system_theme(paths):
    page, stage = paths
    ground = "() => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
    light, picture = page.evaluate(ground), stage.picture("marginal")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"light => ({ground})() !== light", arg=light)
    page.wait_for_function(
        "([canvas, before]) => canvas.toDataURL() !== before",
        arg=[stage.root.locator("canvas[data-panel=marginal]").element_handle(), picture],
    )
    settle(page)


def test_presenting(paths):
    page, stage = paths
    expect(page.get_by_test_id("stSidebar")).to_be_visible()
    widget(page, "present").get_by_role("button").click()
    wait_for_query(page, "present", "1")
    expect(page.get_by_text(english("lesson.notice"))).to_have_count(0)
    stage.wait("Number(s.frames) > 0")
    expect(widget(page, "present_end")).to_be_visible()
    widget(page, "present_end").get_by_role("button").click()
    expect(page.get_by_text(english("lesson.notice"))).to_be_visible()
    settle(page)


@pytest.mark.parametrize(("scheme", "turned"), [("light", True), ("dark", False)])
def test_the_dark_room_is_black_and_its_sentence_readable(open_page, scheme, turned):
    page = open_page(f"{PATHS}?present=1&layers=ode&t=0.5", color_scheme=scheme)
    stage = Stage(page)
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


@pytest.mark.parametrize("path", ["/", PATHS])
def test_a_phone_scrolls_one_way_only(open_page, path):
    page = open_page(path, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    Stage(page).wait("Number(s.frames) > 0")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    main = page.get_by_test_id("stMain")
    assert main.evaluate("e => e.scrollWidth <= e.clientWidth + 1")


@pytest.mark.parametrize("path", ["/", PATHS])
def test_stage_and_controls_fit_a_laptop(open_page, path):
    page = open_page(f"{path}?t=0.5")
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0")
    box = stage.root.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 768


@pytest.mark.parametrize(("role", "magic"), [("png", b"\x89PNG\r\n\x1a\n"), ("record", b"\x1a\x45\xdf\xa3")])
def test_downloads(open_page, tmp_path, role, magic):
    page = open_page(STILL, accept_downloads=True)
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0")
    with page.expect_download() as waiting:
        stage.tool(role).click()
        if role == "record":
            stage.wait("Number(s.filmed) > 0")
            stage.tool(role).click()
    file = tmp_path / "download"
    waiting.value.save_as(file)
    assert file.read_bytes().startswith(magic)
    assert file.stat().st_size > 2000
    settle(page)


def test_the_stage_as_one_file(open_page, tmp_path):
    page = open_page(STILL, accept_downloads=True)
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0")
    widget(page, "share").get_by_role("button").first.click()
    with page.expect_download() as drawing:
        page.get_by_role("button", name=english("app.figure")).click()
    drawing.value.save_as(tmp_path / "fmviz.svg")
    assert ET.parse(tmp_path / "fmviz.svg").getroot().attrib["width"] == "170mm"
    with page.expect_download() as waiting:
        page.get_by_role("button", name=english("app.standalone")).click()
    file = tmp_path / "fmviz.html"
    waiting.value.save_as(file)
    page.goto(file.as_uri())
    alone = Stage(page)
    alone.wait("Number(s.frames) > 0")
    assert alone.data("clip") != ""
    assert alone.t == pytest.approx(0.5)


def test_a_wrong_schedule_is_explained_and_leaves_the_picture(open_page):
    page = open_page(f"{PATHS}?t=0.5&sched=custom")
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0")
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


def test_check_and_code_open(paths):
    page, _ = paths
    widget(page, "check_paths").locator("summary").click()
    table = page.get_by_test_id("stTable").first
    expect(table).to_be_visible(timeout=30_000)
    # the browser's own closed forms have answered, and agree to 1e-9
    expect(table).to_contain_text(re.compile(r"This browser.*?·10⁻(⁹|¹.)", re.DOTALL), timeout=30_000)
    widget(page, "code_paths").locator("summary").click()
    expect(page.get_by_test_id("stCode")).to_contain_text("ProbabilityPath")
    settle(page)
