"""The stage and the charts of the page Hyperparameters: what is drawn, and against the schema of Vega-Lite."""

import dataclasses

import numpy as np
import pytest
import torch
from altair.utils.schemapi import debug_mode

from fmviz.learning.training import initial_model
from fmviz.lessons.hyperparameters.charts.curves import Track, curves, table
from fmviz.lessons.hyperparameters.charts.dots import dot_chart
from fmviz.lessons.hyperparameters.charts.error_map import CELL, Square, Words, error_map
from fmviz.lessons.hyperparameters.charts.error_map import table as error_map_table
from fmviz.lessons.hyperparameters.compute import pictures, samples
from fmviz.lessons.hyperparameters.compute.plan import plan
from fmviz.lessons.hyperparameters.compute.running import Result
from fmviz.lessons.hyperparameters.settings import Settings
from fmviz.scene import Scene, scenes
from fmviz.stage.payload import View, decode_header
from fmviz.theory.metrics import energy_distance

VIEW = Settings(x="width", x_values=("4", "8"), y="steps", y_values=("10", "20", "30"), depth=1)


def header(view: Settings, trained: int = 0):
    asked = plan(Scene(), view)
    results = {
        cell.jobs[0]: Result(1, ((0, 1.0),), initial_model(scenes.path(cell.jobs[0][0]), cell.jobs[0][1]), True)
        for cell in asked.cells[:trained]
    }
    titles = [f"cell {n}" for n in range(len(asked.cells))]
    return decode_header(pictures.payload(asked, results, titles, 0, View(), "en"))


def test_panels_stand_like_the_cells_of_the_map_the_highest_row_first():
    found = header(VIEW)
    assert found["columns"] == 2
    assert [panel["name"] for panel in found["panels"]] == [
        "cell0_2", "cell1_2", "cell0_1", "cell1_1", "cell0_0", "cell1_0",
    ]  # fmt: skip
    assert found["panels"][-1]["title"] == "cell 1"


def test_a_cell_is_filled_once_there_is_a_network():
    kinds = [[layer["kind"] for layer in panel["layers"]] for panel in header(VIEW, trained=1)["panels"]]
    assert kinds == [["density"]] * 4 + [["density", "particles"]] + [["density"]]


def test_cells_of_several_paths_share_the_components_and_no_law():
    found = header(Settings(x="scheduler", x_values=("linear", "vp"), y="none", depth=1, width=4), trained=2)
    assert found["law"] is None
    assert found["columns"] == 2
    assert {layer["kind"] for panel in found["panels"] for layer in panel["layers"]} == {"ellipses", "particles"}


def test_particles_of_a_broken_network_are_not_drawn():
    view = Settings(x="width", x_values=("4",), y="none", depth=1)
    cell = plan(Scene(), view).cells[0]
    model = initial_model(scenes.path(cell.jobs[0][0]), cell.jobs[0][1])
    weights = torch.full_like(model.network.weights, torch.inf)
    broken = dataclasses.replace(model, network=type(model.network)(model.network.architecture, weights))
    shown = pictures.particles(cell.jobs[0][0], 0, broken).positions
    assert not np.isinf(shown).any()
    assert np.isnan(shown[-1]).all()


def test_the_distance_is_small_for_the_exact_field_and_floor_is_that_of_two_exact_samples():
    scene = scenes.learned_part(Scene(data="two_modes"))
    path = scenes.path(scene)

    class Exact:
        @staticmethod
        def sampling_velocity(x, t):
            return path.marginal_velocity(x, t)

    class Still:
        @staticmethod
        def sampling_velocity(x, t):
            return torch.zeros_like(x)

    found = samples.distances(((scene, Exact()), (scene, Still())))
    generator = torch.Generator().manual_seed(5)
    two = [path.p_data.sample(samples.COUNT, generator=generator) for _ in range(2)]
    typical = float(energy_distance(*two))
    assert found.floor < 4 * typical
    assert found.of[0] < 4 * typical
    far = float(energy_distance(path.p_init.sample(samples.COUNT, generator=generator), two[0]))
    assert found.of[1] == pytest.approx(far, rel=0.25)


WORDS = Words("Width", "Steps", ("4", "8"), ("10", "20"), "Error", "guess")
SQUARES = [
    Square(0, 0, 0.1, "10%", frozenset({"best"})),
    Square(1, 0, float("inf"), "x", frozenset({"chosen"})),
    Square(0, 1, float("nan"), "?", frozenset({"guess"})),
]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_charts_keep_to_the_schema(theme):
    with debug_mode(True):
        error_map(WORDS, theme).to_dict(validate=True)
        curves(("Width", ("4", "8")), ("Steps", ("10",)), "step", "error", theme).to_dict(validate=True)
        curves(("Seed", tuple("0123456789")), ("", ("",)), "step", "error", theme).to_dict(validate=True)
        dot_chart([("a", 0.1), ("b", float("inf"))], "distance", theme, rule=0.01).to_dict(validate=True)


def test_the_map_knows_best_broken_empty_and_guessed_cells_and_what_is_clicked():
    columns = error_map_table(SQUARES, WORDS)
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    assert [row["known"] for row in rows] == [True, False, False]
    assert [row["level"] for row in rows] == [pytest.approx(-1.0), 0.0, 0.0]
    assert [row["broken"] for row in rows] == [False, True, False]
    assert [row["best"] for row in rows] == [True, False, False]
    assert [row["guess"] for row in rows] == ["", "", "guess"]
    assert [(row["x"], row["y"]) for row in rows] == [("4", "10"), ("8", "10"), ("4", "20")]
    chart = error_map(WORDS, "light").to_dict(validate=False)
    assert [param["name"] for param in chart["params"]] == [CELL]


def test_the_rows_of_the_curves_leave_out_what_a_logarithm_cannot_show():
    found = table([Track("4", "10", ((0, 1.0, 1.0, 1.0), (5, 0.0, 0.1, 0.2), (10, 0.1, 0.2, 0.3)))])
    assert found["step"] == [10]
    assert (found["low"], found["error"], found["high"]) == ([0.1], [0.2], [0.3])
    assert found["cell"] == ["4 · 10"]
