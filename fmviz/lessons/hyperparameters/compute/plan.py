"""The cells of the page: which runs they stand for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fmviz.learning import TrainSpec
from fmviz.learning.pool import require_affordable
from fmviz.lessons.hyperparameters.settings import NAMES, PLAIN, REAL, Axis, Settings
from fmviz.scene import Scene, scenes

__all__ = ["CellPlan", "Job", "Plan", "plan"]

Job = tuple[Scene, TrainSpec]
"""One run: what it learns from, as `scenes.learned_part` gives it, and its settings."""


@dataclass(frozen=True)
class CellPlan:
    """One cell.

    Attributes:
        column, row: its place; row 0 is the lowest.
        values: what it has of the axes, as a link writes it.
        jobs: its runs, one for each seed.
    """

    column: int
    row: int
    values: tuple[str, ...]
    jobs: tuple[Job, ...]


@dataclass(frozen=True)
class Plan:
    """All cells, row by row from the lowest.

    Attributes:
        axes: one or two.
        cells: of the grid.
    """

    axes: tuple[Axis, ...]
    cells: tuple[CellPlan, ...]

    @property
    def jobs(self) -> tuple[Job, ...]:
        """All runs, the first seed of every cell first, so that every cell is soon filled."""
        runs = max(len(cell.jobs) for cell in self.cells)
        return tuple(cell.jobs[seed] for seed in range(runs) for cell in self.cells)

    @property
    def columns(self) -> int:
        """Cells in a row."""
        return len(self.axes[0].values)

    @property
    def rows(self) -> int:
        """Rows of cells."""
        return len(self.axes[1].values) if len(self.axes) == 2 else 1

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """What is learned from, each once."""
        return tuple(dict.fromkeys(cell.jobs[0][0] for cell in self.cells))

    def at(self, place: tuple[int, ...] | None) -> CellPlan | None:
        """The cell at (column, row); None where there is none."""
        return next((cell for cell in self.cells if (cell.column, cell.row) == place), None)


def plan(scene: Scene, view: Settings) -> Plan:
    """What `view` asks for.

    Raises:
        FmvizError: a cell cannot be trained: too large for a shared machine, or an objective that this path does not have.
    """
    axes = view.axes
    rows = axes[1].values if len(axes) == 2 else (None,)
    cells = tuple(
        _cell(scene, view, column, row, {axes[0].name: x} | ({} if y is None else {axes[1].name: y}))
        for row, y in enumerate(rows)
        for column, x in enumerate(axes[0].values)
    )
    for cell in cells:
        require_affordable(scenes.path(cell.jobs[0][0]), cell.jobs[0][1])
    return Plan(axes, cells)


def _cell(scene: Scene, view: Settings, column: int, row: int, values: dict[str, str]) -> CellPlan:
    def value(name: str) -> float | int | str:
        if name not in values:
            return getattr(view, name)  # type: ignore[no-any-return]
        text = values[name]
        return text if name in NAMES else float(text) if name in REAL else int(text)

    learned = scenes.learned_part(scene)
    if "scheduler" in values:
        learned = learned.model_copy(update={"scheduler": values["scheduler"]})
    spec = TrainSpec(
        hidden=(int(value("width")),) * int(value("depth")),
        seed=int(values.get("seed", scene.seed_network)),
        device="cpu",
        **{name: value(name) for name in PLAIN},  # type: ignore[arg-type]
    )
    seeds = [spec.seed + more for more in range(view.runs_of_a_cell)]
    return CellPlan(column, row, tuple(values.values()), tuple((learned, replace(spec, seed=seed)) for seed in seeds))
