"""What travels to the browser: faithful within the stated precision, and never anything it would choke on."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fmviz.clips.clip import (
    Bars,
    BarsPanel,
    Clip,
    Contours,
    Density,
    Ellipses,
    Extent,
    Layer,
    Lines,
    Markers,
    Particles,
    PlanePanel,
    Readout,
    Vectors,
)
from fmviz.errors import ParameterError
from fmviz.stage.payload import (
    NATS,
    Labels,
    View,
    check,
    clip_digest,
    decode_header,
    default_layers,
    encode,
    layer_names,
)
from tests.stage.scenes import TEXTS, default_clip, english, f32, small_clip

RNG = np.random.default_rng(0)
EXTENT = Extent(-2, 2, -1, 3)
TIMES = f32([0, 0.25, 1])
ONES = f32(np.ones((3, 4, 2)))


def clip_of(*layers: Layer, **changes: Any) -> Clip:
    return dataclasses.replace(Clip(TIMES, (PlanePanel("a", "A", EXTENT, layers),)), **changes)


def density(values: object = None) -> Density:
    return Density("density", f32(np.zeros((3, 4, 5)) if values is None else values), 0.0)


def read(payload: bytes, entry: dict[str, Any]) -> NDArray[np.float64]:
    """The independent reader: the layout as the module's docstring states it."""
    start = decode_header(payload)["start"] + entry["offset"]
    kind = {"f32": "<f4", "i16": "<i2", "u16": "<u2"}[entry["dtype"]]
    raw = np.frombuffer(payload, kind, entry["count"], start)
    assert start % 8 == 0
    if entry["dtype"] == "f32":
        return raw.astype(float)
    low, high, gap, value = (-32767, 32767, -32768, np.nan) if entry["dtype"] == "i16" else (1, 65535, 0, -np.inf)
    out = entry["lo"] + (raw.astype(float) - low) * (entry["hi"] - entry["lo"]) / (high - low)
    out[raw == gap] = value
    return out


def layer_of(payload: bytes, index: int = 0, panel: int = 0) -> dict[str, Any]:
    layer: dict[str, Any] = decode_header(payload)["panels"][panel]["layers"][index]
    return layer


def packed(*layers: Layer) -> bytes:
    clip = clip_of(*layers)
    return encode(clip, english(clip), View())


def test_density_keeps_log_p() -> None:
    values = f32(RNG.uniform(-25, 2, (3, 16, 12)))
    values[0, 0, :3] = -np.inf
    values[1, 2, 3] = -400
    payload = packed(Density("density", values, 2.0))
    layer = layer_of(payload)
    back = read(payload, layer["codes"]).reshape(values.shape)
    assert (layer["rows"], layer["columns"]) == (16, 12)
    assert layer["codes"]["hi"] == pytest.approx(2, abs=0.01)
    seen = values >= 2 - NATS
    assert np.abs(back[seen] - values[seen]).max() <= NATS / 65534
    assert (back[~seen] == -np.inf).all()


def test_a_near_dirac_does_not_push_out_the_rest() -> None:
    values = np.full((3, 8, 8), -2.0)
    values[2, 4, 4] = 60.0
    payload = packed(Density("density", f32(values), 0.0))
    back = read(payload, layer_of(payload)["codes"])
    assert np.isfinite(back).all()
    assert back.min() == pytest.approx(-2, abs=1e-3)


def test_vectors_keep_what_is_drawn() -> None:
    positions = f32(RNG.uniform(-1, 1, (900, 2)))
    vectors = f32(RNG.normal(size=(3, 900, 2)))
    vectors[2] = np.nan
    vectors[0, 0] = [3e30, -4e30]
    payload = packed(Vectors("v", "velocity", positions, vectors, scale=0.1, longest=0.4))
    layer = layer_of(payload)
    back = read(payload, layer["vectors"]).reshape(vectors.shape)
    assert np.isnan(back[2]).all()
    assert back[0, 0] == pytest.approx([2.4, -3.2], abs=1e-3), "cut to the longest arrow, the direction kept"
    short = np.hypot(*np.moveaxis(vectors, -1, 0)) < 3.9
    assert np.abs(back - vectors)[short].max() <= 8 / 65534
    assert np.abs(read(payload, layer["positions"]) - positions.ravel()).max() < 1e-4


def test_one_stray_particle_costs_no_precision() -> None:
    positions = f32(RNG.normal(size=(3, 500, 2)))
    positions[1, 7] = [1e6, -1e6]
    positions[2, 8] = np.nan
    payload = packed(Particles("p", "ode", positions, trail=4, trail_name="t"))
    back = read(payload, layer_of(payload)["positions"]).reshape(positions.shape)
    assert np.isnan(back[2, 8]).all()
    assert back[1, 7] == pytest.approx([14, -13], abs=1e-3)
    ok = np.abs(positions) < 5
    assert np.abs(back - positions)[ok].max() <= 28 / 65534


