"""What comes from a browser is read with suspicion."""

from __future__ import annotations

import math
from typing import Any

import pytest

from fmviz.stage.assets import law_script
from fmviz.stage.events import Boxed, Clicked, DensityView, Edited, Moved, StageEvents, read
from fmviz.stage.law_check import _SCRIPT, _worst

ROW = [0.5, 1, 2, 1.0, 0.1, 1.0]


def test_an_empty_state_has_no_events() -> None:
    assert read({}) == StageEvents()


@pytest.mark.parametrize("components", [[[0, 0, 0, 4, 1.9, 1]], [[0.1, 0, 0, 1e-9, 0, 1e-9]], [ROW] * 256])
def test_a_mixture_may_have_256_components_correlated_or_of_weight_zero(components: list[list[float]]) -> None:
    found = read({"edited": {"mixture": "init", "components": components, "phase": "drag", "seq": 1}}).edited
    assert found == Edited("init", tuple(tuple(map(float, row)) for row in components), "drag", 1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "worst"),
    [
        ({"key": "k", "worst": 0}, 0.0),
        ({"key": "k", "worst": 1e-9}, 1e-9),
        ({"key": "k", "worst": -1}, math.inf),
        ({"key": "k", "worst": -0.5}, math.inf),
        ({"key": "k", "worst": math.nan}, math.inf),
        ({"key": "k", "worst": True}, None),
        ({"key": "k", "worst": "0"}, None),
        ({"key": "k"}, None),
        ({"key": "other", "worst": 0.0}, None),
        (["k", 0.0], None),
        (None, None),
    ],
)
def test_a_difference_between_browser_and_server_counts_only_for_its_own_law(answer: Any, worst: float | None) -> None:
    assert _worst(answer, "k") == worst


def test_all_events() -> None:
    events = read(
        {
            "t": 1,
            "layers": ["a", "b"],
            "density": {"scale": "log", "per_frame": True},
            "edited": {"mixture": "data", "components": [ROW, ROW], "phase": "drag", "seq": 1795299165759},
            "clicked": {"x": 1, "y": 2.5, "t": 0.5, "panel": "marginal", "seq": 3},
            "moved": {"name": "z", "x": 0, "y": 1, "phase": "done", "seq": 4},
            "boxed": {"name": "box", "x0": -1, "x1": 1, "y0": 0, "y1": 2.5, "phase": "drag", "seq": 5},
        }
    )
    row = (0.5, 1.0, 2.0, 1.0, 0.1, 1.0)
    assert events == StageEvents(
        t=1.0,
        layers=("a", "b"),
        density=DensityView("log", True),
        edited=Edited("data", (row, row), "drag", 1795299165759),
        clicked=Clicked(1.0, 2.5, 0.5, "marginal", 3),
        moved=Moved("z", 0.0, 1.0, "done", 4),
        boxed=Boxed("box", -1.0, 1.0, 0.0, 2.5, "drag", 5),
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("t", "now"),
        ("t", True),
        ("t", float("nan")),
        ("layers", "density"),
        ("layers", [1]),
        ("density", {"scale": "cubic"}),
        ("density", 3),
        ("edited", {"mixture": "data", "components": [], "phase": "done", "seq": 1}),
        ("edited", {"mixture": "data", "components": [ROW] * 300, "phase": "done", "seq": 1}),
        ("edited", {"mixture": "data", "components": [[1, 2]], "phase": "done", "seq": 1}),
        ("edited", {"mixture": "data", "components": [3], "phase": "done", "seq": 1}),
        ("edited", {"mixture": "data", "components": [[*ROW, 1.0, 2.0]], "phase": "done", "seq": 1}),
        ("edited", {"mixture": "data", "components": [[1, 0, 0, 1, 2, 1]], "phase": "done", "seq": 1}),
        ("edited", {"mixture": "data", "components": [[1, 0, 0, 4, 2, 1]], "phase": "done", "seq": 1}),
        ("edited", {"mixture": "data", "components": [[1, 0, 0, 4, 3, 2]], "phase": "done", "seq": 1}),
        ("edited", {"mixture": "data", "components": [[1, 0, 0, 0, 0, 1]], "phase": "done", "seq": 1}),
        ("edited", {"mixture": "data", "components": [[1, 0, 0, -1, 0, -1]], "phase": "done", "seq": 1}),
        ("edited", {"mixture": "data", "components": [ROW] * 257, "phase": "done", "seq": 1}),
        ("edited", {"mixture": "data", "components": [[-1, 0, 0, 1, 0, 1]], "phase": "done", "seq": 1}),
        ("edited", {"mixture": "data", "components": [ROW], "phase": "maybe", "seq": 1}),
        ("edited", {"mixture": 1, "components": [ROW], "phase": "done", "seq": 1}),
        ("edited", {"mixture": "data", "components": [[float("inf"), *ROW[1:]]], "phase": "done", "seq": 1}),
        ("clicked", {"x": 1, "y": 2, "t": 0.5, "seq": 3}),
        ("clicked", {"x": None, "y": 2, "t": 0.5, "panel": "a", "seq": 3}),
        ("moved", {"name": "z", "x": 0, "y": 1, "phase": "done"}),
        ("moved", []),
        ("boxed", {"name": "b", "x0": 1, "x1": 1, "y0": 0, "y1": 2, "phase": "done", "seq": 1}),
        ("boxed", {"name": "b", "x0": 0, "x1": float("nan"), "y0": 0, "y1": 2, "phase": "done", "seq": 1}),
        ("boxed", {"name": "b", "x0": 0, "x1": 1, "y0": 0, "phase": "done", "seq": 1}),
        ("boxed", {"name": 3, "x0": 0, "x1": 1, "y0": 0, "y1": 1, "phase": "done", "seq": 1}),
        ("boxed", {"name": "b", "x0": 0, "x1": 1, "y0": 0, "y1": 1, "phase": "later", "seq": 1}),
    ],
)
def test_nonsense_reads_as_none(name: str, value: Any) -> None:
    assert getattr(read({name: value}), name) is None


def test_what_compares_browser_and_server_has_the_closed_forms_of_the_stage() -> None:
    assert _SCRIPT.startswith(law_script())
    assert "export default" in _SCRIPT.removeprefix(law_script())
