"""Each page on a laptop, presented and on a phone, one load for each: what axe-core finds, what the plots cover, that nothing
jumps and nothing sticks out, and its story as a lecturer tells it with a clicker.
"""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from fmviz.app.catalogue import translate
from fmviz.lessons import LESSONS, READING, Lesson
from tests.browser.helpers import OpenPage, colour, query, settle, stage, widget
from tests.browser.tabs import LAPTOP
from tests.browser.test_beats import told

PICTURED = [lesson for lesson in LESSONS if lesson != READING]
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LARGER = {"width": 1920, "height": 1080}
PLOTS, PLOTS_ALONE = 35.0, 55.0
"""The least part of the window that the plots cover, in percent: on a laptop, and on a phone or presented."""

IN_THE_DARK = ("flows", "train", "theory")
IN_CHINESE = ("sample",)
PRESENTED = ("conservation", "train")
ON_A_PHONE = ("paths", "theory")
"""Pages at which axe-core looks again, beside all on a laptop in the light."""

OFTEN = {"theory": ".katex"}
"""What a page has thousands of, and other pages some: it is looked at once, on the laptop in the light."""

TODAY = "ema=0.995"
"""What marks a link of today: one that does not name the average means a network without it, as it did when it was written."""

FITTED = {"start": (), "flows": ("flows_starts",), "paths": (), "train": (), "sample": ("sample-grid",)}
"""Pages whose stage ends on a laptop's screen, and the widgets that do, too."""

STEADY = ("flows", "conservation", "train")
"""Pages on which nothing but the picture moves on the way to their first beat."""

COVERED = """() => {
    let area = 0;
    const add = (node) => {
        for (const one of node.querySelectorAll('*')) {
            if (one.matches('canvas.plot.plane')) {
                const box = one.getBoundingClientRect();
                const wide = Math.min(box.right, innerWidth) - Math.max(box.left, 0);
                const high = Math.min(box.bottom, innerHeight) - Math.max(box.top, 0);
                area += Math.max(wide, 0) * Math.max(high, 0);
            }
            if (one.shadowRoot) add(one.shadowRoot);
        }
    };
    add(document);
    return (100 * area) / (innerWidth * innerHeight);
}"""
"""The part of the window that lies within the axes of the plots, in percent."""

ROUNDING = 0.1
"""A tenth of a percent for the fonts of another machine."""

MOST_SHIFT = 0.03
"""Of the layout-shift measure of browsers, by which 0.1 is good. On a quiet machine it stays below 0.02."""

MOST_TEXT_SHIFT = 0.02
"""The same on the page Theory, which is text from top to bottom: a line more above moves all of it."""

BEAT_SHIFT = 0.07
"""The same on the way to a beat, whose picture may need fewer rows of panels than the one before."""

SHIFTS = """() => {
    window.testShift = 0;
    window.testShifted = [];
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
            if (entry.hadRecentInput) continue;
            window.testShift += entry.value;
            const moved = entry.sources.map(({ node }) => node?.parentElement?.className ?? '?');
            window.testShifted.push([entry.value, Math.round(entry.startTime), moved]);
        }
    }).observe({ type: 'layout-shift' });
}"""

REACHED = """() => [...document.querySelectorAll('.katex-display')].every(
    (node) => (node.tabIndex === 0) === (node.scrollWidth > node.clientWidth)
)"""
"""The page has seen which formulas scroll since they were typeset, and lets the keyboard reach these and no others."""


def address(lesson: Lesson) -> str:
    return "/" if lesson == LESSONS[0] else f"/{lesson.address}"


def visit(open_page: OpenPage, lesson: Lesson, link: str, **options: Any) -> Page:
    """The page of a lesson with its picture, and what has moved since it began to load."""
    page = open_page(f"{address(lesson)}?{link}", init_script=f"({SHIFTS})()", **options)
    if lesson != READING:
        stage(page)
        settle(page)
    return page


