"""The controls of the page Bridges."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st
from pydantic import ValidationError

from fmviz.app import bound, state
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.app.order import picture_first
from fmviz.lessons.bridges.compute.presets import BRIDGES, bridged
from fmviz.lessons.bridges.settings import COUPLINGS, FAULTS, FIELDS, MAX_BATCH, Settings

__all__ = ["USUAL_BATCH", "controls"]

USUAL_BATCH = 256
BATCHES = tuple(2**k for k in range(MAX_BATCH.bit_length()))
TRAIN_STEPS = (100, 200, 400, 800, 1500, 3000, 6000, 12_000)
GAMMA_B = "bridges.gamma_b"
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
    _gamma_of_b(chosen)
    fields = {str(name): tr(f"bridges.field_{name}") for name in FIELDS}
    bound.segmented("bridges", "field", tr("bridges.field"), fields)
    if chosen.field == "network":
        bound.snap("bridges", "steps", tr("bridges.train_steps"), TRAIN_STEPS)


def _gamma_of_b(chosen: Settings) -> None:
    """That of A as long as nobody has moved it."""
    shown = chosen.gamma if chosen.gamma_b is None else chosen.gamma_b
    limits = (0.0, MOST_GAMMA, 0.05)
    st.slider(
        tr("bridges.gamma_b"),
        *limits[:2],
        step=limits[2],
        on_change=bound.user_change(GAMMA_B, picture_first(_take_gamma_of_b)),
        **bound.slider_value(GAMMA_B, shown, *limits),
    )


def _take_gamma_of_b() -> None:
    value = st.session_state[GAMMA_B]
    with suppress(ValidationError):  # a browser can send anything
        state.change("bridges", gamma_b=None if value == state.current().bridges.gamma else value)


def _build(name: str) -> None:
    state.put(bridged(state.current().scene, name))
