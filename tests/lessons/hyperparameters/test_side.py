"""Runs side by side: what may be pinned, what is told of it, and that it outlives the table that it is from."""

import dataclasses

import numpy as np
import pytest
import torch

from fmviz.app import tabs
from fmviz.app.catalogue import translate
from fmviz.learning import TrainSpec
from fmviz.learning.networks import MLP
from fmviz.learning.training import initial_model
from fmviz.lessons.hyperparameters.compute import pinned_pictures
from fmviz.lessons.hyperparameters.compute.pins import LETTERS, MOST_BYTES, Pin, Pins
from fmviz.lessons.hyperparameters.page import pinned_table, side
from fmviz.scene import Component, Scene, scenes
from fmviz.stage.payload import View, decode_header
from tests.lessons.hyperparameters.test_page import go, header, in_train, opened, settings, trained

SCENE = scenes.learned_part(Scene(data="two_modes"))
SPEC = TrainSpec(hidden=(8,), batch_size=20, steps=30, device="cpu")


def pin(scene: Scene = SCENE, **changes: object) -> Pin:
    spec = dataclasses.replace(SPEC, **changes)
    return Pin((scene, spec), ((0, 1.0), (30, 0.1)), initial_model(scenes.path(scene), spec))


def test_four_different_runs_are_pinned_and_a_fifth_when_one_has_gone():
    pins, offered = Pins(), [pin(seed=seed) for seed in range(5)]
    for one in offered:
        pins.add(one)
    assert pins.kept == tuple(offered[:4])
    assert not pins.fits(offered[4])
    pins.remove(offered[1])
    pins.add(offered[4])
    assert [one.job[1].seed for one in pins.kept] == [0, 2, 3, 4]


def test_the_same_run_on_another_device_is_no_other_run():
    pins = Pins()
    pins.add(pin())
    pins.add(pin(device="auto"))
    assert len(pins.kept) == 1
    assert pins.has((SCENE, dataclasses.replace(SPEC, device="cuda")))
    assert not pins.has((SCENE, dataclasses.replace(SPEC, learning_rate=0.5)))


def test_networks_are_bounded_together():
    pins, large = Pins(), pin(hidden=(512,) * 6)
    fit = MOST_BYTES // large.size
    assert 1 < fit < len(LETTERS)
    for seed in range(4):
        pins.add(dataclasses.replace(large, job=(SCENE, dataclasses.replace(SPEC, seed=seed))))
    assert len(pins.kept) == fit


@pytest.fixture
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pinned_table, "tr", lambda key, **values: translate("en", key, **values))
    monkeypatch.setattr(pinned_table.words, "tr", lambda key, **values: translate("en", key, **values))


@pytest.mark.usefixtures("english")
def test_settings_that_differ_are_bold_and_the_others_are_not():
    found = pinned_table.rows([pin(), pin(learning_rate=0.003, hidden=(8, 8), gradient_clip=1.0)])
    assert [row.label for row in found if row.differs] == ["Learning rate", "Hidden layers", "Gradient clipping"]
    table = pinned_table.columns(found)
    assert list(table) == ["Setting", "A", "B"]
    of = dict(zip(table["Setting"], zip(table["A"], table["B"], strict=True), strict=True))
    assert of["**Learning rate**"] == ("**0.01**", "**0.003**")
    assert of["**Hidden layers**"] == ("**1**", "**2**")
    assert of["**Gradient clipping**"] == ("**–**", "**1**")
    assert of["Width"] == ("8", "8")
    assert of["Objective"] == ("velocity", "velocity")
    assert "Data" not in of


@pytest.mark.usefixtures("english")
def test_other_data_and_other_schedulers_are_told_apart():
    by_hand = [SCENE.with_mixture("data", (Component.from_row((1.0, x, 0.0, 1.0, 0.0, 1.0)),)) for x in (0.0, 1.0)]
    rows = {row.label: row for row in pinned_table.rows([pin(scene) for scene in by_hand])}
    assert rows["Data"].texts == ("edited by hand", "edited by hand")
    assert rows["Data"].differs
    powers = [SCENE.model_copy(update={"scheduler": "polynomial", "exponent": power}) for power in (2.0, 3.0)]
    typed = SCENE.model_copy(update={"scheduler": "custom", "alpha": "t**2", "beta": "1-t"})
    rows = {row.label: row for row in pinned_table.rows([pin(scene) for scene in (*powers, typed)])}
    assert rows["Scheduler of the path"].texts == ("polynomial (2)", "polynomial (3)", "`t**2`, `1-t`")
    assert "Data" not in rows


