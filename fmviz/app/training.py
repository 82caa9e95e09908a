"""Training from the page of a lesson: the button that begins and ends runs, why none was begun, and how far each run is.

The page Train has controls of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from fmviz.app.explain import explain
from fmviz.app.i18n import tr
from fmviz.app.press import ignore_duplicate_press
from fmviz.errors import FmvizError
from fmviz.learning import RunStatus
from fmviz.learning.pool import PoolFullError

__all__ = ["button", "progress", "refuse"]


def button(
    key: str,
    name: str,
    found: Sequence[RunStatus | None],
    *,
    going_on: bool,
    start: Callable[[], None],
    cancel: Callable[[], None],
    hint: str = "",
    refused: FmvizError | None = None,
) -> None:
    """The button of some runs, outside all fragments, and below it why they cannot begin or were not begun.

    Args:
        key: of the button.
        name: what it says before the runs have begun.
        found: the runs, None for one that has not begun; when all are finished, they can be trained again.
        going_on: whether it ends them.
        start: begins them.
        cancel: ends them.
        hint: said beside the button before anything has been trained.
        refused: why these settings cannot be trained at all; the button is then disabled unless it ends the runs.
    """
    done = all(run is not None and run.state == "finished" for run in found)
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_row"):
        if going_on:
            act, text, icon = cancel, tr("training.cancel"), ":material/stop:"
        else:
            act, text, icon = start, tr("training.again") if done else name, ":material/model_training:"
        st.button(
            text,
            icon=icon,
            on_click=ignore_duplicate_press(act),
            disabled=refused is not None and not going_on,
            key=key,
        )
        if hint and not any(found) and not going_on:
            st.caption(hint)
    refused = st.session_state.pop(_refused(key), None) or refused
    if refused is not None:
        full = isinstance(refused, PoolFullError)
        st.error(tr("training.full") if full else explain(refused), icon=":material/error:")


def refuse(key: str, error: FmvizError) -> None:
    """Has the button `key` say why its runs were not begun."""
    st.session_state[_refused(key)] = error


def progress(name: str, run: RunStatus, *, begins: str = "") -> None:
    """How far a run is, or how it has ended.

    Args:
        name: of what it learns.
        run: the run.
        begins: said in place of its step before the first one.
    """
    done = {"name": name, "step": run.step, "steps": run.steps}
    if run.alive or run.state == "finished":
        st.progress(run.step / run.steps, text=begins if begins and not run.step else tr("training.step", **done))
    elif run.state == "failed":
        st.error(tr("training.failed", name=name, reason=explain(run.failure)), icon=":material/error:")
    else:
        st.caption(tr("training.cancelled", **done))


def _refused(key: str) -> str:
    return f"fmviz_refused.{key}"
