"""The page Hyperparameters as Streamlit runs it: start, fill-in, findings, cancel, guess, the way to Train, hostile input."""

import contextlib
import io
import threading

import pandas as pd
import pytest
import torch
from distributed import LocalCluster

from fmviz.app import runs, tabs
from fmviz.app.catalogue import translate
from fmviz.app.choices import State, decode, encode
from fmviz.app.state import STATE
from fmviz.learning import cluster_pool
from fmviz.lessons.hyperparameters.compute.plan import plan
from fmviz.lessons.hyperparameters.page import cells, charts, live, sweeps
from fmviz.lessons.hyperparameters.page.controls import EXPERIMENTS
from fmviz.lessons.hyperparameters.script import sweep_script
from fmviz.lessons.hyperparameters.settings import Settings
from fmviz.lessons.train.spec import train_spec
from fmviz.scene import Scene, scenes
from fmviz.scene.views import Shell
from fmviz.stage.events import Clicked
from fmviz.stage.payload import decode_header
from tests.app.test_app import errors, open_app

SCENE = Scene(data="two_modes", count=40, seed_network=5)
SMALL = {"width": 8, "depth": 1, "batch_size": 20, "steps": 30}


def open_page(state: State):
    app = open_app("start", state)
    app.switch_page("pages/hyperparameters.py").run()
    assert not app.exception
    return app


def opened(**chosen):
    return open_page(State(scene=SCENE, hyperparameters=Settings(**SMALL | chosen)))


def settings(app) -> Settings:
    return app.session_state[STATE].hyperparameters


def header(app):
    return decode_header(app.session_state["fmviz_last_payload.hyperparameters_stage"])


def go(app):
    return app.button(key="hyper_go")


def said(app) -> str:
    kinds = (app.caption, app.warning, app.markdown, app.info, app.success, app.subheader)
    return " ".join(element.value for kind in kinds for element in kind)


def trained(app):
    """Presses Start, and waits for the last run."""
    go(app).click().run()
    assert go(app).label == translate("en", "hyperparameters.cancel")
    pause = threading.Event()
    for _ in range(600):
        if go(app).label == translate("en", "hyperparameters.start"):
            assert go(app).disabled
            return app
        pause.wait(0.05)
        app.run()
        assert not app.exception
    pytest.fail("the sweep has not ended")


def test_the_empty_table_asks_what_is_expected_before_start():
    app = opened(x="width", x_values=("4", "8"), y="steps", y_values=("10", "20"))
    assert translate("en", "hyperparameters.map.expect") in said(app)
    assert [panel["title"] for panel in header(app)["panels"]] == ["4 · 20", "8 · 20", "4 · 10", "8 · 10"]
    assert not go(app).disabled
    app.selectbox(key="hyper_cell_guess").set_value((1, 0)).run()
    assert settings(app).guess == (1, 0)
    assert not errors(app)


@pytest.mark.slow
def test_cells_are_filled_and_the_finding_and_the_guess_are_computed():
    app = trained(opened(x="learning_rate", x_values=("0.0001", "0.03", "1000"), y="none", guess=(0, 0), seeds=2))
    text = said(app)
    assert translate("en", "hyperparameters.map.title") in text
    assert "1 of 3 cells diverged" in text
    assert "You expected 0.0001. It is number 2 of 3" in text
    assert "Along the learning rate the error changes by a factor of" in text
    assert "Best cell: 0.03" in text
    assert "Among the 2 seeds" in text
    filled = [[layer["kind"] for layer in panel["layers"]] for panel in header(app)["panels"]]
    assert filled == [["density", "particles"]] * 3
    titles = [panel["title"] for panel in header(app)["panels"]]
    assert titles[2] == "1000: ✕"
    assert "%" in titles[1]
    app.segmented_control(key="hyperparameters.chart").set_value("distance").run()
    assert settings(app).chart == "distance"
    app.segmented_control(key="hyperparameters.chart").set_value("reach").run()
    assert translate("en", "hyperparameters.reach_claim", n=0, all=3, goal="10%") in said(app)
    app.segmented_control(key="hyperparameters.chart").set_value("parallel").run()
    assert translate("en", "hyperparameters.parallel_claim", n=6, all=6) in said(app)
    app.segmented_control(key="hyperparameters.chart").set_value("reach").run()
    app.segmented_control(key="hyperparameters.goal").set_value(0.5).run()
    assert settings(app).goal == 0.5
    assert translate("en", "hyperparameters.reach_claim", n=1, all=3, goal="50%") in said(app)
    app.session_state["check_hyperparameters"] = True
    pause = threading.Event()
    for _ in range(400):
        app.run()
        if app.table:
            break
        pause.wait(0.05)
    table = app.table[0].value
    assert table.iloc[:, 0].tolist() == ["0.0001", "0.03"]
    assert all("±" in text for text in table.iloc[:, 2])
    assert not app.exception
    assert not app.exception


