"""What the page Train offers to take home, and when."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.test_train import finished, open_train, press, until


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
