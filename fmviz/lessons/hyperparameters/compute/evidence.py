"""What checks the errors of the page: the same ones from random draws, without the points and the formulas of `Evaluation`."""

from __future__ import annotations

import math

import torch

from fmviz.cache import shared
from fmviz.learning import Evaluation, LearnedModel
from fmviz.scene import Scene, scenes

__all__ = ["DRAWS", "independent"]

DRAWS, SEED = 20_000, 40_009


@shared
@torch.inference_mode()
def independent(networks: tuple[tuple[Scene, LearnedModel], ...]) -> tuple[tuple[float, float], ...]:
    """For each network E|u_theta - u|² / E|u|² over independent draws of (t, z, eps), and its standard error."""
    return tuple(_measured(scene, model) for scene, model in networks)


def _measured(scene: Scene, model: LearnedModel) -> tuple[float, float]:
    path = scenes.path(scene).to(torch.float64)
    low, high = Evaluation(path, points=16).t_range
    generator = torch.Generator().manual_seed(SEED)
    t = low + (high - low) * torch.rand(DRAWS, generator=generator, dtype=torch.float64)
    z, eps = (law.sample(DRAWS, generator=generator).double() for law in (path.p_data, path.p_init))
    values = path.scheduler.evaluate(t)
    x = values.alpha[:, None] * z + values.beta[:, None] * eps
    exact, learned = path.marginal_velocity(x, t), model.velocity(x, t)
    missed, size = (learned - exact).square().sum(-1), float(exact.square().sum(-1).mean())
    return float(missed.mean()) / size, float(missed.std()) / math.sqrt(DRAWS) / size
