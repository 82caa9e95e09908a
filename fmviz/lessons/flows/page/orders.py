"""Below the stage of the page Flows: the error of every solver against its number of steps."""

from __future__ import annotations

import streamlit as st

from fmviz.app import measured
from fmviz.app.altair import show_altair
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.lessons.flows.charts import ErrorCurve, convergence
from fmviz.lessons.flows.compute import results
from fmviz.theory.convergence import Convergence

__all__ = ["errors"]

WIDTH = 760


def errors(current: State) -> None:
    """The chart; a field whose steps are exact says so, and a scene without a field has said why above its stage."""
    if current.shell.present:
        return
    st.subheader(tr("flows.errors"), anchor=False)
    measured.show(
        "flows_errors_found",
        results.errors,
        results.chosen(current),
        results.starts(current),
        draw=lambda found: _chart(current.flows.steps, found),
        height=460,
        quiet=True,
    )


def _chart(now: int, found: tuple[Convergence, ...]) -> None:
    curves = [_curve(one) for one in found if one.measured is not None]
    if not curves:
        st.info(tr("flows.errors_none"))
        return
    with st.container(width=WIDTH):
        steps, error = tr("flows.errors_steps"), tr("flows.errors_error")
        show_altair(
            lambda ground: convergence(curves, now, ground, steps=steps, error=error),
            of=(tuple(curves), now),
            description=tr("flows.errors_alt"),
            key="flows_errors",
        )
        st.caption(tr("flows.errors_claim"))


def _curve(found: Convergence) -> ErrorCurve:
    name = tr(
        "flows.errors_slope", solver=tr(f"solver.{found.method}"), slope=f"{found.measured:.2f}", order=found.expected
    )
    return ErrorCurve(name, found.method, found.expected, found.meaningful)
