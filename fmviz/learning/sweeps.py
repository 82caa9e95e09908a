"""A sweep: the same path learned with many settings, measured against the exact field.

`sweep` is a generator, like `fmviz.learning.train`: it yields a `Cell` whenever one of the runs has been measured, and stops
when its caller leaves the loop. What it yields becomes a table with `frame`, which pandas writes as CSV or Parquet.
"""

from __future__ import annotations

__all__ = ["Cell", "frame", "sweep"]

import dataclasses
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from fmviz.errors import ParameterError
from fmviz.learning.evaluation import Curve, Evaluation, Report
from fmviz.learning.grid import cells, groups
from fmviz.learning.model import LearnedModel
from fmviz.learning.networks import MLP
from fmviz.learning.optimizers import leave_out_compiler_in_helper
from fmviz.learning.pace import log_spaced_steps
from fmviz.learning.spec import TrainSpec, is_count
from fmviz.learning.stacked import StackedTrainer, require_measurable
from fmviz.learning.sweep_folder import read, run_name, write
from fmviz.learning.training import Snapshot, Trainer, TrainingDivergedError, initial_model
from fmviz.theory import ProbabilityPath
from fmviz.theory.reprs import one_line

if TYPE_CHECKING:
    import pandas as pd

POINTS = 1024
"""Least number of points at which a cell is measured."""
MAX_REPORTS = 200
RETRIES = 3
"""How often a cluster trains a group again whose worker has died."""
_AT_ONCE = 50

_log = logging.getLogger(__name__)


class Cluster(Protocol):
    """A ``dask.distributed.Client``, as far as a sweep knows it."""

    def get_executor(self, **options: Any) -> Executor:
        """An executor whose tasks run in the cluster."""


@dataclass(frozen=True, eq=False)
class Cell:
    """One run of a sweep at one moment.

    Attributes:
        index: its place in the grid.
        spec: its settings.
        step: steps done; of a run that has diverged the step at which it was given up.
        loss: mean since the measurement before; nan before the first step.
        report: the errors of `model`.
        model: the network; of a run that has diverged the last one before.
        seconds: time spent computing its steps, its share where several runs were trained as one.
        failure: why it was given up, None while all is well.
    """

    index: int
    spec: TrainSpec
    step: int
    loss: float
    report: Report
    model: LearnedModel
    seconds: float
    failure: str | None = None

    __repr__ = one_line

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.failure is not None or self.step >= self.spec.steps


def sweep(
    path: ProbabilityPath,
    spec: TrainSpec | None = None,
    grid: Mapping[str, Iterable[Any]] | None = None,
    *,
    seeds: int = 1,
    reports: int = 12,
    folder: str | Path | None = None,
    executor: Executor | Cluster | None = None,
) -> Iterator[Cell]:
    """Train with every combination of some settings, and measure each run as it goes.

    Runs of equal shape are trained as one where that is faster; each gives what `train` gives for its settings. A run that
    diverges ends alone.

    Args:
        path: what to learn.
        spec: the settings that no axis changes; the defaults of `TrainSpec` if left out.
        grid: the values of each axis, named like a field of `TrainSpec`.
        seeds: so many seeds for every combination, counted up from that of `spec`.
        reports: measurements of each run, at most; at steps that are evenly spaced in log(1 + step), the first before step 1.
        folder: where runs that have ended are kept. Those that are there already are not done again.
        executor: trains groups of runs as its tasks, whose cells come when a group has ended: an executor of
            ``concurrent.futures``, or a ``dask.distributed.Client`` for the workers of a cluster. Processes should be told to
            use one thread: ``ProcessPoolExecutor(2, initializer=torch.set_num_threads, initargs=(1,))``; those of dask do.
            What a dead worker of a cluster has lost is trained by another, what a broken executor has lost here.

    Yields:
        A `Cell` for each measurement of each run.

    Raises:
        ParameterError: an axis, a value, a number of seeds or reports that is not allowed, too many cells, or settings that
            this path cannot be trained with.
        CheckpointError: with a folder: the path cannot be described in a file.

    Example:
        >>> from fmviz.theory import GaussianMixture, presets, schedulers
        >>> path = ProbabilityPath(GaussianMixture.standard(), presets.get("two_modes"), schedulers.get("linear"))
        >>> small = TrainSpec(hidden=(8,), batch_size=10, steps=20)
        >>> done = [cell for cell in sweep(path, small, {"learning_rate": [1e-3, 1e-2]}, seeds=2) if cell.ended]
        >>> [(cell.index, cell.spec.learning_rate, cell.spec.seed) for cell in done]
        [(0, 0.001, 0), (1, 0.001, 1), (2, 0.01, 0), (3, 0.01, 1)]
    """
    if not is_count(reports, 2, MAX_REPORTS):
        raise ParameterError("reports", f"an integer from 2 to {MAX_REPORTS}", reports)
    specs = cells(spec or TrainSpec(), grid or {}, seeds)
    for one in specs:
        require_measurable(path, one)
    kept = _Folder(Path(folder), path, reports) if folder is not None else None
    if executor is not None and not isinstance(executor, Executor):
        executor = executor.get_executor(pure=False, retries=RETRIES)
    return _all(path, specs, reports, kept, executor)