def test_the_stage_has_a_panel_for_each_with_its_field_and_its_particles():
    found = decode_header(pinned_pictures.payload([pin(), pin(seed=1)], ["a", "b"], 0, View(), "en"))
    assert [panel["title"] for panel in found["panels"]] == ["a", "b"]
    assert [[layer["kind"] for layer in panel["layers"]] for panel in found["panels"]] == [
        ["density", "vectors", "particles"]
    ] * 2
    assert found["law"] is not None
    other = SCENE.model_copy(update={"scheduler": "vp"})
    found = decode_header(pinned_pictures.payload([pin(), pin(other)], ["a", "b"], 0, View(), "en"))
    assert [[layer["kind"] for layer in panel["layers"]] for panel in found["panels"]] == [
        ["ellipses", "vectors", "particles"]
    ] * 2
    assert found["law"] is None


def test_arrows_are_those_of_the_network():
    one = pin()
    field = pinned_pictures._field(SCENE, one.model)
    t = 10 / (pinned_pictures.FRAMES - 1)
    expected = one.model.sampling_velocity(torch.from_numpy(field.positions), t)
    np.testing.assert_allclose(field.vectors[10], expected.detach().numpy(), rtol=1e-4, atol=1e-5)
    weights = torch.full_like(one.model.network.weights, torch.inf)
    broken = dataclasses.replace(one.model, network=MLP(one.model.network.architecture, weights))
    assert np.isnan(pinned_pictures._field(SCENE, broken).vectors).all()


def pressed(app, key: str):
    app.button(key=key).click().run()
    assert not app.exception
    return app


@pytest.mark.slow
def test_a_pinned_run_outlives_its_table_and_is_compared_with_one_of_another():
    app = trained(opened(x="width", x_values=("4",), y="none", steps=10))
    assert app.button(key="hyper_pin_cell").label == translate("en", "hyperparameters.side.pin", cell="4")
    pressed(app, "hyper_pin_cell")
    assert app.button(key="hyper_pin_cell").disabled
    assert not any(control.key == "hyperparameters.stage" for control in app.segmented_control)
    app.multiselect(key="hyper_x_width").set_value(["8"]).run()
    assert "hyper_pin_cell" not in {button.key for button in app.button}
    trained(app)
    pressed(app, "hyper_pin_cell")
    (table,) = [
        element.value for element in app.table if translate("en", "hyperparameters.side.setting") in element.value
    ]
    of = table.set_index(table.columns[0])
    assert of.loc["**Width**"].tolist() == ["**4**", "**8**"]
    assert of.loc["Steps"].tolist() == ["10", "10"]
    app.segmented_control(key="hyperparameters.stage").set_value("pins").run()
    assert settings(app).stage == "pins"
    assert [panel["title"].split(":")[0] for panel in header(app)["panels"]] == ["A · 4", "B · 8"]
    pressed(app, "hyper_unpin_A")
    assert [panel["title"].split(":")[0] for panel in header(app)["panels"]] == ["8"], "one alone is no comparison"
    assert go(app).disabled


@pytest.mark.slow
def test_the_run_of_the_page_train_is_pinned_beside_a_cell():
    app = trained(opened(x="width", x_values=("4",), y="none", steps=10))
    assert "hyper_pin_train" not in {button.key for button in app.button}
    in_train(app)
    app.switch_page("pages/hyperparameters.py").run()
    assert app.button(key="hyper_pin_train").label == translate("en", "hyperparameters.side.pin_train")
    pressed(app, "hyper_pin_train")
    assert app.button(key="hyper_pin_cell").disabled, "the cell's run and that of Train are one"
    (kept,) = app.session_state[tabs.TAB].belongings[side.PINS].kept
    assert [step for step, _ in kept.errors] == [0, 10]
    pressed(app, "hyper_unpin_A")
    assert not app.button(key="hyper_pin_cell").disabled
