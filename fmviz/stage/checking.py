"""What a clip must be for the stage to play it faithfully; the component itself would fail silently."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from fmviz.clips.clip import (
    Absent,
    Bars,
    BarsPanel,
    Box,
    Clip,
    Contours,
    Density,
    Ellipses,
    Floats,
    Guide,
    Law,
    LawDensity,
    LawParticles,
    LawVectors,
    Layer,
    Lines,
    Markers,
    Mesh,
    Particles,
    PlanePanel,
    Role,
    Signed,
    Vectors,
)
from fmviz.errors import ParameterError
from fmviz.stage.mathml import check_mathml

__all__ = ["LIMITS", "arrays", "check", "trail_name"]

LIMITS = {
    "frames": 1001,
    "panels": 16,
    "layers": 32,
    "grid": 512,
    "items": 20_000,
    "components": 256,
    "bytes": 64 * 2**20,
}
"""Sizes beyond which the browser could no longer play the clip."""

_UNGUIDED = ("marginal", "conditional")
_SHAPES = ("cross", "dot", "ring", "diamond")


def check(clip: Clip) -> None:
    """Raise if the stage could not play `clip` faithfully.

    Raises:
        ParameterError: which array, what is allowed, what came.
    """
    times = _array("times", clip.times, ("T",), finite=True)
    frames = len(times)
    if not 2 <= frames <= LIMITS["frames"]:
        raise ParameterError("times", f"2 to {LIMITS['frames']} frames", frames)
    if not (np.diff(times) > 0).all():
        raise ParameterError("times", "strictly increasing values", times[:8].tolist())
    if not (np.isfinite(clip.seconds) and clip.seconds > 0):
        raise ParameterError("seconds", "a positive number", clip.seconds)
    if not 1 <= len(clip.panels) <= LIMITS["panels"]:
        raise ParameterError("panels", f"1 to {LIMITS['panels']} panels", len(clip.panels))
    _unique("panels", (panel.name for panel in clip.panels))
    if clip.columns is not None and not 1 <= clip.columns <= len(clip.panels):
        raise ParameterError("columns", "1 to the number of panels, or None", clip.columns)
    if clip.law is not None:
        _check_law(clip.law)
    for panel in clip.panels:
        if isinstance(panel, BarsPanel):
            if panel.bars is not None:
                _check_bars(f"{panel.name}.bars", panel.bars, frames, clip.law)
        elif isinstance(panel, PlanePanel):
            _check_plane(panel, frames, clip.law)
        else:
            raise ParameterError("panels", "PlanePanel or BarsPanel", panel)
    for readout in clip.readouts:
        _array(f"readouts.{readout.label}", readout.values, ("T",), {"T": frames})
    total = sum(array.nbytes for array in arrays(clip))
    if total > LIMITS["bytes"]:
        raise ParameterError("clip", f"at most {LIMITS['bytes']} bytes of arrays", total)


def _check_law(law: Law) -> None:
    for name, rows in (("init", law.init), ("data", law.data)):
        where = f"law.{name}"
        if rows.dtype != np.float64 or rows.ndim != 2 or rows.shape[1] != 6 or not len(rows):
            raise ParameterError(where, "a float64 array of shape (K, 6)", f"{rows.dtype} {rows.shape}")
        if len(rows) > LIMITS["components"]:
            raise ParameterError(where, f"at most {LIMITS['components']} components", len(rows))
        weight, _, _, xx, xy, yy = rows.T
        if not np.isfinite(rows).all() or (weight <= 0).any() or (xx <= 0).any() or (xx * yy <= xy * xy).any():
            raise ParameterError(where, "positive weights and positive definite covariances", rows[:4].tolist())
    if not np.isfinite(law.z).all():
        raise ParameterError("law.z", "a finite point", law.z)
    if not (np.isfinite(law.gamma) and law.gamma >= 0.0):
        raise ParameterError("law.gamma", "a finite number, at least 0", law.gamma)
    if law.guide is not None:
        _check_guide(law.guide, len(law.data))


def _check_guide(guide: Guide, components: int) -> None:
    if len(guide.classes) != components or guide.y not in guide.classes:
        raise ParameterError("law.guide", f"{components} labels, the one asked for among them", guide.classes)
    if not np.isfinite((guide.scale, *guide.interval)).all():
        raise ParameterError("law.guide", "a finite scale and interval", (guide.scale, *guide.interval))


def _check_bars(where: str, bars: Bars, frames: int, law: Law | None) -> None:
    _role(where, bars.role)
    if bars.values is None:
        if bars.at is None or law is None or len(bars.labels) != len(law.data) or not np.isfinite(bars.at).all():
            raise ParameterError(f"{where}.values", "an array, or a point and a label for each component", bars.at)
        return
    values = _array(f"{where}.values", bars.values, ("T", "K"), {"T": frames})
    if values.shape[1] != len(bars.labels):
        raise ParameterError(f"{where}.labels", f"{values.shape[1]} labels", len(bars.labels))
    with np.errstate(invalid="ignore"):
        if (values < -1e-4).any() or (values > 1 + 1e-4).any():
            raise ParameterError(
                f"{where}.values", "values in [0, 1]", [float(np.nanmin(values)), float(np.nanmax(values))]
            )


def trail_name(layer: Layer) -> str | None:
    """The name of a layer's trails, if they are a layer of their own."""
    if isinstance(layer, Absent):
        return layer.trail_name
    return layer.trail_name if isinstance(layer, LawParticles | Particles) and layer.trail > 0 else None


