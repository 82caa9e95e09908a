"""Functions for helper processes."""

from __future__ import annotations

import os
import time
from pathlib import Path

from fmviz.errors import ParameterError


def doubled(x: float) -> float:
    return 2.0 * x


def process() -> int:
    return os.getpid()


def noted(folder: str, name: str, seconds: float = 0.0) -> str:
    """Notes that it was called, and by which process."""
    with (Path(folder) / name).open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(seconds)
    return name


def refused(n: int) -> None:
    raise ParameterError("n", "a count", n)


def broken() -> float:
    return 1.0 / 0.0


def dying(folder: str, times: int) -> int:
    """Ends its process so many times."""
    file = Path(folder) / "deaths"
    deaths = len(file.read_text()) if file.exists() else 0
    if deaths < times:
        file.write_text("x" * (deaths + 1))
        os._exit(1)
    return deaths


def threads() -> tuple[int, int]:
    """Threads of torch, and how far the process stands back."""
    import torch

    return torch.get_num_threads(), os.nice(0)
