"""The stories of the lessons as a lecturer tells them: with a clicker, from the first beat to the last, in both languages."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from fmviz.app import beats
from fmviz.app.catalogue import catalogue, translate
from fmviz.lessons import LESSONS
from fmviz.scene.views import LANGUAGES
from tests.browser.helpers import Stage, query, settle, widget

TOLD = [lesson for lesson in LESSONS if beats.beats(lesson.name)]
PASSING = ("lang", "present", "beat", "t")


def plain(text: str) -> str:
    """A sentence as it is read: without the marks of Markdown and without formulas."""
    return text.split("$")[0].split("*")[0].split(":")[0].strip()


def at_beat(page: Page, lesson: str, number: int) -> dict[str, str]:
    """Waits until the link is that of the beat, and returns it."""
    page.wait_for_function(f"new URLSearchParams(location.search).get('beat') === '{lesson}.{number}'")
    settle(page)
    return query(page)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("lesson", TOLD, ids=lambda lesson: lesson.name)
def test_every_beat_is_reached_drawn_and_told(open_page, lesson, language):
    address = "/" if lesson == LESSONS[0] else f"/{lesson.address}"
    page = open_page(f"{address}?lang={language}")
    for number, beat in enumerate(beats.beats(lesson.name), start=1):
        page.keyboard.press("PageDown")
        link = at_beat(page, lesson.name, number)
        assert {k: v for k, v in link.items() if k not in PASSING} == {
            k: v for k, v in beat.parameters.items() if k not in PASSING
        }
        stage, before = Stage(page), int(Stage(page).data("frames"))
        if "t" in beat.parameters:
            assert stage.t == pytest.approx(float(beat.parameters["t"]), abs=0.02)
        else:
            stage.wait(f"Number(s.frames) > {before}")
        key = f"{lesson.name}.beats.{beat.name}"
        heading = page.locator("[class*='st-key-heading_']")
        expect(heading).to_contain_text(plain(translate(language, key)))
        answer = widget(page, "beat_answer")
        if f"{key}_question" in catalogue(language):
            answer.get_by_role("button").click()
            settle(page)
            expect(page.get_by_test_id("stPopoverBody")).to_contain_text(plain(translate(language, f"{key}_answer")))
            page.keyboard.press("Escape")
        else:
            expect(answer).to_have_count(0)
    expect(widget(page, "beat_next").get_by_role("button")).to_be_disabled()


def test_a_clicker_shift_arrows_and_the_way_back(open_page):
    page = open_page("/probability-paths?beat=paths.4")
    assert query(page)["at"] == "1.2_0.5_0.5"
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
    assert {k: v for k, v in query(page).items() if k not in PASSING} == {"layers": "density.velocity.z"}
