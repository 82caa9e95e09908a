"""Check it, for probability paths: residuals of the equations and distances of the particles, computed when opened."""

from __future__ import annotations

import streamlit as st

from fmviz.app.catalogue import number
from fmviz.app.explain import explain
from fmviz.app.i18n import tr
from fmviz.cache import shared
from fmviz.clips.law_layers import LawValues
from fmviz.clips.paths import Starts
from fmviz.errors import FmvizError
from fmviz.lessons.paths.compute import evidence
from fmviz.scene import Scene, scenes
from fmviz.stage.law_check import law_check

__all__ = ["table"]


@shared
def _residuals(scene: Scene) -> evidence.Residuals:
    return evidence.residuals(scenes.path(scene), scenes.sigma(scene))


@shared
def _expected(scene: Scene) -> LawValues:
    return evidence.expected(scenes.path(scene))


@shared
def _distances(scene: Scene) -> tuple[evidence.Distances, ...]:
    return evidence.distances(
        scenes.path(scene), scenes.sigma(scene), Starts(scene.count, scene.seed_start, scene.seed_noise)
    )


def table(scene: Scene) -> None:
    """Both tables; a scene that has no path says why."""
    st.caption(tr("paths.check.intro"))
    try:
        with st.spinner(tr("paths.check.running")):
            found, rows = _residuals(scene), _distances(scene)
    except FmvizError as error:
        st.error(explain(error))
        return
    difference = law_check(_expected(scene), key=f"law_check_{abs(hash(scene))}")
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