def test_constant_and_empty_arrays() -> None:
    flat = packed(Particles("p", "ode", f32(np.full((3, 500, 2), 1.5))))
    assert (read(flat, layer_of(flat)["positions"]) == 1.5).all()
    gone = packed(Particles("p", "ode", f32(np.full((3, 500, 2), np.nan))))
    assert np.isnan(read(gone, layer_of(gone)["positions"])).all()
    none = packed(Particles("p", "ode", f32(np.zeros((3, 0, 2)))), Lines("l", "data", ()))
    assert layer_of(none)["items"] == 0


def test_small_things_travel_exactly() -> None:
    lines = (f32([[0, 0], [np.nan, 0], [1, 1]]), f32([[0.1, 0.2], [0.3, 0.4]]))
    payload = packed(
        Lines("l", "data", lines, dashed=True, opacity=0.5),
        Markers("z", "data", f32([[0.1, 0.2]]), label="z", drag="z"),
        Markers("m", "data", f32(np.zeros((3, 2, 2))), "ring"),
        Ellipses("e", "data", f32([[0, 1]]), f32([[[2, 0.5], [0.5, 1]]]), f32([1]), edit="data"),
    )
    line = layer_of(payload)
    assert line["lengths"] == [3, 2]
    assert np.array_equal(read(payload, line["points"]), np.concatenate(lines).ravel().astype(float), equal_nan=True)
    assert layer_of(payload, 1)["drag"] == "z"
    assert layer_of(payload, 2)["moving"] is True
    assert layer_of(payload, 3)["components"] == [[1.0, 0.0, 1.0, 2.0, 0.5, 1.0]]


def test_header_is_strict_json_and_arrays_are_aligned() -> None:
    clip = default_clip()
    payload = encode(clip, english(clip), View(t=5))
    header = decode_header(payload)
    assert payload[:4] == b"FMVZ"
    assert header["view"]["t"] == 1.0
    assert header["start"] % 8 == 0
    json.dumps(header, allow_nan=False)
    assert len(payload) < 3.6e6, "the default clip, about 3 MB"


def test_texts_of_the_user_survive() -> None:
    clip = clip_of(density())
    name = "</script><b>条件 ∂ \" ' \\"
    labels = dataclasses.replace(english(clip), layers={"density": name})
    assert decode_header(encode(clip, labels, View()))["labels"]["layers"]["density"] == name


def test_labels_are_complete() -> None:
    with pytest.raises(ParameterError, match="texts"):
        Labels.from_mapping({k: v for k, v in TEXTS.items() if k != "play"}, {})
    with pytest.raises(ParameterError, match="texts"):
        Labels.from_mapping({**TEXTS, "extra": "x"}, {})
    clip = clip_of(density(), Contours("contours"))
    with pytest.raises(ParameterError, match="contours"):
        encode(clip, dataclasses.replace(english(clip), layers={"density": "d"}), View())


def test_equal_names_share_one_chip() -> None:
    clip = clip_of(
        Lines("path", "data", ()), Lines("path", "data", (), dashed=True), Particles("p", "ode", ONES, 2, "path")
    )
    check(clip)
    assert layer_names(clip) == ("path", "p")


def test_default_view_is_not_crowded() -> None:
    clip = small_clip()
    assert layer_names(clip)[:4] == ("density", "contours", "velocity", "score")
    assert default_layers(clip) == ("density", "velocity", "ode", "ode trails", "ellipses", "lines", "z")
    shown = decode_header(encode(clip, english(clip), View(layers_on=("z", "score", "gone"))))["view"]["layers_on"]
    assert shown == ["score", "z"]


def test_digest_names_the_scene_not_the_language() -> None:
    clip = small_clip()
    again = small_clip()
    assert clip_digest(clip) == clip_digest(again)
    titled = dataclasses.replace(clip, panels=tuple(dataclasses.replace(p, title="标题") for p in clip.panels))
    assert clip_digest(titled) == clip_digest(clip)
    times = clip.times.copy()
    times[1] += 1e-6
    assert clip_digest(dataclasses.replace(clip, times=times)) != clip_digest(clip)
    assert clip_digest(dataclasses.replace(clip, seconds=4)) != clip_digest(clip)
    bare = dataclasses.replace(clip, panels=clip.panels[:1])
    assert clip_digest(bare) != clip_digest(clip)


def test_not_a_payload() -> None:
    with pytest.raises(ParameterError, match="payload"):
        decode_header(b"hello, world")


def _with(**changes: Any) -> Callable[[], Clip]:
    return lambda: clip_of(density(), **changes)


def _layers(*layers: Layer) -> Callable[[], Clip]:
    return lambda: clip_of(*layers)


