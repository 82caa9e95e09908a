"""Formulas under titles, and panels as small multiples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

from fmviz.stage.payload import View
from tests.browser.helpers import Stage
from tests.stage.scenes import conservation_clip


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


def test_an_index_stands_lower_in_a_title_and_on_a_canvas(show: Callable[..., Stage]) -> None:
    clip = conservation_clip(2, 5, 16)
    panels = [
        replace(panel, title=title) for panel, title in zip(clip.panels, ("|u_θ − uₜ|(x_0)", "plain"), strict=True)
    ]
    stage = show(replace(clip, panels=tuple(panels)))
    title = stage.root.locator(".title").first
    assert title.evaluate("node => node.innerHTML") == "|u<sub>θ</sub> − u<sub>t</sub>|(x_0)"
    drawn = stage.page.evaluate(
        """async () => {
            const { probeFill } = await import(URL.createObjectURL(new Blob([
                await (await fetch('stage.js')).text() + '; export const probeFill = fillSymbols;'], {type: 'text/javascript'})));
            const ctx = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
            const inked = (text, align, room) => {
                ctx.clearRect(0, 0, 300, 150);
                ctx.font = '600 40px sans-serif';
                ctx.textAlign = align;
                probeFill(ctx, text, 150, 75, room);
                const { data } = ctx.getImageData(0, 0, 300, 150);
                const at = [...Array(300 * 150).keys()].filter((i) => data[4 * i + 3] > 128);
                const columns = at.map((i) => i % 300);
                const rows = at.map((i) => Math.floor(i / 300));
                return [Math.min(...columns), Math.max(...columns), Math.max(...rows)];
            };
            return [inked('uu', 'left'), inked('u_u', 'left'), inked('u_u', 'center'), inked('u_u', 'right'), inked('u_u', 'left', 20)];
        }"""
    )
    plain, left, centre, right, squeezed = drawn
    assert left[2] > plain[2], "the index hangs below the line"
    assert left[1] < plain[1], "and is smaller"
    assert abs((centre[0] + centre[1]) / 2 - 150) < 4
    assert left[0] >= 150 - 1
    assert right[1] <= 150 + 1
    assert squeezed[1] <= 170 + 1


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


def test_long_titles_of_small_multiples_take_two_lines_and_are_not_cut(show: Callable[..., Stage]) -> None:
    clip = conservation_clip(6, 5, 16)
    terms = ("Transport −div(pu)", "Diffusion ½σ²Δp", "Score −½σ²div(ps)")
    titles = ("Rate of change", "Right-hand side", "Residual", *(f"{term} of the equation" for term in terms))
    named = tuple(replace(panel, title=title) for panel, title in zip(clip.panels, titles, strict=True))
    stage = show(replace(clip, panels=named), View(t=0.5, present=True), viewport={"width": 1200, "height": 520})
    cut = "titles => titles.filter(e => e.scrollWidth > e.clientWidth || e.scrollHeight > e.clientHeight + 1).length"
    heads = stage.root.locator(".head.tall")
    expect(heads).to_have_count(6)
    assert stage.root.locator(".title").evaluate_all(cut) == 0
    assert len({box["y"] for plot in stage.root.locator("canvas.plot").all() if (box := plot.bounding_box())}) == 1


def test_a_picture_of_small_multiples(show: Callable[..., Stage], tmp_path: Path) -> None:
    stage = show(conservation_clip(4, 5, 16), read_only=True)
    with stage.page.expect_download() as download:
        stage.tool("png").click()
    download.value.save_as(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
