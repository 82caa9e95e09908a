"""The charts of a running training: losses, errors, and where in time it is hard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import altair as alt
import streamlit as st

from fmviz.app import state
from fmviz.app.altair import show_altair
from fmviz.app.catalogue import translate
from fmviz.app.i18n import tr
from fmviz.charts.palette import Theme
from fmviz.learning import Report, RunStatus
from fmviz.learning.evaluation import QUANTITIES, Curve
from fmviz.learning.objectives import Quantity
from fmviz.lessons.train.charts.lines import Axis, Line, Points, line_chart, table
from fmviz.lessons.train.settings import Settings
from fmviz.scene.views import Language

__all__ = ["charts", "tables"]

Weighting = Literal["none", "middle", "plain"]
ChartName = Literal["loss", "error", "error_t", "loss_t"]
Tables = dict[ChartName, dict[str, list[object]]]
ROLES: dict[str, str] = {"velocity": "velocity", "score": "score", "noise": "init", "data": "data"}
BROKEN = {"velocity": "dashed", "score": "dotted", "noise": "dashed", "data": "mixed"}
HISTORY_POINTS = 90


def tables(
    run: RunStatus | None, kept: Sequence[tuple[int, Report]], seen: tuple[int, Report], steps: int, language: Language
) -> Tables:
    """The rows of all four, of the reports of `kept` steps; `seen` is the step on stage and its report. Knows no session."""
    step, report = seen
    reports = [pair for pair in sorted([*kept, seen], key=lambda pair: pair[0]) if pair[0] > 0]
    return {
        "loss": table(_losses(run, reports, steps, language), rule=max(1, step), positive=True),
        "loss_t": table(_losses_by_t(report, language), positive=True),
        "error": table(_errors(reports, language), rule=max(1, step), positive=True),
        "error_t": table(_errors_by_t(report, language), positive=True),
    }


def charts(rows: Tables, view: Settings, predicts: Quantity) -> None:
    """All four, of `rows`, and which weights they are of."""
    if view.ema > 0.0:
        st.caption(tr(f"train.measured.{view.weights}"))
    columns: tuple[tuple[ChartName, ...], ...] = (("loss", "loss_t"), ("error", "error_t"))
    for column, names in zip(st.columns(2, gap="medium"), columns, strict=True):
        with column:
            for name in names:
                _show(name, view, predicts, rows[name])


def _show(name: ChartName, view: Settings, predicts: Quantity, rows: dict[str, list[object]]) -> None:
    language, weighting = state.current().shell.language, _weighting(view)
    show_altair(
        lambda ground: _chart(name, view.steps, predicts, weighting, ground, language),
        of=(view.steps, predicts, weighting),
        description=tr(f"train.chart.{name}_alt"),
        key=f"train_{name}",
        rows=rows,
    )


def _weighting(view: Settings) -> Weighting:
    """How the loss of the batches differs from that of the other lines, which weight all t alike."""
    if view.objective == "score" and view.score_weighting == "plain":
        return "plain"
    return "middle" if view.t_sampling == "logit_normal" else "none"


def _chart(
    name: ChartName, steps: int, predicts: Quantity, weighting: Weighting, ground: Theme, language: Language
) -> alt.LayerChart:
    def say(key: str) -> str:
        return translate(language, f"train.{key}")

    step, t = Axis(say("axis.step"), log=True, domain=(1, max(2, steps))), Axis("t", domain=(0, 1))
    conditional, marginal = Line(say("series.conditional"), "data"), Line(say("series.marginal"), "velocity", "dashed")
    floor = Line(say("series.floor"), "reference", "dotted", width=2)
    match name:
        case "loss":
            batches = Line(say("series.batch"), "learned", width=1)
            lines, x, y = [batches, conditional, floor, marginal], step, Axis("", log=weighting == "plain")
        case "loss_t":
            lines, x, y = [conditional, floor, marginal], t, Axis("", log=True)
        case "error":
            lines, x, y = _quantity_lines(predicts, language), step, Axis("", log=True)
        case "error_t":
            lines, x, y = _quantity_lines(predicts, language), t, Axis("", log=True)
    title, subtitle = say(f"chart.{name}"), say(f"chart.{name}_help")
    if name == "loss" and weighting != "none":
        subtitle = say(f"chart.loss_{weighting}")
    return line_chart(name, lines, x, y, ground, title=title, subtitle=subtitle)


def _quantity_lines(predicts: Quantity, language: Language) -> list[Line]:
    """The network's own quantity solid and heavy, what is converted from it broken and light."""
    return [
        Line(
            translate(language, f"train.quantity.{name}"),
            ROLES[name],
            "solid" if name == predicts else BROKEN[name],
            width=3.5 if name == predicts else 2,
        )
        for name in QUANTITIES
    ]


def _losses(
    run: RunStatus | None, reports: Sequence[tuple[int, Report]], steps: int, language: Language
) -> dict[str, Points]:
    floor = reports[0][1].irreducible.total if reports else None
    return {
        translate(language, "train.series.batch"): _thinned(run.history) if run else [],
        translate(language, "train.series.floor"): [(1, floor), (max(2, steps), floor)] if floor is not None else [],
        translate(language, "train.series.conditional"): [(step, r.conditional_loss.total) for step, r in reports],
        translate(language, "train.series.marginal"): [(step, r.marginal_loss.total) for step, r in reports],
    }


def _losses_by_t(report: Report, language: Language) -> dict[str, Points]:
    return {
        translate(language, "train.series.conditional"): _by_t(report, report.conditional_loss),
        translate(language, "train.series.floor"): _by_t(report, report.irreducible),
        translate(language, "train.series.marginal"): _by_t(report, report.marginal_loss),
    }


def _errors(reports: Sequence[tuple[int, Report]], language: Language) -> dict[str, Points]:
    return {
        translate(language, f"train.quantity.{name}"): [
            (step, c.total) for step, r in reports if (c := _curve(r, name)) is not None
        ]
        for name in QUANTITIES
    }


def _errors_by_t(report: Report, language: Language) -> dict[str, Points]:
    return {
        translate(language, f"train.quantity.{name}"): _by_t(report, curve)
        for name in QUANTITIES
        if (curve := _curve(report, name)) is not None
    }


def _curve(report: Report, name: Quantity) -> Curve | None:
    curve: Curve | None = getattr(report, name)
    return curve


def _by_t(report: Report, curve: Curve) -> Points:
    return list(zip(report.t, curve.by_t, strict=True))


def _thinned(history: Sequence[tuple[int, float]]) -> Points:
    """At most `HISTORY_POINTS`, evenly spaced on a logarithmic axis."""
    n = len(history)
    if n <= HISTORY_POINTS:
        return history
    wanted = {round(n ** (i / (HISTORY_POINTS - 1))) - 1 for i in range(HISTORY_POINTS)}
    return [history[i] for i in sorted(wanted)]
