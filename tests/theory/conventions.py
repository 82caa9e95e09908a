"""Every convention of the literature, as the tests of conventions and of conversions between them go through them."""

import pytest
import torch
from torch import Tensor

from fmviz.theory import dialects, schedulers
from fmviz.theory.dialects import Dialect

ALL: dict[str, Dialect] = {name: dialects.get(name) for name in dialects.NAMES} | {
    "ddpm scaled-linear": dialects.get("ddpm", betas="scaled-linear"),
    "ddpm cosine": dialects.get("ddpm", steps=100, betas="cosine"),
    "rectified-flow shift 3": dialects.get("rectified-flow", shift=3.0),
    "own linear": dialects.OwnTime(schedulers.get("linear")),
    "own sqrt": dialects.OwnTime(schedulers.get("sqrt")),
}
each = pytest.mark.parametrize("dialect", ALL.values(), ids=ALL.keys())


def times_inside(dialect: Dialect, count: int = 20) -> Tensor:
    """Times at log signal-to-noise ratios that every dialect reaches."""
    return dialect.time(torch.linspace(-5.0, 9.0, count, dtype=torch.float64))


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
