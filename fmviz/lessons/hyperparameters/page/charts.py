"""The charts below the map, one at a time, and the table of all numbers as files."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import streamlit as st

from fmviz.app import bound, measured, state
from fmviz.app.altair import show_altair
from fmviz.app.catalogue import number
from fmviz.app.i18n import tr
from fmviz.lessons.hyperparameters.charts import curves
from fmviz.lessons.hyperparameters.charts.dots import dot_chart
from fmviz.lessons.hyperparameters.compute import files, numbers, samples
from fmviz.lessons.hyperparameters.compute.plan import Plan
from fmviz.lessons.hyperparameters.compute.samples import Distances
from fmviz.lessons.hyperparameters.page import sweeps, words
from fmviz.lessons.hyperparameters.page.parallel import parallel
from fmviz.lessons.hyperparameters.settings import CHARTS, GOALS

__all__ = ["charts"]

WIDTH, HEIGHT = 760, 420
FILES: dict[str, tuple[Callable[[pa.Table], bytes], str, str]] = {
    "csv": (files.as_csv, "sweep.csv", "text/csv"),
    "parquet": (files.as_parquet, "sweep.parquet", "application/vnd.apache.parquet"),
}
"""What writes each kind of file, its name, and the name of its kind in the web."""
Side = tuple[str, tuple[str, ...]]


def charts(plan: Plan) -> None:
    """The chosen chart; none before something has been trained."""
    found = sweeps.results(plan)
    if not found:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="hyper_charts"):
        names = {str(name): tr(f"hyperparameters.chart_{name}") for name in CHARTS}
        bound.segmented("hyperparameters", "chart", tr("hyperparameters.charts"), names, collapsed=True)
        for kind, (write, name, mime) in FILES.items():
            st.download_button(
                tr(f"hyperparameters.{kind}"),
                _file(plan, write),
                name,
                mime,
                icon=":material/download:",
                key=f"hyper_{kind}",
                on_click="ignore",
            )
    with st.container(width=WIDTH):
        drawn = {"error": _error, "reach": _reach, "distance": _distance, "parallel": _parallel}
        drawn[state.current().hyperparameters.chart](plan)


def _file(plan: Plan, write: Callable[[pa.Table], bytes]) -> Callable[[], bytes]:
    """The table as a file, made when it is asked for, in a thread that knows no session."""
    read = sweeps.reader(plan)
    return lambda: write(files.table(plan, read()))


def _sides(plan: Plan) -> tuple[Side, Side]:
    """Title and names of the values of both axes; an empty title for the second of one."""
    sides = [
        (words.axis_name(axis.name), tuple(words.value_name(axis.name, v) for v in axis.values)) for axis in plan.axes
    ]
    return sides[0], sides[1] if len(sides) == 2 else ("", ("",))


def _error(plan: Plan) -> None:
    """Errors of all cells against the step."""
    found, (x, y) = sweeps.results(plan), _sides(plan)
    tracks = [
        curves.Track(x[1][cell.column], y[1][cell.row], points)
        for cell in plan.cells
        if (points := numbers.track(cell, found))
    ]
    step, error = tr("hyperparameters.step"), tr("hyperparameters.error")
    show_altair(
        lambda ground: curves.curves(x, y, step, error, ground),
        of=(x, y),
        description=tr("hyperparameters.error_alt"),
        key="hyper_error",
        rows=curves.table(tracks),
    )
    st.caption(tr("hyperparameters.error_claim"))


def _parallel(plan: Plan) -> None:
    """Everything that varies, the error and the seconds of every run."""
    parallel(plan, sweeps.results(plan))


def _distance(plan: Plan) -> None:
    """How far the samples are from the data; measured once the runs have ended."""
    ended = sweeps.trained(plan)
    if sweeps.unfinished(plan) or not ended:
        st.caption(tr("hyperparameters.distance_wait"))
        return
    names = [words.cell_name(plan, cell) for cell, _ in ended]
    networks = tuple((cell.jobs[0][0], result.model) for cell, result in ended)
    measured.show(
        "hyper_distance",
        samples.distances,
        networks,
        draw=lambda known: _draw_distance(names, known),
        height=HEIGHT,
    )


def _draw_distance(names: list[str], known: Distances) -> None:
    show_altair(
        lambda ground: dot_chart(
            list(zip(names, known.of, strict=True)), tr("hyperparameters.distance"), ground, rule=known.floor
        ),
        of=(tuple(names), known),
        description=tr("hyperparameters.distance_alt"),
        key="hyper_distance",
    )
    least = min(known.of)
    st.markdown(
        tr(
            "hyperparameters.found.closest",
            cell=names[known.of.index(least)],
            least=number(least),
            times=f"{least / known.floor:.2g}",
            floor=number(known.floor),
        )
    )
    st.caption(tr("hyperparameters.distance_claim", n=samples.COUNT))


def _reach(plan: Plan) -> None:
    """After how many steps each cell falls below a chosen error."""
    found, goal = sweeps.results(plan), state.current().hyperparameters.goal
    texts = {value: words.percent(value) for value in sorted({*GOALS, goal}, reverse=True)}
    bound.segmented("hyperparameters", "goal", tr("hyperparameters.goal"), texts)
    steps = [(words.cell_name(plan, cell), numbers.reached(numbers.track(cell, found), goal)) for cell in plan.cells]
    there = tuple((name, float(step)) for name, step in steps if step is not None)
    if there:
        show_altair(
            lambda ground: dot_chart(there, tr("hyperparameters.reach", goal=words.percent(goal)), ground),
            of=(there, goal),
            description=tr("hyperparameters.reach_alt"),
            key="hyper_reach",
        )
    st.caption(tr("hyperparameters.reach_claim", n=len(there), all=len(plan.cells), goal=words.percent(goal)))
