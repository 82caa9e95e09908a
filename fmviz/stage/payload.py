r"""What travels to the browser: one clip, its texts and how it is first shown, as one block of bytes.

Layout::

    b"FMVZ" | uint32 little-endian: header length | header: JSON, utf-8 | zeros up to a multiple of 8 | arrays

The header says where each array lies (``offset`` bytes after the arrays begin, ``count`` values, ``dtype``) and how its
integers become numbers, :math:`x = x_{lo} + (k - k_{lo}) (x_{hi} - x_{lo}) / (k_{hi} - k_{lo})`:

=========  ======================================================  =======================  ==============
dtype      what                                                    integers                 no value
=========  ======================================================  =======================  ==============
``u16``    log densities, 30 nats below the top of all frames      1 … 65535                0: -inf, below
``i16``    vectors, particles, meshes, long paths                  -32767 … 32767           -32768: NaN
``s16``    signed fields                                           -32767 … 32767           -32768: NaN
``f32``    anything short                                          –                        NaN
=========  ======================================================  =======================  ==============

A signed field travels as the signed square root of its fraction of the highest limit,
:math:`x = x_{hi}\, k |k| / 32767^2`, so that a frame of small values keeps its shape when it has a scale of its own.

What could not be seen anyway is cut before the range is taken, so that one stray value costs no precision: positions
further than three panel widths away, and vectors longer than the longest arrow drawn.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import struct
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from fmviz.charts.palette import DENSITY_DARK, DENSITY_LIGHT, DIVERGING_DARK, DIVERGING_LIGHT, ROLE_COLOURS
from fmviz.clips.clip import (
    BarsPanel,
    Box,
    Clip,
    Contours,
    Density,
    Extent,
    Floats,
    Layer,
    Lines,
    Markers,
    Mesh,
    Particles,
    PlanePanel,
    Signed,
    Vectors,
)
from fmviz.errors import ParameterError
from fmviz.stage.checking import arrays, check
from fmviz.stage.labels import Labels

__all__ = [
    "MAGIC",
    "NATS",
    "DensityScale",
    "Labels",
    "View",
    "check",
    "clip_digest",
    "decode_header",
    "default_layers",
    "encode",
    "layer_names",
]

MAGIC = b"FMVZ"
NATS = 30.0
"""Depth of the log density kept below the top: exp(-30) of the top is far under what any scale shows."""

ABOVE_TOP = 8.0
"""A frame may rise this many nats above the shared top before it saturates; a near-Dirac must not push all else out."""

SMALL = 2048
"""Arrays up to this many values travel as float32."""

OUTSIDE = 3.0
"""Positions are kept up to this many panel widths outside the panel."""
DensityScale = Literal["linear", "sqrt", "log"]


@dataclass(frozen=True)
class View:
    """How a clip is first shown; afterwards the browser keeps its own state until `revision` changes.

    Attributes:
        t: where the clock stands.
        playing: whether it runs (never by itself under ``prefers-reduced-motion``).
        layers_on: names of the layers shown; None: `default_layers`.
        density_scale: how density becomes colour.
        per_frame: each frame has its own scale instead of one for all t.
        speed: 1 plays the clip in ``clip.seconds``.
        present: larger type and thicker lines, for a projector.
        acknowledge: report "shown" once a clip other than the last has been drawn, unless the user is dragging.
        revision: a new value makes the browser take over this view with the next data.
        feed: says that other pictures may come under this name, past Streamlit, from a script on the same page.
    """

    t: float = 0.0
    playing: bool = False
    layers_on: tuple[str, ...] | None = None
    density_scale: DensityScale = "sqrt"
    per_frame: bool = False
    speed: float = 1.0
    loop: bool = True
    present: bool = False
    revision: int = 0
    acknowledge: bool = False
    feed: str = ""


def layer_names(clip: Clip) -> tuple[str, ...]:
    """Names of all layers in the order of their chips, trails included, each once."""
    names: dict[str, None] = {}
    for panel in clip.panels:
        if isinstance(panel, PlanePanel):
            for layer in panel.layers:
                names[layer.name] = None
                if isinstance(layer, Particles) and layer.trail > 0 and layer.trail_name:
                    names[layer.trail_name] = None
    return tuple(names)


def default_layers(clip: Clip) -> tuple[str, ...]:
    """A first picture that is not crowded: all layers but contours, score arrows, SDE particles and reference samples."""
    off: set[str] = set()
    for panel in clip.panels:
        for layer in panel.layers if isinstance(panel, PlanePanel) else ():
            if isinstance(layer, Contours) or (isinstance(layer, Vectors) and layer.role == "score"):
                off.add(layer.name)
            elif isinstance(layer, Particles) and layer.role in ("sde", "reference"):
                off.update({layer.name, layer.trail_name or layer.name})
    return tuple(name for name in layer_names(clip) if name not in off)


_WORDS = {"title", "hint", "label", "labels", "x_label", "y_label"}
"""Fields that a reader reads: a clip is the same one in another language."""


def clip_digest(clip: Clip) -> str:
    """32 hex digits that name the scene: the same arrays and structure give the same, whatever the language."""
    digest = hashlib.sha256(usedforsecurity=False)
    structure = [clip.seconds, len(clip.readouts), *(_structure(panel) for panel in clip.panels)]
    digest.update(json.dumps(structure, allow_nan=True, sort_keys=True).encode())
    for array in arrays(clip):
        digest.update(str(array.shape).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:32]


def _structure(value: Any) -> Any:
    """Plain JSON values of a dataclass without arrays and words."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = (f.name for f in dataclasses.fields(value) if f.name not in _WORDS)
        return [type(value).__name__, {name: _structure(getattr(value, name)) for name in fields}]
    if isinstance(value, tuple):
        return [_structure(part) for part in value]
    return "array" if isinstance(value, np.ndarray) else value


