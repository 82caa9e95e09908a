"""The charts of the page Noise are valid, log axes show decades, and the mixing chart adds up."""

import altair as alt
import numpy as np
import pytest

from fmviz.charts.palette import colour
from fmviz.lessons.noise import charts

T = np.linspace(0, 4, 9, dtype=np.float32)
AXES = {"x": "t", "y": ""}
NAMES = ("measured", "exact")


def slopes() -> dict[str, charts.Slope]:
    steps = (8, 16, 32)
    return {
        "one": charts.Slope(steps, [8.0 / n for n in steps], [0.1 / n for n in steps], 1.0, "sde"),
        "half": charts.Slope(steps, [n**-0.5 for n in steps], [2.0 for _ in steps], 0.5, "velocity"),
    }


def every_chart(theme) -> dict[str, alt.LayerChart]:
    shares = np.stack([T / 8, 1 - T / 8], axis=1)
    half = np.array([0.5, 0.5], np.float32)
    return {
        "moment": charts.moment(T, T, T, 0.1 * T, theme, names=NAMES, **AXES),
        "histogram": charts.histogram(T, T, T, 0.1 * T, theme, names=NAMES, **AXES),
        "orders": charts.orders(slopes(), theme, x="n", y=""),
        "mixing": charts.mixing(T, shares, half, theme, mode="mode", **AXES),
        "distance_over_time": charts.distance_over_time(
            [0.0, 1.0, 2.0], [3.0, np.inf, 0.02], 0.01, theme, names=NAMES, **AXES
        ),
    }


def rows_of(spec, layer: int) -> list[dict]:
    """The rows of one layer, wherever Altair put them."""
    name = spec["layer"][layer].get("data", spec.get("data"))["name"]
    return spec["datasets"][name]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_chart_is_valid_vega_lite_in_the_colours_of_the_palette(theme):
    for name, chart in every_chart(theme).items():
        spec = chart.to_dict(validate=False)
        alt.LayerChart.from_dict(spec)  # raises unless the schema of Vega-Lite accepts it
        assert colour("sde", theme) in str(spec), name


def test_guides_have_the_slope_of_the_theory_and_bars_stay_above_zero():
    spec = every_chart("light")["orders"].to_dict(validate=False)
    guides, points = rows_of(spec, 0), rows_of(spec, 1)
    for name, order in (("one", 1.0), ("half", 0.5)):
        first, last = [row for row in guides if row["series"] == name]
        assert np.log(first["error"] / last["error"]) / np.log(last["n"] / first["n"]) == pytest.approx(order)
    assert min(row["low"] for row in points) > 0
    assert spec["layer"][0]["encoding"]["y"]["axis"]["values"] == [0.01, 0.1, 1, 10]


def test_shares_are_stacked_to_one_with_rules_at_the_weights():
    spec = every_chart("light")["mixing"].to_dict(validate=False)
    rows, rules = rows_of(spec, 0), rows_of(spec, 1)
    assert rows[0]["low"] == 0
    assert rows[1]["high"] == pytest.approx(1)
    assert rows[1]["low"] == rows[0]["high"]
    assert [row["border"] for row in rules] == [0.5]


def test_infinite_distances_are_left_out():
    spec = every_chart("light")["distance_over_time"].to_dict(validate=False)
    found = [row["value"] for row in rows_of(spec, 0) if row["series"] == "measured"]
    assert found == pytest.approx([3.0, 0.02])
