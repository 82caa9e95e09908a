"""Where a network trains."""

__all__ = ["pick_device"]

import torch

from fmviz.errors import ParameterError


def pick_device(name: str) -> torch.device:
    """The device of a spec: "auto" is cuda, else mps, else cpu.

    Raises:
        ParameterError: the device is not there.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if there[kind])
    if not there.get(name, False):
        raise ParameterError("device", f"one of {', '.join(kind for kind, ok in there.items() if ok)} or auto", name)
    return torch.device(name)
