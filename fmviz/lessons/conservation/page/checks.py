"""Check it, for Conservation: residual, box and automatic differentiation, computed when opened."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from fmviz.app.catalogue import number
from fmviz.app.choices import State
from fmviz.app.explain import explain
from fmviz.app.i18n import tr
from fmviz.cache import shared
from fmviz.errors import FmvizError
from fmviz.lessons.conservation.compute import evidence, results
from fmviz.lessons.conservation.compute.evidence import Agreement
from fmviz.scene import Scene, scenes
from fmviz.theory.conservation import TermFactors

__all__ = ["table"]


@shared
def _agreement(scene: Scene) -> Agreement:
    return evidence.agreement(scenes.path(scene), scenes.sigma(scene))


def table(current: State) -> None:
    """The true equation, the chosen one beside it, and the terms against automatic differentiation."""
    scene, sides = current.scene, current.conservation.box
    chosen = results.experiment(scene, current.conservation)
    true = replace(chosen, law=TermFactors())
    try:
        with st.spinner(tr("paths.check.running")):
            found = [(results.maps(scene, e), results.box_numbers(scene, e, sides)) for e in (true, chosen)]
            apart = _agreement(scene)
    except FmvizError as error:
        st.error(explain(error))
        return
    st.caption(tr("conservation.check.intro", cells=results.CELLS, frames=results.FRAMES))
    st.table(
        {
            "": [tr("conservation.check.residual"), tr("conservation.check.box")],
            tr("conservation.check.true"): [number(found[0][0].worst), number(found[0][1].mismatch)],
            tr("conservation.check.chosen"): [number(found[1][0].worst), number(found[1][1].mismatch)],
        },
        border="horizontal",
        hide_index=True,
    )
    st.markdown(tr("conservation.check.autodiff", n=apart.points))
    st.table(
        {tr(f"conservation.check.{name}"): [number(getattr(apart, name))] for name in ("rate", "carried", "diffusion")},
        border="horizontal",
        hide_index=True,
    )
