"""The controls and the numbers of the page Conservation."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fmviz.app import bound, state
from fmviz.app.altair import show_altair
from fmviz.app.catalogue import number
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.errors import FmvizError
from fmviz.lessons.conservation.charts import table as terms_table
from fmviz.lessons.conservation.charts import terms as terms_chart
from fmviz.lessons.conservation.compute import results
from fmviz.lessons.conservation.settings import BREAKS, KINDS, LAWS, NORMS, Settings
from fmviz.stage.events import Boxed, Moved

__all__ = ["boxed", "controls", "derivation", "moved", "numbers"]

SIDES = ("left", "right", "bottom", "top")
STEPS = {
    "marginal": ("rate", "total", "transport", "residual"),
    "sde": ("transport", "diffusion", "score_transport", "residual"),
}
"""The map that each step of the two derivations is tied to."""


def controls(chosen: Settings) -> None:
    """Whose path, which law, and what is wrong with it on purpose."""
    scoreless = chosen.law == "continuity" and chosen.broken != "score"
    breaks = tuple(name for name in BREAKS if not (scoreless and name == "score"))
    for field, options in (("kind", KINDS), ("law", LAWS), ("broken", breaks)):
        texts = {str(name): tr(f"conservation.{field}.{name}") for name in options}
        bound.segmented("conservation", field, tr(f"conservation.{field}_label"), texts)


def moved(event: Moved) -> None:
    """Writes a dragged z."""
    if event.name == "z":
        state.change("conservation", z=(event.x, event.y))


def boxed(event: Boxed) -> None:
    """Writes a moved or resized box."""
    state.change("conservation", box=(event.x0, event.x1, event.y0, event.y1))


def numbers(current: State) -> None:
    """The box and the maps in numbers, where the clock was last stopped; a scene without a picture has none."""
    if current.shell.present:
        return
    what = results.experiment(current.scene, current.conservation)
    frame = round(current.clock.t * (results.FRAMES - 1))
    try:
        found = results.maps(current.scene, what)
        box = results.box_numbers(current.scene, what, current.conservation.box)
    except FmvizError:
        return
    t = number(frame / (results.FRAMES - 1))
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.subheader(tr("conservation.box.title", t=t), anchor=False)
        _box_table(box.mass[frame], box.rate[frame], box.inflow[frame], box.flux[frame])
    with right:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(tr("conservation.sizes.title"), anchor=False)
            texts = {str(name): tr(f"conservation.norm.{name}") for name in NORMS}
            bound.segmented("conservation", "norm", tr("conservation.norm_label"), texts, collapsed=True)
        language, broken = current.shell.language, current.conservation.broken
        titles = {name: results.title(name, broken, language) for name in found.values}
        sizes = found.largest if current.conservation.norm == "max" else found.integrals
        shown = {name: size for name, size in sizes.items() if np.nanmax(size) > 0}  # what was dropped has no logarithm
        named = {name: titles[name] for name in shown}
        show_altair(
            lambda ground: terms_chart(named, ground, height=230),
            of=(tuple(named.items()),),
            rows=terms_table(found.grid.times().numpy(), shown, named, current.clock.t),
            description=tr("conservation.sizes.alt"),
            key="conservation_sizes",
        )
        title = tr("conservation.sizes.table", t=t)
        table = st.expander(title, icon=":material/table:", on_change="rerun", key="conservation_sizes_table")
        if table.open:
            table.table(
                {
                    tr("conservation.sizes.map"): list(titles.values()),
                    tr("conservation.norm.max"): [_number(found.largest[name][frame]) for name in titles],
                    tr("conservation.norm.l1"): [_number(found.integrals[name][frame]) for name in titles],
                },
                border="horizontal",
                hide_index=True,
            )


def _box_table(mass: float, rate: float, inflow: float, flux: NDArray[np.float64]) -> None:
    rows = {"mass": mass, "rate": rate, "inflow": inflow, "mismatch": abs(rate - inflow)}
    st.table(
        {
            "": [tr(f"conservation.box.{name}") for name in rows],
            tr("conservation.box.value"): [_number(value) for value in rows.values()],
        },
        border="horizontal",
        hide_index=True,
    )
    outward = {tr(f"conservation.box.{side}"): [_number(value)] for side, value in zip(SIDES, flux, strict=True)}
    st.markdown(tr("conservation.box.outward"))
    st.table(outward, border="horizontal", hide_index=True)
    st.caption(tr("conservation.box.claim"))


def _number(value: float) -> str:
    return number(float(value)) if np.isfinite(value) else "–"


def derivation(current: State) -> None:
    """T16 and T21 in four short steps each, every step beside the map that shows it."""
    if current.shell.present:
        return
    language = current.shell.language
    for part, column in zip(STEPS, st.columns(2, gap="large"), strict=True):
        with column:
            st.subheader(tr(f"conservation.derivation.{part}_title"), anchor=False)
            for i, name in enumerate(STEPS[part], start=1):
                st.markdown(f"{i}. {tr(f'conservation.derivation.{part}_{i}')}")
                st.caption(tr("conservation.derivation.map", map=results.title(name, "none", language)))
