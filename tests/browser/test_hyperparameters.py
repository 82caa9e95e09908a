"""The page Hyperparameters in a browser: a guess, a sweep that fills the table, its cell in Train; cancelled and reloaded."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from fmviz.app.choices import decode
from tests.browser.helpers import OpenPage, Stage, english, query, settle, wait_for_query, widget

TABLE = "/hyperparameters?data=two_modes&n=40&t=1&hdepth=1&hbatch=20&hx=width&hxv=4_8&hy=steps&hyv=20_40"
LONG = "/hyperparameters?data=two_modes&n=40&t=1&hxv=0.01_0.02&hy=none&hsteps=2000&hbatch=2048&hwidth=128&hdepth=6"


def ready(page: Page) -> Stage:
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0")
    settle(page)
    return stage


def test_a_guess_is_clicked_on_the_map_and_compared_and_a_cell_opened_in_train(open_page: OpenPage):
    page = open_page(TABLE)
    stage = ready(page)
    expect(page.get_by_text("4 cells, 4 runs to train", exact=False)).to_be_visible()
    empty, clip = {name: stage.picture(name) for name in ("cell0_0", "cell1_1")}, stage.data("clip")
    chart = page.get_by_test_id("stVegaLiteChart").locator("canvas, svg").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + 0.2 * box["height"])
    wait_for_query(page, "hguess", "1_1")
    stage.root.scroll_into_view_if_needed()
    page.mouse.click(*stage.place("cell0_1", 0.0, 0.0))
    wait_for_query(page, "hguess", "0_1")
    widget(page, "hyper_go").get_by_role("button").click()
    expect(page.get_by_text("You expected 4 · 40", exact=False)).to_be_visible()
    expect(page.get_by_text("of 4 cells are done", exact=False)).to_be_visible()
    stage.wait(f"s.clip !== '{clip}'")
    settle(page)
    for name, before in empty.items():
        stage.wait_for_other_picture(name, before)
    stage.root.locator(".panel .title", has_text="8 · 20").click()
    expect(stage.root.locator(".panels.enlarged .big .title")).to_contain_text("8 · 20")
    page.mouse.click(*stage.place("cell1_0", 0.0, 0.0))
    wait_for_query(page, "hcell", "1_0")
    page.get_by_role("link", name=english("hyperparameters.open_train", cell="8 · 20")).click()
    page.wait_for_url("**/train?**")
    settle(page)
    expect(page.get_by_role("button", name=english("train.more"))).to_be_visible()  # it is trained already
    chosen = decode(query(page))[0]
    assert (chosen.train.width, chosen.train.depth, chosen.train.steps) == (8, 1, 20)
    assert (chosen.train.batch_size, chosen.train.ema, chosen.scene.data) == (20, 0.95, "two_modes")


def test_a_sweep_is_paused_outlives_a_reload_and_is_cancelled(open_page: OpenPage):
    page = open_page(LONG)
    ready(page)
    button = widget(page, "hyper_go").get_by_role("button")
    button.click()
    expect(button).to_contain_text(english("hyperparameters.cancel"))
    expect(page.get_by_role("progressbar")).to_be_visible()
    hold = widget(page, "hyper_pause").get_by_role("button")
    hold.click()
    expect(hold).to_contain_text(english("hyperparameters.resume"))
    expect(page.get_by_text(english("hyperparameters.paused", done=0, all=2), exact=False)).to_be_visible()
    page.reload()
    settle(page)
    hold.click()
    expect(hold).to_contain_text(english("hyperparameters.pause"))
    expect(button).to_contain_text(english("hyperparameters.cancel"))
    button.click()
    expect(page.get_by_text(english("hyperparameters.cancelled", done=0, all=2))).to_be_visible()
    expect(button).to_contain_text(english("hyperparameters.start"))
