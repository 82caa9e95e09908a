"""Check it, for probability paths: residuals of the equations and distances of the particles, computed when opened."""

from __future__ import annotations

import streamlit as st

from fmviz.app import measured
from fmviz.app.catalogue import number
from fmviz.app.i18n import tr
from fmviz.lessons.paths.compute import results
from fmviz.lessons.paths.compute.evidence import Checks
from fmviz.scene import Scene
from fmviz.stage.law_check import law_check

__all__ = ["table"]


def table(scene: Scene) -> None:
    """Both tables; a scene that has no path says why."""
    st.caption(tr("paths.check.intro"))
    measured.show("paths_check", results.checks, scene, draw=lambda found: _tables(scene, found), height=430)


def _tables(scene: Scene, checks: Checks) -> None:
    found, rows = checks.residuals, checks.distances
    difference = law_check(checks.expected, key=f"law_check_{abs(hash(scene))}")
    st.table(
        {tr(f"paths.check.{name}"): [number(getattr(found, name))] for name in ("continuity", "fokker_planck", "score")}
        | {tr("paths.check.browser"): ["…" if difference is None else number(difference)]},
        border="horizontal",
    )
    st.caption(tr("paths.check.residuals_where", n=found.points))
    st.markdown(tr("paths.check.distances", n=scene.count), help=tr("paths.check.distances_help"))
    st.table(
        {
            tr("paths.check.column_t"): [number(row.t) for row in rows],
            tr("paths.check.column_ode"): [number(row.ode) for row in rows],
            tr("paths.check.column_sde"): [number(row.sde) for row in rows],
            tr("paths.check.column_floor"): [number(row.floor) for row in rows],
        },
        border="horizontal",
    )
