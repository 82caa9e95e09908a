"""Altair charts on a page."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from weakref import ref

import altair as alt
import pyarrow as pa
import streamlit as st

from fmviz.app import state
from fmviz.app.theme import theme
from fmviz.cache import shared
from fmviz.charts.palette import Theme
from fmviz.scene.views import Language

__all__ = ["show_altair"]

Make = Callable[[Theme], alt.LayerChart]


@dataclass(frozen=True)
class _Recipe:
    """What a chart is made of; two are the same chart if all but `make` agree."""

    key: str
    of: tuple[Hashable, ...]
    ground: Theme
    language: Language
    make: ref[Make] = field(compare=False)
    """Not held: the arrays that it draws would be kept with the chart."""


@shared
def _specification(recipe: _Recipe) -> dict[str, Any]:
    """The chart as a plain specification of Vega-Lite, which nobody may change."""
    make = recipe.make()
    assert make is not None  # `show_altair` holds it
    specification: dict[str, Any] = make(recipe.ground).to_dict(validate=False)
    return specification


def show_altair(
    make: Make,
    *,
    of: tuple[Hashable, ...],
    description: str,
    key: str,
    rows: Mapping[str, list[object]] | None = None,
    width: Literal["stretch", "content"] = "stretch",
) -> None:
    """Shows a chart; objects of Altair cost more than the rest of a page, so each chart is made once for all sessions.

    Args:
        make: makes it for a theme.
        of: everything that `make` depends on, besides theme and language; small, since it is kept with the chart.
        description: what a screen reader says.
        key: of the element.
        rows: the columns of a chart whose data are named "source"; new ones replace the old in the browser without
            drawing the chart anew.
        width: that of the page, or the chart's own.
    """
    # As a plain specification: `st.altair_chart` checks it against the schema of Vega-Lite on every run.
    specification = _specification(_Recipe(key, of, theme(), state.current().shell.language, ref(make)))
    data = None if rows is None else pa.table(dict(rows))
    st.vega_lite_chart(data, specification, width=width, alt=description, key=key, theme=None)
