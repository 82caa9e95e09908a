"""The page Dictionary as Streamlit runs it: its views, every control, both languages, links."""

import pytest

from fmviz.app.catalogue import translate
from fmviz.app.choices import State, decode, encode
from fmviz.app.state import STATE
from fmviz.lessons.dictionary.compute import steps
from fmviz.lessons.dictionary.compute.checks import checks
from fmviz.lessons.dictionary.compute.frames import dialect_of
from fmviz.lessons.dictionary.compute.terms import terms
from fmviz.lessons.dictionary.script import dictionary_script, library_script
from fmviz.lessons.dictionary.settings import DIALECTS
from fmviz.lessons.dictionary.settings import Settings as DictionarySettings
from fmviz.scene import Scene, Shell, scenes
from tests.app.test_app import errors, open_app

SMALL = Scene(count=40, data="two_modes")


@pytest.fixture
def quick_measurements(monkeypatch):
    """Few steps and draws, and nothing of it kept for other tests."""
    monkeypatch.setattr(steps, "COUNTS", (4, 8, 16))
    monkeypatch.setattr(steps, "FINEST", 64)
    monkeypatch.setattr(steps, "REFERENCE", 32)
    monkeypatch.setattr(steps, "BOUND_COUNTS", (4, 8))
    monkeypatch.setattr(steps, "ENTROPY_DRAWS", 1000)
    yield
    steps.convergence.cache_clear()
    steps.bound_gaps.cache_clear()


def open_dictionary(state: State):
    app = open_app("start", state)
    app.switch_page("pages/dictionary.py").run()
    assert not app.exception
    return app


def chosen(app) -> DictionarySettings:
    return app.session_state[STATE].dictionary


@pytest.mark.parametrize("language", ["en", "zh"])
def test_two_conventions_with_their_charts(language):
    app = open_dictionary(State(scene=SMALL, shell=Shell(language=language)))
    assert app.header[0].value == translate(language, "dictionary.title")
    assert len(app.get("vega_lite_chart")) == 6
    assert not errors(app)
    for name in DIALECTS:
        app.selectbox(key="dictionary.a").set_value(name).run()
        app.selectbox(key="dictionary.b").set_value(DIALECTS[DIALECTS.index(name) - 1]).run()
        assert not app.exception
        assert not errors(app)
    assert chosen(app).b == DIALECTS[-2]


def test_controls_of_two_conventions():
    app = open_dictionary(State(scene=SMALL))
    app.toggle(key="dictionary.aligned").set_value(True).run()
    app.segmented_control(key="dictionary.scale").set_value("common").run()
    app.selectbox(key="dictionary.betas").set_value("cosine").run()
    app.selectbox(key="dictionary.b").set_value("rectified_flow").run()
    app.slider(key="dictionary.shift").set_value(6.0).run()
    assert not app.exception
    assert not errors(app)
    view = chosen(app)
    assert (view.aligned, view.scale, view.betas, view.b, view.shift) == (
        True,
        "common",
        "cosine",
        "rectified_flow",
        6.0,
    )


def test_a_source_that_is_not_gaussian_is_replaced_and_said_so():
    app = open_dictionary(State(scene=SMALL.model_copy(update={"init": "moons"})))
    assert translate("en", "dictionary.gaussian_only") in [info.value for info in app.info]
    assert not errors(app)


def test_link_holds_every_choice():
    chosen = DictionarySettings(
        view="steps",
        a="edm",
        b="ve",
        betas="cosine",
        shift=2.5,
        aligned=True,
        scale="common",
        click=(0.5, -1.25, 0.4),
        target="data",
        amplitude=1.5,
        steps=64,
        layers=("density", "ode"),
    )
    found, problems = decode(encode(State(dictionary=chosen)))
    assert not problems
    assert found.dictionary == chosen


@pytest.mark.parametrize(
    "query",
    [
        {"da": "ddim"},
        {"shift": "nan"},
        {"shift": "0.5"},
        {"damp": "1e9"},
        {"dsteps": "5"},
        {"dsteps": "100000"},
        {"dat": "0_0_2"},
        {"dat": "inf_0_0.5"},
        {"dto": "<script>"},
        {"dview": "everything"},
        {"dlayers": "density.nothing"},
    ],
)
def test_a_value_that_is_not_allowed_is_named_and_replaced(query):
    found, problems = decode(query)
    assert found.dictionary == DictionarySettings()
    assert len(problems) == 1


