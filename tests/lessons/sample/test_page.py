"""The page Sample as Streamlit runs it: every control, the samples' numbers, a click, the map, a network."""

import re
import time
from functools import partial

import pytest
import torch

from fmviz.app import learned, measured, player, presence, runs
from fmviz.app.catalogue import translate
from fmviz.app.choices import State
from fmviz.app.state import STATE
from fmviz.app.tabs import TAB
from fmviz.cache import Cache
from fmviz.errors import ParameterError
from fmviz.learning import LearnedModel, TrainSpec, checkpoint
from fmviz.learning.checkpoint import Checkpoint
from fmviz.learning.networks import MLP
from fmviz.learning.objectives import architecture
from fmviz.lessons.sample.compute import results, samples
from fmviz.lessons.sample.page import error_map, evidence
from fmviz.lessons.sample.settings import FIELDS, GRIDS
from fmviz.lessons.sample.settings import Settings as SampleSettings
from fmviz.lessons.train.settings import Settings as TrainSettings
from fmviz.scene import Scene, scenes
from fmviz.scene.views import METHODS
from fmviz.stage.payload import decode_header
from fmviz.tasks import runner as task_runner
from tests.app.test_app import errors, open_app

PAGE = "pages/sample.py"
SMALL = Scene(count=40)
PATIENCE = 60.0


def open_sample(state: State, *, distances: bool = True):
    """The page, by default with its distances opened."""
    app = open_app("start", state)
    app.session_state["sample_distances"] = distances
    app.switch_page(PAGE).run()
    assert not app.exception
    return app


def untrained(scene: Scene) -> Checkpoint:
    path, spec = scenes.path(scene), TrainSpec(hidden=(8,), steps=10)
    built = architecture(path, spec)
    weights = built.initial_weights(torch.Generator().manual_seed(0))
    model = LearnedModel(MLP(built, weights), "velocity", path.scheduler, path.p_init.is_standard)
    return checkpoint.from_bytes(checkpoint.to_bytes(model, spec, path, 7))


def with_network(state: State, scene: Scene | None = None):
    app = open_sample(state)
    app.session_state[learned.UPLOADED] = ("abc", untrained(scene or state.scene))
    app.run()
    assert not app.exception
    return app


def train_on(app) -> None:
    """Until the run of this session has gone on by a step at least."""
    (run,) = app.session_state[TAB].belongings[runs.RUNS].values()
    pool, deadline = runs.pool(), time.monotonic() + PATIENCE
    before = pool.status(run).step
    while pool.status(run).step == before:
        assert time.monotonic() < deadline
        time.sleep(0.01)  # whoever asks all the time holds the pool's lock all the time


@pytest.fixture
def training_app(monkeypatch):
    """The page with a network whose run goes on and on, however long the test takes."""
    monkeypatch.setattr(presence, "connection_check", lambda: lambda: True)
    app = open_app("start", State(scene=SMALL, train=TrainSettings(steps=200_000)))
    app.switch_page("pages/train.py").run()
    app.button(key="train_go").click().run()
    train_on(app)
    app.switch_page(PAGE).run()
    assert not app.exception
    yield app
    for run in app.session_state[TAB].belongings[runs.RUNS].values():
        runs.pool().forget(run)


def stage_step(app) -> int:
    """The training step that the stage names."""
    panels = decode_header(app.session_state[f"{player.LAST}.sample_stage"])["panels"]
    (step,) = re.findall(r"\d+", panels[-1]["title"])
    return int(step)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_runs_in_both_languages(language):
    state = State(scene=SMALL)
    shell = state.shell.model_copy(update={"language": language})
    app = open_sample(state.model_copy(update={"shell": shell}), distances=False)
    assert app.header[0].value == translate(language, "sample.title")
    assert translate(language, "sample.occupancy") in [s.value for s in app.subheader]
    assert not app.table, "distances are measured when they are opened"
    app.session_state["sample_distances"] = True
    assert [len(table.value) for table in app.run().table] == [3]  # ODE, SDE, floor


def test_the_floor_of_the_likelihood_has_a_spread():
    value, spread = open_sample(State(scene=SMALL)).table[0].value.iloc[-1, -1].split(" ± ")
    few = samples.floor(scenes.mixture(SMALL, "data"), SMALL.count)
    assert float(value) == pytest.approx(few.negative_log_likelihood, rel=0.01)
    assert float(spread) == pytest.approx(2 * few.negative_log_likelihood_error, rel=0.05)


