"""Closed contours of values on a grid, by marching squares."""

from __future__ import annotations

import numpy as np

from fmviz.figures.marks import Floats

__all__ = ["contours"]

# For each of the 16 cells (1, 2, 4, 8: the corner at (0, 0), (1, 0), (1, 1), (0, 1) lies above the level) its segments from
# edge to edge (0, 1, 2, 3: below, right, above, left), with what lies above the level on their left.
_SEGMENTS: dict[int, tuple[tuple[int, int], ...]] = {
    1: ((0, 3),), 2: ((1, 0),), 3: ((1, 3),), 4: ((2, 1),), 6: ((2, 0),), 7: ((2, 3),), 8: ((3, 2),),
    9: ((0, 2),), 11: ((1, 2),), 12: ((3, 1),), 13: ((0, 1),), 14: ((3, 0),),
    5: ((0, 3), (2, 1)), 10: ((1, 0), (3, 2)),
}  # fmt: skip
# Two opposite corners above the level, when the middle of the cell is above it too: the two are joined.
_JOINED = {5: ((0, 1), (2, 3)), 10: ((3, 0), (1, 2))}


def contours(values: Floats, level: float) -> list[Floats]:
    """The loops around all that lies above a level, in units of the grid.

    What touches the border is closed outside it, within one cell; whoever draws cuts it off there.

    Args:
        values: (H, W), finite; the value at (row, column) lies at the point (column, row).
        level: above the values outside the grid.

    Returns:
        Loops (N, 2) as (column, row); the first point is not repeated.
    """
    padded = np.pad(values, 1, constant_values=min(float(values.min()), level) - 1.0)
    above = padded > level
    corners = above[:-1, :-1] + 2 * above[:-1, 1:] + 4 * above[1:, 1:] + 8 * above[1:, :-1]
    following: dict[tuple[int, int, int], tuple[int, int, int]] = {}
    for row, column in np.argwhere((corners > 0) & (corners < 15)).tolist():
        case = int(corners[row, column])
        segments = _SEGMENTS[case]
        if case in _JOINED and padded[row : row + 2, column : column + 2].mean() > level:
            segments = _JOINED[case]
        edges = ((row, column, 0), (row, column + 1, 1), (row + 1, column, 0), (row, column, 1))
        for start, end in segments:
            following[edges[start]] = edges[end]
    loops = []
    while following:
        first, edge = following.popitem()
        loop = [first]
        while edge != first:
            loop.append(edge)
            edge = following.pop(edge)
        loops.append(_points(np.array(loop), padded, level))
    return loops


def _points(edges: Floats, padded: Floats, level: float) -> Floats:
    """Where the level lies on edges (row, column, 0 along the row or 1 along the column), by linear interpolation."""
    row, column, upright = edges.T
    start, end = padded[row, column], padded[row + upright, column + 1 - upright]
    share = (level - start) / (end - start)
    return np.stack([column + (1 - upright) * share, row + upright * share], axis=1) - 1.0