WRONG: dict[str, tuple[Callable[[], Clip], str]] = {
    "one frame": (_with(times=f32([0])), "times"),
    "times stand still": (_with(times=f32([0, 0.5, 0.5])), "increasing"),
    "times NaN": (_with(times=f32([0, np.nan, 1])), "times"),
    "times double": (_with(times=np.array([0, 0.5, 1])), "float32"),
    "no panels": (_with(panels=()), "panels"),
    "no seconds": (_with(seconds=0.0), "seconds"),
    "panel names": (_with(panels=(PlanePanel("a", "A", EXTENT, ()),) * 2), "differ"),
    "extent upside down": (_with(panels=(PlanePanel("a", "A", Extent(0, 1, 1, 0), ()),)), "extent"),
    "extent infinite": (_with(panels=(PlanePanel("a", "A", Extent(0, np.inf, 0, 1), ()),)), "extent"),
    "extent a slit": (_with(panels=(PlanePanel("a", "A", Extent(0, 1, 0, 100), ()),)), "between 0.2 and 5"),
    "readout length": (_with(readouts=(Readout("α", f32([1, 2])),)), "readouts.α"),
    "empty name": (_layers(Particles("", "ode", ONES)), "not empty"),
    "two densities": (_layers(density(), dataclasses.replace(density(), name="e")), "one Density"),
    "density frames": (_layers(density(np.zeros((2, 4, 4)))), r"\(3, H, W\)"),
    "density NaN": (_layers(density(np.full((3, 4, 4), np.nan))), "none NaN"),
    "density infinite": (_layers(density(np.full((3, 4, 4), np.inf))), "below"),
    "density a row": (_layers(density(np.zeros((3, 1, 4)))), "2 to 512"),
    "density top": (_layers(Density("d", f32(np.zeros((3, 4, 4))), np.nan)), "log_max"),
    "contours alone": (_layers(Contours("c")), "Density"),
    "contour level": (_layers(density(), Contours("c", (0.5, 1.2))), "between 0 and 1"),
    "vector count": (_layers(Vectors("v", "velocity", f32(np.zeros((5, 2))), ONES, 1, 1)), "vectors"),
    "vector infinite": (_layers(Vectors("v", "velocity", f32(np.zeros((4, 2))), ONES * np.inf, 1, 1)), "NaN"),
    "vector scale": (_layers(Vectors("v", "velocity", f32(np.zeros((4, 2))), ONES, 0, 1)), "scale"),
    "particles in 3d": (_layers(Particles("p", "ode", f32(np.zeros((3, 4, 3))))), "positions"),
    "particle count": (_layers(Particles("p", "ode", f32(np.zeros((3, 20_001, 2))))), "at most"),
    "trail": (_layers(Particles("p", "ode", ONES, trail=-1)), "trail"),
    "role": (_layers(Particles("p", "purple", ONES)), "role"),  # type: ignore[arg-type]
    "line": (_layers(Lines("l", "data", (f32([1, 2, 3]),))), "points"),
    "opacity": (_layers(Lines("l", "data", (), opacity=0)), "opacity"),
    "marker drag": (_layers(Markers("m", "data", f32(np.zeros((2, 2))), drag="m")), "single"),
    "marker shape": (_layers(Markers("m", "data", f32(np.zeros((2, 2))), "star")), "shape"),  # type: ignore[arg-type]
    "ellipse count": (
        _layers(Ellipses("e", "data", f32(np.zeros((2, 2))), f32([np.eye(2)]), f32([1, 1]))),
        "covariances",
    ),
    "covariance": (_layers(Ellipses("e", "data", f32([[0, 0]]), f32([[[1, 2], [2, 1]]]), f32([1]))), "semidefinite"),
    "weight": (_layers(Ellipses("e", "data", f32([[0, 0]]), f32([np.eye(2)]), f32([-1]))), "weights"),
    "bars": (_with(panels=(BarsPanel("b", "B", Bars(("1",), f32(np.zeros((3, 2))))),)), "labels"),
    "bar values": (_with(panels=(BarsPanel("b", "B", Bars(("1",), f32(np.full((3, 1), 2)))),)), r"\[0, 1\]"),
}


@pytest.mark.parametrize("case", WRONG)
def test_check_names_what_is_wrong(case: str) -> None:
    build, message = WRONG[case]
    with pytest.raises(ParameterError, match=message):
        check(build())


@pytest.mark.parametrize("view", [View(t=np.nan), View(density_scale="cubic"), View(speed=0)])  # type: ignore[arg-type]
def test_view_is_checked(view: View) -> None:
    clip = clip_of(density())
    with pytest.raises(ParameterError, match="view"):
        encode(clip, english(clip), view)


def test_not_an_array() -> None:
    with pytest.raises(ParameterError, match="float32"):
        check(clip_of(Particles("p", "ode", [[1, 2]])))  # type: ignore[arg-type]
