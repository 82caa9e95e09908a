"""How far the samples of each network are from the data, beside the distance of two exact samples."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from fmviz.cache import shared
from fmviz.learning import LearnedModel
from fmviz.scene import Scene, scenes
from fmviz.theory.metrics import energy_distance
from fmviz.theory.solvers import solve_ode

__all__ = ["COUNT", "Distances", "distances"]

COUNT, STEPS, SEED = 1000, 50, 6_007


@dataclass(frozen=True)
class Distances:
    """Energy distances of samples to exact ones.

    Attributes:
        of: one for each network; infinite where a sample has no end.
        floor: of two exact sets.
    """

    of: tuple[float, ...]
    floor: float


@shared
@torch.inference_mode()
def distances(networks: tuple[tuple[Scene, LearnedModel], ...]) -> Distances:
    """Of `COUNT` samples of each network, from the same starting points, by `STEPS` steps of Heun's method."""
    path = scenes.path(networks[0][0])
    generator = torch.Generator().manual_seed(SEED)
    start = path.p_init.sample(COUNT, generator=generator)
    exact, other = (path.p_data.sample(COUNT, generator=generator) for _ in range(2))
    found = []
    for _, model in networks:
        ends = solve_ode(model.sampling_velocity, start, STEPS, method="heun")[0][-1]
        found.append(float(energy_distance(ends, exact)) if bool(ends.isfinite().all()) else math.inf)
    return Distances(tuple(found), float(energy_distance(other, exact)))
