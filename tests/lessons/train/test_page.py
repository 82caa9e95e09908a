"""The page Train without a browser: the run's life, and what is refused and how."""

import json
import struct
import time
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from fmviz.app import runs
from fmviz.app.catalogue import translate
from fmviz.app.choices import State
from fmviz.app.state import STATE
from fmviz.app.tabs import TAB
from fmviz.learning import RunStatus
from fmviz.lessons.train.page import feed as train_feed
from fmviz.lessons.train.page import progress as train_progress
from fmviz.lessons.train.settings import OBJECTIVES
from fmviz.lessons.train.settings import Settings as TrainSettings
from fmviz.scene import Scene, Shell
from fmviz.stage.payload import decode_header
from tests.app.test_app import PAGES, open_app

PAGES["train"] = "pages/train.py"
QUICK = {"width": 16, "depth": 2, "batch_size": 64, "steps": 200}
PATIENCE = 30.0


def open_train(scene: Scene | None = None, language: str = "en", **settings) -> AppTest:
    return open_app(
        "train", State(shell=Shell(language=language), scene=scene or Scene(), train=TrainSettings(**QUICK | settings))
    )


def press(app: AppTest, what: str) -> AppTest:
    app.button(key=f"train_{what}").click().run()
    assert not app.exception
    return app


def progress(app: AppTest) -> str:
    """The line of progress, as the page itself gives it."""
    (line,) = (e.proto for e in app.get("bidi_component") if "fmviz_progress" in e.proto.component_name)
    return json.loads(line.json)["text"]


def until(app: AppTest, condition: Callable[[str], bool]) -> str:
    """Reruns the page, as its clock does in a browser, until its line of progress says so."""
    deadline = time.monotonic() + PATIENCE
    while not condition(progress(app)):
        assert time.monotonic() < deadline, progress(app)
        app.run()
        assert not app.exception
        time.sleep(0.02)  # other tests run beside this one
    return progress(app)


def run_of(app: AppTest) -> RunStatus:
    """The newest run of a session, as the pool has it; says nothing of its owner."""
    return runs.pool().status(list(app.session_state[TAB].belongings[runs.RUNS].values())[-1])


def finished(text: str) -> bool:
    return text.startswith(translate("en", "train.state.finished"))


def view(app: AppTest) -> TrainSettings:
    return app.session_state[STATE].train


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_runs_in_both_languages_and_says_what_to_notice(language):
    app = open_train(language=language)
    assert app.header[0].value == translate(language, "train.title")
    assert any(translate(language, "train.notice.predict") in m.value for m in app.markdown)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_run_of_every_objective_reaches_its_end(objective):
    app = press(open_train(objective=objective), "go")
    assert "step 200 of 200" in until(app, finished)
    assert not app.error
    assert app.button(key="train_go").label == translate("en", "train.again")


def test_pause_step_resume_reset():
    app = press(open_train(steps=100_000), "go")
    until(app, lambda text: text.startswith(translate("en", "train.state.running")))
    press(app, "go")
    until(app, lambda text: text.startswith(translate("en", "train.state.paused")))
    app.run()  # a step that was under way is done now
    before = progress(app)
    app.run()
    assert progress(app) == before, "a paused run stands still"
    done = int(before.split("step ")[1].split(" ")[0])
    press(app, "step")
    until(app, lambda text: f"step {done + 1} of" in text)
    press(app, "go")
    until(app, lambda text: f"step {done + 1} of" not in text and translate("en", "train.state.running") in text)
    press(app, "reset")
    assert progress(app) == translate("en", "train.progress_none", steps=100_000)


def test_the_first_step_can_be_taken_by_hand():
    app = press(open_train(), "step")
    until(app, lambda text: "step 1 of 200" in text and text.startswith(translate("en", "train.state.paused")))


def test_reset_goes_back_to_the_same_weights_and_new_weights_are_others():
    losses = []
    app = open_train()
    for what in ("reset", "reset", "new"):
        press(app, "go")
        until(app, finished)
        losses.append(progress(app).split("loss ")[1])
        press(app, what)
    press(app, "go")
    until(app, finished)
    losses.append(progress(app).split("loss ")[1])
    assert losses[0] == losses[1] == losses[2] != losses[3]
    assert app.session_state[STATE].scene.seed_network == 1


