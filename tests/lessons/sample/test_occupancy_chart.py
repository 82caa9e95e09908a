"""The bars of mode coverage: a row for each, and one for each weight."""

import numpy as np
import pytest

from fmviz.lessons.sample.charts.occupancy import occupancy, table


def test_each_component_has_its_weight_and_a_bar_of_every_series():
    columns = table(np.array([0.25, 0.75]), {"ODE": np.array([0.2, 0.8]), "SDE": np.array([0.3, 0.7])})
    assert list(zip(*columns.values(), strict=True)) == [
        (1, None, None, 0.25),
        (2, None, None, 0.75),
        (1, "ODE", 0.2, 0.25),
        (2, "ODE", 0.8, 0.75),
        (1, "SDE", 0.3, 0.25),
        (2, "SDE", 0.7, 0.75),
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_bars_of_the_learned_field_are_outlined(theme):
    chart = occupancy({"a": ("ode", False), "b": ("ode", True)}, theme, component="k", share="p").to_dict(validate=True)
    bars, tick, edge = chart["layer"]
    assert (bars["mark"]["type"], tick["mark"]["type"], edge["mark"]["type"]) == ("bar", "tick", "tick")
    fills, edges = (bars["encoding"][name]["scale"]["range"] for name in ("fill", "stroke"))
    assert edges[0] == edges[1] == fills[0] != fills[1]
    assert [layer["transform"] for layer in chart["layer"][:2]] == [
        [{"filter": "datum.name !== null"}],
        [{"filter": "datum.name === null"}],
    ]
