"""The class at work: what it may choose on a page, and how its waiting is told."""

from __future__ import annotations

import os

import pytest

from tools.load import buttons, choices, family, memory, quantile


def control(kind, key, **props):
    return {"type": kind, "key": key, "props": props}


def page(*controls, actions=None):
    keys = [one["key"] for one in controls] if actions is None else actions
    return {"tree": {"children": [{"children": list(controls)}]}, "actions": [{"key": key} for key in keys]}


def test_options_and_values_of_sliders_may_be_chosen():
    found = choices(
        page(
            control("selectbox", "scene.data", options=["Moons", "Spiral"]),
            control("slider", "scene.amplitude", min_value=0.0, max_value=5.0, step=0.05),
        )
    )
    assert found["scene.data"] == ["Moons", "Spiral"]
    assert found["scene.amplitude"] == pytest.approx([0.0, 1.25, 2.5, 3.75, 5.0])
    assert max(found["scene.amplitude"]) <= 5.0


def test_where_several_may_be_chosen_one_is_a_list():
    several = control("pills", "flows.solvers", options=["Euler", "RK4"]) | {"value": ["Euler"]}
    assert choices(page(several)) == {"flows.solvers": [["Euler"], ["RK4"]]}


def test_what_cannot_be_used_or_is_not_followed_is_left_alone():
    off = control("selectbox", "scene.init", options=["a"], disabled=True)
    other = control("selectbox", "shell.language", options=["en", "zh"])
    gone = control("selectbox", "scene.sigma", options=["a"])
    ranged = control("slider", "scene.range", min_value=0, max_value=5) | {"value": [1, 2]}
    assert choices(page(off, other, gone, ranged, actions=["scene.init", "shell.language", "scene.range"])) == {}


def test_everything_is_all_keys_what_opens_and_all_buttons():
    opens = control("popover", "train_settings") | {"value_schema": {"type": "boolean"}, "value": False}
    number = control("number_input", "scene.seed_data", min_value=0, max_value=8, step=1)
    shown = page(
        opens, number, control("button", "train_go"), control("selectbox", "shell.language", options=["en", "zh"])
    )
    assert choices(shown, "") == {
        "train_settings": [False, True],
        "scene.seed_data": [0, 2, 4, 6, 8],
        "shell.language": ["en", "zh"],
    }
    for action in shown["actions"]:
        action["kind"] = "trigger" if action["key"] == "train_go" else "value"
    assert buttons(shown) == ["train_go"]


def test_quantiles():
    values = [float(i) for i in range(100, 0, -1)]
    assert (quantile(values, 0.5), quantile(values, 0.95), quantile(values, 1.0)) == (51.0, 96.0, 100.0)


def test_the_memory_of_this_process():
    assert os.getpid() in family(os.getpid())
    assert 10.0 < memory([os.getpid()]) < 100_000.0
