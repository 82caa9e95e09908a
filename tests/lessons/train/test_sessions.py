"""Many sessions that train: all of them progress, and what they leave behind is let go of."""

import gc
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType

import pytest
from streamlit.testing.v1 import AppTest

from fmviz.app import runs
from fmviz.learning import RunStatus
from tests.installed import scan_once


@pytest.fixture
def patient_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions without a browser are there only when they are run, and many take a while to be run in turn."""
    monkeypatch.setattr(runs.pool(), "_owner_timeout", 600.0)


def a_session_that_trains() -> None:
    """What a page does when its owner presses the button, and then every time its clock ticks."""
    import streamlit as st

    from fmviz.app import state
    from fmviz.lessons.train.page import training

    if "seed" not in st.session_state:
        return
    if "started" not in st.session_state:
        st.session_state["started"] = True
        state.change("scene", seed_network=st.session_state["seed"])
        state.change("train", batch_size=64, **st.session_state["settings"])
        training.start()
    st.session_state["run"] = training.status(heartbeat=True)
    st.session_state["refused"] = training.refusal()


def session(seed: int, steps: int, width: int = 16, depth: int = 2) -> AppTest:
    app = AppTest.from_function(a_session_that_trains, default_timeout=60)
    app.session_state["seed"], app.session_state["settings"] = seed, {"steps": steps, "width": width, "depth": depth}
    app.run()
    assert not app.exception
    return app


def look(app: AppTest) -> RunStatus:
    app.run()
    return app.session_state["run"]


@pytest.mark.usefixtures("patient_pool")
def test_thirty_sessions_all_progress():
    sessions = [session(seed, 100_000) for seed in range(30)]
    waiting, deadline = sessions, time.monotonic() + 100
    while waiting:
        assert time.monotonic() < deadline, len(waiting)
        time.sleep(0.1)
        waiting = [app for app in waiting if look(app).step < 20]
    losses = {round(look(app).kept[0].report.velocity.total, 9) for app in sessions}
    assert len(losses) == 30, "each trains its own network"
    for app in sessions:
        runs.pool().forget(app.session_state["run"].id)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_memory_is_flat_over_a_hundred_runs_of_sessions(monkeypatch):
    """Of networks of the default size: one run keeps two megabytes of snapshots, and lets go of it once its session is gone.

    In a process of its own: what other tests left in the allocator's hands would be measured as well.
    """
    monkeypatch.setenv("FMVIZ_CACHE_MIB", "8")  # full after the first runs
    # Another test of this process may have left the script of its `AppTest` there, which the child would run.
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
        assert fresh.submit(bytes_left_by_sixty_runs).result() < 60 << 20, "half of what they keep"


def bytes_left_by_sixty_runs() -> int:
    """By how much this process grows over sixty runs, after forty that fill its caches."""
    runs.pool()._ended_timeout = 1.0
    scan_once()

    def resident_after(seeds: range) -> int:
        for seed in seeds:
            app = session(seed, 20, width=64, depth=4)
            while look(app).alive:
                time.sleep(0.005)
            assert app.session_state["run"].state == "finished"
        del app
        while runs.pool()._runs:
            time.sleep(0.05)
        gc.collect()
        return resident()

    before = resident_after(range(40))
    return resident_after(range(40, 100)) - before


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
