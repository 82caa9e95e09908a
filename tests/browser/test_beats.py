"""The stories of the lessons as a lecturer tells them, with a clicker (`told`, on every page: see `test_pages`), and one of his own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from fmviz.app import beats
from fmviz.app.catalogue import catalogue, translate
from fmviz.lessons import Lesson
from tests.browser.helpers import Stage, query, settle, wait_for_query, widget

WHOLE, FIRST = ("paths", "hyperparameters"), 2
"""Stories that are told to their end; of the others the first beats. That each beat opens is tested without a browser."""
PASSING = ("lang", "present", "beat", "t", "ema")


def plain(text: str) -> str:
    """A sentence as it is read: without the marks of Markdown and without formulas."""
    return text.split("$")[0].split("*")[0].split(":")[0].strip()


def at_beat(page: Page, lesson: str, number: int) -> dict[str, str]:
    """Waits until the link is that of the beat, and returns it."""
    page.wait_for_function(f"new URLSearchParams(location.search).get('beat') === '{lesson}.{number}'")
    settle(page)
    return query(page)


def told(page: Page, lesson: Lesson) -> Iterator[int]:
    """Tells a story with a clicker: the number of each beat when it is reached, before its picture and its words are looked at."""
    expect(widget(page, "beat_next").get_by_role("button")).to_be_enabled()
    unfolded = False
    story = beats.beats(lesson.name)
    assert story
    for number, beat in enumerate(story if lesson.name in WHOLE else story[:FIRST], start=1):
        page.keyboard.press("PageDown")
        link = at_beat(page, lesson.name, number)
        yield number
        assert {k: v for k, v in link.items() if k not in PASSING} == {
            k: v for k, v in beat.parameters.items() if k not in PASSING
        }
        stage, before = Stage(page), int(Stage(page).data("frames"))
        if "t" in beat.parameters:
            stage.wait(f"Math.abs(s.t - {beat.parameters['t']}) < 0.02")
        else:
            stage.wait(f"Number(s.frames) > {before}")
        key = f"{lesson.name}.beats.{beat.name}"
        heading = page.locator("[class*='st-key-heading_']")
        expect(heading).to_contain_text(plain(translate("en", key)))
        answer = widget(page, "beat_answer")
        asked = f"{key}_question" in catalogue("en")
        expect(answer).to_have_count(int(asked))
        if asked and not unfolded:
            answer.get_by_role("button").click()
            expect(page.get_by_test_id("stPopoverBody")).to_contain_text(plain(translate("en", f"{key}_answer")))
            page.keyboard.press("Escape")
            unfolded = True
    if lesson.name in WHOLE:
        expect(widget(page, "beat_next").get_by_role("button")).to_be_disabled()


def test_a_clicker_shift_arrows_and_the_way_back(open_page):
    page = open_page("/probability-paths?beat=paths.4")
    wait_for_query(page, "at", "1.2_0.5_0.5")
    Stage(page).root.click(position={"x": 400, "y": 200})  # the stage has the keys now
    page.keyboard.press("Shift+ArrowRight")
    at_beat(page, "paths", 5)
    page.keyboard.press("Shift+ArrowLeft")
    at_beat(page, "paths", 4)
    page.keyboard.press("PageUp")
    at_beat(page, "paths", 3)
    stage = Stage(page)
    stage.chip("score").click()
    page.wait_for_function("location.search.includes('score')")
    settle(page)
    widget(page, "beat_return").get_by_role("button").click()
    page.wait_for_function("!location.search.includes('score')")
    settle(page)
    assert {k: v for k, v in query(page).items() if k not in PASSING} == {"layers": "density.velocity.mixture.z"}


def test_a_press_at_the_moment_of_an_event_of_the_stage_is_not_lost(open_page):
    """So close together that the browser sends both in one message, which asks for the fragment of the stage alone."""
    page = open_page("/probability-paths?beat=paths.4")
    wait_for_query(page, "at", "1.2_0.5_0.5")
    settle(page)
    chip, button = Stage(page).chip("score"), widget(page, "beat_right").locator("button")
    page.evaluate("both => both.forEach(one => one.click())", [chip.element_handle(), button.element_handle()])
    at_beat(page, "paths", 5)
    expect(widget(page, "beats")).to_contain_text("5 /")


def unfold(page: Page) -> None:
    widget(page, "story").get_by_role("button").first.click()
    expect(widget(page, "story_add")).to_be_visible()
    settle(page)


def test_an_own_story_is_kept_saved_opened_and_a_hostile_file_refused(open_page, tmp_path):
    page = open_page("/probability-paths?sched=trig&t=0.5", accept_downloads=True)
    unfold(page)
    widget(page, "story_add").get_by_role("button").click()
    field = widget(page, "story_sentence_0").get_by_role("textbox")
    field.fill("<b>First</b> this")
    field.press("Enter")
    settle(page)
    with page.expect_download() as saving:
        widget(page, "story_save").get_by_role("button").click()
    file = tmp_path / "story.json"
    saving.value.save_as(file)
    assert '"sched=trig&t=0.5"' in file.read_text()
    page.wait_for_function("localStorage.getItem('fmviz-story')?.includes('First')")

    later = open_page("/flows", accept_downloads=True)
    unfold(later)
    expect(widget(later, "story_sentence_0").get_by_role("textbox")).to_have_value("<b>First</b> this")
    widget(later, "story_out_0").get_by_role("button").click()
    expect(widget(later, "story_sentence_0")).to_have_count(0)
    settle(later)
    later.wait_for_function("localStorage.getItem('fmviz-story') === null")

    upload = later.locator("[data-testid=stFileUploader] input[type=file]")
    upload.set_input_files({"name": "bad.json", "mimeType": "application/json", "buffer": b'{"fmviz_story": 9}'})
    expect(later.get_by_test_id("stAlert")).to_contain_text("not a story")
    settle(later)  # a fresh uploader takes the place of the one that held the refused file
    upload.set_input_files(file)
    expect(widget(later, "story_sentence_0").get_by_role("textbox")).to_have_value("<b>First</b> this")
    settle(later)
    widget(later, "story_tell").get_by_role("button").click()
    later.wait_for_url("**/probability-paths?**")
    settle(later)
    expect(later.get_by_text("<b>First</b> this", exact=True)).to_be_visible()
    assert query(later)["sched"] == "trig"
    assert Stage(later).t == pytest.approx(0.5, abs=0.02)
