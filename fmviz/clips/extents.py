"""Which rectangle of the plane a picture of a scene, or of mixtures, shows."""

from __future__ import annotations

from functools import lru_cache

import torch

from fmviz.clips.clip import Extent
from fmviz.scene import Scene, scenes
from fmviz.theory import GaussianMixture

__all__ = ["extent", "extent_of"]

EXTENTS = (3.0, 4.5, 6.0, 9.0, 13.0, 20.0)
"""Half widths that the view snaps to, so that it stands still while a component is dragged."""


@lru_cache(maxsize=256)
def extent(scene: Scene) -> Extent:
    """A square around the origin that shows both mixtures to about 2.5 standard deviations."""
    return extent_of(scenes.mixture(scene, "data"), scenes.mixture(scene, "init"))


def extent_of(*mixtures: GaussianMixture) -> Extent:
    """The same for any mixtures."""
    reach = 0.0
    for m in mixtures:
        spread = 2.5 * torch.diagonal(m.covariances, dim1=-2, dim2=-1).sqrt()
        reach = max(reach, float((m.means.abs() + spread).max()))
    half = next((e for e in EXTENTS if e >= reach), EXTENTS[-1])
    return Extent(-half, half, -half, half)
