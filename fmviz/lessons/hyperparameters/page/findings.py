"""What the cells have shown, in sentences that are computed: which axis matters more, which cell is best, and the guess."""

from __future__ import annotations

import math

import streamlit as st

from fmviz.app import state
from fmviz.app.i18n import tr
from fmviz.lessons.hyperparameters.compute import numbers
from fmviz.lessons.hyperparameters.compute.numbers import Effect, Score
from fmviz.lessons.hyperparameters.compute.plan import Plan
from fmviz.lessons.hyperparameters.page import words
from fmviz.lessons.hyperparameters.settings import NAMES

__all__ = ["findings"]

CONVERTED = ("score", "noise", "data")
"""Objectives whose velocity is a conversion of what the network predicts."""
ALIKE = 1.3
"""Two axes whose factors differ by less than this matter alike."""


def findings(plan: Plan, scores: tuple[Score, ...], *, complete: bool) -> None:
    """Nothing before all cells have ended."""
    best = numbers.best(plan, scores)
    if not complete or best is None:
        return
    st.markdown(f":material/lightbulb: **{_finding(plan, scores)}**")
    said = [
        tr(
            "hyperparameters.found.best",
            cell=words.cell_name(plan, plan.cells[best]),
            error=words.percent(scores[best].error),
        )
    ]
    said += _shift(plan, scores)
    broken = sum(score.diverged > 0 for score in scores)
    if broken:
        said.append(tr("hyperparameters.found.diverged", n=broken, all=len(scores)))
    spread = numbers.seed_spread(scores)
    if len(plan.cells[0].jobs) > 1 and spread is not None:
        said.append(tr("hyperparameters.found.seeds", n=len(plan.cells[0].jobs), factor=_factor(spread)))
    st.markdown(" ".join(said))
    if any(cell.jobs[0][1].objective in CONVERTED for cell in plan.cells):
        st.caption(tr("hyperparameters.found.converted"))
    _guess(plan, scores, best)


def _finding(plan: Plan, scores: tuple[Score, ...]) -> str:
    errors = numbers.values(plan, scores)
    effects = [numbers.effect(errors, place, axis.values) for place, axis in enumerate(plan.axes)]
    known = [(axis.name, found) for axis, found in zip(plan.axes, effects, strict=True) if found is not None]
    if not known:
        return tr("hyperparameters.found.nothing")
    if len(known) == 1:
        return tr("hyperparameters.found.one", **_filled("a", *known[0]))
    (first, one), (second, two) = sorted(known, key=lambda entry: -entry[1].factor)
    alike = one.factor < ALIKE * two.factor
    return tr(
        f"hyperparameters.found.{'alike' if alike else 'two'}", **_filled("a", first, one), **_filled("b", second, two)
    )


def _shift(plan: Plan, scores: tuple[Score, ...]) -> list[str]:
    """Whether the best value of the first axis moves along the second one, where that has numbers."""
    if len(plan.axes) == 1 or plan.axes[1].name in NAMES:
        return []
    (x, y), errors = plan.axes, numbers.values(plan, scores)
    ends = [numbers.best_column(errors[row]) for row in (0, -1)]
    if None in ends or ends[0] == ends[1]:
        return []
    first, last = (words.value_name(x.name, x.values[end]) for end in ends if end is not None)
    named = {"axis": words.axis_name(y.name), "low": y.values[0], "high": y.values[-1]}
    return [tr("hyperparameters.found.shift", a=tr(f"hyperparameters.noun.{x.name}"), first=first, last=last, **named)]


def _filled(letter: str, axis: str, found: Effect) -> dict[str, str]:
    name = tr(f"hyperparameters.noun.{axis}")
    return {
        letter: name,
        f"{letter}_factor": _factor(found.factor),
        f"{letter}_best": words.value_name(axis, found.best),
    }


def _factor(value: float) -> str:
    return f"{value:.2g}" if value < 100 else f"{value:.0f}"


def _guess(plan: Plan, scores: tuple[Score, ...], best: int) -> None:
    """What was expected, beside what came out."""
    guessed = plan.at(state.current().hyperparameters.guess)
    if guessed is None:
        return
    mine = plan.cells.index(guessed)
    error, name = scores[mine].error, words.cell_name(plan, guessed)
    if mine == best:
        st.success(tr("hyperparameters.guess.right", cell=name), icon=":material/check_circle:")
    elif not math.isfinite(error):
        st.info(tr("hyperparameters.guess.diverged", cell=name), icon=":material/psychology:")
    else:
        rank = 1 + sum(score.error < error for score in scores)
        factor = _factor(error / scores[best].error)
        st.info(
            tr(
                "hyperparameters.guess.other",
                cell=name,
                rank=rank,
                all=len(scores),
                error=words.percent(error),
                factor=factor,
            ),
            icon=":material/psychology:",
        )
