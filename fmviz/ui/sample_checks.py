"""Check it, for the page Sample: orders of the solvers, and the likelihood identity, computed when opened."""

from __future__ import annotations

from functools import lru_cache

import streamlit as st

from fmviz import scenes
from fmviz.clips import sampler_checks
from fmviz.clips.sampler_checks import LikelihoodCheck, Order
from fmviz.errors import FmvizError
from fmviz.specs import Scene
from fmviz.ui.i18n import number, tr

__all__ = ["table"]

TIMES = (0.5, 0.9, 1.0)


@lru_cache(maxsize=16)
def _orders(scene: Scene) -> tuple[Order, ...]:
    return sampler_checks.orders(scenes.path(scene))


@lru_cache(maxsize=16)
def _likelihoods(scene: Scene) -> tuple[LikelihoodCheck, ...]:
    return tuple(sampler_checks.likelihood_check(scenes.path(scene), t) for t in TIMES)


def table(scene: Scene) -> None:
    """Both tables; a scene that has no path says why."""
    try:
        with st.spinner(tr("sample.measuring")):
            orders, likelihoods = _orders(scene), _likelihoods(scene)
    except FmvizError as error:
        st.error(str(error))
        return
    st.markdown(tr("sample.check.orders", coarse=sampler_checks.COARSE, fine=sampler_checks.FINE))
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
    st.caption(tr("sample.check.orders_where", n=sampler_checks.REFERENCE))
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
