"""Learned guidance: the field of a classifier, the comparison, and training from the page in the pool."""

import dataclasses
import math
import time

import pytest
import torch

from fmviz.app import runs
from fmviz.app.catalogue import translate
from fmviz.app.choices import State
from fmviz.learning import TrainSpec
from fmviz.learning.training import initial_model
from fmviz.lessons.guidance.compute import learned, results
from fmviz.lessons.guidance.compute.learned import Networks
from fmviz.lessons.guidance.compute.results import Chosen
from fmviz.lessons.guidance.settings import Settings
from fmviz.scene import Scene, scenes
from fmviz.theory.conversions import coefficients
from tests.app.test_app import errors, full_house, open_app

SCENE = Scene(data="three_modes", count=40)
NETWORK = TrainSpec(hidden=(8,), steps=60, batch_size=50, label_dropout=0.2, device="cpu")
CLASSIFIER = TrainSpec(hidden=(8,), steps=40, batch_size=50, classify=1, device="cpu")
PATIENCE = 60.0


def networks() -> Networks:
    path = scenes.path(SCENE)
    return Networks((1, 2), initial_model(path, NETWORK), initial_model(path, NETWORK), initial_model(path, CLASSIFIER))


def test_classifier_guidance_adds_the_gradient_of_the_classifier():
    """Against a gradient by central differences."""
    found, path = networks(), scenes.path(SCENE)
    velocity = learned.by_classifier(found, path.scheduler, 2.5)
    x, t, h = torch.randn(20, 2, generator=torch.Generator().manual_seed(0)).double(), 0.4, 1e-5
    step = h * torch.eye(2, dtype=torch.float64)
    slope = torch.stack(
        [
            (found.classifier.log_probability(x + e, t) - found.classifier.log_probability(x - e, t)) / (2 * h)
            for e in step
        ],
        dim=-1,
    )
    wanted = found.network.velocity(x, t) + 2.5 * float(coefficients(path.scheduler, t).b) * slope
    torch.testing.assert_close(velocity(x, t), wanted.detach(), rtol=1e-6, atol=1e-6)
    assert velocity(x, 0.0).isfinite().all()


def test_the_comparison_measures_all_kinds():
    exact = results.guidance(SCENE, Chosen(1, 2.0, (0.2, 0.9)))
    found = learned.compare(exact, networks())
    assert all(distance > 0 for distance in found.distances)
    assert found.floor < min(found.distances)  # none of these networks has learned anything
    assert found.apart > 0
    without = learned.compare(exact, dataclasses.replace(networks(), weak=None))
    assert math.isnan(without.distances[2])
    assert without.auto is None


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(learned, "network_spec", lambda seed: NETWORK)
    monkeypatch.setattr(learned, "classifier_spec", lambda label, seed: CLASSIFIER)


def opened(scene: Scene = SCENE):
    app = open_app("start", State(scene=scene, guidance=Settings(label=1)))
    app.session_state["guidance_learned"] = True
    app.switch_page("pages/guidance.py").run()
    assert not app.exception
    return app


def mine() -> dict[TrainSpec, str]:
    pool = runs.pool()
    return {run.spec: run.state for run in (mirror.status() for mirror in list(pool._runs.values()))}


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_both_networks_are_trained_from_the_page_and_shown():
    app = opened()
    app.button(key="guidance_train").click().run()
    deadline = time.monotonic() + PATIENCE
    while set(mine().values()) != {"finished"} and time.monotonic() < deadline:
        app.run()
        time.sleep(0.05)
    app.run()
    assert not app.exception
    assert app.button(key="guidance_train").label == translate("en", "training.again")
    table = next(t.value for t in app.table if translate("en", "guidance.sliced") in t.value)
    assert translate("en", "guidance.learned.floor") in table.iloc[:, 0].tolist()
    assert len(table) in (3, 4)


@pytest.mark.slow
def test_training_can_be_cancelled(monkeypatch):
    endless = dataclasses.replace(NETWORK, steps=200_000)
    monkeypatch.setattr(learned, "network_spec", lambda seed: endless)
    monkeypatch.setattr(learned, "classifier_spec", lambda label, seed: CLASSIFIER)
    app = opened()
    app.button(key="guidance_train").click().run()
    assert app.button(key="guidance_train").label == translate("en", "training.cancel")
    app.button(key="guidance_train").click().run()
    assert mine()[endless] == "cancelled"
    assert app.button(key="guidance_train").label == translate("en", "guidance.learned.start")
    assert not app.exception


@pytest.mark.usefixtures("small")
def test_a_full_house_is_said(monkeypatch):
    full_house(monkeypatch)
    app = opened()
    app.button(key="guidance_train").click().run()
    assert translate("en", "training.full") in errors(app)
    assert app.button(key="guidance_train").label == translate("en", "guidance.learned.start")


def test_a_source_that_is_not_gaussian_is_explained():
    app = opened(SCENE.model_copy(update={"init": "ring5"}))
    assert translate("en", "guidance.learned.needs_gaussian") in [info.value for info in app.info]
    assert not [button for button in app.button if button.key == "guidance_train"]
