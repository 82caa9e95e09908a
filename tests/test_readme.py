"""The snippets a reader copies first run as they stand, one after the other."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
import torch


def test_the_snippets_run(repo_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    snippets = re.findall(r"```python\n(.*?)```", (repo_root / "README.md").read_text(), re.DOTALL)
    assert len(snippets) >= 2
    for snippet in snippets:
        exec(snippet, names)
    trajectory = names["trajectory"]
    assert isinstance(trajectory, torch.Tensor)
    assert trajectory.shape == (51, 500, 2)
    assert trajectory.isfinite().all()
    assert (tmp_path / "report.html").stat().st_size > 10_000
    table = names["table"]
    assert isinstance(table, pd.DataFrame)
    assert set(table["learning_rate"]) == {1e-3, 1e-2}
    assert str(names["svg"]).startswith('<svg xmlns="http://www.w3.org/2000/svg" width="120mm"')
