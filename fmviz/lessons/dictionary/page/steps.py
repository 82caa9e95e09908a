"""How errors, distances and the variational bound fall with the number of steps, on the page Dictionary."""

from __future__ import annotations

import streamlit as st

from fmviz.app import measured
from fmviz.app.catalogue import number
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.lessons.dictionary.charts import Axis, Curve
from fmviz.lessons.dictionary.compute import results
from fmviz.lessons.dictionary.compute import steps as work
from fmviz.lessons.dictionary.compute.steps import BoundGap, Convergence
from fmviz.lessons.dictionary.page.plot import plot

__all__ = ["show"]

HEIGHT = 420
COUNT_RANGE = (3.0, 1400.0)
DASHES = {"small": 2, "large": 1, "optimal": 0}


def show(current: State) -> None:
    """The charts below the picture of the samplers; helper processes measure them."""
    own = current.dictionary
    arguments = (results.gaussian(current.scene), own.a, own.betas, own.shift, own.levels)
    st.subheader(tr("dictionary.convergence"), anchor=False)
    measured.show(
        "dictionary_convergence",
        work.convergence,
        *arguments,
        draw=_convergence,
        height=HEIGHT,
    )
    st.subheader(tr("dictionary.bound"), anchor=False)
    measured.show("dictionary_bound", work.bound_gaps, *arguments, draw=_bound, height=HEIGHT)


def _convergence(found: tuple[Convergence, ...]) -> None:
    names = {row.sampler: tr(f"dictionary.samplers.{row.sampler}") for row in found}
    left, right = st.columns(2, gap="large")
    count = Axis("N", log=True, range=COUNT_RANGE)
    for column, what, axis, far in (
        (left, "errors", Axis(tr("dictionary.median_error"), log=True), None),
        (right, "distances", Axis(tr("dictionary.sliced"), log=True), found[0].floor),
    ):
        lines = [
            Curve(names[row.sampler], row.counts, getattr(row, what), work.LAYERS[row.sampler][1], dash, points=True)
            for dash, row in zip((0, 0, 1, 0), found, strict=True)
        ]
        if far is not None:
            floor = [far] * len(found[0].counts)
            lines.append(Curve(tr("dictionary.floor"), found[0].counts, floor, "reference", 2))
        with column:
            plot(what, lines, count, axis, tr(f"dictionary.{what}_chart_alt"))
    st.table(
        {
            tr("dictionary.sampler"): list(names.values()),
            tr("dictionary.order_measured"): ["–" if row.order is None else f"{row.order:.2f}" for row in found],
            tr("dictionary.order_expected"): [str(work.ORDERS[row.sampler]) for row in found],
        },
        border="horizontal",
        hide_index=True,
    )
    st.caption(tr("dictionary.convergence_claim"))
    st.caption(tr("dictionary.convergence_where"))


def _bound(found: tuple[BoundGap, ...]) -> None:
    if not found:
        st.caption(tr("dictionary.no_bound"))
        return
    lines = [
        Curve(
            tr(f"dictionary.variances.{row.variance}"),
            row.counts,
            row.gaps,
            "score",
            DASHES[row.variance],
            points=True,
            errors=row.errors,
        )
        for row in found
    ]
    left, right = st.columns(2, gap="large")
    with left:
        count, gap = Axis("N", log=True, range=COUNT_RANGE), Axis(tr("dictionary.gap"), log=True)
        plot("bound", lines, count, gap, tr("dictionary.bound_alt"))
    with right:
        st.table(
            {
                tr("dictionary.variance"): [tr(f"dictionary.variances.{row.variance}") for row in found],
                tr("dictionary.last_gap", n=found[0].counts[-1]): [
                    f"{number(row.gaps[-1])} ± {number(2.0 * row.errors[-1])}" for row in found
                ],
                tr("dictionary.order_measured"): ["–" if row.order is None else f"{row.order:.2f}" for row in found],
            },
            border="horizontal",
            hide_index=True,
        )
        st.caption(tr("dictionary.bound_claim"))
