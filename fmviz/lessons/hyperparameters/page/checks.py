"""Check it, for the page Hyperparameters: the errors of the first seed once more, from independent draws."""

from __future__ import annotations

import streamlit as st

from fmviz.app import measured, state
from fmviz.app.i18n import tr
from fmviz.errors import FmvizError
from fmviz.lessons.hyperparameters.compute import evidence
from fmviz.lessons.hyperparameters.compute.plan import plan
from fmviz.lessons.hyperparameters.page import sweeps, words
from fmviz.lessons.hyperparameters.page.sweeps import POINTS

__all__ = ["table"]

HEIGHT = 470


def table() -> None:
    """One row for each network that has been trained to its end."""
    now = state.current()
    try:
        asked = plan(now.scene, now.hyperparameters)
    except FmvizError as error:
        st.error(words.explained(error), icon=":material/error:")
        return
    st.caption(tr("hyperparameters.check.intro", points=POINTS, draws=evidence.DRAWS))
    ended = sweeps.trained(asked)
    if not ended:
        st.caption(tr("hyperparameters.check.nothing"))
        return
    names = [words.cell_name(asked, cell) for cell, _ in ended]
    errors = [result.errors[-1][1] for _, result in ended]
    measured.show(
        "hyper_check",
        evidence.independent,
        tuple((cell.jobs[0][0], result.model) for cell, result in ended),
        draw=lambda found: _table(names, errors, found),
        height=HEIGHT,
    )


def _table(names: list[str], errors: list[float], found: tuple[tuple[float, float], ...]) -> None:
    st.table(
        {
            tr("hyperparameters.map.cell"): names,
            tr("hyperparameters.check.page"): [words.percent(error) for error in errors],
            tr("hyperparameters.check.draws"): [f"{words.percent(m)} ± {words.percent(2 * e)}" for m, e in found],
        },
        border="horizontal",
        hide_index=True,
    )
