"""An uploaded network on the page Sample: read rightly, read wrongly, and a file that is none."""

from __future__ import annotations

import pytest

from fmviz.app import measured
from fmviz.app.catalogue import translate
from fmviz.app.choices import State
from fmviz.learning import Trainer, TrainSpec, checkpoint
from fmviz.learning.checkpoint import CheckpointError
from fmviz.lessons.sample.compute.own import held, held_checkpoint
from fmviz.scene import Component, Scene, scenes
from tests.app.test_app import open_app
from tests.comparison.test_onnx import MEAN, gaussian_field

SCENE = Scene(data_components=(Component(x=float(MEAN[0]), y=float(MEAN[1]), xx=1.0, yy=1.0),), count=40)


@pytest.fixture
def page():
    app = open_app("start", State(scene=SCENE))
    app.session_state["sample_own"] = True
    app.switch_page("pages/sample.py").run()
    assert not app.exception
    return app


def uploaded(app, data: bytes, name: str = "net.onnx"):
    app.file_uploader(key="sample_own_file").set_value((name, data, "application/octet-stream")).run()
    assert not app.exception
    return app


def test_what_a_network_predicts_is_found_out(page):
    app = uploaded(page, gaussian_field(-1.0))
    told = " ".join(element.value for element in app.markdown)
    assert translate("en", "comparison.change.opposite") in told
    assert "200 %" in told
    # The opposite velocity is that of a time that runs the other way, apart from the time itself.
    app.selectbox(key="sample_own_time").select("data→noise").run()
    assert not app.exception
    assert " ".join(element.value for element in app.markdown) != told


def test_a_file_that_is_no_model_is_refused_in_words(page):
    app = uploaded(page, b"junk" * 100)
    assert translate("en", "error.onnx_unreadable") in [error.value for error in app.error]


def saved(scene: Scene = SCENE, **changes: object) -> bytes:
    """A checkpoint of a network that has hardly learned."""
    spec, path = TrainSpec(hidden=(8,), steps=10, device="cpu", **changes), scenes.path(scene)
    return checkpoint.to_bytes(Trainer(path, spec).snapshot().model, spec, path, 7)


def test_a_checkpoint_says_by_itself_what_it_predicts(page):
    app = uploaded(page, saved(objective="noise"), "net.safetensors")
    assert not app.error
    assert app.selectbox(key="sample_own_predicts").disabled
    assert any(translate("en", "comparison.readings") == element.value for element in app.markdown)
    found = held_checkpoint(SCENE, saved(objective="noise"), "en")
    (declared,) = [name for name, _, said in found.readings if said]
    assert translate("en", "comparison.quantity.noise") in declared


def test_what_is_no_checkpoint_is_refused_in_words(page):
    app = uploaded(page, saved()[:-4] + b"\x00\x00\xc0\x7f", "net.safetensors")
    reason = translate("en", "learned.problem.not_finite")
    assert [error.value for error in app.error] == [translate("en", "learned.refused", reason=reason)]
    app = uploaded(app, b"a shopping list", "net.safetensors")
    assert translate("en", "learned.problem.not_finite") not in app.error[0].value
    with pytest.raises(CheckpointError, match="at most"):
        held_checkpoint(SCENE, bytes(checkpoint.MAX_BYTES + 1), "en")
    app = uploaded(app, saved(Scene(), classify=0), "net.safetensors")
    assert [error.value for error in app.error] == [translate("en", "error.classifier")]


def test_the_report_is_that_of_the_scene():
    found = held(SCENE, gaussian_field(), "velocity", "noise→data", 1.0, "en")
    assert found.error < 1e-5
    assert [declared for _, _, declared in found.readings].count(True) == 1
    assert all(picture.startswith("<svg") for _, picture in found.figures)


def test_a_page_waits_while_too_much_else_does_and_asks_again(page, monkeypatch):
    answers = [None, None]
    ask = measured.ask_once
    monkeypatch.setattr(measured, "ask_once", lambda *a, **k: answers.pop() if answers else ask(*a, **k))
    app = uploaded(page, gaussian_field())
    assert not answers
    assert any(translate("en", "app.measuring") in caption.value for caption in app.caption)
    app.run()
    assert not app.exception
    assert any(translate("en", "comparison.readings") == element.value for element in app.markdown)
