"""The page Bridges in a browser: two panels whose flows come from a helper process, and noise that the browser adds itself."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from fmviz.app.choices import decode
from tests.browser.helpers import OpenPage, Stage, english, query, wait_for_query, widget

STILL = "/bridges?init=ring8&data=moons&n=60&t=0.8&ba=independent&bb=exact&bn=16&blayers=density.ode.pairs.crossings"


@pytest.fixture
def bridges(open_page: OpenPage) -> tuple[Page, Stage]:
    page = open_page(STILL)
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0 && s.playing === 'false'")
    stage.chip("crossings").wait_for()  # the flows are there
    return page, stage


def test_reflow_and_noise_change_the_picture_and_the_link(bridges):
    page, stage = bridges
    clip, before = stage.data("clip"), {name: stage.picture(name) for name in ("a", "b")}
    widget(page, "bridges-gamma").get_by_role("slider").press("ArrowRight")
    wait_for_query(page, "bgamma", "0.05")
    stage.wait(f"s.clip !== '{clip}'")
    widget(page, "bridges-b").get_by_role("combobox").click()
    page.get_by_role("option").nth(4).click()
    wait_for_query(page, "bb", "reflow1")
    page.wait_for_function("() => !document.querySelector('.st-key-bridges_waiting')")
    stage.chip("crossings").wait_for()
    for name, picture in before.items():
        stage.wait_for_other_picture(name, picture)
    chosen = decode(query(page))[0].bridges
    assert (chosen.a, chosen.b, chosen.gamma) == ("independent", "reflow1", 0.05)
    assert stage.t == pytest.approx(0.8)
    chart = widget(page, "bridges-chart").get_by_role("radio", name=english("bridges.chart_labels"), exact=True)
    chart.click()
    wait_for_query(page, "bchart", "labels")
    expect(page.get_by_text(english("bridges.labels_claim"))).to_be_visible(timeout=60_000)  # after its numbers
    expect(page.get_by_text(english("bridges.bias")).first).to_be_visible()


def test_the_picture_follows_networks_that_learn_until_they_are_cancelled(open_page):
    page = open_page(STILL.replace("bb=exact", "bb=reflow1") + "&bfield=network&bsteps=20000")
    stage = Stage(page)
    stage.wait("s.playing === 'false'")
    stage.chip("pairs").wait_for()
    assert stage.chip("ode").count() == 0  # nothing has been learned that could move a particle
    train = page.locator(".st-key-bridges_train").get_by_role("button")
    train.click()
    stage.chip("ode").wait_for()
    clip, before = stage.data("clip"), stage.picture("a")
    stage.wait(f"s.clip !== '{clip}'")
    stage.wait_for_other_picture("a", before)
    expect(train).to_have_text(re.compile(re.escape(english("training.cancel"))))
    train.click()
    expect(train).to_have_text(re.compile(re.escape(english("bridges.train")) + "$"))
    expect(page.get_by_text(re.compile("cancelled at step"))).to_be_visible()
    assert stage.chip("ode").is_visible()
