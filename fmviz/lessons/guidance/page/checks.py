"""Check it, for the page Guidance: identities, moments and end points, computed when opened."""

from __future__ import annotations

import math

import streamlit as st

from fmviz.app.catalogue import number
from fmviz.app.choices import State
from fmviz.app.explain import explain
from fmviz.app.i18n import tr
from fmviz.cache import shared
from fmviz.errors import FmvizError, ParameterError
from fmviz.lessons.guidance.compute import evidence, results
from fmviz.lessons.guidance.compute.results import Chosen
from fmviz.scene import Scene

__all__ = ["table"]

MOMENTS = ("E x", "E y", "E x²", "E y²")


@shared
def _checks(scene: Scene, which: Chosen) -> evidence.Checks:
    return evidence.checks(results.guidance(scene, which))


@shared
def _moments(scene: Scene, which: Chosen) -> evidence.Moments | None:
    """None where the tilted distribution has no exact draws."""
    try:
        return evidence.moments(results.guidance(scene, which))
    except ParameterError:
        return None


@shared
def _gap(scene: Scene, which: Chosen) -> float:
    return evidence.scheduler_gap(results.guidance(scene, which))


def table(current: State) -> None:
    """The tables; a scene that has no path says why."""
    scene, which = current.scene, results.chosen(current.scene, current.guidance)
    which = Chosen(which.label, which.scale)
    try:
        with st.spinner(tr("guidance.measuring")):
            found, rows, gap = _checks(scene, which), _moments(scene, which), _gap(scene, which)
    except FmvizError as error:
        st.error(explain(error))
        return
    st.caption(tr("guidance.check.intro", n=found.points))
    values = {"classifier": found.classifier, "score": found.score, "ends": found.ends, "scheduler": gap}
    st.table(
        {
            "": [tr(f"guidance.check.{name}") for name in values],
            tr("guidance.check.difference"): [
                tr("guidance.check.not_gaussian") if math.isnan(value) else number(value) for value in values.values()
            ],
        },
        border="horizontal",
        hide_index=True,
    )
    if rows is None:
        st.caption(tr("guidance.check.no_moments"))
        return
    st.markdown(tr("guidance.check.moments", n=rows.count, effective=f"{rows.effective:.0f}"))
    plain, weighted, exact, errors = zip(*rows.rows, strict=True)
    st.table(
        {
            "": list(MOMENTS),
            tr("guidance.check.unweighted"): [f"{v:.3f}" for v in plain],
            tr("guidance.check.weighted"): [f"{v:.3f} ± {2 * e:.1g}" for v, e in zip(weighted, errors, strict=True)],
            tr("guidance.check.exact"): [f"{v:.3f}" for v in exact],
        },
        border="horizontal",
        hide_index=True,
    )
    st.caption(tr("guidance.check.moments_where"))
