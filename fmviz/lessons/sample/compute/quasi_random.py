r"""Samples and Brownian noise spread evenly instead of drawn: less of the luck of a draw in a distance between laws.

Points come from a Sobol sequence through the inverse of the normal law. For an SDE the same is done anew at every step,
across the particles (array randomised quasi-Monte Carlo: L'Ecuyer, Lécot and Tuffin, Operations Research 56, 2008): they
are put in order along a space-filling curve and take the points of a three-dimensional sequence in the order of its first
coordinate; the other two, shifted by one random vector modulo 1, are their increments. Each increment by itself has
exactly the normal law, so means over particles stay unbiased; those of neighbours avoid each other, so the empirical
law is nearer to the true one. Measured on the ring of 8 with 2048 particles: sliced Wasserstein-2 distances of 0.03
to 0.04 where independent noise gives 0.05 to 0.15.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from fmviz.theory import GaussianMixture
from fmviz.theory.sobol import sobol, standard_normal
from fmviz.theory.solvers import Drift

__all__ = ["array_rqmc_euler_maruyama", "sobol_sample"]


def sobol_sample(law: GaussianMixture, count: int) -> Tensor:
    """`count` points (N, 2) spread over `law`, always the same ones.

    One coordinate of the sequence picks the component, the other two the place in it.
    """
    return law.inverse_transform(sobol(3, count, 0))


def array_rqmc_euler_maruyama(
    drift: Drift,
    sigma: Callable[[float], Tensor | float],
    x0: Tensor,
    times: Sequence[float],
    generator: torch.Generator,
) -> Tensor:
    """The end points of Euler-Maruyama (T8), like those of `fmviz.theory.solvers.solve_sde` in law.

    Args:
        drift, sigma: of the SDE.
        x0: starting points, (N, 2).
        times: the grid, rising.
        generator: source of one shift a step.
    """
    points = sobol(3, len(x0), 1)
    offsets = points[points[:, 0].argsort(), 1:]
    x = x0
    for start, end in itertools.pairwise(times):
        shift = torch.rand(2, generator=generator, dtype=torch.float64)
        rate = float(sigma(start)) * math.sqrt(end - start)
        x = torch.add(x, drift(x, start), alpha=end - start)
        if rate > 0.0:
            noise = torch.empty_like(x)
            noise[_along_curve(x)] = standard_normal((offsets + shift) % 1.0).to(x.dtype)
            x = x.add(noise, alpha=rate)
    return x


def _along_curve(x: Tensor) -> Tensor:
    """The order of the points (N, 2), N up to 2**16, along a Z curve through their ranks."""
    code = torch.zeros(len(x), dtype=torch.int64)
    for axis in range(2):
        rank = torch.empty(len(x), dtype=torch.int64)
        rank[x[:, axis].argsort()] = torch.arange(len(x))
        code |= _spread_bits(rank) << axis
    return code.argsort()


def _spread_bits(value: Tensor) -> Tensor:
    """The sixteen low bits of `value`, with a zero after each."""
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        value = (value | (value << shift)) & mask
    return value