def test_the_learning_rate_changes_without_a_reset():
    app = press(open_train(steps=100_000, schedule="constant", warm_up=0.0), "go")
    until(app, lambda text: "loss" in text)
    before = run_of(app)
    assert before.learning_rate == 0.01
    slider = next(s for s in app.select_slider if s.key == "train.learning_rate")
    slider.set_value(0.001).run()
    assert not app.exception
    assert view(app).learning_rate == 0.001
    # a turn that was under way still tells of the rate it began with
    until(app, lambda text: run_of(app).step > before.step + 100 and run_of(app).learning_rate == 0.001)
    assert run_of(app).id == before.id
    assert translate("en", "train.export.rate", rate="0.01") in [c.value for c in app.caption]
    until(app, lambda text: "loss" in text)
    press(app, "reset")


def test_another_setting_begins_another_run_and_going_back_finds_the_first():
    app = press(open_train(), "go")
    until(app, finished)
    app.selectbox(key="train.objective").set_value("noise").run()
    assert progress(app) == translate("en", "train.progress_none", steps=200)
    app.selectbox(key="train.objective").set_value("cfm").run()
    assert finished(progress(app))


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_learning_rate_of_100_ends_in_an_explanation(optimizer):
    app = press(open_train(learning_rate=100.0, steps=2000, optimizer=optimizer), "go")
    until(app, lambda text: text.startswith(translate("en", "train.state.failed")))
    (error,) = app.error
    assert "Lower the learning rate" in error.value
    press(app, "reset")
    assert not app.error


def test_score_matching_from_another_source_is_explained():
    app = open_train(Scene(init="two_modes"), objective="score")
    assert translate("en", "train.failed.objective") in [e.value for e in app.error]
    app.selectbox(key="train.objective").set_value("cfm").run()
    assert not app.error


def test_too_large_a_run_is_refused():
    app = press(open_train(width=512, depth=8, batch_size=16_384), "go")
    assert translate("en", "train.failed.too_large") in [e.value for e in app.error]