def test_presenting_keeps_the_stage_only():
    state = State(scene=SMALL)
    app = open_sample(state.model_copy(update={"shell": state.shell.model_copy(update={"present": True})}))
    assert len(app.table) == len(app.selectbox) == len(app.subheader) == 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("grid", GRIDS)
def test_every_solver_and_grid(method, grid):
    app = open_sample(State(scene=SMALL))
    app.selectbox(key="sample.method").set_value(method).run()
    app.segmented_control(key="sample.grid").set_value(grid).run()
    app.select_slider(key="sample.steps").set_value(5).run()
    app.select_slider(key="sample.sde_steps").set_value(12).run()
    assert not app.exception
    assert not errors(app)
    chosen = app.session_state[STATE].sample
    assert (chosen.method, chosen.grid, chosen.steps, chosen.sde_steps) == (method, grid, 5, 12)


def test_a_step_count_from_a_link_that_is_no_stop_of_the_slider():
    app = open_sample(State(scene=SMALL, sample=SampleSettings(steps=37)))
    assert app.select_slider(key="sample.steps").value == 37


def test_a_velocity_infinite_at_the_end_stops_only_the_solvers_that_look_there():
    state = State(scene=Scene(count=40, scheduler="sqrt", init="ring5"))
    app = open_sample(state)  # Euler's last look is at 1 - h
    assert not errors(app)
    assert len(app.table) == 1
    app.selectbox(key="sample.method").set_value("heun").run()
    assert not app.exception
    assert translate("en", "error.singular_source") in errors(app)
    assert len(app.table) == 0


def test_lost_particles_are_counted():
    scene = Scene(count=40, amplitude=5.0, scheduler="sqrt")
    app = open_sample(State(scene=scene, sample=SampleSettings(sde_steps=1000)))
    assert not app.exception


@pytest.mark.parametrize("field", FIELDS)
def test_a_network_is_shown_beside_the_exact_field(field):
    app = with_network(State(scene=SMALL, sample=SampleSettings(field=field, click=(0.5, 1.0, 0.5))))
    rows = 2 * (1 + (field == "both")) + 1
    assert [len(table.value) for table in app.table] == [rows, 2 + (field == "both")]
    assert app.selectbox(key="sample.field").value == field


def test_a_network_of_another_scene_is_not_shown():
    app = with_network(State(scene=SMALL), Scene(data="moons"))
    assert not any(box.key == "sample.field" for box in app.selectbox)
    assert [len(table.value) for table in app.table] == [3]


def test_a_network_without_a_score_has_only_an_ode():
    app = with_network(
        State(scene=Scene(count=40, init="ring5", data="two_modes"), sample=SampleSettings(field="learned"))
    )
    assert [len(table.value) for table in app.table] == [2]


def test_the_likelihood_of_a_click_and_forgetting_it():
    state = State(scene=SMALL, sample=SampleSettings(method="rk4", steps=100, click=(0.5, 1.0, 0.6)))
    app = open_sample(state)
    flow, exact = app.table[1].value.iloc[:, -1].astype(float)
    assert flow == pytest.approx(exact, abs=1e-3)
    app.button(key="forget_sample_click").click().run()
    assert app.session_state[STATE].sample.click is None
    assert len(app.table) == 1


def test_check_and_code():
    app = open_sample(State(scene=SMALL))
    app.session_state["check_sample"] = True
    app.session_state["code_sample"] = True
    app.run()
    assert not app.exception
    orders = app.table[1].value
    measured, expected = orders.iloc[:, 3].astype(float), orders.iloc[:, 4].astype(float)
    assert (abs(measured - expected) < 0.2).all()
    assert "solve_sde" in app.code[0].value


def map_button(app) -> str:
    """What the map's button would do: its text by its own key."""
    label = app.button(key="map_button").label
    return next(what for what in ("start", "again", "cancel") if label == translate("en", f"sample.map.{what}"))


@pytest.fixture
def held_map(monkeypatch):
    """A map of two cells: calls come to nothing until as many as there are allowed have been carried out here."""
    held, runner = [], task_runner.Runner(0)
    monkeypatch.setattr(task_runner, "_compute_here", held.append)
    monkeypatch.setattr(measured, "runner", lambda: runner)
    small = partial(error_map.ErrorMapSpec, amplitudes=(0.0,), steps=(4, 8), count=64)
    monkeypatch.setattr(error_map, "ErrorMapSpec", small)

    def let(calls: int) -> None:
        for task in held[:calls]:
            task.end("done", result=task.function(*task.arguments))
        del held[:calls]

    return let


