"""Check it, for the page Noise: moments, variations, identities and the long run of Langevin, computed when opened."""

from __future__ import annotations

import streamlit as st

from fmviz.app import measured
from fmviz.app.catalogue import number
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.lessons.noise.compute import results
from fmviz.lessons.noise.compute.results import Checks
from fmviz.theory.processes import OrnsteinUhlenbeck

__all__ = ["table"]


def table(current: State) -> None:
    """All tables; a scene that cannot be drawn says why."""
    of = results.process(current.noise)
    asked = (current.scene, of, current.noise.start[0])
    measured.show("noise_check", results.checks, *asked, draw=lambda found: _tables(of, found), height=820)


def _tables(of: OrnsteinUhlenbeck, found: Checks) -> None:
    rows, grids, same, runs = found.rows, found.grids, found.identities, found.long_runs
    st.markdown(tr("noise.check.ou", theta=number(of.theta), sigma=number(of.sigma)))
    st.table(
        {
            "t": [number(row.t) for row in rows],
            tr("noise.check.mean"): [f"{row.mean:.4f}" for row in rows],
            tr("noise.check.mean_exact"): [f"{row.mean_exact:.4f} ± {row.mean_error:.4f}" for row in rows],
            tr("noise.check.variance"): [f"{row.variance:.4f}" for row in rows],
            tr("noise.check.variance_exact"): [f"{row.variance_exact:.4f} ± {row.variance_error:.4f}" for row in rows],
        },
        border="horizontal",
        hide_index=True,
    )
    st.markdown(tr("noise.check.variation"))
    st.table(
        {
            "n": [str(row.steps) for row in grids],
            "Σ |ΔW|²": [f"{row.quadratic:.4f}" for row in grids],
            tr("noise.check.one"): [f"1 ± {row.quadratic_error:.4f}" for row in grids],
            "Σ |ΔW|": [f"{row.length:.3f}" for row in grids],
            "√(2n/π)": [f"{row.length_exact:.3f}" for row in grids],
        },
        border="horizontal",
        hide_index=True,
    )
    st.markdown(tr("noise.check.identities"))
    st.table(
        {
            tr("noise.check.ode"): [number(same.ode)],
            tr("noise.check.langevin"): [number(same.langevin)],
            tr("noise.check.collapse"): [number(same.collapse)],
        },
        border="horizontal",
        hide_index=True,
    )
    st.markdown(tr("noise.check.long", time=number(runs[0].time), steps=runs[0].steps))
    st.table(
        {
            tr("noise.start"): [tr(f"noise.starts.{run.start}") for run in runs],
            tr("noise.check.distance"): [number(run.distance) for run in runs],
            tr("noise.check.floor"): [number(run.floor) for run in runs],
            tr("noise.check.ratio"): [number(run.distance / run.floor) for run in runs],
        },
        border="horizontal",
        hide_index=True,
    )
    st.caption(tr("noise.check.long_where"))
