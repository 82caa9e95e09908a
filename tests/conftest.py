"""What all tests share: one thread for torch, and their order.

In one process the quick tests come before the slow ones before the browser. In two (``-n 2 --dist=loadgroup``, as `make
test` has it) one process takes the browser, which needs a server and a Chromium of its own, and the other takes the rest.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Two OpenMP threads on small tensors cost more than they bring (see fmviz/runtime.py). Set before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parent.parent
BROWSER = ROOT / "tests" / "browser"
PAGES = ROOT / "tests" / "pages"


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if BROWSER in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))
    in_two = hasattr(config, "workerinput")

    def wait(item: pytest.Item) -> int:
        if item.get_closest_marker("browser"):
            return -1 if in_two else 3
        if item.get_closest_marker("slow"):
            return 2
        return 1 if PAGES in item.path.parents else 0

    items.sort(key=wait)


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The checkout."""
    return ROOT