class _Block:
    """The arrays of one payload, each starting at a multiple of 8 bytes."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0

    def add(self, dtype: str, values: NDArray[Any], **more: float) -> dict[str, Any]:
        raw = values.tobytes()
        entry = {"dtype": dtype, "offset": self.size, "count": int(values.size), **more}
        padding = -len(raw) % 8
        self.parts += [raw, bytes(padding)]
        self.size += len(raw) + padding
        return entry

    def floats(self, values: Floats) -> dict[str, Any]:
        """float32 if short, else 16-bit integers over the range of the array."""
        if values.size <= SMALL:
            return self.add("f32", values.astype("<f4"))
        gaps = np.isnan(values)
        if gaps.all():
            return self.add("i16", np.full(values.shape, -32768, "<i2"), lo=0.0, hi=0.0)
        lo, hi = float(np.nanmin(values)), float(np.nanmax(values))
        codes = np.multiply(values, 65534.0 / (hi - lo) if hi > lo else 0.0, dtype=np.float32)
        codes += -32767.0 - lo * (65534.0 / (hi - lo)) if hi > lo else 0.0
        codes = np.rint(codes, out=codes).clip(-32767, 32767)
        codes[gaps] = -32768
        return self.add("i16", codes.astype("<i2"), lo=lo, hi=hi)

    def log_density(self, layer: Density) -> dict[str, Any]:
        """16-bit integers linear in log p over `NATS`."""
        hi = float(np.clip(layer.log_values.max(), layer.log_max, layer.log_max + ABOVE_TOP))
        lo = hi - NATS
        codes = np.subtract(layer.log_values, np.float32(lo), dtype=np.float32)
        codes *= np.float32(65534.0 / NATS)
        codes += 1.5  # round half up through truncation
        np.clip(codes, 0, 65535, out=codes)
        return self.add("u16", codes.astype("<u2"), lo=lo, hi=hi)

    def signed(self, layer: Signed) -> dict[str, Any]:
        hi = max(float(layer.limit), float(layer.limits.max()))
        codes = np.abs(layer.values) / np.float32(hi)
        np.sqrt(codes, out=codes)
        np.minimum(codes, 1, out=codes)
        np.copysign(codes, layer.values, out=codes)
        codes *= 32767
        np.rint(codes, out=codes)
        np.nan_to_num(codes, copy=False, nan=-32768)
        return self.add("s16", codes.astype("<i2"), hi=hi)


def encode(clip: Clip, labels: Labels, view: View) -> bytes:
    """The payload of `stage` and `standalone_html`.

    Raises:
        ParameterError: `clip` or `view` is not playable, or a layer has no label.
    """
    check(clip)
    names = layer_names(clip)
    missing = [name for name in names if name not in labels.layers]
    if missing:
        raise ParameterError("labels.layers", "a text for each layer", missing)
    block = _Block()
    header = {
        "version": 1,
        "clip": clip_digest(clip),
        "labels": dataclasses.asdict(labels) | {"layers": {name: labels.layers[name] for name in names}},
        "view": _view(clip, view),
        "roles": {role: dataclasses.asdict(entry) for role, entry in ROLE_COLOURS.items()},
        "ramps": {"light": list(DENSITY_LIGHT), "dark": list(DENSITY_DARK)},
        "diverging": {"light": list(DIVERGING_LIGHT), "dark": list(DIVERGING_DARK)},
        "seconds": float(clip.seconds),
        "times": block.floats(clip.times),
        "panels": [_bars(block, p) if isinstance(p, BarsPanel) else _plane(block, p) for p in clip.panels],
        "readouts": [{"label": r.label, "values": block.floats(r.values)} for r in clip.readouts],
    }
    text = json.dumps(header, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
    start = MAGIC + struct.pack("<I", len(text)) + text
    return b"".join([start, bytes(-len(start) % 8), *block.parts])


def decode_header(payload: bytes) -> dict[str, Any]:
    """The header of a payload, with ``"start"``: where the arrays begin.

    Raises:
        ParameterError: not a payload.
    """
    if payload[:4] != MAGIC or len(payload) < 8:
        raise ParameterError("payload", "bytes made by encode", payload[:8])
    (length,) = struct.unpack("<I", payload[4:8])
    header: dict[str, Any] = json.loads(payload[8 : 8 + length])
    return header | {"start": 8 + length + -(8 + length) % 8}


def _view(clip: Clip, view: View) -> dict[str, Any]:
    names = layer_names(clip)
    if not np.isfinite(view.t):
        raise ParameterError("view.t", "a finite number", view.t)
    if view.density_scale not in get_args(DensityScale):
        raise ParameterError("view.density_scale", f"one of {get_args(DensityScale)}", view.density_scale)
    if not 0.05 <= view.speed <= 20:
        raise ParameterError("view.speed", "a factor between 0.05 and 20", view.speed)
    on = default_layers(clip) if view.layers_on is None else view.layers_on
    t = float(np.clip(view.t, clip.times[0], clip.times[-1]))
    return dataclasses.asdict(view) | {"t": t, "layers_on": [name for name in names if name in on]}


def _bars(block: _Block, panel: BarsPanel) -> dict[str, Any]:
    entry: dict[str, Any] = {"kind": "bars", "name": panel.name, "title": panel.title, "hint": panel.hint, "bars": None}
    if panel.bars is not None:
        bars = panel.bars
        entry["bars"] = {"labels": list(bars.labels), "role": bars.role, "values": block.floats(bars.values)}
    return entry


def _plane(block: _Block, panel: PlanePanel) -> dict[str, Any]:
    extent = panel.extent
    return {
        "kind": "plane",
        "name": panel.name,
        "title": panel.title,
        "extent": [float(extent.x0), float(extent.x1), float(extent.y0), float(extent.y1)],
        "clickable": bool(panel.clickable),
        "aspect": None if panel.aspect is None else float(panel.aspect),
        "x_label": panel.x_label,
        "y_label": panel.y_label,
        "formula": panel.formula,
        "layers": [_layer(block, extent, layer) for layer in panel.layers],
    }


def _layer(block: _Block, extent: Extent, layer: Layer) -> dict[str, Any]:
    entry: dict[str, Any] = {"kind": type(layer).__name__.lower(), "name": layer.name, "role": layer.role}
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
    covariances = [[float(c[0, 0]), float(c[0, 1] + c[1, 0]) / 2, float(c[1, 1])] for c in layer.covariances]
    rows = zip(layer.weights.tolist(), layer.means.tolist(), covariances, strict=True)
    return entry | {"components": [[w, *mean, *cov] for w, mean, cov in rows], "edit": layer.edit}


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
