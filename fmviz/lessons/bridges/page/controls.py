"""The controls of the page Bridges."""

from __future__ import annotations

import streamlit as st

from fmviz.app import bound, state
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.app.order import picture_first
from fmviz.lessons.bridges.compute.presets import BRIDGES, bridged
from fmviz.lessons.bridges.settings import COUPLINGS, FAULTS, MAX_BATCH

__all__ = ["USUAL_BATCH", "controls"]

USUAL_BATCH = 256
BATCHES = tuple(2**k for k in range(MAX_BATCH.bit_length()))
MOST_GAMMA, MOST_REGULARISATION = 2.0, 2.0


def controls(current: State) -> None:
    """What the stage shows, in the sidebar."""
    chosen = current.bridges
    with st.popover(tr("bridges.presets"), icon=":material/route:", key="bridges_presets", width="stretch"):
        for name in BRIDGES:
            st.button(
                tr(f"bridges.preset.{name}"),
                key=f"bridge_{name}",
                on_click=picture_first(_build, name),
                width="stretch",
                type="tertiary",
            )
    bound.choose("bridges", "a", tr("bridges.a"), COUPLINGS, "bridges.couplings")
    bound.choose("bridges", "b", tr("bridges.b"), COUPLINGS, "bridges.couplings")
    shown = {chosen.a, chosen.b}
    if shown & {"exact", "sinkhorn"}:
        bound.snap("bridges", "batch", tr("bridges.batch"), BATCHES)
    if "sinkhorn" in shown:
        bound.slide("bridges", "regularisation", tr("bridges.regularisation"), 0.01, MOST_REGULARISATION, 0.01)
    if any(name.startswith("reflow") for name in shown):
        bound.choose("bridges", "fault", tr("bridges.fault"), FAULTS, "bridges.faults")
    bound.slide("bridges", "gamma", tr("bridges.gamma"), 0.0, MOST_GAMMA, 0.05)


def _build(name: str) -> None:
    state.put(bridged(state.current().scene, name))
