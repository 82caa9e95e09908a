"""Check it, for Conservation: residual, box and automatic differentiation, computed when opened."""

from __future__ import annotations

import streamlit as st

from fmviz.app import measured
from fmviz.app.catalogue import number
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.lessons.conservation.compute import results
from fmviz.lessons.conservation.compute.results import Checks

__all__ = ["table"]


def table(current: State) -> None:
    """The true equation, the chosen one beside it, and the terms against automatic differentiation."""
    chosen = results.experiment(current.scene, current.conservation)
    asked = (current.scene, chosen, current.conservation.box)
    measured.show("conservation_check", results.checks, *asked, draw=_tables, height=330)


def _tables(found: Checks) -> None:
    st.caption(tr("conservation.check.intro", cells=results.CELLS, frames=results.FRAMES))
    st.table(
        {
            "": [tr("conservation.check.residual"), tr("conservation.check.box")],
            tr("conservation.check.true"): [number(found.residuals[0]), number(found.mismatches[0])],
            tr("conservation.check.chosen"): [number(found.residuals[1]), number(found.mismatches[1])],
        },
        border="horizontal",
        hide_index=True,
    )
    apart = found.agreement
    st.markdown(tr("conservation.check.autodiff", n=apart.points))
    st.table(
        {tr(f"conservation.check.{name}"): [number(getattr(apart, name))] for name in ("rate", "carried", "diffusion")},
        border="horizontal",
        hide_index=True,
    )
