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
``f64``    the components of the law                               –                        –
=========  ======================================================  =======================  ==============

A signed field travels as the signed square root of its fraction of the highest limit,
:math:`x = x_{hi}\, k |k| / 32767^2`, so that a frame of small values keeps its shape when it has a scale of its own.

A clip's law (`fmviz.clips.clip.Law`) travels as numbers and, for a typed schedule, as the tree of its formula; the layers that
are evaluated from it say only which quantity they show.

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

from fmviz.charts.palette import DENSITY_DARK, DENSITY_LIGHT, DIVERGING_DARK, DIVERGING_LIGHT, ROLE_COLOURS
from fmviz.clips.clip import Absent, BarsPanel, Clip, Contours, LawParticles, LawVectors, Particles, PlanePanel, Vectors
from fmviz.errors import ParameterError
from fmviz.stage.block import DTYPES, NATS, Block
from fmviz.stage.checking import arrays, check, trail_name
from fmviz.stage.labels import Labels
from fmviz.stage.layers import law_entry, layer_entry

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
    "live_part",
    "packed",
    "pair",
]

MAGIC = b"FMVZ"
PAIR = b"FMVP"
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
        zoom: the middle of what is in view as fractions of the extent, and how many times larger it is shown; None: all.
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
    zoom: tuple[float, float, float] | None = None
    feed: str = ""


def layer_names(clip: Clip) -> tuple[str, ...]:
    """Names of all layers in the order of their chips, trails included, each once."""
    names: dict[str, None] = {}
    for panel in clip.panels:
        if isinstance(panel, PlanePanel):
            for layer in panel.layers:
                names[layer.name] = None
                if trails := trail_name(layer):
                    names[trails] = None
    return tuple(names)


def default_layers(clip: Clip) -> tuple[str, ...]:
    """A first picture that is not crowded: all layers but contours, score arrows, SDE particles and reference samples."""
    off: set[str] = set()
    for panel in clip.panels:
        for layer in panel.layers if isinstance(panel, PlanePanel) else ():
            if isinstance(layer, Contours) or (isinstance(layer, LawVectors | Vectors) and layer.role == "score"):
                off.add(layer.name)
            elif isinstance(layer, Absent | LawParticles | Particles) and layer.role in ("sde", "reference"):
                off.update({layer.name, layer.trail_name or layer.name})
    return tuple(name for name in layer_names(clip) if name not in off)


_WORDS = {"title", "hint", "label", "labels", "x_label", "y_label"}
"""Fields that a reader reads: a clip is the same one in another language."""


def clip_digest(clip: Clip) -> str:
    """32 hex digits that name the scene: the same arrays and structure give the same, whatever the language."""
    digest = hashlib.sha256(usedforsecurity=False)
    structure = [clip.seconds, len(clip.readouts), _structure(clip.law), *(_structure(panel) for panel in clip.panels)]
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
    block = Block()
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
        "law": None if clip.law is None else law_entry(block, clip.law),
        "panels": [_bars(block, p) if isinstance(p, BarsPanel) else _plane(block, p) for p in clip.panels],
        "columns": clip.columns,
        "readouts": [{"label": r.label, "values": block.floats(r.values)} for r in clip.readouts],
    }
    return _joined(header, block)


def _joined(header: dict[str, Any], block: Block) -> bytes:
    text = json.dumps(header, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
    start = MAGIC + struct.pack("<I", len(text)) + text
    return b"".join([start, bytes(-len(start) % 8), *block.parts])


def packed(header: dict[str, Any], payload: bytes) -> bytes:
    """A payload of `header`, a changed header of `payload`, with those arrays of it that the header still names."""
    block = Block()

    def move(node: Any) -> Any:
        if isinstance(node, dict):
            if {"offset", "count", "dtype"} <= node.keys():
                raw = np.frombuffer(payload, DTYPES[node["dtype"]], node["count"], header["start"] + node["offset"])
                return node | block.add(node["dtype"], raw)
            return {key: move(value) for key, value in node.items() if key != "start"}
        return [move(value) for value in node] if isinstance(node, list) else node

    return _joined(move(header), block)


def decode_header(payload: bytes) -> dict[str, Any]:
    """The header of a payload, with ``"start"``: where the arrays begin.

    Raises:
        ParameterError: not a payload.
    """
    if payload[:4] != MAGIC or len(payload) < 8:
        raise ParameterError("payload", "bytes made by encode", payload[:8])
    (length,) = struct.unpack("<I", payload[4:8])
    try:
        header: dict[str, Any] = json.loads(payload[8 : 8 + length])
    except ValueError as error:
        raise ParameterError("payload", "bytes made by encode", payload[:8]) from error
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


def _bars(block: Block, panel: BarsPanel) -> dict[str, Any]:
    entry: dict[str, Any] = {"kind": "bars", "name": panel.name, "title": panel.title, "hint": panel.hint, "bars": None}
    if panel.bars is not None:
        bars = panel.bars
        entry["bars"] = {
            "labels": list(bars.labels),
            "role": bars.role,
            "values": None if bars.values is None else block.floats(bars.values),
            "at": bars.at,
        }
    return entry


def _plane(block: Block, panel: PlanePanel) -> dict[str, Any]:
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
        "sign": panel.sign,
        "layers": [layer_entry(block, extent, layer) for layer in panel.layers],
    }


def pair(pinned: bytes, live: bytes) -> bytes:
    """Two payloads as one, to be shown side by side on one clock, the pinned one first.

    Raises:
        ParameterError: one of them is not a single payload.
    """
    for name, payload in (("pinned", pinned), ("live", live)):
        if not payload.startswith(MAGIC):
            raise ParameterError(name, "a payload of the stage", payload[:4])
    return PAIR + struct.pack("<I", len(pinned)) + pinned + live


def live_part(payload: bytes) -> bytes:
    """The live payload of a pair; a single payload as it is."""
    if not payload.startswith(PAIR):
        return payload
    return payload[8 + struct.unpack_from("<I", payload, 4)[0] :]
