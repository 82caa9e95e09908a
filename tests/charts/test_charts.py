"""Charts are valid specifications, carry the palette's colours, and show the arrays they were given."""

from xml.etree import ElementTree

import altair as alt
import numpy as np
import pytest

from fmviz.charts.palette import colour
from fmviz.charts.sparkline import sparkline
from fmviz.charts.thumbnail import thumbnail
from fmviz.lessons.paths.charts.curves import curves
from fmviz.lessons.paths.charts.spacetime import spacetime
from fmviz.lessons.train.charts.lines import COLUMNS, GIVEN, NEWS, Axis, Line, line_chart, table

T = np.linspace(0, 1, 11, dtype=np.float32)
SERIES = {"α": (T, "data"), "β": (1 - T, "init"), "σ": (np.full(11, 2.5, dtype=np.float32), "sde")}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("now", [None, 0.3])
def test_curves_are_valid_vega_lite(theme, now):
    chart = curves(T, SERIES, now, theme)
    spec = chart.to_dict(validate=False)
    alt.LayerChart.from_dict(spec)  # raises unless the schema of Vega-Lite accepts it
    assert spec["layer"][0]["encoding"]["color"]["scale"]["range"] == [
        colour(r, theme) for r in ("data", "init", "sde")
    ]
    assert len(spec["layer"]) == (1 if now is None else 2)


def test_curves_hold_the_values_and_leave_gaps():
    values = T.copy()
    values[0] = np.inf
    (rows,) = curves(T, {"σ": (values, "sde")}, None, "light").to_dict(validate=False)["datasets"].values() or [[]]
    assert [row["value"] for row in rows] == pytest.approx(T[1:].tolist())


def test_space_time_shows_density_trajectories_and_the_clock():
    density = np.random.default_rng(0).uniform(size=(5, 11)).astype(np.float32)
    paths = np.stack([T, -T], axis=1)
    figure = spacetime(
        T, np.linspace(-1, 1, 5, dtype=np.float32), density, paths, "light", now=0.4, axis="x", highlighted=T
    )
    heat, lines, chosen = figure.data
    np.testing.assert_allclose(np.asarray(heat.customdata), density)
    assert np.isnan(lines.y).sum() == 2
    np.testing.assert_allclose(chosen.y, T)
    assert lines.line.color == colour("ode", "light")
    assert figure.layout.shapes[0].x0 == 0.4


def test_sparkline_is_well_formed_and_escapes():
    svg = ElementTree.fromstring(sparkline(T, SERIES, "dark", 'a "quoted" <label>'))
    lines = [e for e in svg if e.tag.endswith("polyline")]
    assert svg.get("aria-label") == 'a "quoted" <label>'
    assert [line.get("stroke") for line in lines] == [colour(r, "dark") for r in ("data", "init", "sde")]
    heights = [float(p.split(",")[1]) for p in (lines[2].get("points") or "").split()]
    assert len(set(heights)) == 1
    assert min(heights) > 0


def test_thumbnails_are_pngs():
    assert thumbnail(np.random.default_rng(0).uniform(size=(8, 8)).astype(np.float32)).startswith(b"\x89PNG")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_training_charts_take_given_rows_and_news(theme):
    lines = [Line("exact", "velocity"), Line("batch", "learned", "dashed")]
    chart = line_chart("loss", lines, Axis("step", log=True, domain=(1, 1000)), Axis("", log=True), theme)
    spec = chart.to_dict(validate=False)
    alt.LayerChart.from_dict(spec)  # raises unless the schema of Vega-Lite accepts it
    assert "datasets" not in spec, "Streamlit would put the given rows there"
    given, _, newest, _ = spec["layer"]
    assert given["data"] == {"name": GIVEN}
    assert spec["params"][0] == {"name": "news", "bind": {"element": "body", "event": NEWS}}
    assert [step["as"] for step in newest["transform"][:-1]] == list(COLUMNS)
    assert newest["transform"][-1] == {"flatten": list(COLUMNS)}
    for layer in (given, newest):
        assert layer["encoding"]["color"]["scale"]["range"] == [colour(r, theme) for r in ("velocity", "learned")]
    assert "tooltip" in given["encoding"]
    assert "tooltip" not in newest["encoding"]


def test_rows_that_have_no_place_are_left_out():
    rows = table({"a": [(1, 2.0), (2, float("nan")), (3, 0.0)], "b": [(1, 5.0)]}, rule=2, positive=True)
    assert rows == {"x": [1.0, 1.0], "y": [2.0, 5.0], "series": ["a", "b"], "rule": [2.0, None]}
    assert list(rows) == list(COLUMNS)
