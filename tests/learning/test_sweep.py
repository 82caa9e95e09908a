"""A sweep gives what its runs give one by one, ends what diverges alone, and loses nothing that is done."""

from __future__ import annotations

import dataclasses
import itertools
import multiprocessing
import os
import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from fmviz.errors import ParameterError
from fmviz.learning import Cell, TrainSpec, frame, sweep, sweeps, train
from fmviz.learning.backprop import Gradient
from fmviz.learning.grid import MAX_CELLS, cells, groups
from fmviz.learning.networks import Architecture
from fmviz.learning.stacked import DIFFERENT, StackedTrainer
from fmviz.learning.stacked_gradient import StackedGradient, StackedWeights
from fmviz.learning.training import Snapshot, TrainingDivergedError
from fmviz.theory import ProbabilityPath

SMALL = TrainSpec(hidden=(16, 16), batch_size=64, steps=40, device="cpu")
PLANE = torch.randn(200, 2, generator=torch.Generator().manual_seed(0)) * 4.0
TIMES = torch.rand(200, generator=torch.Generator().manual_seed(1))


def small(**changes: Any) -> TrainSpec:
    return dataclasses.replace(SMALL, **changes)


def ended(found: list[Cell]) -> dict[int, Cell]:
    return {cell.index: cell for cell in found if cell.ended}


def place(cell: Cell) -> tuple[int, int]:
    return cell.index, cell.step


def test_the_grid_is_the_product_of_its_axes_and_seeds() -> None:
    found = cells(small(seed=5), {"learning_rate": [0.1, 0.2], "hidden": [(8,), [4, 4]]}, seeds=2)
    expected = itertools.product([0.1, 0.2], [(8,), (4, 4)], [5, 6])
    assert [(spec.learning_rate, spec.hidden, spec.seed) for spec in found] == list(expected)
    assert cells(SMALL, {}) == (SMALL,)


@pytest.mark.parametrize(
    ("grid", "seeds", "name"),
    [
        ({"rate": [0.1]}, 1, "grid"),
        ({"seed": [1, 2]}, 2, "grid"),
        ({"learning_rate": []}, 1, "learning_rate"),
        ({"learning_rate": [0.1, 0.1]}, 1, "learning_rate"),
        ({"activation": "relu"}, 1, "activation"),
        ({"hidden": [(100_000,)]}, 1, "hidden"),
        ({"steps": [10**9]}, 1, "steps"),
        ({"classify": [0]}, 1, "classify"),
        ({"learning_rate": itertools.count(1)}, 1, "grid"),
        ({"batch_size": range(1, 101), "steps": range(1, 101)}, 1, "grid"),
        ({}, 0, "seeds"),
        ({}, MAX_CELLS + 1, "seeds"),
    ],
)
def test_what_cannot_be_swept_is_refused_before_anything_is_trained(
    grid: dict[str, Any], seeds: int, name: str, ring8: ProbabilityPath
) -> None:
    with pytest.raises(ParameterError) as raised:
        sweep(ring8, SMALL, grid, seeds=seeds)
    assert raised.value.name == name


def test_an_objective_that_the_path_does_not_have_is_refused_at_once(bridge: ProbabilityPath) -> None:
    with pytest.raises(ParameterError, match="objective"):
        sweep(bridge, SMALL, {"objective": ["cfm", "score"]})


def test_groups_hold_equal_shapes_and_every_cell_once() -> None:
    axes = {"hidden": [(8,), (16,)], "learning_rate": [0.1, 0.2], "batch_size": [10, 10_000], "ema": [0.0, 0.9]}
    specs = cells(SMALL, axes, seeds=3)
    found = groups(specs)
    assert sorted(place for group in found for place in group) == list(range(len(specs)))
    for group in found:
        assert len({(specs[place].hidden, specs[place].batch_size) for place in group}) == 1
    assert max(len(group) for group in found if specs[group[0]].batch_size == 10) > 4


def test_sixteen_runs_are_work_for_two() -> None:
    assert [
        len(group) for group in groups(cells(TrainSpec(batch_size=128), {"learning_rate": [0.1, 0.2]}, seeds=8))
    ] == [8, 8]


