"""What the page Train offers to take home, and when."""

import pytest
import torch
from streamlit.testing.v1 import AppTest

from fmviz.app.catalogue import translate
from fmviz.learning import checkpoint, training_script
from fmviz.lessons.train.page import exports, training
from fmviz.lessons.train.settings import Settings as TrainSettings
from fmviz.scene import Scene, scenes
from tests.lessons.train.test_page import finished, open_train, press, run_of, until

FIRST_RATE = translate("en", "train.export.rate", rate="0.01")


def set_rate(app: AppTest, rate: float) -> None:
    next(s for s in app.select_slider if s.key == "train.learning_rate").set_value(rate).run()
    assert not app.exception


def captions(app: AppTest) -> list[str]:
    return [caption.value for caption in app.caption]


def offered(app: AppTest) -> dict[str, bool]:
    names = ("checkpoint", "csv", "script")
    return {name: not app.download_button(key=f"train_export_{name}").disabled for name in names}


def test_a_run_that_has_had_no_turn_has_nothing_to_save_yet(monkeypatch: pytest.MonkeyPatch):
    app = open_train()
    assert offered(app) == {"checkpoint": False, "csv": False, "script": True}
    with monkeypatch.context() as busy:
        # A queue so long that the first turn does not come.
        busy.setattr("fmviz.learning.runs.Run.runnable", property(lambda run: False))
        press(app, "go")
        assert offered(app) == {"checkpoint": False, "csv": False, "script": True}
    press(app, "reset")
    press(app, "go")
    until(app, finished)
    app.run()
    assert offered(app) == {"checkpoint": True, "csv": True, "script": True}


def test_a_changed_rate_is_told_and_stays_told_when_it_is_changed_back():
    app = press(open_train(steps=100_000), "go")
    until(app, lambda text: "loss" in text)
    assert FIRST_RATE not in captions(app)
    set_rate(app, 0.001)
    assert FIRST_RATE in captions(app)
    set_rate(app, 0.01)
    assert FIRST_RATE in captions(app)
    press(app, "reset")
    assert FIRST_RATE not in captions(app)


def test_a_rate_set_after_the_end_is_that_of_the_next_run():
    app = press(open_train(), "go")
    until(app, finished)
    app.run()
    set_rate(app, 0.001)
    assert FIRST_RATE not in captions(app), "nothing changed on the way"
    press(app, "go")
    until(app, finished)
    app.run()
    assert translate("en", "train.export.rate", rate="0.001") not in captions(app)
    app.session_state["code_train"] = True
    app.run()
    assert "LEARNING_RATE, WARM_UP = 0, 200, 64, 0.001," in app.code[0].value


def test_checkpoint_script_and_curves_are_of_the_weights_that_are_shown():
    app = press(open_train(), "go")
    until(app, finished)
    run, scene = run_of(app), scenes.learned_part(Scene())
    errors = {}
    for weights, ema, said in (
        ("averaged", 0.995, "the average of the weights, of decay 0.995"),
        ("raw", 0.0, "the weights of the last step"),
    ):
        view = TrainSettings(weights=weights)
        saved = checkpoint.from_bytes(exports._checkpoint(scenes.path(scene), run, weights))
        shown = training.kept(run, view)
        assert torch.equal(saved.model.network.weights, shown.model.network.weights)
        assert (saved.spec.ema, saved.step) == (ema, 200)
        assert f"weights.pt holds {said}." in training_script(scenes.path(scene), training.spec_of(run.spec, weights))
        reports = training.reports(run, view, scene)
        assert [step for step, _ in reports] == [kept.step for kept in run.kept]
        errors[weights] = [report.velocity.total for _, report in reports]
        assert errors[weights][-1] == pytest.approx(training.report(scene, shown.model).velocity.total, rel=1e-5)
    assert errors["averaged"][0] == pytest.approx(errors["raw"][0], rel=1e-5), "before the first step"
    assert errors["averaged"][1:] != pytest.approx(errors["raw"][1:], rel=1e-3)


def test_without_an_average_there_is_nothing_to_switch():
    app = open_train(ema=0.0)
    control = app.segmented_control(key="train.weights")
    assert (control.disabled, control.value) == (True, "raw")
    assert not [text for text in captions(app) if text.startswith("The checkpoint and the script")]
