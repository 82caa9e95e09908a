"""The page Bridges as Streamlit runs it: couplings, charts, presets, hostile links, the program."""

import contextlib
import io
import time

import pytest

from fmviz.app import measured
from fmviz.app.catalogue import translate
from fmviz.app.choices import State, decode
from fmviz.app.state import STATE
from fmviz.lessons.bridges.compute.presets import BRIDGES, bridged
from fmviz.lessons.bridges.script import bridges_script
from fmviz.lessons.bridges.settings import CHARTS, Settings
from fmviz.scene import Scene
from fmviz.scene.views import Shell
from fmviz.stage.payload import decode_header
from tests.app.test_app import errors, open_app

PAGE = "pages/bridges.py"
SMALL = bridged(Scene(count=20), "ring8_moons")
PATIENCE = 60.0

pytestmark = pytest.mark.usefixtures("quick_evidence")


def open_page(state: State):
    app = open_app("start", state)
    app.switch_page(PAGE).run()
    assert not app.exception
    return app


def header(app):
    return decode_header(app.session_state["fmviz_last_payload.bridges_stage"])


def until(app, condition) -> None:
    """Runs the page again and again until what helper processes find is there."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
        app.run()
        assert not app.exception


def layers(app, panel: int) -> set[str]:
    return {layer["name"] for layer in header(app)["panels"][panel]["layers"]}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_both_panels_with_their_pairs_and_costs(language):
    app = open_page(State(shell=Shell(language=language), scene=SMALL, bridges=Settings(batch=16)))
    assert app.header[0].value == translate(language, "bridges.title")
    assert layers(app, 0) >= {"density", "ode", "mixture"}
    until(app, lambda: "pairs" in layers(app, 0) & layers(app, 1))
    numbers = app.table[0].value
    cost = [float(text.split()[0]) for text in numbers[translate(language, "bridges.pair_cost")]]
    crossed = [int(text) for text in numbers[translate(language, "bridges.crossings")]]
    assert cost[1] < cost[0]
    assert crossed[1] < crossed[0]
    assert not errors(app)


def test_every_chart_draws():
    app = open_page(State(scene=SMALL))
    for name in CHARTS:
        app.segmented_control(key="bridges.chart").set_value(name).run()
        until(app, lambda: len(app.get("vega_lite_chart")) >= 1)
        assert not errors(app)
    bias = next(table.value for table in app.table if translate("en", "bridges.bias") in table.value)
    blind, within = (float(text.split()[0]) for text in bias[translate("en", "bridges.bias")][1:3])
    assert blind > 5.0 * within


def test_of_more_than_two_labels_one_can_be_chosen():
    app = open_page(State(scene=bridged(Scene(count=20), "spiral_smiley"), bridges=Settings(chart="labels", label=9)))
    until(app, lambda: [box for box in app.selectbox if box.key == "bridges.label"])
    assert app.selectbox(key="bridges.label").value == 0
    app.selectbox(key="bridges.label").set_value(2).run()
    assert app.session_state[STATE].bridges.label == 2
    titles = " ".join(str(chart.proto.spec) for chart in app.get("vega_lite_chart"))
    assert translate("en", "bridges.share", label=2) in titles
    assert not errors(app)


def test_a_preset_builds_its_bridge_and_can_be_undone():
    app = open_page(State(scene=Scene(count=20)))
    app.button(key="bridge_circles_checkerboard").click().run()
    scene = app.session_state[STATE].scene
    assert (scene.init, scene.data, scene.count) == ("circles", "checkerboard", 20)
    app.button(key="undo").click().run()
    assert app.session_state[STATE].scene == Scene(count=20)


def test_the_optimal_map_says_where_there_is_none():
    app = open_page(State(scene=SMALL, bridges=Settings(b="map")))
    until(app, lambda: errors(app))
    assert translate("en", "error.one_gaussian") in errors(app)
    app.selectbox(key="bridges.b").set_value("independent").run()
    assert not errors(app)


def test_a_large_batch_can_be_cancelled_while_it_is_computed(monkeypatch):
    monkeypatch.setattr(measured, "ask", lambda *asked, **how: None)  # the helper processes never find the time
    app = open_page(State(scene=SMALL, bridges=Settings(batch=4096)))
    assert any("n = 4096" in caption.value and "turn" in caption.value for caption in app.caption)
    app.button(key="bridges_cancel").click().run()
    assert app.session_state[STATE].bridges.batch == 256


def test_noise_in_between_is_part_of_the_law():
    app = open_page(State(scene=SMALL, bridges=Settings(gamma=0.7, b="independent")))
    assert header(app)["law"]["gamma"] == 0.7


@pytest.mark.parametrize(
    "hostile",
    [
        "bn=5000",
        "bn=0",
        "bgamma=-1",
        "bgamma=nan",
        "ba=teleport",
        "breg=0",
        "bfault=x",
        "bgammab=9",
        "bgammab=x",
        "bfield=y",
        "bsteps=1",
        "blabel=64",
    ],
)
def test_a_hostile_link_is_refused_and_leaves_the_rest(hostile):
    name, value = hostile.split("=")
    found, problems = decode({name: value, "bchart": "labels"})
    assert problems
    assert found.bridges.chart == "labels"
    assert found.bridges.model_copy(update={"chart": "steps"}) == Settings()


@pytest.mark.parametrize("name", ["ring8_moons", "two_gaussians"])
def test_the_program_runs_as_it_stands(name):
    assert name in BRIDGES
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(bridges_script(bridged(Scene(count=100), name), Settings(gamma=0.3, batch=64)), {})
    assert out.getvalue().count("straightness") == 4


def test_the_program_trains_networks_where_the_page_does():
    view = Settings(gamma=0.3, batch=16, field="network", steps=100)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(bridges_script(bridged(Scene(count=100), "ring8_moons"), view), {})
    assert out.getvalue().count("straightness") == 4
