"""Altair charts on a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import altair as alt
import pyarrow as pa
import streamlit as st

__all__ = ["prepared", "show_altair"]


def prepared(chart: alt.LayerChart) -> dict[str, Any]:
    """`chart` as a plain specification, to be made once and shown often."""
    specification: dict[str, Any] = chart.to_dict(validate=False)
    return specification


def show_altair(
    chart: alt.LayerChart | dict[str, Any],
    *,
    description: str,
    key: str,
    rows: Mapping[str, list[object]] | None = None,
    width: Literal["stretch", "content"] = "stretch",
) -> None:
    """Shows `chart`, `description` being what a screen reader says.

    As a plain specification: `st.altair_chart` checks it against the schema of Vega-Lite on every run, which takes
    longer than drawing the rest of the page. `rows` are the columns of a chart whose data are named "source"; new ones
    replace the old in the browser without drawing the chart anew.
    """
    specification = chart if isinstance(chart, dict) else prepared(chart)
    data = None if rows is None else pa.table(dict(rows))
    st.vega_lite_chart(data, specification, width=width, alt=description, key=key, theme=None)