def frame(found: Iterable[Cell]) -> pd.DataFrame:
    """A tidy table of cells: one row for each cell and step.

    Columns: ``cell`` (its place in the grid), each setting in which the cells differ and the ``seed``, ``step``, ``loss``,
    the relative errors ``velocity``, ``score``, ``noise`` and ``data`` (NaN where the path has no conversion), ``seconds``,
    and ``failure`` (None where there is none). Layers are written as ``"64, 64"``, so that every column fits CSV and Parquet.
    """
    import pandas as pd  # a sweep itself needs torch alone

    rows = list(found)
    differ = [
        field.name
        for field in dataclasses.fields(TrainSpec)
        if field.name == "seed" or len({getattr(cell.spec, field.name) for cell in rows}) > 1
    ]
    return pd.DataFrame([_row(cell, differ) for cell in rows])


def _row(cell: Cell, settings: Sequence[str]) -> dict[str, object]:
    row: dict[str, object] = {"cell": cell.index}
    for name in settings:
        value = getattr(cell.spec, name)
        row[name] = ", ".join(map(str, value)) if isinstance(value, tuple) else value
    row |= {"step": cell.step, "loss": cell.loss}
    for name in ("velocity", "score", "noise", "data"):
        curve = getattr(cell.report, name)
        row[name] = float("nan") if curve is None else curve.total
    return row | {"seconds": cell.seconds, "failure": cell.failure}


def _all(
    path: ProbabilityPath, specs: Sequence[TrainSpec], reports: int, kept: _Folder | None, executor: Executor | None
) -> Iterator[Cell]:
    todo = []
    for index, spec in enumerate(specs):
        done = kept.read(index, spec) if kept is not None else None
        if done is None:
            todo.append(index)
        else:
            yield from done
    tasks = [[(todo[place], specs[todo[place]]) for place in group] for group in groups([specs[i] for i in todo])]
    so_far: dict[int, list[Cell]] = {}
    arriving = _here(path, tasks, reports) if executor is None else _elsewhere(path, tasks, reports, executor)
    for cell in arriving:
        if kept is not None:
            so_far.setdefault(cell.index, []).append(cell)
            if cell.ended:
                kept.write(so_far.pop(cell.index))
        yield cell


_Task = Sequence[tuple[int, TrainSpec]]


def _here(path: ProbabilityPath, tasks: Iterable[_Task], reports: int) -> Iterator[Cell]:
    evaluation = Evaluation(path, points=POINTS)
    for task in tasks:
        yield from _group(path, task, reports, evaluation)


def _elsewhere(path: ProbabilityPath, tasks: Iterable[_Task], reports: int, executor: Executor) -> Iterator[Cell]:
    running: dict[Future[list[Cell]], _Task] = {}
    lost = []
    try:
        for task in tasks:
            try:
                running[executor.submit(_as_task, path, task, reports)] = task
            except BrokenExecutor:
                lost.append(task)
        for future in as_completed(running):
            try:
                found = future.result()
            except BrokenExecutor:
                lost.append(running[future])
            else:
                yield from found
    finally:
        for future in running:
            future.cancel()
    if lost:
        _log.warning("the executor of a sweep broke; %d groups of runs are trained here", len(lost))
        yield from _here(path, lost, reports)


