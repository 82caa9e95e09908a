"""The charts of the page Guidance: what is drawn, and against the schema of Vega-Lite."""

import altair as alt
import numpy as np
import pytest
from altair.utils.schemapi import debug_mode

from fmviz.lessons.guidance.charts.ends import Cloud, clouds
from fmviz.lessons.guidance.charts.lines import Axes, Line, lines


def rows_of(spec: dict, layer: dict) -> list[dict]:
    data = layer.get("data", spec.get("data"))
    return data["values"] if "values" in data else spec["datasets"][data["name"]]


AXES = Axes("w", "distance", (0.0, 2.0), 1.0, 3.0)


def valid(chart: alt.LayerChart) -> dict:
    with debug_mode(True):
        return chart.to_dict(validate=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_leave_gaps_and_mark_the_present_value(theme):
    shown = [
        Line("a", (0.0, 1.0, 2.0), (1.0, float("nan"), 3.0), "data", points=True),
        Line("b", (0.0, 2.0), (1.0, 1.0), "score", dashed=True),
    ]
    spec = valid(lines(shown, AXES, theme))
    drawn, dots, rule = (rows_of(spec, layer) for layer in spec["layer"])
    assert [(row["x"], row["y"]) for row in drawn if row["line"] == "a"] == [(0.0, 1.0), (2.0, 3.0)]
    assert {row["line"] for row in dots} == {"a"}
    assert rule == [{"x": 1.0}]
    assert spec["layer"][0]["encoding"]["y"]["scale"] == {"domain": [0, 3.0]}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_clouds_are_shown_around_the_first(theme):
    square = np.array([[1.0, 1.0], [2.0, 3.0]], np.float32)
    far = np.array([[1.5, 2.0], [90.0, 0.0]], np.float32)
    spec = valid(clouds([Cloud("exact", square, "init", "cross"), Cloud("other", far, "data", "circle")], theme))
    (layer,) = spec["layer"]
    assert len(rows_of(spec, layer)) == 3
    assert layer["encoding"]["x"]["scale"]["domain"] == [0.0, 3.0]
    assert layer["encoding"]["y"]["scale"]["domain"] == [0.5, 3.5]
