"""The page Sample in a browser: solver and steps, a click, the error map, checkpoints good and bad."""

from __future__ import annotations

import pytest
import torch
from playwright.sync_api import Page, expect

from fmviz.app.choices import decode
from fmviz.learning import LearnedModel, TrainSpec, checkpoint
from fmviz.learning.networks import MLP
from fmviz.learning.objectives import architecture
from fmviz.scene import Scene, scenes
from tests.browser.helpers import OpenPage, Stage, choose, english, query, settle, wait_for_query, widget

SAMPLE = "/sample?n=60"
STILL = f"{SAMPLE}&t=0.5"


def opened(open_page: OpenPage) -> tuple[Page, Stage]:
    """The page at rest."""
    page = open_page(STILL)
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0 && s.playing === 'false'")
    return page, stage


def model_file(scene: Scene) -> bytes:
    path, spec = scenes.path(scene), TrainSpec(hidden=(8,), steps=10)
    built = architecture(path, spec)
    weights = built.initial_weights(torch.Generator().manual_seed(0))
    model = LearnedModel(MLP(built, weights), "velocity", path.scheduler, path.p_init.is_standard)
    return checkpoint.to_bytes(model, spec, path, 7)


def open_menu(page: Page) -> None:
    """The popover of the network; it closes when what stands on its button changes."""
    if not widget(page, "checkpoint").count():
        widget(page, "learned").get_by_role("button").first.click()
        expect(widget(page, "checkpoint")).to_be_visible()


def upload(page: Page, name: str, content: bytes) -> None:
    open_menu(page)
    payload = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    with page.expect_response(lambda answer: "upload_file" in answer.url and answer.request.method == "PUT"):
        widget(page, "checkpoint").locator("input[type=file]").set_input_files(payload)  # type: ignore[arg-type]
    settle(page)


def forget(page: Page) -> None:
    open_menu(page)
    widget(page, "checkpoint_forget").get_by_role("button").click()
    expect(widget(page, "checkpoint")).to_have_count(0)  # it closes of itself; the next upload opens it anew


def panels(stage: Stage) -> list[str]:
    return stage.root.locator("canvas[data-panel]").evaluate_all("all => all.map(c => c.dataset.panel)")