@pytest.mark.parametrize("activation", ["silu", "relu", "tanh", "gelu"])
def test_the_stacked_gradient_is_that_of_each_network(activation: str) -> None:
    generator = torch.Generator().manual_seed(3)
    built = Architecture((7, 5), activation, "fourier", output_scale=1.7)
    weights, each = StackedWeights(built, 3), [built.initial_weights(generator) for _ in range(3)]
    for place, one in enumerate(each):
        weights.put(place, one)
        assert torch.equal(weights.of(place), one)
    inputs = torch.randn(3, built.n_features + 1, 20, generator=generator)
    inputs[:, -1] = 1.0
    factor, target = torch.rand(3, 1, 20, generator=generator), torch.randn(3, 2, 20, generator=generator)
    losses = torch.zeros(3)
    stacked = StackedGradient(built, weights, 20)
    stacked(inputs, factor, target, losses)
    for place in range(3):
        loss = torch.zeros(())
        alone = Gradient(built, each[place], 20)
        alone(inputs[place], factor[place], target[place], loss)
        torch.testing.assert_close(stacked.gradient.of(place), alone.gradient, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(losses[place], loss)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"objective": "score", "t_sampling": "uniform"},
        {"optimizer": "adamw", "weight_decay": 0.1},
        {"optimizer": "sgd", "gradient_clip": 1.0, "batch_size": 400},  # several draws
        {"label_dropout": 0.2},
    ],
    ids=str,
)
def test_stacked_runs_are_the_single_runs(changes: dict[str, Any], ring8: ProbabilityPath) -> None:
    """Velocities to 1e-3 after 200 steps: the two add the same numbers in another order."""
    base = small(steps=200, **changes)
    axes = {"learning_rate": [2e-3, 1e-2], "ema": [0.0, 0.95], "schedule": ["constant", "cosine"]}
    specs = cells(base, axes, seeds=2)[::3]
    trainer = StackedTrainer(ring8, specs)
    trainer.advance(200)
    for spec, found in zip(specs, trainer.snapshots(), strict=True):
        *_, last = train(ring8, spec, every=200)
        assert found is not None
        assert not isinstance(found, Exception)
        torch.testing.assert_close(
            found.model.velocity(PLANE, TIMES), last.model.velocity(PLANE, TIMES), rtol=0.0, atol=1e-3
        )
        torch.testing.assert_close(found.losses, last.losses, rtol=1e-3, atol=1e-3)
        assert (found.raw is None) is (last.raw is None) is (spec.ema == 0.0)
        if found.raw is not None and last.raw is not None:
            raw = last.raw.velocity(PLANE, TIMES)
            torch.testing.assert_close(found.raw.velocity(PLANE, TIMES), raw, rtol=0.0, atol=1e-3)


def test_what_differs_in_shape_cannot_be_stacked(ring8: ProbabilityPath) -> None:
    with pytest.raises(ParameterError, match="specs"):
        StackedTrainer(ring8, [SMALL, small(batch_size=65)])
    assert set(DIFFERENT) <= {field.name for field in dataclasses.fields(TrainSpec)}


def test_a_stack_may_be_of_one(ring8: ProbabilityPath) -> None:
    trainer = StackedTrainer(ring8, [SMALL])
    trainer.advance(40)
    (found,) = trainer.snapshots()
    (last,) = train(ring8, SMALL, every=40)
    assert isinstance(found, Snapshot)
    torch.testing.assert_close(found.losses, last.losses, rtol=1e-3, atol=1e-3)


def test_each_cell_reports_as_it_advances(ring8: ProbabilityPath) -> None:
    found = list(sweep(ring8, SMALL, {"learning_rate": [1e-3, 1e-2], "hidden": [(16, 16), (8,)]}, reports=5))
    for index in range(4):
        steps = [cell.step for cell in found if cell.index == index]
        assert steps == sorted(set(steps))
        assert steps[0] == 0
        assert steps[-1] == 40
    best = min(ended(found).values(), key=lambda cell: cell.report.own.total)
    assert best.spec.learning_rate == 1e-2


@pytest.mark.parametrize("seeds", [1, 2], ids=["alone", "stacked"])
def test_a_diverging_cell_ends_alone_with_step_and_reason(seeds: int, ring8: ProbabilityPath) -> None:
    found = list(sweep(ring8, SMALL, {"learning_rate": [1e-2, 1000.0]}, seeds=seeds))
    good, bad = ended(found)[0], ended(found)[seeds]
    assert good.step == 40
    assert good.failure is None
    assert bad.failure is not None
    assert f"step {bad.step}" in bad.failure
    assert 0 < bad.step <= 40
    assert bad.model.network.weights.isfinite().all()
    with pytest.raises(Exception, match=bad.failure.split(":")[0]):
        list(train(ring8, bad.spec, every=10))
    assert [cell.index for cell in found if cell.ended].count(seeds) == 1


