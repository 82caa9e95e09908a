"""The chart of errors is valid, logarithmic, keeps each solver's own mark, and draws the slope of the theory."""

import math

import altair as alt
import pytest

from fmviz.charts.palette import colour
from fmviz.lessons.flows.charts import ErrorCurve, convergence

CURVES = (
    ErrorCurve("Euler", "euler", 1, ((4, 0.5), (8, 0.2), (16, 0.1))),
    ErrorCurve("RK4", "rk4", 4, ((4, 1e-2), (8, 1e-4))),
)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_chart_of_errors(theme):
    chart = convergence(CURVES, 20, theme, steps="n", error="e")
    spec = chart.to_dict(validate=False)
    alt.LayerChart.from_dict(spec)  # raises unless the schema of Vega-Lite accepts it
    promised, rule, line, points = spec["layer"]
    for encoding in (line["encoding"], points["encoding"]):
        assert encoding["x"]["scale"]["type"] == encoding["y"]["scale"]["type"] == "log"
        assert encoding["x"]["scale"]["domain"] == [4, 20]  # the rule is within
        assert encoding["color"]["scale"]["range"] == [colour("euler", theme), colour("rk4", theme)]
    assert len({str(dash) for dash in line["encoding"]["strokeDash"]["scale"]["range"]}) == 2
    assert points["encoding"]["shape"]["scale"]["range"] == ["circle", "diamond"]
    assert rule["mark"]["type"] == "rule"
    rows = spec["datasets"][promised["data"]["name"]]
    for curve in CURVES:
        (n0, e0), (n1, e1) = ((row["n"], row["e"]) for row in rows if row["solver"] == curve.name)
        assert math.log(e0 / e1) / math.log(n1 / n0) == pytest.approx(curve.order)
        assert (n1, e1) == curve.points[-1]
