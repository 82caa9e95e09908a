"""The page Conservation in a browser: the box moved and resized, laws broken on purpose, the sheet on paper."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from fmviz.app.catalogue import translate
from fmviz.app.choices import decode
from fmviz.lessons.conservation.settings import Settings as ConservationSettings
from tests.browser.helpers import Stage, query, settle, wait_for_query, widget

STILL = "/conservation?n=60&t=0.6"
COLOURS = """canvas => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
}"""


def colours(stage: Stage, panel: str) -> int:
    """How many colours a plot has; a field that is zero everywhere has one."""
    count: int = stage.root.locator(f"canvas[data-panel={panel}]").evaluate(COLOURS)
    return count


def value(text: str) -> float:
    return float(text.replace("·10", "e").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))


def box_numbers(page: Page) -> list[float]:
    """Mass, rate, inflow and their difference, as the table says."""
    cells = page.get_by_test_id("stTable").first.locator("tbody tr td:last-child")
    expect(cells).to_have_count(4, timeout=30_000)
    return [value(cell) for cell in cells.all_inner_texts()]


def pick(page: Page, field: str, language: str, option: str) -> None:
    text = translate(language, f"conservation.{field}.{option}")  # type: ignore[arg-type]
    widget(page, f"conservation-{field}").get_by_role("radio", name=text).or_(
        widget(page, f"conservation-{field}").get_by_text(text, exact=True)
    ).first.click()
    wait_for_query(page, field if field != "kind" else "of", option)


def test_the_box_and_the_broken_laws(open_page):
    page = open_page(STILL)
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0 && s.playing === 'false'")
    expect(page.get_by_role("heading", name=translate("en", "conservation.title"), exact=True)).to_be_visible()
    first = box_numbers(page)
    assert first[3] < 1e-6

    # moved by its inside: the numbers are those of the new place, and rate and flux agree there too
    x0, x1, y0, y1 = ConservationSettings().box
    clip = stage.data("clip")
    stage.drag("density", ((x0 + x1) / 2, (y0 + y1) / 2), ((x0 + x1) / 2 - 2.0, (y0 + y1) / 2 + 0.5))
    wait_for_query(page, "box", "-1")
    stage.wait(f"s.clip !== '{clip}'")
    settle(page)
    assert decode(query(page))[0].conservation.box == pytest.approx((x0 - 2, x1 - 2, y0 + 0.5, y1 + 0.5), abs=0.1)
    moved = box_numbers(page)
    assert moved[:3] != first[:3]
    assert moved[3] < 1e-6

    # resized by a corner: more is inside
    left, right, low, high = decode(query(page))[0].conservation.box
    before = page.url
    stage.drag("density", (right, high), (right + 1.5, high + 1.0))
    page.wait_for_url(lambda url: url != before)
    settle(page)
    assert decode(query(page))[0].conservation.box == pytest.approx((left, right + 1.5, low, high + 1.0), abs=0.1)
    resized = box_numbers(page)
    assert resized[0] > moved[0]
    assert resized[3] < 1e-6

    # the residual is one colour while the law holds, and many when it is broken
    assert colours(stage, "residual") == 1 < colours(stage, "transport")
    for language, broken in (("en", "velocity"), ("zh", "score")):
        if language == "zh":
            widget(page, "shell-language").get_by_text("简体中文").click()
            wait_for_query(page, "lang", "zh")
            title = translate(language, "conservation.title")
            expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
        clip = stage.data("clip")
        pick(page, "broken", language, broken)
        stage.wait(f"s.clip !== '{clip}'")
        settle(page)
        assert colours(stage, "residual") > 20
        assert box_numbers(page)[3] > 1e-3
        assert box_numbers(page)[1] == resized[1]  # the exact rate knows nothing of the dynamics


def test_given_z_on_a_laptop_and_the_continuity_equation(open_page):
    page = open_page(f"{STILL}&of=conditional")
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0 && s.playing === 'false'")
    box = stage.root.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 768
    z = decode(query(page))[0].conservation.z
    assert z is None
    clip = stage.data("clip")
    pick(page, "law", "en", "continuity")
    stage.wait(f"s.clip !== '{clip}'")
    expect(stage.root.locator("canvas[data-panel=diffusion]")).to_have_count(0)
    expect(widget(page, "conservation-broken").get_by_text(translate("en", "conservation.broken.score"))).to_have_count(
        0
    )
    for name in ("check", "code"):
        widget(page, f"{name}_conservation").locator("summary").click()
    expect(widget(page, "check_conservation").get_by_test_id("stTable").first).to_be_visible(timeout=60_000)
    expect(page.get_by_test_id("stCode")).to_contain_text("moving_conditional")
    settle(page)


def test_the_sheet_prints_alone_on_one_page(open_page, tmp_path: Path):
    page = open_page(f"{STILL}&sheet=1")
    sheet = widget(page, "summary_sheet")
    canvases = sheet.locator("canvas[data-panel]")
    expect(canvases).to_have_count(6, timeout=30_000)
    expect(sheet.locator(".formula math")).to_have_count(6)
    expect(page.get_by_role("heading", name=translate("en", "conservation_summary.title"))).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", name=translate("en", "conservation.title"), exact=True)).to_be_hidden()
    expect(widget(page, "conservation_stage")).to_be_hidden()
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    expect(canvases.last).to_be_visible()
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    width, height = map(float, re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", printed)[0])
    assert width > height
    page.emulate_media(media="screen")
    widget(page, "conservation-sheet").locator("label").click()
    expect(sheet).to_have_count(0)
    settle(page)
    assert "sheet" not in query(page)
