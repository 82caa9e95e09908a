"""The page Guidance in a browser: label, scale, weights, a component that is dragged while everything follows."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from fmviz.app.choices import decode
from tests.browser.helpers import OpenPage, Stage, english, query, wait_for_query, widget

STILL = "/guidance?data=three_modes&n=60&t=0.8&y=1"


def opened(open_page: OpenPage) -> tuple[Page, Stage]:
    page = open_page(STILL)
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0 && s.playing === 'false'")
    return page, stage


def test_label_scale_weights_and_a_dragged_component_change_the_picture(
    open_page: OpenPage, subtests: pytest.Subtests
) -> None:
    page, stage = opened(open_page)
    with subtests.test("label, scale and weights change the picture and the link"):
        clip, before = stage.data("clip"), stage.picture("guided")
        widget(page, "guidance-label").get_by_role("radio").nth(2).click()
        wait_for_query(page, "y", "2")
        stage.wait(f"s.clip !== '{clip}'")
        clip = stage.data("clip")
        # The picture is that of the new scale before the server has answered.
        stage.root.evaluate(
            """root => { window.followed = []; const picture = () => root.querySelector('canvas[data-panel=guided]').toDataURL();
            const first = picture();
            new MutationObserver(() => window.followed.push([root.dataset.clip, picture() !== first]))
                .observe(root, { attributes: true, attributeFilter: ['data-frames'] }); }"""
        )
        slider = widget(page, "guidance-scale").get_by_role("slider")
        slider.press("ArrowRight")
        wait_for_query(page, "w", "3.05")
        stage.wait(f"s.clip !== '{clip}'")
        assert [clip, True] in page.evaluate("followed")
        clip = stage.data("clip")
        for key, alias, name in (("weights", "gweights", "resampled"), ("kind", "gkind", "sde")):
            chosen_text = english(f"guidance.{key}_{name}")
            widget(page, f"guidance-{key}").get_by_role("radio", name=chosen_text, exact=True).click()
            wait_for_query(page, alias, name)
            stage.wait(f"s.clip !== '{clip}'")
            clip = stage.data("clip")
        chosen = decode(query(page))[0].guidance
        assert (chosen.label, chosen.scale, chosen.weights, chosen.kind) == (2, 3.05, "resampled", "sde")
        stage.wait_for_other_picture("guided", before)
        assert stage.t == pytest.approx(0.8)

    with subtests.test("all panels follow a component under the finger, and labels stay"):
        stage.chip("mixture").click()
        wait_for_query(page, "glayers", ".*mixture.*")
        before = {name: stage.picture(name) for name in ("conditional", "guided", "tilted")}
        law, clip = stage.data("law"), stage.data("clip")
        x, y = stage.place("guided", 2.2, -0.8)
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 20, y - 30, steps=4)
        stage.wait(f"s.law !== '{law}'")
        for name, picture in before.items():
            stage.wait_for_other_picture(name, picture)
        page.mouse.up()
        stage.wait(f"s.clip !== '{clip}'")
        wait_for_query(page, "mix", ".+")
        scene = decode(query(page))[0].scene
        assert scene.data_components is not None
        assert [component.label for component in scene.data_components] == [0, 1, 2]


def test_training_is_cancelled_begun_anew_and_its_end_points_lie_over_the_exact_ones(open_page: OpenPage) -> None:
    page, _ = opened(open_page)
    page.get_by_text(english("guidance.learned.title")).click()
    button = widget(page, "guidance_train").get_by_role("button")
    button.click()
    expect(button).to_contain_text(english("training.cancel"))
    expect(page.get_by_role("progressbar").first).to_be_visible()
    button.click()
    expect(button).to_contain_text(english("guidance.learned.start"))
    button.click()
    expect(button).to_contain_text(english("training.again"), timeout=90_000)
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(2, timeout=40_000)
    expect(page.get_by_text(english("guidance.learned.floor"))).to_be_visible()
