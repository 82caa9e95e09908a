"""The charts of the page Dictionary: what is drawn, and what is left out."""

import math

import pytest

from fmviz.lessons.dictionary.charts import Axis, Curve, curves, styles, table

X, Y = Axis("x", range=(0.0, 4.5)), Axis("y", log=True, range=(1e-3, 1.0))


def rows(columns: dict[str, list], kind: str) -> list[dict]:
    every = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return [row for row in every if row["kind"] == kind]


def test_lines_end_where_they_leave_the_axes():
    line = Curve("a", [1.0, 2.0, 3.0, 4.0, 5.0], [0.1, math.inf, -1.0, 0.0001, 0.5], "score")
    (only,) = rows(table([line], X, Y), "line")
    assert (only["curve"], only["x"], only["y"], only["marked"]) == ("a", 1.0, 0.1, False)


def test_error_bars_points_and_the_rule_of_the_clock():
    line = Curve("a", [1.0, 2.0], [1.0, 0.1], "score", points=True, errors=[0.5, 0.5])
    columns = table([line], Axis("x"), Axis("y", log=True), now=1.5)
    (bar,) = rows(columns, "bar")  # none whose lower end a logarithmic axis does not have
    assert (bar["curve"], bar["x"], bar["y"], bar["high"]) == ("a", 1.0, 0.5, 1.5)
    assert [row["x"] for row in rows(columns, "now")] == [1.5]
    assert [(row["x"], row["marked"]) for row in rows(columns, "line")] == [(1.0, True), (2.0, True)]
    assert rows(table([line], X, Y), "now") == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_chart_has_a_layer_for_each_kind_of_row(theme):
    plain, marked = Curve("a", [], [], "score"), Curve("b", [], [], "data", dash=1, points=True, errors=[])
    marks = [layer["mark"]["type"] for layer in curves(styles([plain]), X, Y, theme).to_dict()["layer"]]
    assert marks == ["line"]
    chart = curves(styles([plain, marked]), X, Y, theme, ruled=True).to_dict()
    assert [layer["mark"]["type"] for layer in chart["layer"]] == ["line", "circle", "rule", "rule"]
    assert chart["layer"][0]["encoding"]["strokeDash"]["scale"] == {"domain": ["a", "b"], "range": [[1, 0], [6, 3]]}


def test_the_chart_does_not_change_with_its_values():
    one, other = Curve("a", [1.0], [0.5], "score"), Curve("a", [2.0, 3.0], [0.1, 0.2], "score")
    assert styles([one]) == styles([other])
