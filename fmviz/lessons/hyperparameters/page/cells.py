"""The map of cells: what one expects before Start, the finding after it, and the cell whose settings can be taken to Train."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pyarrow as pa
import streamlit as st

from fmviz.app import bound, runs, state
from fmviz.app.choices import State, encode
from fmviz.app.i18n import tr
from fmviz.app.runs import Handed
from fmviz.app.theme import theme
from fmviz.cache import shared
from fmviz.charts.palette import Theme
from fmviz.errors import FmvizError
from fmviz.learning import TrainingDivergedError
from fmviz.lessons import named
from fmviz.lessons.hyperparameters.charts.error_map import CELL, Mark, Square, Words, error_map, table
from fmviz.lessons.hyperparameters.compute import numbers
from fmviz.lessons.hyperparameters.compute.plan import CellPlan, Job, Plan
from fmviz.lessons.hyperparameters.compute.plan import plan as make_plan
from fmviz.lessons.hyperparameters.compute.running import Result
from fmviz.lessons.hyperparameters.page import findings, sweeps, words

__all__ = ["cells", "chosen", "take"]

MAP, CHOICE, CHANGED = "hyper_map", "hyper_cell", "fmviz_hyper_changed"
COLUMN_WIDTH = 128
NOWHERE: tuple[int, ...] = ()
"""In the list of cells: none of them."""


def cells(plan: Plan, *, moves: bool) -> None:
    """The map with what belongs to it."""
    if st.session_state.pop(CHANGED, False):
        st.rerun()
    found = sweeps.results(plan)
    scores = numbers.scores(plan, found)
    begun = bool(found)
    st.subheader(tr("hyperparameters.map.title" if begun else "hyperparameters.map.expect"), anchor=False)
    if not begun:
        st.caption(tr("hyperparameters.map.expect_help"))
    with st.container(width=170 + COLUMN_WIDTH * plan.columns):
        _map(plan, scores, found)
    findings.findings(plan, scores, complete=not sweeps.unfinished(plan))
    _choice(plan, begun)
    if begun and not moves:
        _cell(plan, chosen(plan), found)
    problems = dict.fromkeys(
        words.explained(result.failure) for result in found.values() if result.failure is not None and not result.errors
    )
    for problem in problems:
        st.warning(problem, icon=":material/error:")


def take(is_meant: Callable[[CellPlan], bool]) -> None:
    """The cell that was clicked: before Start it is the guess, afterwards the one that is looked at. None meant: nothing."""
    view, asked = state.current().hyperparameters, _asked()
    meant = None if asked is None else next(filter(is_meant, asked.cells), None)
    if asked is None or meant is None:
        return
    field, place = "cell" if sweeps.results(asked) else "guess", (meant.column, meant.row)
    state.change("hyperparameters", **{field: None if getattr(view, field) == place else place})


def _asked() -> Plan | None:
    now = state.current()
    try:
        return make_plan(now.scene, now.hyperparameters)
    except FmvizError:
        return None


def chosen(plan: Plan) -> CellPlan:
    """The cell to look at: the chosen one, else the best."""
    place = numbers.best(plan, numbers.scores(plan, sweeps.results(plan)))
    return plan.at(state.current().hyperparameters.cell) or plan.cells[place or 0]


def _map(plan: Plan, scores: tuple[numbers.Score, ...], found: Mapping[Job, Result]) -> None:
    view, best = state.current().hyperparameters, numbers.best(plan, scores)
    squares = []
    for place, (cell, score) in enumerate(zip(plan.cells, scores, strict=True)):
        here = (cell.column, cell.row)
        marks: dict[Mark, bool] = {
            "best": place == best,
            "guess": here == view.guess,
            "chosen": bool(found) and here == view.cell,
        }
        squares.append(
            Square(
                cell.column,
                cell.row,
                score.error,
                _text(cell, score, found),
                frozenset(n for n, on in marks.items() if on),
            )
        )
    x, *more = plan.axes
    titles = Words(
        words.axis_name(x.name),
        words.axis_name(more[0].name) if more else "",
        tuple(words.value_name(x.name, value) for value in x.values),
        tuple(words.value_name(more[0].name, value) for value in more[0].values) if more else ("",),
        tr("hyperparameters.error"),
        tr("hyperparameters.map.guess"),
    )
    # A click on what was clicked last says nothing: the guess is no obstacle to a look at the same cell.
    key = f"{MAP}_{'cell' if found else 'guess'}"
    st.vega_lite_chart(
        pa.table(table(squares, titles)),
        _chart(titles, theme()),
        width="stretch",
        theme=None,
        key=key,
        on_select=partial(_selected, key),
        selection_mode=CELL,
        alt=tr("hyperparameters.map.alt"),
    )


@shared
def _chart(titles: Words, ground: Theme) -> dict[str, Any]:
    """The map without its rows, as a plain specification that nobody may change."""
    return error_map(titles, ground).to_dict(validate=False)


def _text(cell: CellPlan, score: numbers.Score, found: Mapping[Job, Result]) -> str:
    if score.diverged:
        failed = [
            result.failure for job in cell.jobs if (result := found.get(job)) is not None and result.failure is not None
        ]
        return f"✕ {tr('hyperparameters.map.diverged')}" if any(map(_diverged, failed)) else "–"
    if not math.isnan(score.error):
        return words.percent(score.error)
    begun = [found[job] for job in cell.jobs if job in found]
    if not begun:
        return "?"
    last = [result.errors[-1][1] for result in begun if result.errors]
    return f"{words.percent(last[-1])} …" if last else "…"


def _diverged(failure: Exception) -> bool:
    return isinstance(failure, TrainingDivergedError)


def _selected(key: str) -> None:
    """What was clicked on the map."""
    chosen = st.session_state[key].selection.get(CELL, [])
    if chosen:
        place = chosen[0].get("column"), chosen[0].get("row")
        take(lambda cell: (cell.column, cell.row) == place)
        st.session_state[CHANGED] = True


def _choice(plan: Plan, begun: bool) -> None:
    """The same without a pointer: a list of the cells."""
    field = "cell" if begun else "guess"
    places: list[tuple[int, ...]] = [NOWHERE, *((cell.column, cell.row) for cell in plan.cells)]
    now = getattr(state.current().hyperparameters, field)
    key = f"{CHOICE}_{field}"
    bound.show(key, now if now in places else NOWHERE)
    nothing = tr("hyperparameters.map.best_cell" if begun else "hyperparameters.map.no_guess")

    def name(place: tuple[int, ...]) -> str:
        cell = plan.at(place)
        return nothing if cell is None else words.cell_name(plan, cell)

    with st.container(width=420):
        st.selectbox(
            tr("hyperparameters.map.cell" if begun else "hyperparameters.map.your_guess"),
            places,
            format_func=name,
            key=key,
            on_change=_taking(field, key),
        )


def _taking(field: str, key: str) -> Callable[[], None]:
    def change() -> None:
        state.change("hyperparameters", **{field: st.session_state[key] or None})
        st.session_state[CHANGED] = True

    return bound.user_change(key, change)


def _cell(plan: Plan, cell: CellPlan, found: Mapping[Job, Result]) -> None:
    """One cell: why it was given up, and the way to Train with its settings."""
    for job in cell.jobs:
        result = found.get(job)
        if result is not None and result.failure is not None and result.errors:
            st.caption(f"{words.cell_name(plan, cell)}: {words.explained(result.failure)}")
            break
    _hand_over(cell, found.get(cell.jobs[0]))
    st.page_link(
        named("train").file,
        label=tr("hyperparameters.open_train", cell=words.cell_name(plan, cell)),
        icon=":material/model_training:",
        query_params=encode(in_train(state.current(), cell)),
        help=tr("hyperparameters.open_train_help"),
    )


def _hand_over(cell: CellPlan, result: Result | None) -> None:
    """Holds what a cell has learned ready for the page Train, so that the link leads to the trained network."""
    scene, spec = cell.jobs[0]
    if result is None or result.model is None or result.losses is None:
        runs.hand_over(None)
    else:
        runs.hand_over(Handed(scene, spec, result.model, result.losses, result.seconds, result.raw))


def in_train(current: State, cell: CellPlan) -> State:
    """The state with the settings of a cell on the page Train."""
    learned, spec = cell.jobs[0]
    train = type(current.train)(
        objective=spec.objective,
        width=spec.hidden[0],
        depth=len(spec.hidden),
        activation=spec.activation,
        time_features=spec.time_features,
        batch_size=spec.batch_size,
        learning_rate=spec.learning_rate,
        steps=spec.steps,
        t_sampling=spec.t_sampling,
        optimizer=spec.optimizer,
        schedule=spec.schedule,
        ema=spec.ema,
        layers=current.train.layers,
    )
    scene = current.scene.model_copy(update={"scheduler": learned.scheduler, "seed_network": spec.seed})
    return current.model_copy(update={"train": train, "scene": scene})