def _check_plane(panel: PlanePanel, frames: int, law: Law | None) -> None:
    extent = panel.extent
    sides = (extent.x0, extent.x1, extent.y0, extent.y1)
    if not np.isfinite(sides).all() or not (extent.x0 < extent.x1 and extent.y0 < extent.y1):
        raise ParameterError(f"{panel.name}.extent", "finite x0 < x1 and y0 < y1", sides)
    if panel.aspect is None:
        if not 0.2 <= (extent.x1 - extent.x0) / (extent.y1 - extent.y0) <= 5:
            raise ParameterError(f"{panel.name}.extent", "width over height between 0.2 and 5", sides)
    elif not 0.2 <= panel.aspect <= 5:
        raise ParameterError(f"{panel.name}.aspect", "width over height between 0.2 and 5", panel.aspect)
    if panel.sign not in ("", "=", "+", "−"):
        raise ParameterError(f"{panel.name}.sign", "one of = + −, or nothing", panel.sign)
    if panel.formula:
        check_mathml(f"{panel.name}.formula", panel.formula)
    if len(panel.layers) > LIMITS["layers"]:
        raise ParameterError(f"{panel.name}.layers", f"at most {LIMITS['layers']} layers", len(panel.layers))
    names = [layer.name for layer in panel.layers]
    names += [trails for layer in panel.layers if (trails := trail_name(layer))]
    if not all(names):
        raise ParameterError(f"{panel.name}.layers", "names that are not empty (equal names share one chip)", names)
    drawn = [layer for layer in panel.layers if isinstance(layer, LawDensity | LawVectors | LawParticles)]
    if law is None and drawn:
        raise ParameterError("law", "the law that layers of the clip are evaluated from", None)
    if law is not None and law.guide is None and any(layer.of not in _UNGUIDED for layer in drawn):
        raise ParameterError("law.guide", "the guidance that layers of the clip are evaluated from", None)
    if sum(isinstance(layer, Density | LawDensity | Signed) for layer in panel.layers) > 1:
        raise ParameterError(f"{panel.name}.layers", "at most one density or signed field", names)
    _unique(
        f"{panel.name}.drag", (la.drag for la in panel.layers if isinstance(la, Markers | Box) and la.drag is not None)
    )
    for layer in panel.layers:
        if not isinstance(layer, get_args(Layer)):
            raise ParameterError(f"{panel.name}.layers", "layers of fmviz.clips.clip", layer)
        _check_layer(f"{panel.name}.{layer.name}", panel, layer, frames)


