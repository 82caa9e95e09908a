"""The charts of the page Dictionary: what is drawn, and what is left out."""

import math

import pytest

from fmviz.lessons.dictionary.charts import Axis, Curve, curves


def drawn(chart) -> list[dict]:
    written = chart.to_dict()
    data = [part["data"] for part in (written, *written["layer"]) if "data" in part]
    return [row for one in data for row in (one["values"] if "values" in one else written["datasets"][one["name"]])]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_end_where_they_leave_the_axes(theme):
    line = Curve("a", [1.0, 2.0, 3.0, 4.0, 5.0], [0.1, math.inf, -1.0, 0.0001, 0.5], "score")
    chart = curves([line], Axis("x", range=(0.0, 4.5)), Axis("y", log=True, range=(1e-3, 1.0)), theme)
    assert [(row["x"], row["y"]) for row in drawn(chart)] == [(1.0, 0.1)]


def test_error_bars_points_and_the_rule_of_the_clock():
    line = Curve("a", [1.0, 2.0], [1.0, 0.1], "score", points=True, errors=[0.5, 0.5])
    chart = curves([line], Axis("x"), Axis("y", log=True), "light", now=1.5)
    rows = drawn(chart)
    bars = [row for row in rows if "low" in row]
    assert bars == [{"x": 1.0, "low": 0.5, "high": 1.5}]  # none whose lower end a logarithmic axis does not have
    assert {"x": 1.5} in rows
    assert len([row for row in rows if "y" in row]) == 4  # the line and its points
