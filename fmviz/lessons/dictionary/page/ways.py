"""Where the ways back end, on the page Dictionary: how far from the data, beside what exact samples give."""

from __future__ import annotations

import streamlit as st

from fmviz.app.catalogue import number
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.app.network import Learned
from fmviz.lessons.dictionary.compute import results

__all__ = ["show"]


def show(current: State, network: Learned | None) -> None:
    """The table of distances."""
    floor, found = results.way_distances(current, network)
    st.subheader(tr("dictionary.ends"), anchor=False)
    st.table(
        {
            "": [*(title for title, _ in found), tr("dictionary.floor")],
            tr("dictionary.sliced"): [*(number(distance) for _, distance in found), number(floor)],
        },
        border="horizontal",
        hide_index=True,
    )
    st.caption(tr("dictionary.ends_claim", n=current.scene.count, pairs=results.PAIRS))
    if network is None:
        st.caption(tr("dictionary.no_network"))
