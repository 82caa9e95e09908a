"""The training runs of this process and of each session: one pool for all, and what a session's runs have learned.

The Train lesson starts and steers the runs; any page may use the network of the latest one.
"""

from __future__ import annotations

import atexit
from contextlib import suppress

import streamlit as st

from fmviz.app import state
from fmviz.learning import RunStatus, TrainingPool, TrainSpec
from fmviz.learning.pool import UnknownRunError
from fmviz.runtime import cores, prepare_process
from fmviz.scene import Scene, scenes

__all__ = ["RUNS", "Key", "pool", "runs", "trained"]

RUNS = "fmviz_runs"
MOST_WORKERS = 4

Key = tuple[Scene, TrainSpec]
"""What a run belongs to: what it learns from, as `scenes.learned_part` gives it, and its settings."""


@st.cache_resource(show_spinner=False)
def pool() -> TrainingPool:
    """The one pool of this process, made once torch has its thread count. One core is left for the server, and on a large
    machine the interpreter as well: its threads take turns with these."""
    prepare_process()
    made = TrainingPool(workers=max(1, min(MOST_WORKERS, cores() - 1)))
    atexit.register(made.close)  # a thread killed inside torch takes the whole process down with it
    return made


def runs() -> dict[Key, int]:
    """The runs of this session by what they belong to, the oldest first."""
    found: dict[Key, int] = st.session_state.setdefault(RUNS, {})
    return found


def trained() -> RunStatus | None:
    """The latest run of this session that has learned something about the present scene."""
    scene = scenes.learned_part(state.current().scene)
    for (learned_from, _), run_id in reversed(runs().items()):
        if learned_from == scene:
            with suppress(UnknownRunError):
                run = pool().status(run_id)
                if run.model is not None and run.step > 0:
                    return run
    return None
