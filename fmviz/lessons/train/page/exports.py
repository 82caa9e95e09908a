"""What can be downloaded from a run: the checkpoint, the loss, and a script of exactly this run. Made on request."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from fmviz.app import state
from fmviz.app.catalogue import number
from fmviz.app.i18n import tr
from fmviz.learning import RunStatus, checkpoint, training_script
from fmviz.lessons.train.page import training
from fmviz.lessons.train.settings import WeightsName
from fmviz.scene import scenes
from fmviz.theory import ProbabilityPath

__all__ = ["exports", "script"]

WAIT = 1.0
"""Seconds between two checks of a run that has had no turn yet."""
MIME = {"checkpoint": "application/octet-stream", "csv": "text/csv", "script": "text/x-python"}


def exports(run: RunStatus | None) -> None:
    """Three buttons; what needs a trained network waits for one. The files are made in a thread that knows no session."""
    now = state.current()
    if now.shell.present:
        return
    run = training.reader(run)()  # a run that had just begun when the page did has mostly had its first turn by now
    path, latest, weights = scenes.path(now.scene), training.reader(run), now.train.weights
    spec = training.run_spec() if run is None else run.spec
    untrained = run is None or run.model is None
    with st.container(horizontal=True, vertical_alignment="center", key="train_exports"):
        _button("checkpoint", "fmviz.safetensors", lambda: _checkpoint(path, latest(), weights), disabled=untrained)
        _button("csv", "loss.csv", lambda: _csv(latest()), disabled=untrained)
        _button("script", "train.py", lambda: training_script(path, training.spec_of(spec, weights)))
        if spec.ema > 0.0:
            st.caption(tr(f"train.export.weights.{weights}"))
        if run is not None and run.rate_changed:
            st.caption(tr("train.export.rate", rate=number(spec.learning_rate)))
        if training.trained_on(run):
            st.caption(tr("train.export.trained_on"))
    if _waiting(run):
        st.fragment(_first_turn, run_every=WAIT)()


def _waiting(run: RunStatus | None) -> bool:
    """Whether the first turn of a run is still to come."""
    return run is not None and run.alive and run.model is None


def _first_turn() -> None:
    """Has the page offer the files once there is something to put into them: no elements, and gone after that."""
    if not _waiting(training.status()):
        st.rerun()


def script() -> str:
    """PyTorch alone, the same draws, the same weights."""
    run, now = training.status(), state.current()
    spec = training.run_spec() if run is None else run.spec
    return training_script(scenes.path(now.scene), training.spec_of(spec, now.train.weights))


def _button(what: str, file: str, content: Callable[[], str | bytes], *, disabled: bool = False) -> None:
    st.download_button(
        tr(f"train.export.{what}"),
        content,
        file,
        MIME[what],
        icon=":material/download:",
        key=f"train_export_{what}",
        help=tr(f"train.export.{what}_help"),
        disabled=disabled,
        on_click="ignore",
    )


def _checkpoint(path: ProbabilityPath, run: RunStatus | None, weights: WeightsName) -> bytes:
    assert run is not None, "offered only then"
    model = training.chosen(run, weights)
    assert model is not None, "offered only then"
    return checkpoint.to_bytes(model, training.spec_of(run.spec, weights), path, run.step)


def _csv(run: RunStatus | None) -> str:
    rows = [f"{step},{loss:.8g}" for step, loss in enumerate(run.losses.tolist(), 1)] if run else []
    return "\n".join(["step,loss", *rows, ""])