SPOILT = {
    "truncated.safetensors": ("damaged", lambda data: data[: len(data) // 2]),
    "cut.safetensors": ("damaged", lambda data: data[:5]),
    "foreign.safetensors": ("foreign", lambda data: (8).to_bytes(8, "little") + b'{"a":{}}'),
    "notes.txt": ("foreign", lambda data: b"these are no weights, but a shopping list"),
    "model.pt": ("foreign", lambda data: b"\x80\x04\x95" + bytes(200)),
    "bent.safetensors": ("inconsistent", lambda data: data.replace(b'"step":"7"', b'"step":"x"')),
}


def test_solver_layers_a_click_the_error_map_and_the_proofs(open_page: OpenPage, subtests: pytest.Subtests) -> None:
    page, stage = opened(open_page)
    with subtests.test("a layer goes into this page's part of the link"):
        stage.chip("steps").click()
        wait_for_query(page, "slayers", ".*steps.*")
        assert "layers" not in query(page)

    with subtests.test("a click gives the likelihood and the trajectory"):
        clip = stage.data("clip")
        page.mouse.click(*stage.place("exact", 0.6, 0.4))
        wait_for_query(page, "sat", ".+")
        stage.wait(f"s.clip !== '{clip}'")
        assert decode(query(page))[0].sample.click == pytest.approx((0.6, 0.4, 0.5), abs=0.05)
        expect(page.get_by_text(english("sample.log_exact")).last).to_be_visible()
        expect(stage.chip("click")).to_be_visible()
        widget(page, "forget_sample_click").get_by_role("button").click()
        stage.wait(f"s.clip === '{clip}'")

    with subtests.test("the error map starts, progresses, can be cancelled, and comes to its end"):
        clip = stage.data("clip")
        button = widget(page, "map_button").get_by_role("button")
        button.click()
        expect(button).to_contain_text(english("sample.map.cancel"))
        cells = page.get_by_test_id("stProgress")
        expect(cells).to_contain_text("of 36", timeout=30_000)
        expect(widget(page, "map_exact").first).to_be_visible(timeout=60_000)
        button.click()
        expect(button).to_contain_text(english("sample.map.again"), timeout=30_000)
        expect(cells).to_have_count(0)
        expect(widget(page, "map_exact").first).to_be_visible()
        assert stage.data("clip") == clip  # the picture stands still meanwhile
        settle(page)
        button.click()
        expect(button).to_contain_text(english("sample.map.again"), timeout=110_000)
        expect(page.get_by_text("Best: amplitude")).to_have_count(1)
        expect(cells).to_have_count(0)
        settle(page)

    with subtests.test("solver, steps and grid change the clip and the link"):
        clip = stage.data("clip")
        choose(page, "sample-method", english("solver.heun"))
        wait_for_query(page, "solver", "heun")
        stage.wait(f"s.clip !== '{clip}'")
        clip = stage.data("clip")
        slider = widget(page, "sample-steps").get_by_role("slider")
        slider.focus()
        slider.press("ArrowLeft")
        wait_for_query(page, "steps", "12")
        stage.wait(f"s.clip !== '{clip}'")
        clip = stage.data("clip")
        widget(page, "sample-grid").get_by_text(english("sample.grid_refined")).click()
        wait_for_query(page, "grid", "refined")
        stage.wait(f"s.clip !== '{clip}'")
        assert stage.t == pytest.approx(0.5)

    with subtests.test("check and code"):
        widget(page, "check_sample").locator("summary").click()
        expect(widget(page, "check_sample").get_by_test_id("stTable").first).to_be_visible(timeout=60_000)
        widget(page, "code_sample").locator("summary").click()
        expect(page.get_by_test_id("stCode")).to_contain_text("flow_likelihood")
        settle(page)


@pytest.mark.timeout(240)
def test_checkpoints_good_and_bad(open_page: OpenPage, subtests: pytest.Subtests) -> None:
    page, stage = opened(open_page)
    clip = stage.data("clip")
    alert = page.get_by_test_id("stAlert")
    for name, (kind, spoil) in SPOILT.items():
        with subtests.test("what is no checkpoint is explained and changes nothing", name=name):
            upload(page, name, spoil(model_file(Scene())))
            expect(alert).to_contain_text(english(f"learned.problem.{kind}"))
            expect(alert).to_contain_text("Nothing was changed")
            assert stage.data("clip") == clip
            assert panels(stage) == ["exact"]
            upload(page, "model.safetensors", model_file(Scene()))
            expect(alert).to_have_count(0)
            expect(stage.root.locator("canvas[data-panel=learned]")).to_be_visible()
            expect(widget(page, "learned")).to_contain_text(english("learned.file", step=7))
            forget(page)
            stage.wait(f"s.clip === '{clip}'")

    with subtests.test("a good one is shown beside the exact field and saved again"):
        upload(page, "model.safetensors", model_file(Scene()))
        expect(stage.root.locator("canvas[data-panel=learned]")).to_be_visible()
        assert panels(stage) == ["exact", "learned"]
        expect(widget(page, "learned")).to_contain_text(english("learned.file", step=7))
        open_menu(page)
        with page.expect_download() as saved:
            widget(page, "checkpoint_download").get_by_role("button").click()
        read, given = (checkpoint.from_bytes(data) for data in (saved.value.path().read_bytes(), model_file(Scene())))
        assert (read.step, read.spec) == (given.step, given.spec)
        assert torch.equal(read.model.network.weights, given.model.network.weights)
        page.keyboard.press("Escape")

    with subtests.test("the script of the page is there for it"):
        widget(page, "code_sample").locator("summary").click()
        expect(page.get_by_test_id("stCode")).to_contain_text("checkpoint.load")
        widget(page, "code_sample").locator("summary").click()
        settle(page)

    with subtests.test("the exact field alone"):
        choose(page, "sample-field", english("sample.fields.exact"))
        wait_for_query(page, "field", "exact")
        expect(stage.root.locator("canvas[data-panel=learned]")).to_have_count(0)
        choose(page, "sample-field", english("sample.fields.both"))
        expect(stage.root.locator("canvas[data-panel=learned]")).to_be_visible()
        forget(page)
        expect(stage.root.locator("canvas[data-panel=learned]")).to_have_count(0)

    with subtests.test("one of another scene leads there"):
        upload(page, "moons.safetensors", model_file(Scene(data="moons", scheduler="trig")))
        expect(page.get_by_text(english("learned.elsewhere"))).to_be_visible()
        assert panels(stage) == ["exact"]
        widget(page, "checkpoint_scene").get_by_role("button").click()
        wait_for_query(page, "data", "moons")
        wait_for_query(page, "sched", "trig")
        expect(stage.root.locator("canvas[data-panel=learned]")).to_be_visible()