def test_the_replay_shows_a_kept_step():
    app = press(open_train(), "go")
    until(app, finished)
    slider = next(s for s in app.select_slider if s.key == "train.replay")
    assert slider.value == 200
    slider.set_value(int(slider.options[len(slider.options) // 2])).run()
    assert not app.exception
    assert view(app).replay == int(slider.options[len(slider.options) // 2])


def test_two_sessions_do_not_touch_each_other():
    first, second = press(open_train(), "go"), open_train()
    assert progress(second) == translate("en", "train.progress_none", steps=200)
    until(first, finished)
    second.run()
    assert progress(second) == translate("en", "train.progress_none", steps=200)
    press(second, "go")
    until(second, finished)
    assert progress(first) == progress(second), "same seed, same loss"


def test_the_losses_differ_by_the_irreducible_one_all_along_the_run():
    app = press(open_train(), "go")
    until(app, finished)
    app.session_state["check_train"] = True
    app.run()
    assert not app.exception
    losses, errors = (table.value for table in app.table)
    number = lambda text: float(text.replace("−", "-").replace("±", ""))  # noqa: E731
    assert len(losses) >= 4
    for _, row in losses.iterrows():
        gap, floor, spread = (number(row.iloc[i]) for i in (3, 4, 5))
        assert abs(gap - floor) < 2 * spread
    assert errors.shape[1] == 4


def test_the_anatomy_opens_and_draws_again():
    app = open_train()
    app.session_state["train_anatomy"] = True
    app.run()
    before = app.table[0].value
    press(app, "draw")
    assert view(app).draw == 1
    assert not app.table[0].value.equals(before)


def test_the_script_is_that_of_the_run():
    app = open_train(objective="data", learning_rate=0.003)
    app.session_state["code_train"] = True
    app.run()
    assert "LEARNING_RATE" in app.code[0].value
    compile(app.code[0].value, "train.py", "exec")


def news(app: AppTest, tag: str = "") -> tuple[dict[str, object], bytes]:
    """What the browser next hears, past the page, about a run on which something happens."""
    feed, deadline = app.session_state[train_feed.FEED], time.monotonic() + PATIENCE
    while (body := feed.ask(tag)) is None or b'"tag":""' in body:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    (length,) = struct.unpack("<I", body[:4])
    return json.loads(body[4 : 4 + length]), body[4 + length :]


def test_a_running_page_is_fed():
    app = press(open_train(steps=100_000), "go")
    first, picture = news(app)
    assert first["text"].startswith(translate("en", "train.state.running"))
    assert 0 <= first["fraction"] < 1
    assert set(first["rows"]) == {"loss", "loss_t", "error", "error_t"}
    assert decode_header(picture)["view"]["feed"] == train_progress.FEED_NAME
    second, other = news(app, first["tag"])
    assert second["tag"] != first["tag"]
    assert second["fraction"] > first["fraction"]
    assert decode_header(other)["clip"] != decode_header(picture)["clip"]
    press(app, "go")
    ended, nothing = news(app, second["tag"])
    assert (ended, nothing) == ({"ended": True}, b"")
    press(app, "reset")


def test_a_replayed_step_is_not_sent_again_while_the_run_goes_on():
    app = press(open_train(steps=100_000), "go")
    until(app, lambda text: "step 1 of" not in text and "loss" in text)
    slider = next(s for s in app.select_slider if s.key == "train.replay")
    slider.set_value(1).run()
    first, picture = news(app)
    second, nothing = news(app, first["tag"])
    assert second["text"] != first["text"]
    assert picture
    assert not nothing
    press(app, "reset")


def test_a_scene_that_cannot_be_drawn_has_its_losses_all_the_same():
    app = open_train(Scene(init="ring5", data="two_modes", scheduler="sqrt"))
    assert translate("en", "error.singular_source") in app.error[0].value
    press(app, "go")
    until(app, finished)
    losses = json.loads(app.get("vega_lite_chart")[0].proto.spec)
    assert losses["title"]["subtitle"] == translate("en", "train.chart.loss_help")


@pytest.mark.parametrize(
    ("text", "log", "settings"),
    [
        ("loss_help", False, {}),
        ("loss_middle", False, {"t_sampling": "logit_normal"}),
        ("loss_plain", True, {"objective": "score", "score_weighting": "plain"}),
    ],
)
def test_the_chart_says_where_the_batches_are_weighted_otherwise(text, log, settings):
    chart = json.loads(open_train(**settings).get("vega_lite_chart")[0].proto.spec)
    assert chart["title"]["subtitle"] == translate("en", f"train.chart.{text}")
    scales = {json.dumps(layer["encoding"]["y"].get("scale")) for layer in chart["layer"] if "y" in layer["encoding"]}
    assert any('"log"' in scale for scale in scales) is log


def test_presenting_leaves_the_charts_out():
    app = open_app("train", State(shell=Shell(present=True), train=TrainSettings(**QUICK | {"steps": 100_000})))
    training_is_on = press(app, "go")
    header, picture = news(training_is_on)
    assert "rows" not in header
    assert picture
    press(app, "reset")


def test_a_run_whose_browser_is_gone_ends():
    app = press(open_train(steps=200_000), "go")
    until(app, lambda text: "loss" in text)
    gone = time.monotonic()
    while run_of(app).alive:
        time.sleep(0.02)
    assert time.monotonic() - gone <= 10.0
    assert run_of(app).state == "abandoned"


def test_a_full_pool_says_so_and_another_try_works(monkeypatch):
    app = open_train()
    with monkeypatch.context() as full:
        full.setattr(runs.pool(), "_max_queued", 0)
        press(app, "go")
    assert translate("en", "train.failed.full") in [error.value for error in app.error]
    press(app, "go")
    until(app, finished)


def picture(app: AppTest) -> bytes:
    payload = app.session_state["fmviz_last_payload.train_stage"]
    return payload[decode_header(payload)["start"] :]


def switch_weights(app: AppTest, weights: str) -> AppTest:
    app.segmented_control(key="train.weights").set_value(weights).run()
    assert not app.exception
    return app


def test_the_averaged_network_is_shown_and_the_raw_one_is_a_switch_away():
    app = press(open_train(), "go")
    until(app, finished)
    app.run()
    before, averaged = run_of(app), picture(app)
    assert view(app).weights == "averaged"
    assert translate("en", "train.measured.averaged") in [caption.value for caption in app.caption]
    switch_weights(app, "raw")
    assert run_of(app).id == before.id, "nothing is trained again"
    assert picture(app) != averaged
    captions = [caption.value for caption in app.caption]
    assert translate("en", "train.measured.raw") in captions
    assert translate("en", "train.export.weights.raw") in captions
    raw = picture(app)
    assert picture(switch_weights(app, "averaged")) == averaged
    other = press(open_train(ema=0.0), "go")
    until(other, finished)
    other.run()
    assert picture(other) == raw, "the average changes nothing in the training"


def test_a_running_page_is_fed_with_the_weights_that_are_shown():
    app = press(open_train(steps=100_000), "go")
    first, averaged = news(app)
    switch_weights(app, "raw")
    second, raw = news(app, first["tag"])
    assert averaged
    assert raw
    assert [tag["tag"].rpartition("-")[2] for tag in (first, second)] == ["averaged", "raw"]
    press(app, "reset")
