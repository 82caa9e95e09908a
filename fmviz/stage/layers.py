"""The layers of a clip as entries of the payload's header and arrays of its block."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from fmviz.clips.clip import (
    Absent,
    Box,
    Contours,
    Density,
    Ellipses,
    Extent,
    Floats,
    Law,
    LawDensity,
    LawParticles,
    LawVectors,
    Layer,
    Lines,
    Markers,
    Mesh,
    Particles,
    Schedule,
    Signed,
    Vectors,
)
from fmviz.stage.block import Block

__all__ = ["law_entry", "layer_entry"]

OUTSIDE = 3.0
"""Positions are kept up to this many panel widths outside the panel."""
KINDS = {"lawdensity": "density", "lawvectors": "vectors", "lawparticles": "particles"}
"""What is drawn alike has one kind in the browser."""


def law_entry(block: Block, law: Law) -> dict[str, Any]:
    """The distributions, the schedule and z of a clip as an entry of the header."""
    return {
        "init": block.doubles(law.init),
        "data": block.doubles(law.data),
        "schedule": schedule_entry(law.schedule),
        "gamma": float(law.gamma),
        "z": [float(c) for c in law.z],
        "z_name": law.z_name,
        "follows": law.follows,
        "guide": None if law.guide is None else dataclasses.asdict(law.guide),
    }


def schedule_entry(schedule: Schedule) -> dict[str, Any]:
    """A schedule as the player reads it."""
    entry: dict[str, Any] = {"name": schedule.name, "parameters": list(schedule.parameters)}
    for name, (tree, ends) in zip(("alpha", "beta"), schedule.curves, strict=False):
        entry[name] = {"tree": tree, "ends": ends and [[_json(number) for number in end] for end in ends]}
    return entry


def _json(number: float) -> float | str:
    """A number, or a text that JavaScript's Number() reads as infinite, which JSON cannot write."""
    return number if math.isfinite(number) else "Infinity" if number > 0 else "-Infinity"


def layer_entry(block: Block, extent: Extent, layer: Layer) -> dict[str, Any]:
    """One layer of a panel that shows `extent`."""
    kind = type(layer).__name__.lower()
    entry: dict[str, Any] = {"kind": KINDS.get(kind, kind), "name": layer.name, "role": layer.role}
    if isinstance(layer, Absent):
        return entry | {"trail_name": layer.trail_name}
    if isinstance(layer, LawDensity):
        return entry | {"of": layer.of, "log_max": layer.log_max, "label": layer.label}
    if isinstance(layer, LawVectors):
        return entry | {
            "of": layer.of,
            "quantity": layer.quantity,
            "scale": float(layer.scale),
            "across": int(layer.across),
        }
    if isinstance(layer, LawParticles):
        return entry | {
            "way": layer.way,
            "of": layer.of,
            "starts": block.floats(layer.starts),
            "ends": None if layer.ends is None else block.floats(layer.ends),
            "positions": None if layer.positions is None else block.floats(_near(layer.positions, extent)),
            "weights": None if layer.weights is None else block.floats(layer.weights),
            "items": len(layer.starts),
            "trail": int(layer.trail),
            "trail_name": layer.trail_name,
            "size": float(layer.size),
        }
    if isinstance(layer, Density):
        height, width = layer.log_values.shape[1:]
        return entry | {
            "rows": height,
            "columns": width,
            "log_max": layer.log_max,
            "label": layer.label,
            "codes": block.log_density(layer),
        }
    if isinstance(layer, Signed):
        height, width = layer.values.shape[1:]
        return entry | {
            "rows": height,
            "columns": width,
            "limit": float(layer.limit),
            "limits": block.floats(layer.limits),
            "label": layer.label,
            "codes": block.signed(layer),
        }
    if isinstance(layer, Contours):
        return entry | {"levels": [float(level) for level in layer.levels]}
    if isinstance(layer, Vectors):
        return entry | {
            "positions": block.floats(layer.positions),
            "vectors": block.floats(_shorten(layer)),
            "scale": float(layer.scale),
            "longest": float(layer.longest),
        }
    if isinstance(layer, Particles):
        return entry | {
            "positions": block.floats(_near(layer.positions, extent)),
            "weights": None if layer.weights is None else block.floats(layer.weights),
            "items": layer.positions.shape[1],
            "trail": int(layer.trail),
            "trail_name": layer.trail_name,
            "size": float(layer.size),
        }
    if isinstance(layer, Lines):
        lengths = [len(line) for line in layer.points]
        joined = np.concatenate(layer.points) if lengths else np.zeros((0, 2), np.float32)
        return entry | {
            "points": block.floats(_near(joined, extent)),
            "lengths": lengths,
            "dashed": bool(layer.dashed),
            "opacity": float(layer.opacity),
            "dots": bool(layer.dots),
        }
    if isinstance(layer, Mesh):
        rows, columns = layer.positions.shape[1:3]
        return entry | {"positions": block.floats(_near(layer.positions, extent)), "rows": rows, "columns": columns}
    if isinstance(layer, Box):
        return entry | {
            "sides": [float(side) for side in (layer.x0, layer.x1, layer.y0, layer.y1)],
            "mass": block.floats(layer.mass),
            "flux": block.floats(layer.flux),
            "flux_scale": float(layer.flux_scale),
            "drag": layer.drag,
        }
    if isinstance(layer, Markers):
        return entry | {
            "positions": block.floats(_near(layer.positions, extent)),
            "items": layer.positions.shape[-2],
            "moving": layer.positions.ndim == 3,
            "shape": layer.shape,
            "label": layer.label,
            "drag": layer.drag,
        }
    assert isinstance(layer, Ellipses)
    covariances = [[float(c[0, 0]), float(c[0, 1] + c[1, 0]) / 2, float(c[1, 1])] for c in layer.covariances]
    rows = zip(layer.weights.tolist(), layer.means.tolist(), covariances, strict=True)
    components = [[w, *mean, *cov] for w, mean, cov in rows]
    if layer.classes:
        components = [[*row, label] for row, label in zip(components, layer.classes, strict=True)]
    return entry | {"components": components, "edit": layer.edit}


def _near(positions: Floats, extent: Extent) -> Floats:
    """Positions cut `OUTSIDE` panel widths off the panel; NaN stays."""
    wide, high = OUTSIDE * (extent.x1 - extent.x0), OUTSIDE * (extent.y1 - extent.y0)
    low = np.array([extent.x0 - wide, extent.y0 - high], np.float32)
    top = np.array([extent.x1 + wide, extent.y1 + high], np.float32)
    return np.clip(positions, low, top)


def _shorten(layer: Vectors) -> Floats:
    """Vectors cut to the longest arrow drawn: the picture is the same."""
    limit = np.float32(layer.longest / layer.scale)
    with np.errstate(invalid="ignore", over="ignore"):
        length = np.hypot(layer.vectors[..., 0], layer.vectors[..., 1])
        factor = np.where(length > limit, limit / np.maximum(length, np.float32(1e-30)), np.float32(1))
    return np.asarray(layer.vectors * factor[..., None], np.float32)
