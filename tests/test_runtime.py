"""The start-up settings are in force. Every test asks a process of its own: they cannot be undone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def python(root: Path, script: str) -> list[str]:
    env = {key: value for key, value in os.environ.items() if key not in {"OMP_NUM_THREADS", "MKL_NUM_THREADS"}}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, env=env, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_torch_is_frozen_out_of_the_collector_and_has_one_thread(repo_root: Path) -> None:
    script = """
import gc, fmviz.runtime as r
print(gc.get_freeze_count(), r.prepare_process(), gc.get_freeze_count(), len(gc.get_objects()))
import torch
print(torch.get_num_threads())
"""
    before, did, frozen, seen, threads = python(repo_root, script)
    assert before == "0", "importing the library alone must not touch the collector"
    assert did == "True"
    assert int(frozen) > 50_000, "torch's modules alone leave far more"
    assert int(seen) < int(frozen) / 10, "what is left for gc.collect(2) to walk"
    assert threads == "1"


def test_a_second_call_does_nothing(repo_root: Path) -> None:
    script = """
import gc, fmviz.runtime as r, torch
r.prepare_process()
frozen = gc.get_freeze_count()
garbage = [[] for _ in range(1000)]
torch.set_num_threads(2)
print(r.prepare_process(), gc.get_freeze_count() - frozen, torch.get_num_threads())
"""
    assert python(repo_root, script) == ["False", "0", "2"]


def test_it_is_prepared_once_when_many_sessions_start_at_once(repo_root: Path) -> None:
    script = """
from concurrent.futures import ThreadPoolExecutor
import fmviz.runtime as r
with ThreadPoolExecutor(8) as pool:
    print(sum(pool.map(lambda _: r.prepare_process(), range(64))))
"""
    assert python(repo_root, script) == ["1"]


def test_the_app_prepares_its_process(repo_root: Path) -> None:
    """The real start-up path, without a browser."""
    if not (repo_root / "app.py").exists():
        pytest.fail("app.py is missing")
    script = """
import gc, sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("app.py", default_timeout=90).run()
assert not app.exception, app.exception
import torch
print(gc.get_freeze_count() > 50_000, torch.get_num_threads())
"""
    assert python(repo_root, script)[-2:] == ["True", "1"]
