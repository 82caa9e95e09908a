"""Check it, for Conservation: residual, box and automatic differentiation, computed when opened."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import streamlit as st

from fmviz import scenes
from fmviz.clips import conservation_evidence
from fmviz.clips.conservation_evidence import Agreement
from fmviz.errors import FmvizError
from fmviz.specs import Scene, State
from fmviz.theory.conservation import Law
from fmviz.ui import conservation_clips
from fmviz.ui.i18n import number, tr

__all__ = ["table"]


@lru_cache(maxsize=16)
def _agreement(scene: Scene) -> Agreement:
    return conservation_evidence.agreement(scenes.path(scene), scenes.sigma(scene))


def table(current: State) -> None:
    """The true law, the chosen one beside it, and the terms against automatic differentiation."""
    scene, sides = current.scene, current.conservation.box
    chosen = conservation_clips.experiment(scene, current.conservation)
    true = replace(chosen, law=Law())
    try:
        with st.spinner(tr("paths.check.running")):
            found = [
                (conservation_clips.maps(scene, e), conservation_clips.box_numbers(scene, e, sides))
                for e in (true, chosen)
            ]
            apart = _agreement(scene)
    except FmvizError as error:
        st.error(str(error))
        return
    st.caption(tr("conservation.check.intro", cells=conservation_clips.CELLS, frames=conservation_clips.FRAMES))
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
