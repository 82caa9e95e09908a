"""What the stage's check lets through and what it refuses, each at the very edge, and in every array of a clip."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fmviz.clips.clip import (
    Bars,
    BarsPanel,
    Box,
    Clip,
    Contours,
    Density,
    Ellipses,
    Extent,
    Floats,
    Law,
    LawParticles,
    LawVectors,
    Layer,
    Lines,
    Markers,
    Mesh,
    Particles,
    PlanePanel,
    Readout,
    Schedule,
    Signed,
    Vectors,
)
from fmviz.errors import ParameterError
from fmviz.stage.checking import check
from tests.stage.scenes import f32

T = 3
ROW = [1.0, 0.1, 0.2, 0.3, 0.05, 0.4]
LAW = Law(np.array([ROW]), np.array([ROW]), Schedule("linear"), (0.0, 0.0))


def ones(*shape: int) -> Floats:
    return f32(np.ones(shape))


DENSITY = Density("density", ones(T, 2, 2), 0.0)
SIGNED = Signed("signed", ones(T, 2, 2), 1.0, ones(T))
VECTORS = Vectors("vectors", "velocity", ones(4, 2), ones(T, 4, 2), 1.0, 1.0)
ARROWS = LawVectors("arrows", "velocity", "marginal", "velocity", 1.0, 10)
FLOW = LawParticles("flow", "ode", ones(4, 2), "interpolant", ends=ones(4, 2), positions=ones(T, 4, 2))
PARTICLES = Particles("particles", "ode", ones(T, 4, 2), trail_name="trails")
LINES = Lines("lines", "data", (ones(2, 2), ones(3, 2)))
MESH = Mesh("mesh", "path", ones(T, 2, 2, 2))
BOX = Box("box", "velocity", 0.0, 1.0, 0.0, 1.0, ones(T), ones(T, 4), 1.0)
MOVING = Markers("moving", "data", ones(T, 2, 2))
RESTING = Markers("resting", "data", ones(2, 2))
ELLIPSES = Ellipses("ellipses", "data", ones(2, 2), f32([np.eye(2)] * 2), ones(2))


def clip_of(*layers: Layer, **changes: Any) -> Clip:
    panel = PlanePanel("a", "A", Extent(-1, 1, -1, 1), layers)
    return dataclasses.replace(Clip(f32([0, 0.5, 1]), (panel,), law=LAW), **changes)


def bars_of(values: Floats) -> Clip:
    return clip_of(panels=(BarsPanel("b", "B", Bars(("1", "2"), values)),))


def accepted(clip: Clip) -> bool:
    try:
        check(clip)
    except ParameterError:
        return False
    return True


# What is not a number may stand where there is nothing to draw, what is infinite only in a logarithm or in a curve of numbers.
ARRAYS: dict[str, tuple[Callable[[Floats], Clip], Floats, bool, bool]] = {
    "times": (lambda a: clip_of(times=a), f32([0, 0.5, 1]), False, False),
    "readout": (lambda a: clip_of(readouts=(Readout("r", a),)), ones(T), True, True),
    "signed": (lambda a: clip_of(dataclasses.replace(SIGNED, values=a)), SIGNED.values, True, False),
    "signed limits": (lambda a: clip_of(dataclasses.replace(SIGNED, limits=a)), SIGNED.limits, False, False),
    "vectors at": (lambda a: clip_of(dataclasses.replace(VECTORS, positions=a)), VECTORS.positions, False, False),
    "vectors": (lambda a: clip_of(dataclasses.replace(VECTORS, vectors=a)), VECTORS.vectors, True, False),
    "flow starts": (lambda a: clip_of(dataclasses.replace(FLOW, starts=a)), ones(4, 2), False, False),
    "flow ends": (lambda a: clip_of(dataclasses.replace(FLOW, ends=a)), ones(4, 2), False, False),
    "flow": (lambda a: clip_of(dataclasses.replace(FLOW, positions=a)), ones(T, 4, 2), True, False),
    "particles": (lambda a: clip_of(dataclasses.replace(PARTICLES, positions=a)), PARTICLES.positions, True, False),
    "lines": (lambda a: clip_of(dataclasses.replace(LINES, points=(ones(2, 2), a))), ones(3, 2), True, False),
    "mesh": (lambda a: clip_of(dataclasses.replace(MESH, positions=a)), MESH.positions, True, False),
    "mass": (lambda a: clip_of(dataclasses.replace(BOX, mass=a)), BOX.mass, True, False),
    "flux": (lambda a: clip_of(dataclasses.replace(BOX, flux=a)), BOX.flux, True, False),
    "moving markers": (lambda a: clip_of(dataclasses.replace(MOVING, positions=a)), MOVING.positions, True, False),
    "resting markers": (lambda a: clip_of(dataclasses.replace(RESTING, positions=a)), RESTING.positions, True, False),
    "means": (lambda a: clip_of(dataclasses.replace(ELLIPSES, means=a)), ELLIPSES.means, False, False),
    "covariances": (
        lambda a: clip_of(dataclasses.replace(ELLIPSES, covariances=a)),
        ELLIPSES.covariances,
        False,
        False,
    ),
    "weights": (lambda a: clip_of(dataclasses.replace(ELLIPSES, weights=a)), ELLIPSES.weights, False, False),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_no_value_and_infinite_ones_stand_only_where_they_can_be_drawn(name: str) -> None:
    build, array, gaps, infinite = ARRAYS[name]
    assert accepted(build(array))
    for bad, allowed in ((np.nan, gaps), (np.inf, infinite), (-np.inf, infinite)):
        changed = array.copy()
        changed.reshape(-1)[-1] = bad
        assert accepted(build(changed)) == allowed, bad


@pytest.mark.parametrize("name", ARRAYS)
def test_every_array_is_of_float32_and_of_its_shape(name: str) -> None:
    build, array, _, _ = ARRAYS[name]
    for wrong in (array.astype(np.float64), array[None], array[..., None]):
        with pytest.raises(ParameterError, match=r"float32|shape"):
            check(build(wrong))


def ellipse(xx: float = 1.0, xy: float = 0.0, yy: float = 1.0, weight: float = 1.0) -> Clip:
    return clip_of(Ellipses("e", "data", ones(1, 2), f32([[[xx, xy], [xy, yy]]]), f32([weight])))


def rows(count: int, row: list[float] = ROW) -> Clip:
    return clip_of(law=dataclasses.replace(LAW, init=np.array([row] * count)))


def extent(x0: float, x1: float, y0: float, y1: float) -> Clip:
    return clip_of(panels=(PlanePanel("a", "A", Extent(x0, x1, y0, y1), ()),))


EDGES: dict[str, tuple[Callable[[Any], Clip], list[Any], list[Any]]] = {
    "frames": (
        lambda n: Clip(f32(np.arange(n)), (PlanePanel("a", "A", Extent(0, 1, 0, 1), ()),)),
        [2, 1001],
        [1, 1002],
    ),
    "seconds": (lambda s: clip_of(seconds=s), [1e-9, 1e9], [0.0, -1.0, np.inf, np.nan]),
    "columns": (
        lambda n: Clip(np.arange(T, dtype=np.float32), (BarsPanel("a", "", None), BarsPanel("b", "", None)), columns=n),
        [None, 1, 2],
        [0, 3],
    ),
    "panels": (lambda n: clip_of(panels=tuple(BarsPanel(f"b{k}", "", None) for k in range(n))), [1, 16], [0, 17]),
    "law": (rows, [1, 256], [0, 257]),
    "law's weight": (lambda w: rows(1, [w, *ROW[1:]]), [1e-9], [0.0, -1.0]),
    "law's variance": (lambda v: rows(1, [1.0, 0.0, 0.0, v, 0.0, v]), [1e-9], [0.0, -1.0]),
    "law's correlation": (lambda r: rows(1, [1.0, 0.0, 0.0, 1.0, r, 1.0]), [0.999, -0.999], [1.0, -1.0, 2.0]),
    "law's z": (lambda z: clip_of(law=dataclasses.replace(LAW, z=(0.0, z))), [1e9], [np.nan, np.inf]),
    "law's gamma": (
        lambda g: clip_of(law=dataclasses.replace(LAW, gamma=g)),
        [0.0, 1e9],
        [-1e-9, np.nan, np.inf],
    ),
    "bars": (lambda v: bars_of(f32(np.full((T, 2), v))), [0.0, 1.0, 1.00005, -0.00005, np.nan], [1.0002, -0.0002]),
    "extent": (lambda x: extent(0.0, x, 0.0, 1.0), [0.2, 5.0], [0.0, -1.0, 0.19, 5.1, np.inf]),
    "height of the extent": (lambda y: extent(0.0, 1.0, 0.0, y), [0.2, 5.0], [0.0, -1.0, 0.19, 5.1, np.inf]),
    "contours": (lambda level: clip_of(DENSITY, Contours("c", (0.5, level))), [0.001, 0.999], [0.0, 1.0, -1.0, 2.0]),
    "no contours": (lambda levels: clip_of(DENSITY, Contours("c", levels)), [(0.5,)], [()]),
    "scale": (lambda s: clip_of(dataclasses.replace(VECTORS, scale=s)), [1e-9], [0.0, -1.0, np.nan, np.inf]),
    "longest": (lambda s: clip_of(dataclasses.replace(VECTORS, longest=s)), [1e-9], [0.0, -1.0, np.nan, np.inf]),
    "arrows": (lambda n: clip_of(dataclasses.replace(ARROWS, across=n)), [2, 100], [1, 101]),
    "trail": (lambda n: clip_of(dataclasses.replace(PARTICLES, trail=n)), [0, 1], [-1]),
    "size": (lambda s: clip_of(dataclasses.replace(PARTICLES, size=s)), [1e-3, 10.0], [0.0, 10.1, np.nan]),
    "opacity": (lambda s: clip_of(dataclasses.replace(LINES, opacity=s)), [1e-3, 1.0], [0.0, 1.001, np.nan]),
    "mesh": (lambda n: clip_of(Mesh("m", "path", ones(T, n, 100, 2))), [200], [201]),
    "rows of a grid": (lambda n: clip_of(Density("d", ones(T, n, 2), 0.0)), [2, 512], [1, 513]),
    "columns of a grid": (lambda n: clip_of(Density("d", ones(T, 2, n), 0.0)), [2, 512], [1, 513]),
    "items": (lambda n: clip_of(Particles("p", "ode", ones(T, n, 2))), [0, 20_000], [20_001]),
    "top": (lambda v: clip_of(Density("d", ones(T, 2, 2), v)), [-1e9], [np.nan, np.inf]),
    "limit": (lambda v: clip_of(dataclasses.replace(SIGNED, limit=v)), [1e-9], [0.0, -1.0, np.nan, np.inf]),
    "limits": (lambda v: clip_of(dataclasses.replace(SIGNED, limits=f32([1, v, 1]))), [1e-9], [0.0, -1.0]),
    "box across": (lambda x: clip_of(dataclasses.replace(BOX, x1=x)), [1e-9], [0.0, -1.0, np.inf]),
    "box up": (lambda y: clip_of(dataclasses.replace(BOX, y1=y)), [1e-9], [0.0, -1.0, np.inf]),
    "flux scale": (lambda s: clip_of(dataclasses.replace(BOX, flux_scale=s)), [1e-9], [0.0, -1.0, np.nan]),
    "dragged point": (lambda n: clip_of(Markers("m", "data", ones(n, 2), drag="m")), [1], [0, 2]),
    "ellipse's weight": (lambda w: ellipse(weight=w), [0.0, 1.0], [-1e-6]),
    "ellipse's variance": (lambda v: ellipse(xx=v, yy=v), [0.0, 1.0], [-0.5]),
    "ellipse's correlation": (lambda r: ellipse(xy=r), [0.0, 1.0, -1.0], [1.001, -1.001]),
    "densities": (lambda fields: clip_of(*fields), [(DENSITY,), (SIGNED,), ()], [(DENSITY, SIGNED)]),
    "name": (lambda name: clip_of(dataclasses.replace(LINES, name=name)), ["lines"], [""]),
    "names of panels": (
        lambda names: clip_of(panels=tuple(BarsPanel(name, "", None) for name in names)),
        [("a", "b")],
        [("a", "a"), ("a", "")],
    ),
}


@pytest.mark.parametrize("name", EDGES)
def test_the_last_that_is_let_through_and_the_first_that_is_refused(name: str) -> None:
    build, within, beyond = EDGES[name]
    assert [accepted(build(value)) for value in within] == [True] * len(within)
    assert [accepted(build(value)) for value in beyond] == [False] * len(beyond)


def test_bars_at_a_point_need_the_law_a_label_for_each_component_and_a_finite_point() -> None:
    def at(point: tuple[float, float] | None, labels: tuple[str, ...] = ("1",), law: Law | None = LAW) -> Clip:
        return clip_of(panels=(BarsPanel("b", "B", Bars(labels, None, at=point)),), law=law)

    assert accepted(at((0.0, 0.0)))
    for clip in (at(None), at((0.0, np.nan)), at((0.0, 0.0), ("1", "2")), at((0.0, 0.0), law=None)):
        with pytest.raises(ParameterError, match=r"b\.bars\.values: expected an array, or a point and a label"):
            check(clip)