def test_predictions_at_a_clicked_point_in_both_conventions():
    app = open_dictionary(State(scene=SMALL, dictionary=DictionarySettings(click=(0.3, 0.2, 0.6))))
    table = app.table[0].value
    assert len(table) == 7
    data = table[table.iloc[:, 0] == translate("en", "dictionary.predicted.data")]
    assert data.iloc[0, 1] == data.iloc[0, 2]  # E[z | x] is one point in both
    app.selectbox(key="dictionary.target").set_value("score").run()
    assert not app.exception
    app.button(key="forget_dictionary_click").click().run()
    assert chosen(app).click is None
    assert translate("en", "dictionary.predictions_hint") in [caption.value for caption in app.caption]


def test_a_point_that_one_convention_does_not_reach_says_so():
    app = open_dictionary(State(scene=SMALL, dictionary=DictionarySettings(a="ve", click=(0.3, 0.2, 1.0))))
    assert translate("en", "dictionary.outside") in app.table[0].value.iloc[0].tolist()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_forward_and_back(language):
    app = open_dictionary(
        State(scene=SMALL, shell=Shell(language=language), dictionary=DictionarySettings(view="forward"))
    )
    assert not errors(app)
    titles = app.table[0].value.iloc[:, 0].tolist()
    assert titles[:2] == [translate(language, "dictionary.way_reversal"), translate(language, "dictionary.way_ode")]
    app.slider(key="dictionary.amplitude").set_value(1.5).run()
    assert app.table[0].value.iloc[1, 0] == translate(language, "dictionary.way_other", a="1.5")
    for name in ("ve", "edm", "flow_matching"):
        app.selectbox(key="dictionary.a").set_value(name).run()
        assert not app.exception
        assert not errors(app)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_steps(language, quick_measurements):
    app = open_dictionary(
        State(scene=SMALL, shell=Shell(language=language), dictionary=DictionarySettings(view="steps"))
    )
    assert not errors(app)
    app.select_slider(key="dictionary.steps").set_value(4).run()
    app.segmented_control(key="dictionary.levels").set_value("own").run()
    assert not app.exception
    assert not errors(app)
    assert (chosen(app).steps, chosen(app).levels) == (4, "own")
    assert len(app.get("vega_lite_chart")) == 3
    assert len(app.table[0].value) == 4
    assert len(app.table[1].value) == 3
    app.selectbox(key="dictionary.a").set_value("ve").run()
    assert translate(language, "dictionary.no_bound") in [caption.value for caption in app.caption]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_table_of_terms_is_searched_in_both_languages(language):
    app = open_dictionary(State(scene=SMALL, shell=Shell(language=language)))

    def rows() -> int:
        return next(m.value.count("\n") - 1 for m in app.markdown if m.value.startswith("| "))

    assert rows() == len(terms())
    for words, count in (("噪声预测", 1), ("noise prediction", 2), ("sd3 velocity", 1), ("EDM", 8)):
        app.text_input(key="dictionary.search").set_value(words).run()
        assert rows() == count, words
    app.text_input(key="dictionary.search").set_value("$|`<b>").run()
    assert not app.exception
    assert translate(language, "dictionary.no_term") in [info.value for info in app.info]


@pytest.mark.parametrize(("a", "b"), [("ddpm", "flow_matching"), ("ve", "edm")])
def test_check_it_and_the_code_of_both_wordings(a, b):
    app = open_dictionary(State(scene=SMALL, dictionary=DictionarySettings(a=a, b=b)))
    current = app.session_state[STATE]
    found = checks(scenes.mixture(SMALL, "data"), *(dialect_of(name, "linear", 3.0) for name in (a, b)))
    assert max(found.path, found.conversions) < 1e-9
    assert found.euler < 1e-12
    assert found.moments < 5.0
    for expander in ("check_dictionary", "code_dictionary", "code_dictionary_library"):
        app.session_state[expander] = True
    app.run()
    assert not app.exception
    assert [block.value.strip() for block in app.code] == [
        dictionary_script(SMALL, current.dictionary).strip(),
        library_script(SMALL, current.dictionary).strip(),
    ]


@pytest.mark.parametrize("pinned", ["da=vp&db=edm&n=40", "dview=forward&n=40", "dview=steps&dsteps=4&n=40"])
@pytest.mark.parametrize("view", ["clocks", "forward"])
def test_another_state_can_be_pinned_beside_this_one(view, pinned):
    app = open_dictionary(State(scene=SMALL, shell=Shell(pinned=pinned), dictionary=DictionarySettings(view=view)))
    assert not errors(app)
