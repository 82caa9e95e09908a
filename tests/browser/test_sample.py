"""The page Sample in a browser: solver and steps, a click, checkpoints good and bad, the error map."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from playwright.sync_api import Page, expect

from fmviz.app.catalogue import translate
from fmviz.app.choices import decode
from fmviz.learning import LearnedModel, TrainSpec, checkpoint
from fmviz.learning.networks import MLP
from fmviz.learning.objectives import architecture
from fmviz.scene import Scene, scenes
from tests.browser.helpers import OpenPage, Stage, choose, english, query, settle, wait_for_query, widget

SAMPLE = "/sample?n=60"
STILL = f"{SAMPLE}&t=0.5"


@pytest.fixture
def sample(open_page: OpenPage) -> tuple[Page, Stage]:
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


def panels(stage: Stage) -> list[str]:
    return stage.root.locator("canvas[data-panel]").evaluate_all("all => all.map(c => c.dataset.panel)")


def test_solver_steps_and_grid_change_the_clip_and_the_link(sample):
    page, stage = sample
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


def test_a_layer_goes_into_this_pages_part_of_the_link(sample):
    page, stage = sample
    stage.chip("steps").click()
    wait_for_query(page, "slayers", ".*steps.*")
    assert "layers" not in query(page)


def test_a_click_gives_the_likelihood_and_the_trajectory(sample):
    page, stage = sample
    clip = stage.data("clip")
    page.mouse.click(*stage.place("exact", 0.6, 0.4))
    wait_for_query(page, "sat", ".+")
    stage.wait(f"s.clip !== '{clip}'")
    assert decode(query(page))[0].sample.click == pytest.approx((0.6, 0.4, 0.5), abs=0.05)
    expect(page.get_by_text(english("sample.log_exact")).last).to_be_visible()
    expect(stage.chip("click")).to_be_visible()
    widget(page, "forget_sample_click").get_by_role("button").click()
    stage.wait(f"s.clip === '{clip}'")


def test_a_checkpoint_is_shown_beside_the_exact_field(sample):
    page, stage = sample
    upload(page, "model.safetensors", model_file(Scene()))
    stage.wait("Number(s.frames) > 0")
    page.wait_for_function("e => e.shadowRoot !== undefined", arg=stage.root.element_handle())
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
    choose(page, "sample-field", english("sample.fields.exact"))
    wait_for_query(page, "field", "exact")
    expect(stage.root.locator("canvas[data-panel=learned]")).to_have_count(0)


def test_a_checkpoint_of_another_scene_leads_there(sample):
    page, stage = sample
    upload(page, "moons.safetensors", model_file(Scene(data="moons", scheduler="trig")))
    expect(page.get_by_text(english("learned.elsewhere"))).to_be_visible()
    assert panels(stage) == ["exact"]
    widget(page, "checkpoint_scene").get_by_role("button").click()
    wait_for_query(page, "data", "moons")
    wait_for_query(page, "sched", "trig")
    expect(stage.root.locator("canvas[data-panel=learned]")).to_be_visible()


SPOILT = {
    "truncated.safetensors": ("damaged", lambda data: data[: len(data) // 2]),
    "cut.safetensors": ("damaged", lambda data: data[:5]),
    "foreign.safetensors": ("foreign", lambda data: (8).to_bytes(8, "little") + b'{"a":{}}'),
    "notes.txt": ("foreign", lambda data: b"these are no weights, but a shopping list"),
    "model.pt": ("foreign", lambda data: b"\x80\x04\x95" + bytes(200)),
    "bent.safetensors": ("inconsistent", lambda data: data.replace(b'"step":"7"', b'"step":"x"')),
}


def test_a_file_that_is_no_checkpoint_is_explained_and_changes_nothing(sample):
    page, stage = sample
    clip = stage.data("clip")
    alert = page.get_by_test_id("stAlert")
    for name, (kind, spoil) in SPOILT.items():
        upload(page, name, spoil(model_file(Scene())))
        expect(alert).to_contain_text(english(f"learned.problem.{kind}"))
        expect(alert).to_contain_text("Nothing was changed")
        assert stage.data("clip") == clip
        assert panels(stage) == ["exact"]
        upload(page, "model.safetensors", model_file(Scene()))
        expect(alert).to_have_count(0)
        expect(stage.root.locator("canvas[data-panel=learned]")).to_be_visible()
        expect(widget(page, "learned")).to_contain_text(english("learned.file", step=7))
        open_menu(page)
        widget(page, "checkpoint_forget").get_by_role("button").click()
        stage.wait(f"s.clip === '{clip}'")
        expect(widget(page, "checkpoint")).to_have_count(0)  # it closes of itself; the next upload opens it anew


def test_the_error_map_starts_progresses_and_can_be_cancelled(sample):
    page, stage = sample
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


def test_the_error_map_comes_to_its_end(sample):
    page, _ = sample
    button = widget(page, "map_button").get_by_role("button")
    button.click()
    # It may be over at once: the server keeps the cells that another test has had measured.
    expect(button).to_contain_text(english("sample.map.again"), timeout=110_000)
    expect(page.get_by_text("Best: amplitude")).to_have_count(1)
    expect(page.get_by_test_id("stProgress")).to_have_count(0)
    settle(page)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_on_a_phone_scrolls_one_way_only(open_page, language):
    url = f"{STILL}&lang={language}&sat=0.6_0.4_0.5"
    page = open_page(url, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    Stage(page).wait("Number(s.frames) > 0")
    expect(page.get_by_role("heading", name=translate(language, "sample.title"), exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.get_by_test_id("stMain").evaluate("e => e.scrollWidth <= e.clientWidth + 1")


def test_stage_and_controls_fit_a_laptop(sample):
    page, stage = sample
    box, last = stage.root.bounding_box(), widget(page, "sample-grid").bounding_box()
    assert box is not None
    assert last is not None
    assert box["y"] + box["height"] <= 768
    assert last["y"] + last["height"] <= 768


def test_check_and_code_open(sample):
    page, _ = sample
    widget(page, "check_sample").locator("summary").click()
    expect(widget(page, "check_sample").get_by_test_id("stTable").first).to_be_visible(timeout=60_000)
    widget(page, "code_sample").locator("summary").click()
    expect(page.get_by_test_id("stCode")).to_contain_text("flow_likelihood")
    settle(page)


def test_the_script_of_the_page_is_there_for_its_network(sample, tmp_path: Path):
    page, _ = sample
    upload(page, "model.safetensors", model_file(Scene()))
    page.keyboard.press("Escape")
    widget(page, "code_sample").locator("summary").click()
    expect(page.get_by_test_id("stCode")).to_contain_text("checkpoint.load")
    settle(page)
