"""All numbers of a sweep as a table, and that as a file: CSV for reading, Parquet where the types of the columns count."""

from __future__ import annotations

import io
from collections.abc import Mapping

import pyarrow as pa

from fmviz.lessons.hyperparameters.compute.plan import Job, Plan
from fmviz.lessons.hyperparameters.compute.running import Result
from fmviz.lessons.hyperparameters.settings import NAMES, REAL

__all__ = ["as_csv", "as_parquet", "table"]


def table(plan: Plan, results: Mapping[Job, Result]) -> pa.Table:
    """A tidy table, one row for each run and measured step.

    Columns: ``cell`` (its place in the plan), each axis, ``seed``, ``step``, the relative error ``velocity``, the ``seconds``
    of the whole run and ``failure``, null where there is none.
    """
    names = [axis.name for axis in plan.axes if axis.name != "seed"]
    columns: dict[str, list[object]] = {
        name: [] for name in ("cell", *names, "seed", "step", "velocity", "seconds", "failure")
    }
    for place, cell in enumerate(plan.cells):
        axes = {axis.name: _typed(axis.name, value) for axis, value in zip(plan.axes, cell.values, strict=True)}
        for job in cell.jobs:
            result = results.get(job)
            if result is None:
                continue
            failure = None if result.failure is None else str(result.failure)
            ends = {"cell": place, **axes, "seed": job[1].seed, "seconds": result.seconds, "failure": failure}
            for step, error in result.errors:
                for name, value in {**ends, "step": step, "velocity": error}.items():
                    columns[name].append(value)
    text = pa.string()
    return pa.table(
        {
            name: pa.array(values, text if name in NAMES or name == "failure" else None)
            for name, values in columns.items()
        }
    )


def _typed(axis: str, value: str) -> float | int | str:
    """A value of an axis, a number where it is one."""
    return value if axis in NAMES else float(value) if axis in REAL else int(value)


def as_csv(rows: pa.Table) -> bytes:
    """A table as CSV: a header, then one line for each row, empty where there is no value."""
    from pyarrow import csv  # not needed to show the page

    written = io.BytesIO()
    csv.write_csv(rows, written, csv.WriteOptions(quoting_style="needed"))
    return written.getvalue()


def as_parquet(rows: pa.Table) -> bytes:
    """A table as a Parquet file, every column with its type."""
    from pyarrow import parquet as pq

    written = io.BytesIO()
    pq.write_table(rows, written)
    return written.getvalue()