def test_the_map_is_computed_cancelled_and_dropped_with_its_scene(held_map):
    app = open_sample(State(scene=Scene(count=40, seed_noise=71)), distances=False)
    assert map_button(app) == "start"
    app.button(key="map_button").click().run()
    assert map_button(app) == "cancel"
    assert app.get("progress")[0].proto.text == translate("en", "sample.map.queued")
    held_map(2)  # the floor and a cell
    app.run()
    assert app.get("progress")[0].proto.text == translate("en", "sample.map.running", done=1, all=2)
    assert app.get("plotly_chart")
    app.button(key="map_button").click().run()
    assert map_button(app) == "again"
    assert app.get("plotly_chart")  # what there was stays
    assert translate("en", "sample.map.cancelled", done=1, all=2) in [caption.value for caption in app.caption]
    app.selectbox(key="scene.data").set_value("moons").run()
    assert not app.get("plotly_chart")
    assert not app.exception


def test_the_map_comes_to_its_end_and_is_known_to_the_next_session(held_map):
    state = State(scene=Scene(count=40, seed_noise=72))
    app = open_sample(state, distances=False)
    app.button(key="map_button").click().run()
    held_map(3)
    app.run()
    assert map_button(app) == "again"
    assert not app.get("progress")
    other = open_sample(state, distances=False)
    other.button(key="map_button").click().run()
    assert map_button(other) == "again"
    assert other.get("plotly_chart")


def test_another_amplitude_keeps_the_map_and_another_sigma_does_not(held_map):
    app = open_sample(State(scene=Scene(count=40, seed_noise=73)), distances=False)
    app.button(key="map_button").click().run()
    app.slider(key="scene.amplitude").set_value(2.0).run()
    assert map_button(app) == "cancel"
    app.selectbox(key="scene.sigma").set_value("beta").run()
    assert map_button(app) == "start"


def test_the_map_stays_while_its_network_trains_on(training_app, held_map):
    app = training_app
    captions = lambda: [caption.value for caption in app.caption]  # noqa: E731
    train_on(app)
    app.button(key="map_button").click().run()
    begun = stage_step(app)
    assert translate("en", "sample.map.of_step", step=begun) in captions()
    train_on(app)
    app.selectbox(key="sample.method").set_value("heun").run()
    assert map_button(app) == "cancel"
    train_on(app)
    held_map(5)
    app.run()
    assert map_button(app) == "again"
    assert len(app.get("plotly_chart")) == 3
    assert translate("en", "sample.map.of_earlier", step=begun, now=stage_step(app)) in captions()
    app.button(key="map_button").click().run()
    assert stage_step(app) > begun
    assert translate("en", "sample.map.of_step", step=stage_step(app)) in captions()
    assert not app.exception


def test_one_run_of_the_page_shows_one_network(training_app, monkeypatch):
    app, latest, measure, measured = training_app, learned.latest, evidence.final_samples, []

    def moving(scene):
        train_on(app)
        return latest(scene)

    def measuring(current, found):
        measured.append(found.step)
        measure(current, found)

    monkeypatch.setattr(learned, "latest", moving)
    monkeypatch.setattr(evidence, "final_samples", measuring)
    app.run()
    assert not app.exception
    assert measured == [stage_step(app)]
    (menu,) = (e for e in app.get("popover") if "learned" in e.proto.id)
    assert menu.proto.popover.label == translate("en", "learned.trained", step=stage_step(app))


@pytest.mark.parametrize(
    ("error", "key", "values"),
    [
        (ParameterError("sigma", "a number", "x"), "sample.map.failed", {"reason": "error.parameter"}),
        (ZeroDivisionError(), "sample.map.failed_unforeseen", {}),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_map_that_fails_says_so(monkeypatch, language, error, key, values):
    def broken(*_):
        raise error

    monkeypatch.setattr(results, "noise_floor", Cache(0).shared(broken))
    state = State(scene=SMALL)
    app = open_sample(state.model_copy(update={"shell": state.shell.model_copy(update={"language": language})}))
    app.button(key="map_button").click().run()
    told = {name: translate(language, sentence, name="`σ`") for name, sentence in values.items()}
    assert errors(app) == translate(language, key, **told)
    assert not app.exception