def _check_layer(where: str, panel: PlanePanel, layer: Layer, frames: int) -> None:
    _role(where, layer.role)
    if isinstance(layer, Density):
        _check_density(where, layer, frames)
    elif isinstance(layer, Signed):
        _check_signed(where, layer, frames)
    elif isinstance(layer, Contours):
        if not layer.levels or not all(0 < level < 1 for level in layer.levels):
            raise ParameterError(f"{where}.levels", "fractions between 0 and 1", layer.levels)
        if not any(isinstance(other, Density | LawDensity) for other in panel.layers):
            raise ParameterError(where, "a density in the same panel", [other.name for other in panel.layers])
    elif isinstance(layer, Vectors):
        positions = _array(f"{where}.positions", layer.positions, ("N", 2), finite=True)
        _array(f"{where}.vectors", layer.vectors, ("T", "N", 2), {"T": frames, "N": len(positions)}, infinite=False)
        _positive(f"{where}.scale", layer.scale)
        _positive(f"{where}.longest", layer.longest)
    elif isinstance(layer, LawDensity):
        if not np.isfinite(layer.log_max):
            raise ParameterError(f"{where}.log_max", "a finite number", layer.log_max)
    elif isinstance(layer, LawVectors):
        _positive(f"{where}.scale", layer.scale)
        if not 2 <= layer.across <= 100:
            raise ParameterError(f"{where}.across", "2 to 100 arrows a side", layer.across)
    elif isinstance(layer, LawParticles):
        count = len(_array(f"{where}.starts", layer.starts, ("N", 2), finite=True))
        if layer.ends is not None:
            _array(f"{where}.ends", layer.ends, ("N", 2), {"N": count}, finite=True)
        if layer.positions is not None:
            _array(f"{where}.positions", layer.positions, ("T", "N", 2), {"T": frames, "N": count}, infinite=False)
        if layer.weights is not None:
            _array(f"{where}.weights", layer.weights, ("T", "N"), {"T": frames, "N": count}, finite=True)
        _check_trail(where, layer)
    elif isinstance(layer, Particles):
        positions = _array(f"{where}.positions", layer.positions, ("T", "N", 2), {"T": frames}, infinite=False)
        if layer.weights is not None:
            _array(f"{where}.weights", layer.weights, ("T", "N"), {"T": frames, "N": positions.shape[1]}, finite=True)
        _check_trail(where, layer)
    elif isinstance(layer, Absent):
        pass
    elif isinstance(layer, Lines):
        for index, line in enumerate(layer.points):
            _array(f"{where}.points[{index}]", line, ("M", 2), infinite=False)
        if not 0 < layer.opacity <= 1:
            raise ParameterError(f"{where}.opacity", "an opacity in (0, 1]", layer.opacity)
    elif isinstance(layer, Mesh):
        grid = _array(f"{where}.positions", layer.positions, ("T", "R", "C", 2), {"T": frames}, infinite=False)
        if grid.shape[1] * grid.shape[2] > LIMITS["items"]:
            raise ParameterError(f"{where}.positions", f"at most {LIMITS['items']} points", grid.shape)
    elif isinstance(layer, Box):
        _check_box(where, layer, frames)
    elif isinstance(layer, Markers):
        _check_markers(where, layer, frames)
    else:
        _check_ellipses(where, layer)


def _check_trail(where: str, layer: Particles | LawParticles) -> None:
    if layer.trail < 0:
        raise ParameterError(f"{where}.trail", "0 or more frames", layer.trail)
    if not 0 < layer.size <= 10:
        raise ParameterError(f"{where}.size", "a size in (0, 10]", layer.size)


def _check_density(where: str, layer: Density, frames: int) -> None:
    values = _array(f"{where}.log_values", layer.log_values, ("T", "H", "W"), {"T": frames})
    _grid(f"{where}.log_values", values)
    top = float(values.max())
    if not top < np.inf:  # also true of NaN
        raise ParameterError(f"{where}.log_values", "logarithms below +inf, none NaN", top)
    if not np.isfinite(layer.log_max):
        raise ParameterError(f"{where}.log_max", "a finite number", layer.log_max)


def _check_signed(where: str, layer: Signed, frames: int) -> None:
    _grid(f"{where}.values", _array(f"{where}.values", layer.values, ("T", "H", "W"), {"T": frames}, infinite=False))
    _positive(f"{where}.limit", layer.limit)
    limits = _array(f"{where}.limits", layer.limits, ("T",), {"T": frames}, finite=True)
    if not (limits > 0).all():
        raise ParameterError(f"{where}.limits", "positive numbers", limits[:8].tolist())


def _grid(where: str, values: Floats) -> None:
    if min(values.shape[1:]) < 2 or max(values.shape[1:]) > LIMITS["grid"]:
        raise ParameterError(where, f"a grid of 2 to {LIMITS['grid']} cells a side", values.shape)


def _positive(where: str, value: float) -> None:
    if not (np.isfinite(value) and value > 0):
        raise ParameterError(where, "a positive number", value)


