"""Signed fields: colours with zero in the middle, scales, values under the pointer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from fmviz.charts.palette import DIVERGING_DARK, DIVERGING_LIGHT
from fmviz.clips.clip import Clip
from fmviz.stage.payload import View
from tests.browser.helpers import Stage
from tests.stage.scenes import (
    TEXTS,
    f32,
    signed_panel,
)


def _rgb(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def _thirds(*values: float) -> object:
    """(2, 6, 6): a third of the panel each, the same in both frames."""
    return np.broadcast_to(np.repeat(values, 2), (2, 6, 6))


def _signed(values: object, **more: Any) -> Clip:
    return Clip(f32([0, 1]), (signed_panel("field", values, 2.0, **more),))


@pytest.mark.parametrize(("scheme", "ramp"), [("light", DIVERGING_LIGHT), ("dark", DIVERGING_DARK)])
def test_signed_colours(show: Callable[..., Stage], scheme: str, ramp: tuple[str, ...]) -> None:
    stage = show(_signed(_thirds(-2, 0, 2)), read_only=True, color_scheme=scheme)
    for x, colour in ((-1.5, ramp[0]), (0, ramp[5]), (1.5, ramp[-1])):
        assert stage.pixel("field", x, 0) == pytest.approx(_rgb(colour), abs=2)


def test_a_dark_page_prints_on_white(show: Callable[..., Stage]) -> None:
    stage = show(_signed(_thirds(-2, 0, 2)), read_only=True, color_scheme="dark")
    assert stage.pixel("field", 0, 0) != [255, 255, 255]
    stage.page.emulate_media(media="print", color_scheme="dark")
    stage.page.wait_for_function(  # the page hears of it a moment later
        "plot => plot.getContext('2d').getImageData(plot.width / 2, plot.height / 2, 1, 1).data.every((c) => c === 255)",
        arg=stage.root.locator("canvas[data-panel=field]").element_handle(),
    )
    for x, colour in ((-1.5, DIVERGING_LIGHT[0]), (0, "#ffffff"), (1.5, DIVERGING_LIGHT[-1])):
        assert stage.pixel("field", x, 0) == pytest.approx(_rgb(colour), abs=2)


def test_no_value_looks_like_zero_and_a_gap_in_time_keeps_the_other_frame(show: Callable[..., Stage]) -> None:
    values = np.array(_thirds(-2, np.nan, 2))
    values[1, :, 4:] = np.nan
    stage = show(_signed(values), read_only=True)
    assert stage.pixel("field", 0, 0) == pytest.approx(_rgb(DIVERGING_LIGHT[5]), abs=2)
    assert stage.pixel("field", 1.5, 0) == pytest.approx(_rgb(DIVERGING_LIGHT[-1]), abs=2)
    stage.page.mouse.move(*stage.place("field", 0, 0))
    expect(stage.root.locator(".hover")).to_contain_text("∂p –")


def test_signed_fields_follow_the_scale_control(show: Callable[..., Stage]) -> None:
    quarter = show(_signed(_thirds(-0.5, 0, 0.5), limits=[0.5, 0.5]), View(t=0, density_scale="linear"))
    light = [_rgb(colour) for colour in DIVERGING_LIGHT]
    linear = quarter.pixel("field", 1.5, 0)
    assert linear == pytest.approx([(3 * a + b) / 4 for a, b in zip(light[6], light[7], strict=True)], abs=3), (
        "a quarter"
    )
    texts = quarter.tool("scale").locator("option").all_inner_texts()
    assert texts == [TEXTS["scale_linear"], TEXTS["signed_sqrt"], TEXTS["signed_log"]]
    assert quarter.tool("scale").get_attribute("aria-label") == TEXTS["signed_group"]
    quarter.tool("scale").select_option("sqrt")
    pause = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    quarter.page.evaluate(pause)
    half = [(a + b) / 2 for a, b in zip(light[7], light[8], strict=True)]
    assert quarter.pixel("field", 1.5, 0) == pytest.approx(half, abs=3), "the root of a quarter is a half"
    quarter.tool("range").select_option("frame")
    quarter.page.evaluate(pause)
    assert quarter.pixel("field", 1.5, 0) == pytest.approx(light[-1], abs=2), "full colour at the limit of the frame"
    quarter.tool("scale").select_option("log")
    quarter.page.evaluate(pause)
    assert quarter.pixel("field", -1.5, 0) == pytest.approx(light[0], abs=2)


def test_equal_fields_look_equal_while_they_play(show: Callable[..., Stage]) -> None:
    values = np.linspace(-2, 2, 41)[:, None, None] * np.ones((1, 6, 6))
    panels = tuple(signed_panel(name, values, 2.0) for name in ("left", "middle", "right"))
    stage = show(Clip(f32(np.linspace(0, 1, 41)), panels), View(playing=True))
    stage.wait("Number(s.frames) > 10 && s.playing === 'true'")
    different = stage.root.evaluate(
        """root => new Promise((done) => {
            const plots = ['left', 'middle', 'right'].map((name) => root.querySelector(`canvas[data-panel=${name}]`));
            const colour = (c) => c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data.join();
            let seen = 0, different = 0;
            const look = () => {
                if (new Set(plots.map(colour)).size > 1) different += 1;
                if (++seen < 30) requestAnimationFrame(look); else done(different);
            };
            requestAnimationFrame(look);
        })"""
    )
    assert different == 0


def test_hover_reads_the_signed_value(show: Callable[..., Stage]) -> None:
    stage = show(_signed(_thirds(-0.5, 0, 2)))
    stage.page.mouse.move(*stage.place("field", -1.5, 0))
    expect(stage.root.locator(".hover")).to_contain_text("∂p −0.5")
    stage.page.mouse.move(*stage.place("field", 1.5, 0))
    expect(stage.root.locator(".hover")).to_contain_text("∂p +2")


def test_densities_and_signed_fields_keep_their_words(host: Stage) -> None:
    texts = host.tool("scale").locator("option").all_inner_texts()
    assert texts == [TEXTS["scale_linear"], TEXTS["scale_sqrt"], TEXTS["scale_log"]]
    assert host.tool("scale").get_attribute("aria-label") == TEXTS["density_group"]
