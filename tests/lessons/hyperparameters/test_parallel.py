"""Parallel coordinates: which runs are drawn, where on each axis, and how; and the same numbers as files."""

import io
import math

import pandas as pd
import pytest
from altair.utils.schemapi import debug_mode

from fmviz.errors import FmvizError
from fmviz.learning import Trainer, TrainingDivergedError, TrainSpec
from fmviz.lessons.hyperparameters.charts import parallel
from fmviz.lessons.hyperparameters.compute import files
from fmviz.lessons.hyperparameters.compute.finished import finished
from fmviz.lessons.hyperparameters.compute.plan import plan
from fmviz.lessons.hyperparameters.compute.running import Result
from fmviz.lessons.hyperparameters.page import parallel as page
from fmviz.lessons.hyperparameters.settings import Settings
from fmviz.scene import Scene, scenes

SCENE = Scene(data="two_modes", seed_network=3)
VIEW = Settings(x="learning_rate", x_values=("0.01", "0.1", "1"), y="activation", y_values=("silu", "relu"), seeds=2)
DIVERGED = TrainingDivergedError(
    7, math.inf, 1.0, Trainer(scenes.path(SCENE), TrainSpec(hidden=(2,), steps=9)).snapshot()
)


def ended(error: float, seconds: float = 1.0, failure: Exception | None = None) -> Result:
    return Result(20, ((0, 1.0), (20, error)), None, True, failure, seconds)


def test_every_seed_is_a_run_and_one_that_goes_on_or_was_refused_is_none():
    asked = plan(SCENE, VIEW)
    (a, b), (c, d) = asked.cells[0].jobs, asked.cells[4].jobs
    going = Result(5, ((0, 1.0),), None, False)
    found = finished(
        asked, {a: ended(0.1, 2.0), b: going, c: ended(0.2, failure=DIVERGED), d: ended(0.2, failure=FmvizError("no"))}
    )
    assert [(run.cell, run.values, run.seed, run.seconds) for run in found] == [
        (0, ("0.01", "silu"), 3, 2.0),
        (4, ("0.1", "relu"), 3, 1.0),
    ]
    assert found[0].error == 0.1
    assert math.isinf(found[1].error)


def test_factors_are_distances_on_a_logarithmic_axis_and_what_is_no_number_stands_above_all():
    axis = parallel.logarithmic("error", [0.01, 1.0, 0.1, math.inf], "{:g}".format, broken="diverged")
    low, high, middle, top = axis.heights
    assert (low, top) == (0.0, 1.0)
    assert middle == pytest.approx(high / 2)
    assert high < 0.9
    assert [label for _, label in axis.ticks] == ["0.01", "0.1", "1", "diverged"]
    assert axis.ticks[1][0] == pytest.approx(middle)
    assert parallel.logarithmic("error", [0.01, 1.0], "{:g}".format).heights == (0.0, 1.0)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0.021, 0.3], ["0.05", "0.1", "0.2"]),
        ([0.23, 0.24], ["0.23", "0.24"]),
        ([0.5], ["0.5"]),
        ([math.inf], ["diverged"]),
        ([1e-5, 30.0], ["1e-05", "0.0001", "0.001", "0.01", "0.1", "1", "10"]),
    ],
)
def test_ticks_are_round_where_there_are_round_numbers(values, labels):
    axis = parallel.logarithmic("error", values, "{:g}".format, broken="diverged")
    assert [label for _, label in axis.ticks if label != "1" or len(values) > 1] == labels


def test_ticks_that_would_cover_each_other_are_left_out():
    axis = parallel.logarithmic("rate", [1.0, 1.01, 100.0], "{:g}".format, at=[1.0, 1.01, 100.0])
    assert [label for _, label in axis.ticks] == ["1", "100"]


def test_values_without_a_size_stand_evenly():
    axis = parallel.evenly("activation", ["gelu", "silu"], ["silu", "relu", "gelu"], str.upper)
    assert axis.heights == (1.0, 0.0)
    assert axis.ticks == ((0.0, "SILU"), (0.5, "RELU"), (1.0, "GELU"))


def test_the_page_draws_what_varies_then_the_error_and_the_seconds(monkeypatch):
    drawn = {}
    monkeypatch.setattr(page, "show_altair", lambda make, *, of, rows, **_: drawn.update(titles=of[0], rows=rows))
    monkeypatch.setattr(page.st, "caption", lambda text: drawn.update(said=text))
    monkeypatch.setattr(
        "fmviz.app.i18n.state.current", lambda: type("", (), {"shell": type("", (), {"language": "en"})})
    )
    asked = plan(SCENE, VIEW)
    results = {job: ended(0.1 * (1 + place)) for place, cell in enumerate(asked.cells) for job in cell.jobs}
    results[asked.cells[5].jobs[0]] = ended(0.5, failure=DIVERGED)
    page.parallel(asked, results)
    assert drawn["titles"] == ("Learning rate", "Activation", "Seed", "Final error", "Seconds")
    table = pd.DataFrame(drawn["rows"])
    fates = table[table["fate"] != "tick"].groupby("run")["fate"].agg(["unique", "count"])
    assert [one for (one,) in fates["unique"]] == ["best", "best", *["other"] * 8, "diverged", "other"]
    assert set(fates["count"]) == {5}
    assert table.loc[table["fate"] == "diverged", "told"].unique().tolist() == ["diverged"]
    assert "12 of 12 runs" in drawn["said"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_chart_keeps_to_the_schema_and_has_its_axes_in_order(theme):
    with debug_mode(True):
        chart = parallel.parallel(("b", "a"), "Run", "Error", "Seconds", theme).to_dict(validate=True)
    assert {layer["encoding"]["x"]["scale"]["domain"][0] for layer in chart["layer"]} == {"b"}


def test_files_have_a_typed_row_for_each_measurement():
    asked = plan(SCENE, VIEW)
    results = {
        asked.cells[0].jobs[0]: ended(0.5),
        asked.cells[2].jobs[1]: ended(0.2, failure=FmvizError('no, "never"')),
    }
    rows = files.table(asked, results)
    read = pd.read_parquet(io.BytesIO(files.as_parquet(rows)))
    assert [str(kind) for kind in read.dtypes[["cell", "learning_rate", "seed", "step", "velocity", "seconds"]]] == [
        "int64", "float64", "int64", "int64", "float64", "float64",
    ]  # fmt: skip
    assert read[["cell", "learning_rate", "activation", "seed", "step", "velocity"]].to_numpy().tolist() == [
        [0, 0.01, "silu", 3, 0, 1.0],
        [0, 0.01, "silu", 3, 20, 0.5],
        [2, 1.0, "silu", 4, 0, 1.0],
        [2, 1.0, "silu", 4, 20, 0.2],
    ]
    assert rows["failure"].to_pylist()[1:3] == [None, 'no, "never"']
    pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(files.as_csv(rows))), read, check_dtype=False)


def test_the_seed_as_an_axis_is_no_column_of_its_own():
    asked = plan(SCENE, Settings(x="seed", x_values=("5", "6"), y="none"))
    rows = files.table(asked, {asked.cells[1].jobs[0]: ended(0.5)})
    assert rows.column_names == ["cell", "seed", "step", "velocity", "seconds", "failure"]
    assert rows["seed"].to_pylist() == [6, 6]
