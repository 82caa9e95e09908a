"""Runs of a sweep on disk, one safetensors file each: the networks of all its measurements, and beside them what was measured.

A file is written under another name and then renamed, so a run that was killed on the way has none. Reading one runs nothing.
"""

from __future__ import annotations

__all__ = ["read", "run_name", "write"]

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fmviz.learning.checkpoint import describe_path
from fmviz.learning.spec import TrainSpec
from fmviz.theory import ProbabilityPath

FORMAT = "fmviz-sweep-1"


def run_name(path: ProbabilityPath, spec: TrainSpec, **measured: int) -> str:
    """The name of the file of a run: a digest of all that decides its numbers.

    Raises:
        CheckpointError: the path has no description.
    """
    decides = [FORMAT, describe_path(path), dataclasses.asdict(spec), measured]
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:32] + ".safetensors"


def write(file: Path, weights: Sequence[Tensor], measured: Sequence[Mapping[str, Any]]) -> None:
    """Keep a run.

    Args:
        file: of this name.
        weights: of its networks, (W,) each.
        measured: what belongs to each of them, for JSON.
    """
    from safetensors.torch import save_file

    file.parent.mkdir(parents=True, exist_ok=True)
    begun = file.with_suffix(f".{os.getpid()}.part")
    stacked = torch.stack([each.detach().float().cpu() for each in weights])
    save_file({"weights": stacked}, begun, {"format": FORMAT, "measured": json.dumps(list(measured))})
    begun.replace(file)


def read(file: Path) -> tuple[list[Tensor], list[dict[str, Any]]] | None:
    """What `write` kept; None where there is no such file, or only a damaged one."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, "pt") as opened:
            return list(opened.get_tensor("weights")), json.loads(opened.metadata()["measured"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None
