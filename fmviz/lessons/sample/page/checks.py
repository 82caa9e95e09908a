"""Check it, for the page Sample: orders of the solvers, and the likelihood identity, computed when opened."""

from __future__ import annotations

import streamlit as st

from fmviz.app import measured
from fmviz.app.catalogue import number
from fmviz.app.i18n import tr
from fmviz.lessons.sample.compute import evidence, results
from fmviz.lessons.sample.compute.evidence import Checks
from fmviz.scene import Scene, scenes

__all__ = ["table"]


def table(scene: Scene) -> None:
    """Both tables; a scene that has no path says why."""
    measured.show("sample_check", results.checks, scenes.learned_part(scene), draw=_tables, height=430)


def _tables(found: Checks) -> None:
    orders, likelihoods = found.orders, found.likelihoods
    st.markdown(tr("sample.check.orders", coarse=evidence.COARSE, fine=evidence.FINE))
    st.table(
        {
            tr("sample.method"): [tr(f"solver.{row.method}") for row in orders],
            tr("sample.check.coarse"): [number(row.coarse) for row in orders],
            tr("sample.check.fine"): [number(row.fine) for row in orders],
            tr("sample.check.measured"): [f"{row.measured:.2f}" for row in orders],
            tr("sample.check.expected"): [str(row.expected) for row in orders],
        },
        border="horizontal",
        hide_index=True,
    )
    st.caption(tr("sample.check.orders_where", n=evidence.REFERENCE))
    st.markdown(tr("sample.check.likelihood", n=likelihoods[0].points))
    st.table(
        {
            "t": [number(row.t) for row in likelihoods],
            tr("sample.check.mean"): [number(row.mean) for row in likelihoods],
            tr("sample.check.largest"): [number(row.largest) for row in likelihoods],
        },
        border="horizontal",
        hide_index=True,
    )
