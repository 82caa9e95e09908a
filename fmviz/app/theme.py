"""Whether the page is light or dark, for the charts, which cannot read the theme themselves."""

from __future__ import annotations

import streamlit as st

from fmviz.charts.palette import Theme

__all__ = ["theme"]


def theme() -> Theme:
    """The theme of the browser that this session draws for."""
    return "dark" if st.context.theme.type == "dark" else "light"
