"""Measurements on few samples, for tests of what the page does with them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fmviz.lessons.bridges.compute import evidence

MEASURED = (evidence.over_steps, evidence.costs, evidence.rounds, evidence.rounds_by_network)


@pytest.fixture
def quick_evidence(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Few and small samples, and nothing of it kept for other tests."""
    monkeypatch.setattr(evidence, "SAMPLES", 50)
    monkeypatch.setattr(evidence, "SETS", 2)
    monkeypatch.setattr(evidence, "REFERENCE", 256)
    monkeypatch.setattr(evidence, "REPEATS", 2)
    yield
    for function in MEASURED:
        function.cache_clear()
