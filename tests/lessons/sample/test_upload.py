"""The upload of a checkpoint on the page Sample: what is taken, and how a refusal reads in both languages."""

import logging
from dataclasses import replace

import pytest

from fmviz.app import learned
from fmviz.app.catalogue import catalogue, translate
from fmviz.app.choices import State
from fmviz.learning import Trainer, TrainSpec, checkpoint
from fmviz.scene import Scene, Shell, scenes
from tests.app.test_app import errors
from tests.lessons.sample.test_page import SMALL, open_sample

SPEC = TrainSpec(hidden=(8,), steps=10, device="cpu")


def model_file(scene: Scene) -> bytes:
    path = scenes.path(scene)
    return checkpoint.to_bytes(Trainer(path, SPEC).snapshot().model, SPEC, path, 7)


def upload(content: bytes, language: str = "en"):
    app = open_sample(State(scene=SMALL, shell=Shell(language=language)))
    app.session_state["learned"] = True
    app.run()
    app.file_uploader(key="checkpoint").set_value(("model.safetensors", content, "application/octet-stream")).run()
    assert not app.exception
    return app


def test_a_checkpoint_is_taken():
    app = upload(model_file(SMALL))
    assert not errors(app)
    assert app.session_state[learned.UPLOADED][1].step == 7
    assert app.selectbox(key="sample.field").value == "both"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("kind", "spoil"),
    [
        ("damaged", lambda data: data[: len(data) // 2]),
        ("foreign", lambda data: b"these are no weights, but a shopping list"),
        ("not_finite", lambda data: data[:-4] + b"\x00\x00\xc0\x7f"),
        ("inconsistent", lambda data: data.replace(b'"step":"7"', b'"step":"x"')),
        ("too_large", lambda data: bytes(checkpoint.MAX_BYTES + 1)),
    ],
)
def test_a_refusal_reads_in_the_language_of_the_page(language, kind, spoil, caplog):
    with caplog.at_level(logging.INFO, logger=learned.__name__):
        app = upload(spoil(model_file(SMALL)), language)
    reason = translate(language, f"learned.problem.{kind}")
    assert errors(app) == translate(language, "learned.refused", reason=reason)
    assert "checkpoint: " in caplog.text
    assert learned.UPLOADED not in app.session_state


def test_every_kind_of_refusal_has_its_text():
    texts = {key.rpartition(".")[2] for key in catalogue("en") if key.startswith("learned.problem.")}
    assert texts == {*checkpoint.KINDS, learned.COUPLED}


def test_a_network_that_learned_coupled_pairs_is_not_taken_for_the_field_of_the_scene():
    path, spec = scenes.path(SMALL), replace(SPEC, coupling="exact", coupling_batch=4)
    app = upload(checkpoint.to_bytes(Trainer(path, spec).snapshot().model, spec, path, 7))
    assert errors(app) == translate("en", "learned.refused", reason=translate("en", "learned.problem.coupled"))
    assert learned.UPLOADED not in app.session_state
