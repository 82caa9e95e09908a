"""The six formulas of lecture 2, each with its live picture: conditional and marginal path, velocity and score (T13 to T19)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fmviz.clips.clip import Clip, Layer, Markers, PlanePanel
from fmviz.clips.laws import law_of
from fmviz.clips.paths import Grid, Starts, as_array, conditional_panel, marginal_panel, readouts
from fmviz.theory import ProbabilityPath
from fmviz.theory.sigmas import Sigma

__all__ = ["LAYERS", "NAMES", "summary_clip"]

SIDES, QUANTITIES = ("conditional", "marginal"), ("path", "velocity", "score")
NAMES = tuple(f"{side}_{quantity}" for side in SIDES for quantity in QUANTITIES)
"""The six panels in reading order: a row for each side."""
LAYERS = ("density", "contours", "velocity", "score", "z")
"""All layers of the sheet, which are all shown."""


def summary_clip(
    path: ProbabilityPath, sigma: Sigma, z: tuple[float, float], grid: Grid, texts: Mapping[str, tuple[str, str]]
) -> Clip:
    """Two rows of three panels.

    Args:
        path: the path.
        sigma: shown beside the clock only.
        z: the data point of the upper row.
        grid: the resolution.
        texts: panel name to its title and its formula (presentation MathML).
    """
    few = Starts(1)  # the panels of the page on paths come with particles, which the sheet leaves out
    whole = {
        "conditional": conditional_panel(path, sigma, z, grid, few, frozenset()),
        "marginal": marginal_panel(path, sigma, grid, few, frozenset()),
    }
    panels = []
    for name in NAMES:
        side, quantity = name.split("_")
        title, formula = texts[name]
        shown = _of(whole[side], quantity)
        layers = tuple(replace(layer, drag=None) if isinstance(layer, Markers) else layer for layer in shown)
        panels.append(PlanePanel(name, title, grid.extent, layers, formula=formula))
    return Clip(as_array(grid.times()), tuple(panels), readouts(path, sigma, grid), law=law_of(path, z))


def _of(panel: PlanePanel, quantity: str) -> tuple[Layer, ...]:
    """The density, and what the formula is about."""
    wanted = ("density", "contours", "z") if quantity == "path" else ("density", quantity, "z")
    return tuple(layer for layer in panel.layers if layer.name in wanted)
