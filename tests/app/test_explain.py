"""Errors reach a Chinese page in Chinese: whole sentences, and symbols for the facts."""

import re

import pytest
from pydantic import ValidationError

from fmviz.app.catalogue import translate
from fmviz.app.choices import State
from fmviz.app.explain import bound_of
from fmviz.errors import ScheduleError
from fmviz.scene import Component, Scene, Shell
from fmviz.theory import schedulers
from tests.app.test_app import errors, open_app

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
    r"`[^`]*`|\b(t|pi|e|sin|cos|tan|asin|acos|atan|sinh|cosh|tanh|exp|log|sqrt|abs|min|max|p_init|p_data)\b"
)


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
    assert not re.search(r"[A-Za-z]{2,}", ALLOWED.sub("", shown)), shown
    assert app.session_state["fmviz_state"].scene.alpha == "t"


def test_a_picture_that_cannot_be_drawn_is_explained_in_chinese():
    scene = Scene(data="two_modes", init="two_modes", scheduler="sqrt")
    app = open_app("start", State(shell=Shell(language="zh"), scene=scene))
    assert translate("zh", "error.singular_source") in errors(app)
    assert not re.search(r"[A-Za-z]{2,}", ALLOWED.sub("", errors(app)))


@pytest.mark.parametrize(
    ("field", "value", "bound"), [("x", 99.0, "x ≤ 20"), ("xx", 1e-6, "xx ≥ 0.0025"), ("weight", 0.0, "weight > 0")]
)
def test_a_refused_component_names_its_bound_in_symbols(field, value, bound):
    with pytest.raises(ValidationError) as found:
        Component(**({"x": 0.0, "y": 0.0} | {field: value}))
    assert bound_of(found.value) == bound


def test_a_covariance_that_is_none_has_no_bound():
    with pytest.raises(ValidationError) as found:
        Component(x=0.0, y=0.0, xx=1.0, xy=5.0, yy=1.0)
    assert bound_of(found.value) == ""
