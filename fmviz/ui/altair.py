"""Altair charts on a page."""

from __future__ import annotations

import altair as alt
import streamlit as st

__all__ = ["show_altair"]


def show_altair(chart: alt.LayerChart, *, description: str, key: str) -> None:
    """Shows `chart`, `description` being what a screen reader says.

    As a plain specification: `st.altair_chart` checks it against the schema of Vega-Lite on every run, which takes
    longer than drawing the rest of the page.
    """
    st.vega_lite_chart(chart.to_dict(validate=False), width="stretch", alt=description, key=key, theme=None)
