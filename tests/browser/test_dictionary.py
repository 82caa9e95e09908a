"""The page Dictionary in a browser: two conventions lined up, a clicked point, the clock that goes out and back, steps."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from fmviz.app.choices import decode
from tests.browser.helpers import OpenPage, Stage, choose, english, query, wait_for_query, widget


def opened(open_page: OpenPage, link: str) -> tuple[Page, Stage]:
    page = open_page(f"/dictionary?n=60&{link}")
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0 && s.playing === 'false'")
    return page, stage


def test_two_conventions_become_one_picture_and_a_click_is_translated(open_page):
    page, stage = opened(open_page, "t=0.5&dscale=common&dlayers=ode")
    apart = stage.picture("a"), stage.picture("b")
    assert apart[0] != apart[1]
    clip = stage.data("clip")
    widget(page, "dictionary-aligned").locator("label").first.click()
    wait_for_query(page, "same", "1")
    stage.wait(f"s.clip !== '{clip}'")
    # Equal to the pixel, particle by particle.
    page.wait_for_function(
        """root => { const [a, b] = ['a', 'b'].map((p) => root.querySelector(`canvas[data-panel=${p}]`).toDataURL());
                     return a === b; }""",
        arg=stage.root.element_handle(),
    )
    page.mouse.click(*stage.place("b", 0.6, 0.4))
    wait_for_query(page, "dat", ".+")
    x, y, t = decode(query(page))[0].dictionary.click
    assert (x, y) == pytest.approx((0.6, 0.4), abs=0.05)
    assert t == pytest.approx(0.226, abs=0.01)  # DDPM at step 500 has as much noise as flow matching at this time
    expect(page.get_by_text(english("dictionary.predicted.data")).first).to_be_visible()


def test_the_clock_goes_out_and_back_and_samplers_stand_side_by_side(open_page):
    page, stage = opened(open_page, "t=0.5&dview=forward")
    assert stage.t == pytest.approx(1.0)
    expect(stage.root.locator("canvas[data-panel=sde_0]")).to_be_visible()
    choose(page, "dictionary-view", english("dictionary.views.steps"))
    page.wait_for_url(re.compile("dview=steps"))  # what is measured below the picture takes longer
    stage = Stage(page)
    for name in ("ancestral", "ddim", "euler", "heun"):
        expect(stage.root.locator(f"canvas[data-panel={name}]")).to_be_visible()
