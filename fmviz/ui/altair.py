"""Altair charts on a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pyarrow as pa
import streamlit as st

__all__ = ["prepared", "show_altair"]

ROWS = "rows"


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
) -> None:
    """Shows `chart`, `description` being what a screen reader says.

    As a plain specification: `st.altair_chart` checks it against the schema of Vega-Lite on every run, which takes
    longer than drawing the rest of the page. `rows` are the columns of a chart that was made without data; new ones
    replace the old in the browser without drawing the chart anew.
    """
    specification = chart if isinstance(chart, dict) else prepared(chart)
    if rows is not None:
        specification = specification | {"data": {"name": ROWS}, "datasets": {ROWS: _arrow(rows)}}
    st.vega_lite_chart(specification, width="stretch", alt=description, key=key, theme=None)


def _arrow(rows: Mapping[str, list[object]]) -> bytes:
    """The columns as Streamlit sends a table, without its detour through pandas."""
    table = pa.table(dict(rows))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())