@pytest.mark.slow
def test_another_value_trains_only_what_is_new_and_going_back_trains_nothing():
    app = trained(opened(x="width", x_values=("4", "8"), y="none"))
    app.multiselect(key="hyper_x_width").set_value(["4", "8", "6"]).run()
    assert settings(app).x_values == ("4", "6", "8")
    assert go(app).label == translate("en", "hyperparameters.go_on")
    app.multiselect(key="hyper_x_width").set_value(["8", "4"]).run()
    assert settings(app).x_values == ("4", "8")
    assert go(app).disabled


def test_a_sweep_can_be_cancelled_and_ends_when_other_cells_are_chosen():
    app = opened(x="learning_rate", x_values=("0.01", "0.02"), y="none", steps=2000, batch_size=2048, width=64, depth=4)
    go(app).click().run()
    sweep = app.session_state[tabs.TAB].belongings[sweeps.SWEEP]
    assert sweep.live
    go(app).click().run()
    assert sweep.cancelled
    assert translate("en", "hyperparameters.cancelled", done=0, all=2) in said(app)
    go(app).click().run()
    again = app.session_state[tabs.TAB].belongings[sweeps.SWEEP]
    assert again.live
    app.button(key="hyper_capacity").click().run()
    assert again.cancelled
    assert not app.exception


def test_a_sweep_is_paused_changed_and_resumed():
    app = opened(x="learning_rate", x_values=("0.01", "0.02"), y="none", steps=2000, batch_size=2048, width=64, depth=4)
    assert not [button for button in app.button if button.key == "hyper_pause"]
    go(app).click().run()
    sweep = app.session_state[tabs.TAB].belongings[sweeps.SWEEP]
    app.button(key="hyper_pause").click().run()
    assert sweep.paused
    assert app.button(key="hyper_pause").label == translate("en", "hyperparameters.resume")
    assert go(app).label == translate("en", "hyperparameters.cancel")
    app.multiselect(key="hyper_x_learning_rate").set_value(["0.02", "0.03", "0.04"]).run()
    assert app.session_state[tabs.TAB].belongings[sweeps.SWEEP] is sweep
    assert [job[1].learning_rate for job in sweep.jobs] == [0.02, 0.03, 0.04]
    assert sweep.paused
    app.button(key="hyper_pause").click().run()
    assert sweep.live
    assert not sweep.paused
    assert app.button(key="hyper_pause").label == translate("en", "hyperparameters.pause")
    app.button(key="hyper_capacity").click().run()
    assert sweep.cancelled, "cells of another table"
    assert not app.exception


@pytest.fixture
def served_with(monkeypatch):
    """Has this server train in the cluster at an address."""

    def serve(address: str) -> None:
        monkeypatch.setenv("FMVIZ_DASK", address)
        monkeypatch.setattr(cluster_pool, "PATIENCE", 1.0)
        sweeps.cluster.cache_clear()

    yield serve
    found = sweeps.cluster()
    if found is not None:
        found.close()
    sweeps.cluster.cache_clear()


def test_a_cluster_trains_the_cells(served_with, monkeypatch):
    options = {"processes": False, "threads_per_worker": 1, "dashboard_address": None, "silence_logs": "CRITICAL"}
    with LocalCluster(n_workers=2, protocol="tcp", **options) as made:
        served_with(made.scheduler_address)
        app = opened(x="learning_rate", x_values=("0.01", "0.03"), y="none")
        monkeypatch.setattr(runs.pool(), "submit", None)  # whoever calls it fails
        trained(app)
        assert translate("en", "hyperparameters.cluster.connected", n=2) in said(app)
        assert all("%" in panel["title"] for panel in header(app)["panels"])
        assert not app.exception


