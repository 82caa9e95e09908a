"""Evenly spread (quasi-random) numbers: a mean over them varies less than one over independent draws."""

__all__ = ["sobol", "standard_normal"]

import torch
from torch import Tensor

from fmviz.theory.arrays import Numbers, arraylike

# Uniform numbers stay this far from 0 and 1, where the inverse normal distribution function is infinite: at
# 5.5 standard deviations.
_EDGE = 2e-8


def sobol(dimension: int, count: int, seed: int) -> Tensor:
    """`count` points of a scrambled Sobol sequence in the unit cube, (count, dimension) float64, always the same for a seed."""
    engine = torch.quasirandom.SobolEngine(dimension, scramble=True, seed=seed)  # type: ignore[no-untyped-call]
    drawn: Tensor = engine.draw(count, dtype=torch.float64)
    return drawn


@arraylike
def standard_normal(uniform: Numbers) -> Tensor:
    """Standard normal numbers from uniform ones in [0, 1], of the same shape."""
    normal: Tensor = torch.special.ndtri(uniform.clamp(_EDGE, 1.0 - _EDGE))
    return normal
