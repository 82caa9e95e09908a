"""Errors reach a Chinese page in Chinese: whole sentences, and symbols for the facts."""

import ast
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import fmviz
from fmviz.app import components_table
from fmviz.app.catalogue import catalogue, translate
from fmviz.app.choices import BOUNDS, State, decode
from fmviz.errors import FmvizError, ParameterError, ScheduleError, SingularTimeError
from fmviz.lessons.conservation.settings import Settings as ConservationSettings
from fmviz.lessons.flows.settings import Settings as FlowsSettings
from fmviz.lessons.noise.settings import Settings as NoiseSettings
from fmviz.lessons.train.settings import Settings as TrainSettings
from fmviz.scene import Component, Scene, Shell
from fmviz.scene.components import MAX_COMPONENTS
from fmviz.theory import schedulers
from tests.app.test_app import APP, errors, open_app

WRONG = {
    "syntax": "t +",
    "forbidden": "t ^ 2",
    "not_finite": "t / (t - 0.5) * 0.5",
    "endpoint": "t / 2",
    "not_monotone": "t + sin(2*pi*t)",
    "empty": " ",
    "too_long": "t" + " + 0" * 60,
}
ALLOWED = re.compile(
    r"`[^`]*`|\b(t|pi|e|sin|cos|tan|asin|acos|atan|sinh|cosh|tanh|exp|log|sqrt|abs|min|max|p_init|p_data|NaN)\b"
)

CHINESE = Shell(language="zh")
CHINESE_STATE = State(shell=CHINESE)
LAST = ConservationSettings(law="continuity")


def assert_no_english(shown: str) -> None:
    """Names, symbols and numbers are allowed; words of two or more letters are not."""
    assert shown
    assert not re.search(r"[A-Za-z]{2,}", ALLOWED.sub("", shown)), shown
    assert shown.endswith(("。", "`")), shown


@pytest.mark.parametrize("reason", WRONG)
def test_every_wrong_schedule_has_a_reason_and_a_fact_without_prose(reason):
    with pytest.raises(ScheduleError) as found:
        schedulers.custom(WRONG[reason], "1 - t")
    assert found.value.reason == reason
    assert found.value.fact.startswith("α")
    assert not re.search(r"[A-Za-z]{4,}", found.value.fact)


@pytest.mark.parametrize("reason", WRONG)
def test_a_chinese_page_explains_a_wrong_schedule_in_chinese(reason):
    app = open_app("start", State(shell=Shell(language="zh"), scene=Scene(scheduler="custom")))
    app.text_input(key="typed.alpha").set_value(WRONG[reason]).run()
    shown = errors(app)
    assert translate("zh", f"schedule_error.{reason}") in shown
    assert_no_english(shown)
    assert app.session_state["fmviz_state"].scene.alpha == "t"


PAGES = ("start", "paths", "sample", "flows", "conservation", "train")
SINGULAR = {
    "singular_source": Scene(data="two_modes", init="two_modes", scheduler="sqrt"),
    "singular_data": Scene(data="two_modes", scheduler="custom", alpha="sqrt(t)"),
}


def open_page(page: str, **parts):
    app = open_app("start", State(shell=CHINESE, **parts))
    app.session_state[f"check_{page}"] = True
    app = app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    return app


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("key", SINGULAR)
def test_a_velocity_that_is_infinite_is_explained_in_chinese(key, page):
    """By the stage, and by the tables that are checked where the page has some."""
    settings = {"flows": {"flows": FlowsSettings(field="marginal")}, "conservation": {"conservation": LAST}}
    app = open_page(page, scene=SINGULAR[key].model_copy(update={"count": 20}), **settings.get(page, {}))
    assert translate("zh", f"error.{key}") in errors(app)
    for error in app.error:
        assert_no_english(error.value)


def test_a_time_that_needs_noise_is_explained_in_chinese():
    app = open_page("noise", scene=Scene(count=20), noise=NoiseSettings(process="collapse", sigma=0.0))
    assert translate("zh", "error.positive", name="`σ`") in errors(app)
    for error in app.error:
        assert_no_english(error.value)


def test_a_run_that_is_refused_is_explained_in_chinese():
    scene, settings = Scene(init="two_modes"), TrainSettings(objective="score", steps=200)
    app = open_page("train", scene=scene, train=settings)
    assert translate("zh", "train.failed.objective") in [error.value for error in app.error]
    for error in app.error:
        assert_no_english(error.value)


def test_every_other_reason_why_training_failed_is_chinese():
    """AppTest itself formats the options of a page in English, so that it cannot go on from a Chinese page that trains."""
    for key, text in catalogue("zh").items():
        if key.startswith("train.failed."):
            assert not re.search(r"[A-Za-z]{2,}", re.sub(r"\{\w+\}", "", ALLOWED.sub("", text))), key


