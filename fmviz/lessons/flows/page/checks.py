"""Check it, for the page Flows: the exact flow by other means, its composition, its volume, and the orders."""

from __future__ import annotations

import streamlit as st

from fmviz.app import measured
from fmviz.app.catalogue import number
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.lessons.flows.compute import results
from fmviz.lessons.flows.compute.evidence import REFERENCE
from fmviz.lessons.flows.compute.results import Checks

__all__ = ["table"]


def table(current: State) -> None:
    """Both tables; a scene that has no field says why."""
    asked = (results.chosen(current), results.starts(current))
    measured.show("flows_check", results.checks, *asked, draw=_tables, height=480)


def _tables(checks: Checks) -> None:
    found, orders = checks.evidence, checks.orders
    st.caption(tr("flows.check.intro", n=found.points))
    independent = tr("flows.check.closed") if found.closed else tr("flows.check.integrated", n=REFERENCE)
    values = {
        independent: number(found.independent),
        tr("flows.check.composition"): number(found.composition),
        tr("flows.check.inverse"): number(found.inverse),
        tr("flows.check.determinant"): f"{number(found.least)} … {number(found.most)}",
        tr("flows.check.liouville"): number(found.liouville),
    }
    st.table(
        {tr("flows.check.what"): list(values), tr("flows.check.value"): list(values.values())},
        border="horizontal",
        hide_index=True,
    )
    st.markdown(tr("flows.check.orders"))
    st.table(
        {
            tr("flows.check.solver"): [tr(f"solver.{one.method}") for one in orders],
            tr("flows.check.error", n=orders[0].counts[-2]): [number(one.errors[-2]) for one in orders],
            tr("flows.check.error", n=orders[0].counts[-1]): [number(one.errors[-1]) for one in orders],
            tr("flows.check.measured"): [
                tr("flows.check.none") if one.measured is None else f"{one.measured:.2f}" for one in orders
            ],
            tr("flows.check.expected"): [str(one.expected) for one in orders],
        },
        border="horizontal",
        hide_index=True,
    )
