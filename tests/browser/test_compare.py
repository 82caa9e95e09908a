"""A and B side by side: one clock to the frame, the same starting points, one extent and one scale, and only B moves."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.helpers import Stage, choose, english, query, settle, wait_for_query, widget
from tests.browser.test_train import SHORT, press, state, wait_for

PINNED = "[data-testid=fmviz-stage-pinned]"


FIND = """(id) => {
    const find = (node) => {
        for (const one of node.querySelectorAll('*')) {
            if (one.dataset?.testid === id) return one;
            const inner = one.shadowRoot && find(one.shadowRoot);
            if (inner) return inner;
        }
        return null;
    };
    return find(document);
}"""
"""The stage under a test id, also within the component's own tree."""


def both(page: Page, read: str) -> list[object]:
    """What `read`, an expression of the first canvas `c`, is for A and for B."""
    script = f"""() => {{
        const stage = ({FIND})('fmviz-stage');
        return ['.pinned', '.live'].map((side) => stage.querySelector(`${{side}} canvas[data-panel]`)).map((c) => {read});
    }}"""
    found: list[object] = page.evaluate(script)
    return found


def apart(page: Page) -> float:
    """The part of all pixels of A whose colour is another one in B; positions travel rounded, so that edges may differ."""
    return float(
        page.evaluate(
            f"""() => {{
                const stage = ({FIND})('fmviz-stage');
                const [a, b] = ['.pinned', '.live'].map((side) => stage.querySelector(`${{side}} canvas[data-panel]`));
                const pixels = (c) => c.getContext('2d').getImageData(0, 0, a.width, a.height).data;
                const [one, other] = [pixels(a), pixels(b)];
                let count = 0;
                for (let i = 0; i < one.length; i += 4) count += Math.abs(one[i] - other[i]) > 60;
                return (4 * count) / one.length;
            }}"""
        )
    )


def test_what_is_pinned_stays_while_the_other_side_changes(open_page):
    page = open_page("/?layers=ode&t=0.001")
    widget(page, "compare_pin").get_by_role("button").click()
    settle(page)
    expect(page.locator(PINNED)).to_have_count(1)
    choose(page, "scene-scheduler", english("scheduler.trig"))
    wait_for_query(page, "sched", "trig")
    stage = Stage(page)
    stage.root.focus()
    page.keyboard.press("Home")
    stage.wait("Number(s.t) === 0")
    settle(page)
    assert apart(page) < 1e-3, "the same particles start at the same places"
    page.keyboard.press("l")
    page.keyboard.press("l")
    wait_for_query(page, "t", "0.3")
    assert apart(page) > 1e-2
    clips = [page.locator(PINNED).get_attribute("data-clip"), stage.data("clip")]
    expect(page.get_by_text("Linear | Trigonometric")).to_be_visible()

    widget(page, "compare_swap").get_by_role("button").click()
    page.wait_for_function("!new URLSearchParams(location.search).has('sched')")
    settle(page)
    assert [stage.data("clip"), page.locator(PINNED).get_attribute("data-clip")] == clips
    assert stage.t == pytest.approx(0.33, abs=0.02)
    widget(page, "compare_unpin").get_by_role("button").click()
    expect(page.locator(PINNED)).to_have_count(0)
    settle(page)
    assert "a" not in query(page)


def test_one_clock_one_extent_and_one_zoom(open_page):
    page = open_page("/?layers=density.ode&a=data%3Dtwo_modes%26mix%3D1_9_9_1_0_1")
    stage = Stage(page)
    times = page.evaluate(
        f"""async () => {{
            const [a, b] = ['fmviz-stage-pinned', 'fmviz-stage'].map({FIND});
            const seen = [];
            for (let n = 0; n < 40; n++) {{
                await new Promise(requestAnimationFrame);
                seen.push([Number(a.dataset.t), Number(b.dataset.t)]);
            }}
            return seen;
        }}"""
    )
    assert len({b for _, b in times}) > 5, "it plays"
    assert all(abs(a - b) < 1e-4 for a, b in times)
    extents = both(page, "c.dataset.extent")
    assert extents[0] == extents[1]
    assert float(str(extents[0]).split(",")[1]) > 9, "both are in view"
    stage.root.focus()
    page.keyboard.press("+")
    page.wait_for_function("location.search.includes('view=')")
    zoomed = both(page, "c.dataset.extent")
    assert zoomed[0] == zoomed[1] != extents[0]


def test_two_networks_side_by_side(open_page):
    page = open_page(f"{SHORT}&t=0.9")
    press(page, "go")
    wait_for(page, state("finished"))
    settle(page)
    widget(page, "compare_pin").get_by_role("button").click()
    expect(page.locator(PINNED)).to_have_count(1)
    settle(page)
    trained = page.locator(PINNED).get_attribute("data-clip")
    assert trained == Stage(page).data("clip")
    choose(page, "train-objective", english("train.objectives.noise"))
    wait_for_query(page, "obj", "noise")
    stage = Stage(page)
    stage.wait(f"s.clip !== '{trained}'")
    assert page.locator(PINNED).get_attribute("data-clip") == trained
    untrained = stage.data("clip")
    press(page, "go")
    wait_for(page, state("finished"))
    stage.wait(f"s.clip !== '{untrained}'")
    settle(page)
    assert page.locator(PINNED).get_attribute("data-clip") == trained
