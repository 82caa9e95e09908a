"""A small picture of a mixture: its density on a coarse grid."""

from __future__ import annotations

from fmviz.clips.clip import Extent, Floats
from fmviz.clips.paths import Grid, as_array
from fmviz.theory import GaussianMixture

__all__ = ["density_image"]


def density_image(mixture: GaussianMixture, half_width: float = 4.0, cells: int = 72) -> Floats:
    """The density of `mixture`, (cells, cells), as a fraction of its top, row 0 at the **highest** y as in pictures."""
    grid = Grid(Extent(-half_width, half_width, -half_width, half_width))
    log_p = mixture.log_density(grid.points(cells)).reshape(cells, cells)
    return as_array((log_p - log_p.max()).exp().flip(0))