def serious(page: Page, without: str = "") -> list[tuple[str, list[str], str]]:
    """What axe-core finds that is serious; `without` selects parts that it does not look at."""
    settle(page)
    page.wait_for_function(REACHED)
    context = {"exclude": [without]} if without else None
    answer = Axe().run(page, context=context, options={"resultTypes": ["violations"]}).response
    return [
        (violation["id"], node["target"], node["html"][:120])
        for violation in answer["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def moved(page: Page, most: float = MOST_SHIFT) -> list[Any]:
    """What has jumped, if that was more than `most`."""
    found: list[Any] = page.evaluate("most => window.testShift > most ? window.testShifted : []", most)
    return found


def speak(page: Page, language: str, name: str) -> None:
    widget(page, "shell-language").get_by_text(name).click()
    page.wait_for_function(
        "language => (new URLSearchParams(location.search).get('lang') ?? 'en') === language", arg=language
    )


@pytest.mark.timeout(240)
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_on_a_laptop(open_page: OpenPage, subtests: pytest.Subtests, lesson: Lesson) -> None:
    page = visit(open_page, lesson, f"t=0.5&{TODAY}")
    if lesson != READING:
        with subtests.test("nothing jumps"):
            assert not moved(page)
    with subtests.test("axe-core"):
        assert not serious(page)
    if lesson.name in IN_THE_DARK:
        with subtests.test("axe-core in the dark"):
            colour(page, "dark")
            assert not serious(page, OFTEN.get(lesson.name, ""))
        colour(page, "light")
    if lesson.name in IN_CHINESE:
        with subtests.test("axe-core in the dark in Chinese"):
            colour(page, "dark")
            speak(page, "zh", "简体中文")
            assert not serious(page)
        speak(page, "en", "English")
        colour(page, "light")
    if lesson == READING:
        return
    with subtests.test("the plots cover the window"):
        covers(page, PLOTS)
    with subtests.test("the stage fits"):
        for part in (stage(page), *(widget(page, key) for key in FITTED[lesson.name])) if lesson.name in FITTED else ():
            expect(part).to_be_visible()
            fits = "([node, height]) => node.getBoundingClientRect().bottom <= height"
            page.wait_for_function(fits, arg=[part.element_handle(), LAPTOP["height"]])
    with subtests.test("its story"):
        settle(page)
        page.evaluate("() => { window.testShift = 0; window.testShifted = []; }")
        for number in told(page, lesson):
            if number == 1 and lesson.name in STEADY:
                assert not moved(page, BEAT_SHIFT)


@pytest.mark.parametrize("lesson", PICTURED, ids=lambda lesson: lesson.name)
def test_presented(open_page: OpenPage, subtests: pytest.Subtests, lesson: Lesson) -> None:
    page = visit(open_page, lesson, "present=1")
    with subtests.test("nothing jumps"):
        assert not moved(page)
    with subtests.test("the plots cover the window"):
        covers(page, PLOTS_ALONE)
    if lesson.name in PRESENTED:
        with subtests.test("axe-core"):
            assert not serious(page)


def covers(page: Page, least: float) -> None:
    """On a laptop, and when the window is enlarged."""
    assert page.evaluate(COVERED) >= least - ROUNDING
    page.set_viewport_size(LARGER)
    try:
        page.wait_for_function(f"({COVERED})() >= {least - ROUNDING}", timeout=5000)
    finally:
        page.set_viewport_size(LAPTOP)


PHONES = {lesson.name: {"t=0.5": "light"} for lesson in LESSONS} | {
    # Nobody presents on a phone, so a few pages will do there.
    "start": {"t=0.5": "light", "present=1": "light"},
    "conservation": {"n=60&t=0.6&sheet=1": "dark", "present=1": "light"},
    "flows": {"t=0.5&lang=zh&flow=marginal&solvers=heun": "dark"},
    "sample": {"n=60&t=0.5&sat=0.6_0.4_0.5": "light", "n=60&t=0.5&lang=zh&sat=0.6_0.4_0.5": "light"},
}
"""The links of each page on a phone, and the colours in which it is looked at."""


@pytest.mark.parametrize(
    ("lesson", "link"),
    [pytest.param(lesson, link, id=f"{lesson.name}-{link}") for lesson in LESSONS for link in PHONES[lesson.name]],
)
def test_on_a_phone(open_page: OpenPage, subtests: pytest.Subtests, lesson: Lesson, link: str) -> None:
    page = visit(open_page, lesson, link, **PHONE, color_scheme=PHONES[lesson.name][link])
    with subtests.test("it scrolls one way only"):
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert page.get_by_test_id("stMain").evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    with subtests.test("it is the page"):
        language = query(page).get("lang", "en")
        title = page.get_by_role("heading", name=translate(language, f"{lesson.name}.title"), exact=True)
        expect(title).to_be_visible()
    if lesson.name in ON_A_PHONE:
        with subtests.test("axe-core"):
            assert not serious(page, OFTEN.get(lesson.name, ""))
    if lesson == READING:
        return
    with subtests.test("nothing jumps"):
        assert not moved(page)
    with subtests.test("the plots cover the window"):
        assert page.evaluate(COVERED) >= PLOTS_ALONE - ROUNDING
    if "sheet=1" in link:
        with subtests.test("the sheet is there"):
            expect(page.get_by_test_id("fmviz-stage")).to_have_count(2)


def test_axe_finds_nothing_on_train_without_an_average_of_the_weights(open_page: OpenPage) -> None:
    (train,) = (lesson for lesson in LESSONS if lesson.name == "train")
    assert not serious(visit(open_page, train, "t=0.5"))


PATIENT = """addEventListener('DOMContentLoaded', () => {
    const style = document.createElement('style');
    style.textContent = 'html :is([data-testid=stAppViewContainer], [data-testid=stSidebarContent]) { animation-duration: 60s; }';
    document.head.append(style);
});"""
"""A page that takes long shows what it has. On a machine that is busy with other things this one is given the time."""


@pytest.mark.parametrize("viewport", [LAPTOP, PHONE["viewport"]], ids=["laptop", "phone"])
def test_nothing_moves_on_the_page_theory(open_page: OpenPage, viewport: dict[str, int]) -> None:
    """It has no stage whose first picture would show it."""
    page = open_page("/theory", viewport=viewport, init_script=f"{PATIENT} ({SHIFTS})()")
    for again in (False, True):
        if again:
            page.reload()
        expect(page.locator("html.fmviz-drawn.fmviz-calm")).to_have_count(1)
        settle(page)
        assert not moved(page, MOST_TEXT_SHIFT)
