"""The app as Streamlit runs it, without a browser: every page, both languages, every control of the Scene."""

import pytest
from streamlit.testing.v1 import AppTest

from fmviz.app import runs, shell
from fmviz.app.catalogue import translate
from fmviz.app.choices import State, encode
from fmviz.app.state import BEFORE, STATE
from fmviz.home import HOME
from fmviz.learning.pool import PoolFullError
from fmviz.lessons.paths.settings import Settings as PathsSettings
from fmviz.scene import Clock, Component, Scene, Shell
from fmviz.scene.scene import INITS, PRESETS, SCHEDULERS, SIGMAS

assert shell  # importing it takes the folder pages/ out of Streamlit's hands, as at start-up
APP = str(HOME / "app.py")
PAGES = {"start": "pages/start.py", "paths": "pages/paths.py"}


def open_app(page: str = "start", state: State | None = None) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for key, value in encode(state or State()).items():
        app.query_params[key] = value
    app.run()
    if page != "start":
        app.switch_page(PAGES[page]).run()
    assert not app.exception
    return app


def scene(app: AppTest) -> Scene:
    return app.session_state[STATE].scene


def errors(app: AppTest) -> str:
    return " ".join(error.value for error in app.error)


def full_house(monkeypatch: pytest.MonkeyPatch) -> None:
    """All places for training are taken."""

    def refuse(*_: object, **__: object) -> int:
        raise PoolFullError("busy")

    monkeypatch.setattr(runs.pool(), "submit", refuse)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("page", PAGES)
def test_every_page_runs_in_both_languages(page, language):
    app = open_app(page, State(shell=Shell(language=language)))
    assert app.header[0].value == translate(language, f"{page}.title")
    assert any(translate(language, "lesson.notice") == s.value for s in app.subheader)


@pytest.mark.parametrize("page", PAGES)
def test_presenting_hides_the_prose_and_the_sidebar(page):
    app = open_app(page, State(shell=Shell(present=True)))
    assert translate("en", f"{page}.claim") not in [m.value for m in app.markdown]
    assert len(app.sidebar.selectbox) == 0
    app.button(key="present_end").click().run()
    assert not app.exception
    assert len(app.sidebar.selectbox) > 0


def test_check_and_code_are_computed_when_opened():
    app = open_app("paths")
    assert len(app.table) == 0
    assert len(app.code) == 0
    app.session_state["check_paths"] = True
    app.session_state["code_paths"] = True
    app.run()
    assert not app.exception
    assert len(app.table) == 2
    residuals = [
        float(v.replace("·10", "e").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))
        for v in app.table[0].value.iloc[0].drop(translate("en", "paths.check.browser"))
    ]
    assert app.table[0].value[translate("en", "paths.check.browser")].item() == "…"  # there is no browser to answer
    assert max(residuals) < 1e-6
    distances = app.table[1].value.astype(float)
    assert (distances["ODE"] < 2 * distances["Baseline"]).all()
    assert (distances["SDE"] < 2 * distances["Baseline"]).all()
    assert "ProbabilityPath" in app.code[0].value


CHOICES = {"data": PRESETS, "init": INITS, "scheduler": SCHEDULERS, "sigma": SIGMAS}


@pytest.mark.parametrize("field", CHOICES)
def test_every_choice_has_a_picture(field):
    app = open_app("paths")
    for value in CHOICES[field]:
        app.selectbox(key=f"scene.{field}").set_value(value).run()
        assert not app.exception, value
        assert not errors(app), value
        assert getattr(scene(app), field) == value


def test_undo_takes_changes_back_one_by_one():
    app = open_app()
    app.selectbox(key="scene.data").set_value("moons").run()
    app.slider(key="scene.amplitude").set_value(2.0).run()
    assert (scene(app).data, scene(app).amplitude) == ("moons", 2.0)
    app.button(key="undo").click().run()
    assert (scene(app).data, scene(app).amplitude) == ("moons", 1.0)
    app.button(key="undo").click().run()
    assert scene(app) == Scene()
    assert app.button(key="undo").disabled


def test_the_scene_is_kept_between_pages():
    app = open_app()
    app.selectbox(key="scene.data").set_value("spiral").run()
    app.switch_page(PAGES["paths"]).run()
    assert scene(app).data == "spiral"
    assert app.selectbox(key="scene.data").value == "spiral"


