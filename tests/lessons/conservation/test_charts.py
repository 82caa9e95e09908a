"""The chart of the terms: valid Vega-Lite, and rows that leave out what has no value."""

import altair as alt
import numpy as np
import pytest

from fmviz.lessons.conservation.charts import FLOOR, STYLES, table, terms

NAMES = {name: name.upper() for name in STYLES}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_chart_is_valid_and_has_a_line_and_a_rule(theme):
    spec = terms(NAMES, theme, height=200).to_dict(validate=False)
    alt.LayerChart.from_dict(spec)  # raises unless the schema of Vega-Lite accepts it
    assert spec["layer"][0]["encoding"]["color"]["scale"]["domain"] == list(NAMES.values())
    assert [layer["encoding"]["x"]["field"] for layer in spec["layer"]] == ["t", "now"]


def test_the_rows_leave_out_what_has_no_value_and_name_the_clock_once():
    t = np.linspace(0.0, 1.0, 3, dtype=np.float32)
    rows = table(t, {"rate": np.array([1.0, np.nan, 0.0]), "total": np.array([2.0, 3.0, 4.0])}, NAMES, 0.25)
    assert rows["t"] == [0.0, 1.0, 0.0, 0.5, 1.0]
    assert rows["size"] == [1.0, FLOOR, 2.0, 3.0, 4.0]
    assert rows["map"] == ["RATE"] * 2 + ["TOTAL"] * 3
    assert rows["now"] == [0.25, None, None, None, None]
    assert table(t, {}, {}, 0.25) == {"t": [], "size": [], "map": [], "now": []}
