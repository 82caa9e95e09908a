"""The page Guidance as Streamlit runs it: every control, every chart, hostile links, the numbers."""

import pytest

from fmviz.app.catalogue import translate
from fmviz.app.choices import State, decode
from fmviz.app.state import STATE
from fmviz.lessons.guidance.compute import results
from fmviz.lessons.guidance.compute.clips import Way
from fmviz.lessons.guidance.compute.results import Chosen
from fmviz.lessons.guidance.page.controls import INTERVAL, LABEL
from fmviz.lessons.guidance.settings import CHARTS, GROUNDS, KINDS, WEIGHTS, Settings
from fmviz.scene import Component, Scene
from fmviz.scene.views import Shell
from fmviz.stage.payload import decode_header
from tests.app.test_app import errors, open_app

SMALL = Scene(data="three_modes", count=40)


def header(app):
    return decode_header(app.session_state["fmviz_last_payload.guidance_stage"])


def settings(app) -> Settings:
    return app.session_state[STATE].guidance


def open_page(state: State):
    app = open_app("start", state)
    app.switch_page("pages/guidance.py").run()
    assert not app.exception
    return app


def open_guidance(scene: Scene = SMALL, **chosen):
    return open_page(State(scene=scene, guidance=Settings(**chosen)))


def texts(app) -> str:
    return " ".join(element.value for kind in (app.caption, app.warning, app.markdown) for element in kind)


def test_three_panels_on_one_clock_and_a_law_that_knows_the_guidance():
    found = header(open_guidance(label=1, scale=2.5))
    assert [panel["name"] for panel in found["panels"]] == ["conditional", "guided", "tilted"]
    assert "2.5" in found["panels"][1]["title"]
    assert found["law"]["guide"] == {
        "classes": [0, 1, 2],
        "y": 1,
        "scale": 2.5,
        "interval": [0.0, 1.0],
        "slider": "guidance-scale",
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("ground", GROUNDS)
def test_every_choice_draws(kind, weights, ground):
    app = open_guidance(kind=kind, weights=weights, ground=ground)
    assert not errors(app)
    middle = header(app)["panels"][1]["layers"]
    particles = next(layer for layer in middle if layer["kind"] == "particles")
    assert particles["name"] == kind
    assert (particles["weights"] is None) == (weights == "off")
    assert any(layer.get("of") == ground for layer in middle if layer["kind"] == "density")


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_chart_is_drawn_and_explained(chart, language):
    state = State(
        scene=SMALL, guidance=Settings(chart=chart, click=(0.5, 0.5, 0.5), label=1), shell=Shell(language=language)
    )
    app = open_page(state)
    known = translate(language, f"guidance.{chart}_claim").split("{")[0]
    assert known in texts(app)


def test_the_label_the_scale_and_the_interval_follow_their_controls():
    app = open_guidance(label=0)
    app.segmented_control(key=LABEL).set_value(2).run()
    assert settings(app).label == 2
    app.button(key="guidance_plain").click().run()
    assert settings(app).scale == 1.0
    app.button(key="guidance_unguided").click().run()
    assert settings(app).scale == 0.0
    app.slider(key=INTERVAL).set_value((0.25, 0.5)).run()
    assert settings(app).interval == (0.25, 0.5)
    app.slider(key=INTERVAL).set_value((0.5, 0.5)).run()
    low, high = settings(app).interval
    assert low < high
    assert not app.exception


@pytest.mark.parametrize("scale", [2.5, -0.5])
def test_the_scale_is_said_in_three_conventions(scale):
    app = open_guidance(scale=scale)
    table = app.table[0].value
    assert table["w"].tolist() == [f"{scale:.2f}", f"{scale - 1:.2f}", f"{scale:.2f}"]


def test_a_label_that_no_component_has_is_said_and_another_one_shown():
    app = open_guidance(label=9)
    assert translate("en", "guidance.no_such_label", wanted=9, shown=0) in texts(app)
    assert header(app)["law"]["guide"]["y"] == 0
    assert not errors(app)


def test_one_label_only_is_said():
    one = SMALL.with_mixture("data", (Component(x=-1, y=0, label=4), Component(x=1, y=0, label=4)))
    app = open_guidance(one, scale=8.0, weights="resampled")
    assert translate("en", "guidance.one_label") in texts(app)
    assert not errors(app)


def test_a_collapsed_effective_sample_is_drawn_and_said():
    app = open_guidance(scale=8.0, weights="on", label=0)
    assert not errors(app)
    assert "are worth" in texts(app)


@pytest.mark.parametrize(
    ("query", "dropped"),
    [
        ({"gtime": "0.8_0.2"}, "gtime"),
        ({"gtime": "0_nan"}, "gtime"),
        ({"gtime": "0.5"}, "gtime"),
        ({"w": "nan"}, "w"),
        ({"w": "99"}, "w"),
        ({"y": "-1"}, "y"),
        ({"gweights": "all"}, "gweights"),
        ({"mix": "1_0_0_1_0_1_x"}, "mix"),
    ],
)
def test_nonsense_in_a_link_is_reported_and_the_default_stands(query, dropped):
    found, problems = decode(query)
    assert problems == (dropped,)
    assert found.guidance == Settings()


def test_links_carry_every_choice():
    state = State(
        scene=SMALL,
        guidance=Settings(label=2, scale=1.4, interval=(0.2, 0.7), kind="sde", weights="on", ground="classifier"),
    )
    app = open_page(state)
    assert settings(app) == state.guidance


def test_the_numbers_and_the_program_open():
    app = open_app("start", State(scene=SMALL, guidance=Settings(scale=1.4, label=1)))
    app.session_state["check_guidance"] = True
    app.session_state["code_guidance"] = True
    app.switch_page("pages/guidance.py").run()
    assert not app.exception
    columns = [translate("en", f"guidance.check.{name}") for name in ("difference", "weighted")]
    identities, moments = (next(t.value for t in app.table if column in t.value) for column in columns)
    assert all(value == "0" or "10⁻" in value for value in identities[translate("en", "guidance.check.difference")])
    assert moments.shape == (4, 4)
    assert "scale=1.4" in app.code[0].value


def test_what_the_ode_does_not_see_computes_nothing_anew():
    which, other = Chosen(1, 2.0), SMALL.model_copy(update={"sigma": "bump", "amplitude": 2.0})
    assert results.run(SMALL, which, Way()) is results.run(other, which, Way())
    stochastic = Way(stochastic=True)
    assert results.run(SMALL, which, stochastic) is not results.run(other, which, stochastic)
