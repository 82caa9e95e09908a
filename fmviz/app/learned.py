"""The learned field of a session, for the pages that use one: trained on the page Train, or read from a checkpoint.

A network belongs to the scene that it was trained on. A checkpoint of another scene is kept, and can be gone to.
"""

from __future__ import annotations

import hashlib
import logging
from functools import partial
from typing import Literal

import streamlit as st

from fmviz.app import runs, state
from fmviz.app.i18n import tr
from fmviz.app.network import Learned
from fmviz.errors import FmvizError
from fmviz.learning import checkpoint
from fmviz.learning.checkpoint import Checkpoint, CheckpointError, Kind
from fmviz.scene import Scene, scenes
from fmviz.scene.known import same_path, scene_from_path

__all__ = ["chooser", "latest"]

_log = logging.getLogger(__name__)

UPLOADED, PROBLEM = "fmviz_checkpoint", "fmviz_checkpoint_problem"
COUPLED: Literal["coupled"] = "coupled"
"""The problem with a network whose field is not that of any scene: of coupled pairs, or with noise in between."""


def latest(scene: Scene) -> Learned | None:
    """The network of this session for `scene`, if there is one: the checkpoint if it fits."""
    kept: tuple[str, Checkpoint] | None = st.session_state.get(UPLOADED)
    if kept is not None and fits(scene, kept[1]):
        stamp, read = kept
        again = partial(checkpoint.to_bytes, read.model, read.spec, read.path, read.step)
        return Learned((stamp, read.step), read.step, "file", read.model, again)
    run = runs.trained()
    if run is not None and run.model is not None and scene == state.current().scene:
        write = partial(checkpoint.to_bytes, run.model, run.spec, scenes.path(scene), run.step)
        return Learned((f"run {run.id}", run.step), run.step, "trained", run.model.to("cpu"), write)
    return None


def fits(scene: Scene, found: Checkpoint) -> bool:
    """Whether a checkpoint was trained on the distributions and the scheduler of `scene`."""
    try:
        return same_path(scenes.path(scene), found.path)
    except FmvizError:
        return False


def chooser(scene: Scene, found: Learned | None) -> None:
    """A popover that says which network is shown, reads a checkpoint, and leads to its scene."""
    label = tr("learned.none") if found is None else tr(f"learned.{found.source}", step=found.step)
    menu = st.popover(label, icon=":material/neurology:", on_change="rerun", key="learned")
    if not menu.open:
        return
    with menu:
        st.caption(tr("learned.what"))
        st.file_uploader(
            tr("learned.upload"), type=None, key="checkpoint", on_change=_uploaded, help=tr("learned.upload_help")
        )
        problem: Kind | Literal["coupled"] | None = st.session_state.get(PROBLEM)
        if problem is not None:
            reason = tr(f"learned.problem.{problem}")
            st.error(tr("learned.refused", reason=reason), icon=":material/error:")
        kept: tuple[str, Checkpoint] | None = st.session_state.get(UPLOADED)
        if kept is not None and not fits(scene, kept[1]):
            st.warning(tr("learned.elsewhere"), icon=":material/swap_horiz:")
            origin = scene_from_path(kept[1].path, scene)
            if origin is not None:
                st.button(tr("learned.go"), key="checkpoint_scene", on_click=state.put, args=(origin,))
        if found is not None:
            st.download_button(
                tr("learned.download"),
                found.file,
                "fmviz.safetensors",
                icon=":material/download:",
                key="checkpoint_download",
                on_click="ignore",
            )
        if kept is not None:
            st.button(tr("learned.forget"), type="tertiary", key="checkpoint_forget", on_click=_forget)


def _uploaded() -> None:
    """Takes what was uploaded if it is the network of a scene, and otherwise says what is wrong; nothing in the file is run."""
    file = st.session_state["checkpoint"]
    if file is None:
        return
    data = file.getvalue()
    try:
        found = checkpoint.from_bytes(data)
    except CheckpointError as error:
        _log.info("an uploaded file was refused: %s", error)
        st.session_state[PROBLEM] = error.kind
        return
    if found.spec.own_quantity_only:
        st.session_state[PROBLEM] = COUPLED
        return
    st.session_state.pop(PROBLEM, None)
    st.session_state[UPLOADED] = (hashlib.sha256(data).hexdigest(), found)


def _forget() -> None:
    st.session_state.pop(UPLOADED, None)
    st.session_state.pop(PROBLEM, None)
