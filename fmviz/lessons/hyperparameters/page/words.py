"""Names of axes, values and cells, and why a cell has nothing to show."""

from __future__ import annotations

import math

from fmviz.app import explain as explanations
from fmviz.app.catalogue import number
from fmviz.app.i18n import tr
from fmviz.errors import ParameterError
from fmviz.learning import TrainingDivergedError
from fmviz.lessons.hyperparameters.compute.plan import CellPlan, Plan
from fmviz.lessons.hyperparameters.settings import NAMES

__all__ = ["axis_name", "cell_name", "explained", "percent", "seconds", "value_name"]


def axis_name(axis: str) -> str:
    """What an axis is called."""
    return tr(f"hyperparameters.axis.{axis}")


def value_name(axis: str, value: str) -> str:
    """A value as a panel or a cell has it: short."""
    return tr(f"hyperparameters.value.{axis}_{value}") if axis in NAMES else value


def cell_name(plan: Plan, cell: CellPlan) -> str:
    """The values of a cell."""
    return " · ".join(value_name(axis.name, value) for axis, value in zip(plan.axes, cell.values, strict=True))


def percent(error: float) -> str:
    """A relative error."""
    if not math.isfinite(error):
        return number(error)
    shown = 100.0 * error
    return f"{shown:.2g}%" if shown < 9.95 else f"{shown:.0f}%" if shown < 1e5 else f"{number(shown)}%"


def seconds(value: float) -> str:
    """A time that nobody needs to know better than that."""
    return (
        tr("hyperparameters.minutes", n=math.ceil(value / 60))
        if value > 99
        else tr("hyperparameters.seconds", n=max(1, math.ceil(value)))
    )


def explained(error: Exception | None) -> str:
    """Why a cell was not trained, or was given up."""
    match error:
        case TrainingDivergedError():
            return tr("hyperparameters.diverged_at", step=error.step)
        case ParameterError(name="objective"):
            return tr("train.failed.objective")
        case ParameterError(name="batch_size, hidden"):
            return tr("train.failed.too_large")
    return explanations.explain(error)