def _as_task(path: ProbabilityPath, task: _Task, reports: int) -> list[Cell]:
    leave_out_compiler_in_helper()
    return list(_here(path, [task], reports))


def _group(path: ProbabilityPath, task: _Task, reports: int, evaluation: Evaluation) -> Iterator[Cell]:
    """Trains the runs of one task together."""
    specs = [spec for _, spec in task]
    trainer = _Alone(path, specs[0]) if len(specs) == 1 else StackedTrainer(path, specs)
    for step in log_spaced_steps(trainer.steps, reports):
        while trainer.step < step and not trainer.finished:
            trainer.advance(min(_AT_ONCE, step - trainer.step))
        for (index, spec), state in zip(task, trainer.snapshots(), strict=True):
            if isinstance(state, Snapshot):
                report = evaluation.report(state.model)
                yield Cell(index, spec, state.step, state.loss, report, state.model, state.seconds)
            elif isinstance(state, TrainingDivergedError):
                good = state.last_good
                report = evaluation.report(good.model)
                yield Cell(index, spec, state.step, state.loss, report, good.model, good.seconds, str(state))
        if trainer.finished:
            return


class _Folder:
    """The runs that have ended, on disk.

    Args:
        folder: where; it is made with the first file.
        path: what is learned.
        reports: measurements of each run.

    Raises:
        CheckpointError: the path has no description.
    """

    def __init__(self, folder: Path, path: ProbabilityPath, reports: int) -> None:
        self._folder, self._path, self._reports = folder, path, reports
        self._file(TrainSpec())

    def _file(self, spec: TrainSpec) -> Path:
        return self._folder / run_name(self._path, spec, reports=self._reports, points=POINTS)

    def write(self, run: Sequence[Cell]) -> None:
        """Keeps all cells of a run that has ended."""
        measured = [
            {
                "step": cell.step,
                "loss": cell.loss,
                "report": dataclasses.asdict(cell.report),
                "seconds": cell.seconds,
                "failure": cell.failure,
            }
            for cell in run
        ]
        write(self._file(run[0].spec), [cell.model.network.weights for cell in run], measured)

    def read(self, index: int, spec: TrainSpec) -> list[Cell] | None:
        """The cells of a run that was kept; None if it has to be done."""
        found = read(self._file(spec))
        if found is None:
            return None
        first = initial_model(self._path, spec)
        return [
            Cell(
                index=index,
                spec=spec,
                step=each["step"],
                loss=each["loss"],
                report=_report(each["report"]),
                model=dataclasses.replace(first, network=MLP(first.network.architecture, weights)),
                seconds=each["seconds"],
                failure=each["failure"],
            )
            for weights, each in zip(*found, strict=True)
        ]


def _report(entries: Mapping[str, Any]) -> Report:
    """A report from its entries as JSON has them."""
    curves = {
        name: Curve(value["total"], tuple(value["by_t"])) for name, value in entries.items() if isinstance(value, dict)
    }
    return Report(**{**entries, **curves, "t": tuple(entries["t"])})


class _Alone:
    """A `Trainer` with the face of a `StackedTrainer` of one run."""

    def __init__(self, path: ProbabilityPath, spec: TrainSpec) -> None:
        self._trainer = Trainer(path, spec)
        self.steps, self._diverged = spec.steps, False

    @property
    def step(self) -> int:
        return self._trainer.step

    @property
    def finished(self) -> bool:
        return self._diverged or self._trainer.finished

    def advance(self, steps: int) -> None:
        self._trainer.advance(steps)

    def snapshots(self) -> list[Snapshot | TrainingDivergedError | None]:
        try:
            return [self._trainer.snapshot()]
        except TrainingDivergedError as error:
            self._diverged = True
            return [error]
