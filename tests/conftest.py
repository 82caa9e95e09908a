"""What all tests share: one thread for torch, and the quick tests before the slow ones before the browser.

`make test` runs those of the browser in a process of their own, beside the others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fresh import FreshProcesses
from tests.installed import scan_once

# Two OpenMP threads on small tensors cost more than they bring (see fmviz/runtime.py). Set before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A page run by `AppTest` has its numbers at once; what it does while it waits for a helper process has tests of its own.
os.environ["FMVIZ_HELPERS"] = "0"

ROOT = Path(__file__).resolve().parent.parent
BROWSER = ROOT / "tests" / "browser"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Importing modules of which no test is chosen takes every process of a run many seconds."""
    chosen = config.option.markexpr
    inside = collection_path == BROWSER or BROWSER in collection_path.parents
    if chosen == "not browser" and inside:
        return True
    if chosen == "browser" and not inside and collection_path.suffix == ".py":
        return True
    return None


def pytest_itemcollected(item: pytest.Item) -> None:
    if BROWSER in item.path.parents:
        item.add_marker(pytest.mark.browser)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def wait(item: pytest.Item) -> int:
        if item.get_closest_marker("browser"):
            return 3
        if item.get_closest_marker("slow"):
            return 2
        return 1 if item.path.parent.name == "app" or item.path.name == "test_page.py" else 0

    items.sort(key=wait)


@pytest.fixture(scope="session", autouse=True)
def _components_are_looked_for_once() -> None:
    scan_once()  # all modules with tests have been imported


@pytest.fixture(scope="session")
def fresh() -> Iterator[FreshProcesses]:
    """Runs programs in processes that have imported torch and nothing of this project."""
    made = FreshProcesses()
    yield made
    made.close()


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The checkout."""
    return ROOT