def _check_box(where: str, layer: Box, frames: int) -> None:
    sides = (layer.x0, layer.x1, layer.y0, layer.y1)
    if not np.isfinite(sides).all() or not (layer.x0 < layer.x1 and layer.y0 < layer.y1):
        raise ParameterError(where, "finite x0 < x1 and y0 < y1", sides)
    _array(f"{where}.mass", layer.mass, ("T",), {"T": frames}, infinite=False)
    _array(f"{where}.flux", layer.flux, ("T", 4), {"T": frames}, infinite=False)
    _positive(f"{where}.flux_scale", layer.flux_scale)


def _check_markers(where: str, layer: Markers, frames: int) -> None:
    if np.ndim(layer.positions) == 3:
        _array(f"{where}.positions", layer.positions, ("T", "M", 2), {"T": frames}, infinite=False)
    else:
        _array(f"{where}.positions", layer.positions, ("M", 2), infinite=False)
    if layer.shape not in _SHAPES:
        raise ParameterError(f"{where}.shape", f"one of {_SHAPES}", layer.shape)
    if layer.drag is not None and layer.positions.shape != (1, 2):
        raise ParameterError(f"{where}.drag", "a single resting point (1, 2)", layer.positions.shape)


def _check_ellipses(where: str, layer: Ellipses) -> None:
    means = _array(f"{where}.means", layer.means, ("K", 2), finite=True)
    size = {"K": len(means)}
    covariances = _array(f"{where}.covariances", layer.covariances, ("K", 2, 2), size, finite=True)
    weights = _array(f"{where}.weights", layer.weights, ("K",), size, finite=True)
    if (weights < 0).any():
        raise ParameterError(f"{where}.weights", "weights of 0 or more", weights.tolist())
    if layer.classes and len(layer.classes) != len(means):
        raise ParameterError(f"{where}.classes", f"{len(means)} classes", len(layer.classes))
    determinant = covariances[:, 0, 0] * covariances[:, 1, 1] - covariances[:, 0, 1] * covariances[:, 1, 0]
    if (covariances[:, 0, 0] < 0).any() or (determinant < -1e-6).any():
        raise ParameterError(f"{where}.covariances", "positive semidefinite matrices", covariances[:4].tolist())


def _array(
    where: str,
    value: object,
    shape: tuple[str | int, ...],
    sizes: Mapping[str, int] | None = None,
    *,
    finite: bool = False,
    infinite: bool = True,
) -> Floats:
    """`value` if it is a float32 array of `shape`: finite, or NaN allowed."""
    expected = ", ".join(str((sizes or {}).get(str(s), s)) for s in shape)
    if not isinstance(value, np.ndarray) or value.dtype != np.float32:
        raise ParameterError(where, f"a float32 array of shape ({expected})", getattr(value, "dtype", type(value)))
    wrong = value.ndim != len(shape) or any(
        size != want if isinstance(want, int) else size != (sizes or {}).get(want, size)
        for size, want in zip(value.shape, shape, strict=False)
    )
    if wrong:
        raise ParameterError(where, f"shape ({expected})", value.shape)
    if max(value.shape) > LIMITS["items"]:
        raise ParameterError(where, f"at most {LIMITS['items']} along each axis", value.shape)
    if finite and not np.isfinite(value).all():
        raise ParameterError(where, "finite values", "NaN or infinity")
    if not infinite and np.isinf(value).any():
        raise ParameterError(where, "finite values or NaN", "infinity")
    return value


def _unique(where: str, names: Iterable[str]) -> None:
    seen = list(names)
    if len(set(seen)) < len(seen) or not all(seen):
        raise ParameterError(where, "names that are not empty and differ", seen)


def _role(where: str, role: str) -> None:
    if role not in get_args(Role):
        raise ParameterError(f"{where}.role", f"one of {get_args(Role)}", role)


def arrays(clip: Clip) -> Iterator[NDArray[Any]]:
    """All arrays of a clip in a fixed order."""
    yield clip.times
    if clip.law is not None:
        yield from (clip.law.init, clip.law.data)
    for panel in clip.panels:
        if isinstance(panel, BarsPanel):
            if panel.bars is not None and panel.bars.values is not None:
                yield panel.bars.values
            continue
        for layer in panel.layers:
            for entry in dataclasses.fields(layer):
                value = getattr(layer, entry.name)
                yield from (part for part in (value if isinstance(value, tuple) else (value,)) if _is_array(part))
    for readout in clip.readouts:
        yield readout.values


def _is_array(value: object) -> bool:
    return isinstance(value, np.ndarray)
