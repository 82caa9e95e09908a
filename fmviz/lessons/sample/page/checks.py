"""Check it, for the page Sample: orders of the solvers, and the likelihood identity, computed when opened."""

from __future__ import annotations

import streamlit as st

from fmviz.app.catalogue import number
from fmviz.app.explain import explain
from fmviz.app.i18n import tr
from fmviz.cache import shared
from fmviz.errors import FmvizError
from fmviz.lessons.sample.compute import evidence
from fmviz.lessons.sample.compute.evidence import LikelihoodCheck, Order
from fmviz.scene import Scene, scenes

__all__ = ["table"]

TIMES = (0.5, 0.9, 1.0)


@shared
def _orders(scene: Scene) -> tuple[Order, ...]:
    return evidence.orders(scenes.path(scene))


@shared
def _likelihoods(scene: Scene) -> tuple[LikelihoodCheck, ...]:
    return tuple(evidence.likelihood_check(scenes.path(scene), t) for t in TIMES)


def table(scene: Scene) -> None:
    """Both tables; a scene that has no path says why."""
    try:
        with st.spinner(tr("sample.measuring")):
            orders, likelihoods = _orders(scene), _likelihoods(scene)
    except FmvizError as error:
        st.error(explain(error))
        return
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