def test_weights_that_cease_to_be_numbers_end_a_run_at_its_last_step(ring8: ProbabilityPath) -> None:
    stack = StackedTrainer(ring8, [small(seed=0), small(seed=1)])
    stack.advance(3)
    stack._weights.biases[0][1] = torch.inf
    good, bad = stack.snapshots()
    assert isinstance(good, Snapshot)
    assert isinstance(bad, TrainingDivergedError)
    assert (good.step, bad.step) == (3, 3)


def test_the_table_goes_through_csv_and_parquet(tmp_path: Path, bridge: ProbabilityPath) -> None:
    found = list(sweep(bridge, SMALL, {"learning_rate": [1e-2, 1000.0], "hidden": [(8,), (4, 4)]}))
    table = frame(found)
    assert len(table) == len(found)
    assert {"cell", "learning_rate", "hidden", "seed", "step", "velocity", "failure"} <= set(table)
    assert "batch_size" not in table
    assert table["score"].isna().all()  # this path has no scores of its velocities (T33)
    table.to_parquet(tmp_path / "sweep.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "sweep.parquet"), table, check_dtype=False)
    table.to_csv(tmp_path / "sweep.csv", index=False)
    again = pd.read_csv(tmp_path / "sweep.csv")
    pd.testing.assert_series_equal(again["velocity"], table["velocity"])
    assert set(again["hidden"]) == {"8", "4, 4"}


def test_what_is_done_is_not_done_again(
    tmp_path: Path, ring8: ProbabilityPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    axes = {"learning_rate": [1e-3, 1e-2, 1000.0], "hidden": [(16, 16), (8,)]}
    whole = list(sweep(ring8, SMALL, axes))
    begun = []
    for cell in sweep(ring8, SMALL, axes, folder=tmp_path):  # and is left in the middle
        begun.append(cell)
        if len(ended(begun)) == 4:
            break
    files = sorted(tmp_path.iterdir())
    assert len(files) in (3, 4)  # the cell that was given last was written before
    files[0].write_bytes(files[0].read_bytes()[:100])  # as a disk may leave it
    trained = []
    real = sweeps._group
    monkeypatch.setattr(sweeps, "_group", lambda path, task, *rest: trained.extend(task) or real(path, task, *rest))
    again = list(sweep(ring8, SMALL, axes, folder=tmp_path))
    assert len(trained) == 6 - (len(files) - 1)
    for first, second in zip(sorted(whole, key=place), sorted(again, key=place), strict=True):
        assert place(first) == place(second)
        assert (first.failure is None) == (second.failure is None)
        if first.spec.learning_rate < 1.0:  # one that explodes magnifies the last digit
            assert first.report.own.total == pytest.approx(second.report.own.total, rel=1e-3)
            torch.testing.assert_close(
                first.model.velocity(PLANE, TIMES), second.model.velocity(PLANE, TIMES), rtol=0.0, atol=1e-3
            )
    trained.clear()
    assert len(list(sweep(ring8, SMALL, axes, folder=tmp_path))) == len(whole)
    assert not trained
    assert not [file for file in os.listdir(tmp_path) if file.endswith(".part")]


def test_threads_give_the_same_cells(ring8: ProbabilityPath) -> None:
    axes = {"learning_rate": [1e-3, 1e-2], "hidden": [(16, 16), (8,)]}
    here = ended(list(sweep(ring8, SMALL, axes)))
    with ThreadPoolExecutor(2) as executor:
        there = ended(list(sweep(ring8, SMALL, axes, executor=executor)))
    assert here.keys() == there.keys()
    for index, cell in here.items():
        assert torch.equal(cell.model.network.weights, there[index].model.network.weights)


def _has_compiler() -> bool:
    return "torch._dynamo" in sys.modules


def test_a_process_of_an_executor_leaves_the_compiler_of_torch_out(ring8: ProbabilityPath) -> None:
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh, initializer=torch.set_num_threads, initargs=(1,)) as executor:
        assert len(ended(list(sweep(ring8, SMALL, seeds=2, executor=executor)))) == 2
        assert not executor.submit(_has_compiler).result()


class _Breaking(Executor):
    """Does its first task, and is broken from then on."""

    def __init__(self) -> None:
        self.submitted = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.submitted += 1
        future: Future[Any] = Future()
        if self.submitted == 1:
            future.set_result(fn(*args, **kwargs))
        elif self.submitted == 2:
            future.set_exception(BrokenProcessPool("a process was killed"))
        else:
            raise BrokenProcessPool("a process was killed")
        return future


def test_what_a_broken_executor_has_lost_is_trained_here(ring8: ProbabilityPath) -> None:
    axes = {"hidden": [(16, 16), (8,), (4,)]}
    found = list(sweep(ring8, SMALL, axes, executor=_Breaking()))
    assert sorted(cell.index for cell in found if cell.ended) == [0, 1, 2]