TWO = (Component(x=0.0, y=0.0), Component(x=1.0, y=1.0))
ROW = {"weight": 1.0, "x": 0.0, "y": 0.0, "xx": 0.1, "xy": 0.0, "yy": 0.1}
EDITS = {
    "均值 x ≤ 20": {"edited_rows": {0: {"x": 99.0}}},
    "协方差 xx ≥ 0.0025": {"edited_rows": {0: {"xx": 1e-6}}},
    "权重 > 0": {"added_rows": [ROW | {"weight": 0.0}]},
    "均值 y": {"edited_rows": {1: {"y": float("nan")}}},
    "协方差必须正定": {"edited_rows": {0: {"xx": 1.0, "xy": 5.0, "yy": 1.0}}},
    "1 到 64 个": {"deleted_rows": [0, 1]},
    f"1 到 {MAX_COMPONENTS} 个": {"added_rows": [ROW] * MAX_COMPONENTS},
}


@pytest.mark.parametrize("told", EDITS)
def test_a_refused_table_names_the_column_and_the_bound_in_chinese(monkeypatch, told):
    """`_take` gets what the browser sends; AppTest cannot edit a table."""
    state = {
        "edits": {"edited_rows": {}, "added_rows": [], "deleted_rows": []} | EDITS[told],
        "fmviz_state": CHINESE_STATE,
    }
    monkeypatch.setattr("streamlit.session_state", state)
    components_table._take("data", "edits", TWO)
    shown = state[components_table.WRONG]
    assert told in shown
    assert not re.search(r"[A-Za-z]{3,}", shown), shown  # xx, xy and yy are the names of columns
    assert shown.endswith("。")
    assert state["fmviz_state"] is CHINESE_STATE, "nothing has changed"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_names_from_a_link_are_plain_text(language):
    """A name may hold what Markdown would make a picture from another host, after a blank line even inside code."""
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in {"lang": language, "sd": "-1", "x\n\n![](http://a.b/c.png)": "1"}.items():
        app.query_params[name] = value
    app.run()
    assert translate(language, "app.link_problems") in [warning.value for warning in app.warning]
    known = {"en": "sd (at least 0 and at most 999999)", "zh": "sd（至少 0，至多 999999）"}[language]
    assert f"{known}, x ![](http://a.b/c.png)" in [text.value for text in app.text]
    assert not any("http://a.b" in shown.value for shown in (*app.markdown, *app.warning, *app.caption, *app.error))


@pytest.mark.parametrize(
    ("language", "said"), [("en", "bn (at least 1 and at most 4096)"), ("zh", "bn（至少 1，至多 4096）")]
)
def test_a_number_beyond_its_bound_in_a_link_is_refused_with_the_bound(language, said):
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["lang"], app.query_params["bn"] = language, "5000"
    app.run()
    assert said in [text.value for text in app.text]


@pytest.mark.parametrize("name", BOUNDS)
def test_the_bounds_that_are_said_are_those_of_the_link(name):
    bounds = BOUNDS[name]
    for beyond in [value - 1 for value in (bounds.ge, bounds.gt) if value is not None] + [
        2 * value + 1 for value in (bounds.le, bounds.lt) if value is not None
    ]:
        assert name in decode({name: f"{beyond:.10g}"})[1]
    for met in [value for value in (bounds.ge, bounds.le) if value is not None]:
        assert name not in decode({name: f"{met:.10g}"})[1]


def keys_of_errors() -> set[str]:
    """Every key of an error that the library can raise: the defaults, and those given where it raises."""
    found = {FmvizError().key, ParameterError("n", "a count", 0).key, SingularTimeError("nowhere").key}
    for source in Path(fmviz.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                found |= {
                    word.value.value
                    for word in node.exc.keywords
                    if word.arg == "key" and isinstance(word.value, ast.Constant)
                }
            if isinstance(node, ast.ClassDef):
                found |= {
                    inner.value.value
                    for inner in node.body
                    if isinstance(inner, ast.Assign) and inner.targets[0].id == "key"
                }
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and re.fullmatch(r"singular_\w+", node.value)
            ):
                found.add(node.value)
    return found


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_key_of_an_error_has_a_whole_sentence(language):
    texts = {key.removeprefix("error."): text for key, text in catalogue(language).items() if key.startswith("error.")}
    assert set(texts) == keys_of_errors()
    assert all(text.endswith((".", "。")) for text in texts.values())


def test_the_message_of_an_error_stays_english_and_whole():
    assert (
        str(ParameterError("sigma", "a positive number", 0.0, key="positive"))
        == "sigma: expected a positive number, got 0.0"
    )
    assert str(SingularTimeError("no value at t = 1", "singular_data")) == "no value at t = 1"
    assert ParameterError("sigma", "a positive number", 0.0).values == {"name": "sigma"}
