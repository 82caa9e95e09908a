"""The start-up settings are in force. Every test asks a process of its own: they cannot be undone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fresh import FreshProcesses


def test_torch_is_frozen_out_of_the_collector_and_has_one_thread(fresh: FreshProcesses) -> None:
    script = """
import gc, torch, fmviz.runtime as r
torch.set_num_threads(2)
print(gc.get_freeze_count(), r.prepare_process(), gc.get_freeze_count(), len(gc.get_objects()))
print(torch.get_num_threads())
"""
    before, did, frozen, seen, threads = fresh.printed(script).split()
    assert before == "0", "importing the library alone must not touch the collector"
    assert did == "True"
    assert int(frozen) > 50_000, "torch's modules alone leave far more"
    assert int(seen) < int(frozen) / 10, "what is left for gc.collect(2) to walk"
    assert threads == "1"


def test_a_second_call_does_nothing(fresh: FreshProcesses) -> None:
    script = """
import gc, fmviz.runtime as r, torch
r.prepare_process()
frozen = gc.get_freeze_count()
garbage = [[] for _ in range(1000)]
torch.set_num_threads(2)
print(r.prepare_process(), gc.get_freeze_count() - frozen, torch.get_num_threads())
"""
    assert fresh.printed(script).split() == ["False", "0", "2"]


def test_it_is_prepared_once_when_many_sessions_start_at_once(fresh: FreshProcesses) -> None:
    script = """
from concurrent.futures import ThreadPoolExecutor
import fmviz.runtime as r
with ThreadPoolExecutor(8) as pool:
    print(sum(pool.map(lambda _: r.prepare_process(), range(64))))
"""
    assert fresh.printed(script).split() == ["1"]


def test_the_app_prepares_its_process(fresh: FreshProcesses, repo_root: Path) -> None:
    """The real start-up path, without a browser."""
    if not (repo_root / "app.py").exists():
        pytest.fail("app.py is missing")
    script = """
import gc, torch
from concurrent.futures import ThreadPoolExecutor
from streamlit.testing.v1 import AppTest
torch.set_num_threads(2)
app = AppTest.from_file("app.py", default_timeout=90).run()
assert not app.exception, app.exception
with ThreadPoolExecutor(1) as another:  # as the threads of sessions do
    print(gc.get_freeze_count() > 50_000, another.submit(torch.get_num_threads).result())
"""
    assert fresh.printed(script).split()[-2:] == ["True", "1"]
