"""Check it, for the page Bridges: the laws of the exact bridge, and that ODE and SDE carry one law."""

from __future__ import annotations

import streamlit as st

from fmviz.app import measured
from fmviz.app.catalogue import number
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.lessons.bridges.compute import checks, results
from fmviz.lessons.bridges.compute.checks import Checked

__all__ = ["table"]


def table(current: State) -> None:
    """Both tables."""
    asked = (results.plain(current.scene), current.bridges.gamma)
    measured.show("bridges_check", checks.checked, *asked, draw=_tables, height=420)


def _tables(found: Checked) -> None:
    st.markdown(tr("bridges.check.laws", n=checks.POINTS))
    laws = {
        tr("bridges.check.continuity"): number(found.continuity),
        tr("bridges.check.fokker_planck", sigma=number(checks.SIGMA)): number(found.fokker_planck),
        tr("bridges.check.score"): number(found.score),
    }
    st.table(
        {tr("bridges.check.what"): list(laws), tr("bridges.check.residual"): list(laws.values())},
        border="horizontal",
        hide_index=True,
    )
    st.markdown(tr("bridges.check.one_law", n=checks.PARTICLES, sigma=number(checks.SIGMA)))
    st.table(
        {
            "t": [number(t) for t in checks.TIMES],
            "ODE": [number(v) for v in found.ode],
            "SDE": [number(v) for v in found.sde],
            tr("bridges.check.floor"): [number(v) for v in found.floor],
        },
        border="horizontal",
        hide_index=True,
    )