def test_new_noise_keeps_the_starting_points():
    app = open_app()
    app.button(key="new_noise").click().run()
    assert (scene(app).seed_noise, scene(app).seed_start) == (1, 0)
    app.button(key="new_starts").click().run()
    assert (scene(app).seed_noise, scene(app).seed_start) == (1, 1)


def test_a_link_is_opened_and_written_back():
    state = State(
        shell=Shell(language="zh"),
        scene=Scene(
            data_components=(Component(x=1, y=2), Component(x=-1, y=0.5, xx=0.3, xy=0.1, yy=0.2)),
            scheduler="trig",
            amplitude=2.5,
        ),
        clock=Clock(t=0.35),
        paths=PathsSettings(click=(0.5, 0.25, 0.4)),
    )
    app = open_app("paths", state)
    assert app.session_state[STATE] == state
    assert {k: v[0] if isinstance(v, list) else v for k, v in app.query_params.items()} == encode(state)


def test_a_browser_that_has_not_yet_heard_of_the_new_address_reverts_nothing():
    app = open_app(state=State(scene=Scene(data="spiral")))
    app.selectbox(key="scene.data").set_value("moons").run()
    app.query_params["data"] = "spiral"  # it answered the old picture
    app.run()
    assert scene(app).data == "moons"
    before, page, _ = app.session_state[BEFORE]
    app.session_state[BEFORE] = (before, page, -1e9)  # long after, the same address is the back button
    app.query_params["data"] = "spiral"
    app.run()
    assert scene(app).data == "spiral"


def test_nonsense_in_a_link_shows_a_note_and_the_default():
    app = AppTest.from_file(APP, default_timeout=60)
    for key, value in {
        "data": "<b>x</b>",
        "amp": "nan",
        "sched": "custom",
        "alpha": "__import__('os')",
        "foo": "1",
    }.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    assert scene(app) == Scene()
    assert "amp (at least 0 and at most 5), data, foo, alpha, beta" in [text.value for text in app.text]
    app.button(key="dismiss").click().run()
    assert not app.warning


GOOD = [("sin(pi*t/2)", "cos(pi*t/2)"), ("t**2", "1 - t**2"), ("t", "sqrt(1-t)")]
BAD = [
    "1/0",
    "__import__('os')",
    "t**1e9",
    "",
    "t+" * 5000 + "t",
    "0.5*t",
    "t + 0.3*sin(7*pi*t)",
    "9**9**9",
    "(" * 150,
    "lambda: t",
    "'t'",
]


def test_a_typed_schedule_is_used():
    app = open_app("paths", State(scene=Scene(scheduler="custom")))
    for alpha, beta in GOOD:
        app.text_input(key="typed.alpha").set_value(alpha).run()
        app.text_input(key="typed.beta").set_value(beta).run()
        assert not app.exception
        assert not errors(app)
        assert (scene(app).alpha, scene(app).beta) == (alpha, beta)


def test_a_schedule_that_cannot_be_used_is_explained_and_changes_nothing():
    app = open_app("paths", State(scene=Scene(scheduler="custom", alpha="t", beta="1 - t")))
    before = scene(app)
    for text in BAD:
        app.text_input(key="typed.alpha").set_value(text).run()
        assert not app.exception, text[:20]
        assert translate("en", "schedule_error.unchanged") in errors(app), text[:20]
        assert scene(app) == before
        app.text_input(key="typed.alpha").set_value("t").run()
        assert not errors(app)


def test_an_impossible_scene_says_so_and_keeps_the_picture():
    """The square root scheduler with a source off the centre has an infinite velocity at t = 1."""
    app = open_app("paths", State(scene=Scene(scheduler="sqrt")))
    app.selectbox(key="scene.init").set_value("ring5").run()
    assert not app.exception
    assert "previous picture is kept" in errors(app)
    app.button(key="undo").click().run()
    assert not errors(app)


def test_what_of_the_scene_does_not_act_on_a_page_is_in_a_fold():
    app = open_app("paths")
    assert not [fold for fold in app.sidebar.expander if fold.label == translate("en", "scene.unused")]
    app.switch_page("pages/flows.py").run()
    (fold,) = [fold for fold in app.sidebar.expander if fold.label == translate("en", "scene.unused")]
    assert {box.key for box in fold.selectbox} == {"scene.data", "scene.init", "scene.scheduler", "scene.sigma"}
    app.selectbox(key="flows.field").set_value("marginal").run()
    (fold,) = [fold for fold in app.sidebar.expander if fold.label == translate("en", "scene.unused")]
    assert {box.key for box in fold.selectbox} == {"scene.sigma"}
