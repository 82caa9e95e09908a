"""From a path, such as that of a checkpoint, back to a Scene that has it."""

from __future__ import annotations

from functools import lru_cache

import torch
from pydantic import ValidationError

from fmviz.errors import FmvizError
from fmviz.learning.checkpoint import describe_path
from fmviz.scene import Component, Scene, scenes
from fmviz.scene.components import MAX_COMPONENTS
from fmviz.scene.scene import INITS, PRESETS, MixtureName
from fmviz.theory import GaussianMixture, ProbabilityPath

__all__ = ["same_path", "scene_from_path"]

TOLERANCE = 1e-4
"""Components of a scene are rounded to four decimals."""


def same_path(one: ProbabilityPath, other: ProbabilityPath) -> bool:
    """Whether two paths have the same distributions, up to rounding, and the same scheduler."""
    return (
        one.scheduler == other.scheduler and _same_law(one.p_data, other.p_data) and _same_law(one.p_init, other.p_init)
    )


def _same_law(one: GaussianMixture, other: GaussianMixture) -> bool:
    return one.n_components == other.n_components and all(
        torch.allclose(getattr(one, name).double(), getattr(other, name).double(), rtol=0.0, atol=TOLERANCE)
        for name in ("means", "covariances", "weights")
    )


def scene_from_path(path: ProbabilityPath, like: Scene) -> Scene | None:
    """A scene with this path, everything else as in `like`; None if no scene can hold it.

    Raises nothing: distributions outside what a scene may hold give None.
    """
    try:
        named = describe_path(path)["scheduler"]
        kinds = {"scheduler": named["name"]}
        kinds |= {name: named[name] for name in ("exponent", "alpha", "beta") if name in named}
        found = Scene.model_validate(
            like.model_dump() | kinds | _law(path.p_data, "data", like) | _law(path.p_init, "init", like)
        )
        return found if same_path(scenes.path(found), path) else None
    except (FmvizError, ValidationError):
        return None


def _law(law: GaussianMixture, which: MixtureName, like: Scene) -> dict[str, object]:
    """The preset that is this distribution, or its components."""
    for name in PRESETS if which == "data" else INITS:
        if _same_law(_preset(name, which, like.seed_data), law):
            return {which: name, f"{which}_components": None}
    columns = (law.weights, *law.means.T, law.covariances[:, 0, 0], law.covariances[:, 0, 1], law.covariances[:, 1, 1])
    rows = torch.stack(columns, dim=1).tolist()
    labels = law.labels.tolist() if which == "data" and int(law.labels.max()) < MAX_COMPONENTS else [None] * len(rows)
    return {
        f"{which}_components": tuple(Component.from_row([*row, label]) for row, label in zip(rows, labels, strict=True))
    }


@lru_cache(maxsize=64)
def _preset(name: str, which: MixtureName, seed: int) -> GaussianMixture:
    return scenes.mixture(Scene.model_validate({which: name, "sd": seed}), which)
