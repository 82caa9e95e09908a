"""The snippet a reader copies first runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import torch


def test_the_snippet_runs(repo_root: Path) -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", (repo_root / "README.md").read_text(), re.DOTALL)
    names: dict[str, object] = {}
    exec(snippet, names)
    trajectory = names["trajectory"]
    assert isinstance(trajectory, torch.Tensor)
    assert trajectory.shape == (51, 500, 2)
    assert trajectory.isfinite().all()
