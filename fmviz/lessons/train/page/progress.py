"""The line of progress of a training run. While the run moves, the browser keeps it, the stage and the charts up to date
from a feed (`fmviz.app.feed`), and says when the run has ended."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from statistics import fmean
from typing import Any

import streamlit as st

from fmviz.app.catalogue import number, translate
from fmviz.learning import RunStatus
from fmviz.scene.views import Language

__all__ = ["FEED_NAME", "progress", "told"]

RECENT = 16
"""Number of points of the loss history whose mean is shown."""
FEED_NAME = "train"
"""The name under which the stage takes pictures from the feed."""
EVERY_MS = 230
"""Milliseconds from one request of the browser to the next."""


@cache
def _file(name: str) -> str:
    return (files("fmviz.lessons.train.page") / "js" / name).read_text(encoding="utf-8")


_MOUNT = st.components.v2.component("fmviz_progress", js=_file("progress.js"), css=_file("progress.css"))


def told(run: RunStatus | None, steps: int, language: Language) -> dict[str, Any]:
    """How far `run` is, as "text" and as "fraction" of its steps; `steps` is what is planned where there is none yet."""
    if run is None:
        return {"text": translate(language, "train.progress_none", steps=steps), "fraction": 0.0}
    parts = [
        translate(language, f"train.state.{run.state}"),
        translate(language, "train.progress_step", step=run.step, steps=run.steps),
    ]
    if run.place is not None:
        parts.append(translate(language, "train.progress_place", place=run.place))
    if run.history:
        recent = [loss for _, loss in run.history[-RECENT:]]  # the same for the same step, however the turns fell
        parts.append(translate(language, "train.progress_loss", loss=number(fmean(recent))))
    if run.steps_per_second > 0:
        parts.append(translate(language, "train.progress_speed", speed=f"{run.steps_per_second:.0f}"))
    if run.eta_seconds is not None:
        parts.append(translate(language, "train.progress_left", seconds=f"{run.eta_seconds:.0f}"))
    return {"text": " · ".join(parts), "fraction": min(1.0, run.step / run.steps)}


def progress(run: RunStatus | None, steps: int, language: Language, feed: str | None) -> None:
    """Shows it; with the path of a `feed`, until that says that it has ended, when the surrounding fragment runs."""
    data = told(run, steps, language) | {"feed": feed, "every": EVERY_MS, "name": FEED_NAME}
    _MOUNT(key="train_progress", data=data, on_ended_change=lambda: None)
