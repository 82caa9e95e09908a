"""The player as a Streamlit component: mounted with a payload, it reports what the user did.

Events come back as state values and so survive reruns: an event is new when its ``seq`` is one not seen before
(``seq`` grows with the wall clock, so it never repeats, not even after the stage was mounted anew). See `fmviz.stage.events`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import streamlit as st

from fmviz.stage.assets import script, style
from fmviz.stage.events import StageEvents, read

__all__ = ["events", "stage"]

_MOUNT = st.components.v2.component("fmviz_stage", js=script(), css=style())


def _nothing() -> None:
    """A callback that only makes the result's attribute exist."""


def stage(
    payload: bytes,
    *,
    key: str,
    height: Literal["content", "stretch"] | int = "content",
    on_t: Callable[[], None] = _nothing,
    on_layers: Callable[[], None] = _nothing,
    on_density: Callable[[], None] = _nothing,
    on_edited: Callable[[], None] = _nothing,
    on_clicked: Callable[[], None] = _nothing,
    on_moved: Callable[[], None] = _nothing,
    on_boxed: Callable[[], None] = _nothing,
    on_shown: Callable[[], None] = _nothing,
    on_zoomed: Callable[[], None] = _nothing,
) -> StageEvents:
    """Show `payload` (of `fmviz.stage.payload.encode`) and return what the user last did.

    Args:
        payload: the same bytes again cost nothing; new bytes replace the picture and leave the user's clock and layers.
        key: names the stage on the page; a callback reads the new value with ``events(key)``.
        height: the stage knows its own height; a number of pixels makes it scroll inside.
        on_t, on_layers, on_density, on_edited, on_clicked, on_moved, on_boxed, on_shown, on_zoomed: run before the script when that
            value changed.
    """
    result = _MOUNT(
        key=key,
        data=payload,
        width="stretch",
        height=height,
        on_t_change=on_t,
        on_layers_change=on_layers,
        on_density_change=on_density,
        on_edited_change=on_edited,
        on_clicked_change=on_clicked,
        on_moved_change=on_moved,
        on_boxed_change=on_boxed,
        on_shown_change=on_shown,
        on_zoomed_change=on_zoomed,
    )
    return read(result)


def events(key: str) -> StageEvents:
    """What the user last did on the stage `key`, readable inside its callbacks."""
    state = st.session_state.get(key)
    return read(state) if isinstance(state, Mapping) else StageEvents()
