"""What the feed of a training run answers: progress, the rows of the charts, and the stage when another network is on it."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from fmviz.app import state
from fmviz.app.feed import Answer, Feed, packed
from fmviz.clips.learned import LIVE
from fmviz.errors import FmvizError
from fmviz.learning import RunStatus
from fmviz.lessons.train.compute import results
from fmviz.lessons.train.page import charts, training
from fmviz.lessons.train.page.progress import told
from fmviz.scene import scenes
from fmviz.stage.payload import View

__all__ = ["moving", "served", "silent"]

FEED = "fmviz_train_feed"
SILENCE = 5.0
"""Seconds after which a browser that asks nothing is taken not to reach the feed."""


def moving(run: RunStatus | None) -> bool:
    """Whether the run goes on, so that there is something to follow."""
    return run is not None and run.state in ("queued", "running")


def served(run: RunStatus, view: View) -> str:
    """Lets this session's feed follow `run`, shown as the page is now. Returns its path."""
    feed = _feed()
    feed.serve(_answer(run, view))
    return feed.path


def silent() -> bool:
    """Whether the browser does not ask: the page then has to follow by itself."""
    return _feed().silent_for() > SILENCE


def _feed() -> Feed:
    if FEED not in st.session_state:
        st.session_state[FEED] = Feed()
    feed: Feed = st.session_state[FEED]
    return feed


def _answer(run: RunStatus, view: View) -> Answer:
    now, read = state.current(), training.reader(run)
    scene, language, steps = scenes.learned_part(now.scene), now.shell.language, now.train.steps

    def answer(tag: str) -> bytes | None:
        run = read()
        if not moving(run):
            return packed({"ended": True})
        assert run is not None
        seen = training.kept(run, now.train)
        if seen is None:
            return packed({"tag": "", **told(run, steps, language)})
        at, shown = f"{run.id}-{run.step}", "-".join(map(str, seen.stamp))
        before = tag.partition("/")
        if before[0] == at:
            return None
        header = {"tag": f"{at}/{shown}", **told(run, steps, language)}
        with suppress(FmvizError):
            if not now.shell.present:
                reports = training.reports(run, now.train, scene), (seen.step, training.report(scene, seen.model))
                header["rows"] = charts.tables(run, *reports, steps, language)
            if before[2] != shown:
                return packed(header, results.payload(now.scene, seen.model, LIVE, view, language))
        return packed(header)

    return answer
