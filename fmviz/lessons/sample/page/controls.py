"""The controls of the page Sample: whose field, which solver, how many steps, where they lie."""

from __future__ import annotations

import streamlit as st

from fmviz.app import bound, learned
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.app.network import Learned
from fmviz.lessons.sample.settings import FIELDS, GRIDS
from fmviz.scene.views import METHODS

__all__ = ["controls"]

STEPS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 25, 32, 40, 50, 64, 80, 100, 128, 160, 200)
SDE_STEPS = (4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1000)


def controls(current: State, found: Learned | None) -> None:
    """What the stage shows, in the sidebar."""
    learned.chooser(current.scene, found)
    if found is not None:
        bound.choose("sample", "field", tr("sample.field"), FIELDS, "sample.fields")
    bound.choose("sample", "method", tr("sample.method"), METHODS, "solver")
    bound.snap("sample", "steps", tr("sample.steps"), STEPS)
    bound.snap("sample", "sde_steps", tr("sample.sde_steps"), SDE_STEPS)
    st.caption(tr("sample.straight"))
    bound.segmented("sample", "grid", tr("sample.grid"), {name: tr(f"sample.grid_{name}") for name in GRIDS})
