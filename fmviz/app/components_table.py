"""The components of a mixture as a table of numbers: the same edits as on the stage, for those who type."""

from __future__ import annotations

from typing import Any, cast

import pandas as pd
import streamlit as st
from pydantic import ValidationError

from fmviz.app import state
from fmviz.app.explain import explain_row
from fmviz.app.i18n import tr
from fmviz.app.order import picture_first
from fmviz.scene import Component, scenes
from fmviz.scene.components import MAX_COMPONENTS
from fmviz.scene.scene import MixtureName

__all__ = ["components_table"]

NUMBERS = ("weight", "x", "y", "xx", "xy", "yy")
WHICH, WRONG, TURN = "components_which", "fmviz_components_wrong", "fmviz_components_turn"


def components_table() -> None:
    """An expander with the editable table; it is drawn only while open."""
    expander = st.expander(tr("scene.table"), icon=":material/table:", on_change="rerun", key="components_open")
    if not expander.open:
        return
    with expander:
        st.caption(tr("scene.table_help"))
        choice = st.segmented_control(
            tr("scene.table_which"),
            ["data", "init"],
            default="data",
            format_func={"data": tr("scene.data"), "init": tr("scene.init")}.__getitem__,
            key=WHICH,
            label_visibility="collapsed",
            required=True,
        )
        _table(cast(MixtureName, choice))


def _table(which: MixtureName) -> None:
    rows = scenes.components(state.current().scene, which)
    turn = st.session_state.get(TURN, 0)
    key = f"components_{which}_{turn}_{abs(hash(rows))}"
    frame = pd.DataFrame([_row(c, which) for c in rows])
    config = {
        name: st.column_config.NumberColumn(tr(f"scene.column_{name}"), format="%.4g", required=True)
        for name in NUMBERS
    }
    config["label"] = st.column_config.NumberColumn(
        tr("scene.column_label"), help=tr("scene.column_label_help"), min_value=0, max_value=MAX_COMPONENTS - 1, step=1
    )
    st.data_editor(
        frame,
        key=key,
        column_config=config,
        num_rows="dynamic",
        hide_index=True,
        on_change=picture_first(_take, which, key, rows),
        height="content",
    )
    if wrong := st.session_state.pop(WRONG, None):
        st.error(wrong)


def _take(which: MixtureName, key: str, rows: tuple[Component, ...]) -> None:
    """Applies the edits of the table; rows that are not complete yet wait, wrong ones are explained."""
    edits: dict[str, Any] = st.session_state[key]
    kept = [_row(c, which) for c in rows]
    for index, change in edits["edited_rows"].items():
        kept[int(index)].update(change)
    deleted = {int(i) for i in edits["deleted_rows"]}
    kept = [row for i, row in enumerate(kept) if i not in deleted]
    complete = [row for row in edits["added_rows"] if all(row.get(name) is not None for name in NUMBERS)]
    if len(complete) < len(edits["added_rows"]):
        return
    try:
        components = tuple(
            Component(**{name: row.get(name) for name in (*NUMBERS, "label")}) for row in kept + complete
        )
    except ValidationError as error:
        _refuse(explain_row(error))
        return
    if not 1 <= len(components) <= MAX_COMPONENTS:
        _refuse(tr("scene.table_count", most=MAX_COMPONENTS))
        return
    state.put(state.current().scene.with_mixture(which, components))


def _row(component: Component, which: MixtureName) -> dict[str, float | int | None]:
    """A row of the table; only components of p_data have a label."""
    numbers: dict[str, float | int | None] = dict(zip(NUMBERS, component.row(), strict=True))
    return numbers | {"label": component.label} if which == "data" else numbers


def _refuse(why: str) -> None:
    """Keeps the mixture; the table is drawn anew with its rows, and says why."""
    st.session_state[WRONG] = why
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1