def test_a_cluster_that_does_not_answer_is_told_and_this_machine_trains(served_with):
    served_with("tcp://127.0.0.1:1")
    app = opened(x="learning_rate", x_values=("0.01",), y="none")
    trained(app)
    assert [warning.value for warning in app.warning] == [translate("en", "hyperparameters.cluster.away")]
    assert "%" in header(app)["panels"][0]["title"]


@pytest.mark.parametrize("name", EXPERIMENTS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_prepared_experiments_have_sixteen_cells(name, language):
    app = open_page(State(scene=SCENE, shell=Shell(language=language)))
    app.button(key=f"hyper_{name}").click().run()
    view = settings(app)
    assert {field: getattr(view, field) for field in EXPERIMENTS[name]} == EXPERIMENTS[name]
    assert len(header(app)["panels"]) == 16
    assert not app.exception
    assert not errors(app)


def test_what_is_typed_and_is_no_value_is_said():
    app = opened(x="width", y="none")
    app.multiselect(key="hyper_x_width").set_value(["8", "__import__('os')"]).run()
    assert settings(app).x_values == ("8",)
    assert "__import__" in said(app)
    app.multiselect(key="hyper_x_width").set_value(["8", "1e99"]).run()
    assert settings(app).x_values == ("8",)
    app.multiselect(key="hyper_x_width").set_value([]).run()
    assert settings(app).x_values is None
    assert not app.exception


def test_axes_change_places_and_a_second_axis_can_be_left_out():
    app = opened(x="width", x_values=("4", "8"), y="steps")
    app.selectbox(key="hyperparameters.x").set_value("steps").run()
    assert (settings(app).x, settings(app).y, settings(app).y_values) == ("steps", "width", ("4", "8"))
    app.selectbox(key="hyperparameters.y").set_value("none").run()
    assert len(settings(app).axes) == 1
    assert not errors(app)


def test_an_objective_that_the_source_does_not_have_is_told_and_the_others_are_trained():
    app = trained(
        open_page(
            State(
                scene=SCENE.model_copy(update={"init": "ring5"}),
                hyperparameters=Settings(**SMALL, x="objective", x_values=("cfm", "score"), y="none"),
            )
        )
    )
    assert translate("en", "train.failed.objective") in said(app)
    assert "%" in header(app)["panels"][0]["title"]
    assert "%" not in header(app)["panels"][1]["title"]


def test_a_link_to_train_has_the_very_run_of_the_cell():
    now = State(
        scene=SCENE,
        hyperparameters=Settings(
            **SMALL,
            x="scheduler",
            x_values=("vp",),
            y="t_sampling",
            y_values=("logit_normal",),
            optimizer="adamw",
            time_features="raw",
        ),
    )
    cell = plan(now.scene, now.hyperparameters).cells[0]
    state, problems = decode(encode(cells.in_train(now, cell)))
    assert problems == ()
    learned, spec = cell.jobs[0]
    assert scenes.learned_part(state.scene) == learned
    found = train_spec(state.scene, state.train)
    assert found.device == "auto"
    assert found == type(spec)(**{**spec.__dict__, "device": "auto"})
    assert state.scene.count == SCENE.count


def in_train(app, **chosen):
    """The page Train as the link below the map opens it, in the same tab."""
    now = app.session_state[STATE]
    cell = plan(now.scene, now.hyperparameters).cells[0]
    there, _ = decode(encode(cells.in_train(now, cell)))
    app.session_state[STATE] = there.model_copy(update={"train": there.train.model_copy(update=chosen)})
    app.switch_page("pages/train.py").run()
    assert not app.exception
    return cell, app.session_state[tabs.TAB].belongings[runs.RUNS]


@pytest.mark.slow
def test_train_has_the_network_of_the_cell_and_trains_it_on():
    app = trained(opened(x="width", x_values=("4",), y="none"))
    result = app.session_state[tabs.TAB].belongings[sweeps.DONE].get(plan(SCENE, settings(app)).cells[0].jobs[0])
    cell, mine = in_train(app)
    (run_id,) = mine.values()
    run = runs.pool().status(run_id)
    assert (run.state, run.step, run.spec) == ("finished", 30, cell.jobs[0][1])
    assert torch.equal(run.model.network.weights, result.model.network.weights)
    assert len(run.losses) == 30
    assert [kept.report.velocity.total for kept in run.kept] == pytest.approx(
        [result.errors[0][1], result.errors[-1][1]], rel=1e-5
    )
    app.button(key="train_more").click().run()
    assert not app.exception
    assert translate("en", "train.export.trained_on") in said(app)
    pause = threading.Event()
    for _ in range(600):
        app.run()
        (more,) = mine.values()
        if not (again := runs.pool().status(more)).alive:
            break
        pause.wait(0.02)
    assert more != run_id
    assert again.state == "finished"
    assert torch.equal(again.kept[0].model.network.weights, result.model.network.weights)
    assert not torch.equal(again.model.network.weights, result.model.network.weights)
    app.run()  # the page may have been drawn just before the last step, with a button that pauses
    app.button(key="train_go").click().run()
    assert translate("en", "train.export.trained_on") not in said(app)


@pytest.mark.slow
def test_other_settings_than_those_of_the_cell_begin_untrained():
    app = trained(opened(x="width", x_values=("4",), y="none"))
    _, mine = in_train(app, learning_rate=0.5)
    assert not mine
    assert "train_more" not in {button.key for button in app.button}


def test_a_click_on_no_cell_changes_nothing(monkeypatch):
    changes: list[object] = []
    now = State(scene=SCENE, hyperparameters=Settings(**SMALL))
    monkeypatch.setattr(cells.state, "current", lambda: now)
    monkeypatch.setattr(cells.state, "change", lambda _, **fields: changes.append(fields))
    monkeypatch.setattr(sweeps, "results", lambda _: {})
    for panel in ("", "cell", "cell9_9", "cell1_x", "__proto__"):
        live._click(Clicked(0.0, 0.0, 0.5, panel, 1))
    assert not changes
    live._click(Clicked(0.0, 0.0, 0.5, "cell1_2", 2))
    assert changes == [{"guess": (1, 2)}]


def test_presenting_shows_the_stage_and_the_button_alone():
    app = open_page(State(scene=SCENE, shell=Shell(present=True), hyperparameters=Settings(**SMALL)))
    assert [button.key for button in app.button if button.key and button.key.startswith("hyper")] == ["hyper_go"]
    assert not app.subheader


@pytest.mark.slow
def test_the_file_has_all_numbers(monkeypatch):
    app = trained(opened(x="width", x_values=("4",), y="none"))
    tab, view = app.session_state[tabs.TAB], settings(app)
    monkeypatch.setattr(tabs, "current", lambda: tab)
    table, parquet = (
        read(io.BytesIO(charts._file(plan(SCENE, view), charts.FILES[kind][0])()))
        for kind, read in (("csv", pd.read_csv), ("parquet", pd.read_parquet))
    )
    pd.testing.assert_frame_equal(table, parquet, check_dtype=False)
    assert table["step"].iloc[0] == 0
    assert table["step"].iloc[-1] == 30
    assert set(table["seed"]) == {5}
    assert (table["velocity"] > 0).all()


@pytest.mark.parametrize(
    "view",
    [
        Settings(**SMALL, x="learning_rate", x_values=("0.01", "0.03"), y="batch_size", y_values=("10", "20"), seeds=2),
        Settings(**SMALL | {"steps": 5}, x="width", x_values=("4", "8"), y="depth", y_values=("1", "2")),
        Settings(
            **SMALL | {"steps": 5}, x="objective", x_values=("cfm", "noise"), y="scheduler", y_values=("linear", "vp")
        ),
        Settings(**SMALL | {"steps": 5}, x="seed", x_values=("3", "4"), y="none"),
        Settings(
            **SMALL | {"steps": 5},
            x="optimizer",
            x_values=("adamw", "sgd"),
            y="t_sampling",
            y_values=("uniform", "logit_normal"),
            time_features="raw",
        ),
    ],
    ids=["numbers", "shape", "path", "seeds", "time"],
)
def test_the_program_runs_as_it_stands_and_trains_the_same_cells(view):
    space: dict[str, object] = {}
    threads = torch.get_num_threads()
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(sweep_script(SCENE, view), "script", "exec"), space)
    torch.set_num_threads(threads)
    table, asked = space["table"], plan(SCENE, view)
    assert isinstance(table, pd.DataFrame)
    assert len(table) == len(asked.jobs)
    assert "velocity" in printed.getvalue()
    of_the_last_path = {cell.spec for cell in space["cells"]}  # type: ignore[attr-defined]
    assert of_the_last_path == {spec for scene, spec in asked.jobs if scene == asked.scenes[-1]}
