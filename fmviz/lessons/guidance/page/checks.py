"""Check it, for the page Guidance: identities, moments and end points, computed when opened."""

from __future__ import annotations

import math

import streamlit as st

from fmviz.app import measured
from fmviz.app.catalogue import number
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.lessons.guidance.compute import evidence, results
from fmviz.lessons.guidance.compute.results import Chosen
from fmviz.scene import scenes

__all__ = ["table"]

MOMENTS = ("E x", "E y", "E x²", "E y²")


def table(current: State) -> None:
    """The tables; a scene that has no path says why."""
    scene, which = scenes.learned_part(current.scene), results.chosen(current.scene, current.guidance)
    which = Chosen(which.label, which.scale)
    measured.show("guidance_identities", results.checks, scene, which, draw=_identities, height=190)
    measured.show("guidance_schedulers", results.scheduler_gap, scene, which, draw=_schedulers, height=60, quiet=True)
    measured.show("guidance_moments", results.moments, scene, which, draw=_moments, height=280)


def _identities(found: evidence.Checks) -> None:
    st.caption(tr("guidance.check.intro", n=found.points))
    values = {"classifier": found.classifier, "score": found.score, "ends": found.ends}
    st.table(
        {
            "": [tr(f"guidance.check.{name}") for name in values],
            tr("guidance.check.difference"): [_written(value) for value in values.values()],
        },
        border="horizontal",
        hide_index=True,
    )


def _schedulers(gap: float) -> None:
    st.markdown(tr("guidance.check.scheduler", gap=_written(gap)))


def _written(value: float) -> str:
    return tr("guidance.check.not_gaussian") if math.isnan(value) else number(value)


def _moments(found: evidence.Moments) -> None:
    st.markdown(tr("guidance.check.moments", n=found.count, effective=f"{found.effective:.0f}"))
    plain, weighted, exact, errors = zip(*found.rows, strict=True)
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
