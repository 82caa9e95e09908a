"""A small picture of a density, as a PNG that fits a light and a dark ground."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from fmviz.charts.palette import ROLE_COLOURS
from fmviz.clips.clip import Floats

__all__ = ["thumbnail"]


def thumbnail(density: Floats, role: str = "data") -> bytes:
    """A PNG of `density` (H, W) in [0, 1]: the role's colour, as opaque as the density's square root is large."""
    entry = ROLE_COLOURS[role]
    rgb = [(int(entry.light[i : i + 2], 16) + int(entry.dark[i : i + 2], 16)) // 2 for i in (1, 3, 5)]
    pixels = np.empty((*density.shape, 4), dtype=np.uint8)
    pixels[..., :3] = rgb
    pixels[..., 3] = np.round(255 * np.sqrt(density))
    file = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(file, "PNG", optimize=True)
    return file.getvalue()
