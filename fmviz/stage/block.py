"""The arrays of a payload as integers and floats; how they become numbers again is told in `fmviz.stage.payload`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fmviz.clips.clip import Density, Floats, Signed

__all__ = ["DTYPES", "NATS", "Block"]

DTYPES = {"u16": "<u2", "i16": "<i2", "s16": "<i2", "f32": "<f4", "f64": "<f8"}
"""How numpy calls the kinds of arrays."""

FRAMES = ("u16", "i16", "s16")
"""Kinds in which only long arrays travel. Two layers with the same one, such as particles in two panels, share it."""

NATS = 30.0
"""Depth of the log density kept below the top: exp(-30) of the top is far under what any scale shows."""

ABOVE_TOP = 8.0
"""A frame may rise this many nats above the shared top before it saturates; a near-Dirac must not push all else out."""

SMALL = 2048
"""Arrays of at most this many values travel as float32."""


class Block:
    """The arrays of one payload, each starting at a multiple of 8 bytes."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.known: dict[bytes, int] = {}
        self.size = 0

    def add(self, dtype: str, values: NDArray[Any], **more: float) -> dict[str, Any]:
        """Appends an array, unless the same frames are there already; its entry in the header, which `more` completes."""
        raw = values.tobytes()
        entry = {"dtype": dtype, "offset": self.size, "count": int(values.size), **more}
        if dtype in FRAMES:  # the others may be edited in their place, each by itself
            known = self.known.setdefault(raw, self.size)
            if known != self.size:
                return entry | {"offset": known}
        padding = -len(raw) % 8
        self.parts += [raw, bytes(padding)]
        self.size += len(raw) + padding
        return entry

    def doubles(self, values: NDArray[np.float64]) -> dict[str, Any]:
        """float64, as it is."""
        return self.add("f64", values.astype("<f8"))

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
        """16-bit integers, the signed square root of the fraction of the highest limit."""
        hi = max(float(layer.limit), float(layer.limits.max()))
        codes = np.abs(layer.values) / np.float32(hi)
        np.sqrt(codes, out=codes)
        np.minimum(codes, 1, out=codes)
        np.copysign(codes, layer.values, out=codes)
        codes *= 32767
        np.rint(codes, out=codes)
        np.nan_to_num(codes, copy=False, nan=-32768)
        return self.add("s16", codes.astype("<i2"), hi=hi)
