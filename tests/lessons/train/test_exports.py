"""What the page Train offers to take home, and when."""

import pytest
from streamlit.testing.v1 import AppTest

from fmviz.app.catalogue import translate
from tests.lessons.train.test_page import finished, open_train, press, until

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
