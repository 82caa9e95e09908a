"""All runs across parallel axes: what varies, the final error, and the seconds that the steps took."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

import streamlit as st

from fmviz.app.altair import show_altair
from fmviz.app.catalogue import number
from fmviz.app.i18n import tr
from fmviz.lessons.hyperparameters.charts import parallel as chart
from fmviz.lessons.hyperparameters.compute import numbers
from fmviz.lessons.hyperparameters.compute.finished import Finished, finished
from fmviz.lessons.hyperparameters.compute.plan import Job, Plan
from fmviz.lessons.hyperparameters.compute.running import Result
from fmviz.lessons.hyperparameters.page import words

__all__ = ["parallel"]

LOGARITHMIC = ("learning_rate", "batch_size", "width", "steps")
"""Axes whose values differ by factors; those of the others stand evenly spaced."""


def parallel(plan: Plan, results: Mapping[Job, Result]) -> None:
    """The chart of the runs that have ended."""
    runs = finished(plan, results)
    if not runs:
        st.caption(tr("hyperparameters.parallel_wait"))
        return
    axes = _axes(plan, runs)
    best = numbers.best(plan, numbers.scores(plan, results))
    titles = tuple(axis.title for axis in axes)
    run, error, seconds = (tr(f"hyperparameters.{key}") for key in ("run", "error", "took"))
    show_altair(
        lambda ground: chart.parallel(titles, run, error, seconds, ground),
        of=(titles,),
        description=tr("hyperparameters.parallel_alt"),
        key="hyper_parallel",
        rows=chart.table(axes, [_line(plan, one, best) for one in runs]),
    )
    st.caption(tr("hyperparameters.parallel_claim", n=len(runs), all=len(plan.jobs)))


def _line(plan: Plan, one: Finished, best: int | None) -> chart.Run:
    name = words.cell_name(plan, plan.cells[one.cell])
    if len(plan.cells[one.cell].jobs) > 1:
        name = f"{name} · {words.axis_name('seed')} {one.seed}"
    broken = math.isinf(one.error)
    error = tr("hyperparameters.map.diverged") if broken else words.percent(one.error)
    fate: chart.Fate = "diverged" if broken else "best" if one.cell == best else "other"
    return chart.Run(name, one.error, (error, tr("hyperparameters.seconds", n=number(one.seconds))), fate)


def _axes(plan: Plan, runs: tuple[Finished, ...]) -> list[chart.Axis]:
    axes = []
    for place, axis in enumerate(plan.axes):
        values, title = [run.values[place] for run in runs], words.axis_name(axis.name)
        if axis.name in LOGARITHMIC:
            found = chart.logarithmic(title, [*map(float, values)], "{:g}".format, at=[*map(float, axis.values)])
        else:
            found = chart.evenly(title, values, axis.values, partial(words.value_name, axis.name))
        axes.append(found)
    seeds = sorted({job[1].seed for job in plan.jobs})
    if len(seeds) > 1 and all(axis.name != "seed" for axis in plan.axes):
        axes.append(
            chart.evenly(
                words.axis_name("seed"), [str(run.seed) for run in runs], [*map(str, seeds)], lambda seed: seed
            )
        )
    axes.append(
        chart.logarithmic(
            tr("hyperparameters.final_error"),
            [run.error for run in runs],
            words.percent,
            broken=f"✕ {tr('hyperparameters.map.diverged')}",
        )
    )
    return [*axes, chart.logarithmic(tr("hyperparameters.took"), [run.seconds for run in runs], number)]
