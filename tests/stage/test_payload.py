"""What travels to the browser: faithful within the stated precision, and never anything it would choke on."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fmviz.clips.clip import (
    Box,
    Clip,
    Contours,
    Density,
    Ellipses,
    Extent,
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
    kind = {"f32": "<f4", "i16": "<i2", "s16": "<i2", "u16": "<u2"}[entry["dtype"]]
    raw = np.frombuffer(payload, kind, entry["count"], start)
    assert start % 8 == 0
    if entry["dtype"] == "f32":
        return raw.astype(float)
    if entry["dtype"] == "s16":
        part = raw.astype(float) / 32767
        return np.where(raw == -32768, np.nan, entry["hi"] * part * np.abs(part))
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


def test_log_densities_are_kept_down_to_thirty_nats() -> None:
    """The depth that the layout promises: what is 29.9 nats below the top arrives, what is 30.1 below does not."""
    values = np.zeros((3, 2, 2))
    values[0, 0, 1], values[0, 1, 0] = -29.9, -30.1
    payload = packed(Density("density", f32(values), 0.0))
    back = read(payload, layer_of(payload)["codes"])
    assert back[1] == pytest.approx(-29.9, abs=1e-3)
    assert back[2] == -np.inf


def test_what_rises_above_the_top_is_kept_for_eight_nats() -> None:
    """And the depth is counted from there: 5 above the top and 25 below it are the ends of what is kept."""
    values = np.zeros((3, 2, 2))
    values[0, 0, 1], values[0, 1, 0], values[0, 1, 1] = 5.0, -24.9, -25.1
    payload = packed(Density("density", f32(values), 0.0))
    back = read(payload, layer_of(payload)["codes"])
    assert back[:3] == pytest.approx([0.0, 5.0, -24.9], abs=1e-3)
    assert back[3] == -np.inf
    values[0, 0, 1] = 60.0
    payload = packed(Density("density", f32(values), 0.0))
    assert read(payload, layer_of(payload)["codes"])[1] == pytest.approx(8.0, abs=1e-3)


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


@pytest.mark.parametrize(("count", "dtype"), [(1024, "f32"), (1025, "i16")])
def test_up_to_2048_numbers_are_small(count: int, dtype: str) -> None:
    positions = f32(RNG.uniform(-1, 1, (count, 2)))
    payload = packed(Vectors("v", "velocity", positions, f32(np.zeros((3, count, 2))), scale=0.1, longest=0.4))
    entry = layer_of(payload)["positions"]
    assert entry["dtype"] == dtype
    assert np.abs(read(payload, entry) - positions.ravel()).max() < (1e-4 if dtype == "i16" else 1e-12)


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


def signed(values: object = None, limit: float = 2.0, limits: object = (2, 1, 0.5)) -> Signed:
    return Signed("term", f32(np.zeros((3, 4, 5)) if values is None else values), limit, f32(limits))


def test_a_signed_field_keeps_small_values_and_their_sign() -> None:
    values = f32(RNG.normal(size=(3, 12, 16)) * np.array([1, 1e-2, 1e-5])[:, None, None])
    values[1, 2, 3] = np.nan
    values[0, 0, :2] = [50, -50]
    payload = packed(signed(values, 4.0, [4, 0.04, 4e-5]))
    layer = layer_of(payload)
    back = read(payload, layer["codes"]).reshape(values.shape)
    assert (layer["kind"], layer["rows"], layer["columns"], layer["limit"]) == ("signed", 12, 16, 4.0)
    assert read(payload, layer["limits"]) == pytest.approx([4, 0.04, 4e-5])
    assert np.isnan(back[1, 2, 3])
    assert back[0, 0, :2].tolist() == [4, -4], "cut at the highest limit"
    kept = np.isfinite(values) & (np.abs(values) < 4)
    error = np.abs(back - values)[kept]
    assert (error <= 1.01 * (np.sqrt(4 * np.abs(values[kept])) / 32767 + 4 / 32767**2)).all()
    assert np.abs(back[2] - values[2]).max() < 0.02 * 4e-5, "a hundred-thousandth of the limit still has its shape"


def test_the_highest_limit_of_a_frame_is_kept() -> None:
    values = f32(np.full((3, 2, 2), 3.0))
    payload = packed(signed(values, 1.0, [1, 3, 1]))
    assert read(payload, layer_of(payload)["codes"]) == pytest.approx(3.0, rel=1e-6)


def test_a_mesh_keeps_its_grid() -> None:
    positions = f32(RNG.normal(size=(3, 20, 30, 2)))
    positions[1, 2, 3] = np.nan
    payload = packed(Mesh("mesh", "path", positions))
    layer = layer_of(payload)
    back = read(payload, layer["positions"]).reshape(positions.shape)
    assert (layer["rows"], layer["columns"]) == (20, 30)
    assert np.isnan(back[1, 2, 3]).all()
    ok = np.abs(positions) < 5
    assert np.abs(back - positions)[ok].max() <= 28 / 65534


def box(**changes: Any) -> Box:
    whole = Box("box", "velocity", -1, 0.5, 0, 2, f32([0.1, 0.2, np.nan]), f32(np.ones((3, 4))), 2.0, "box")
    return dataclasses.replace(whole, **changes)


def test_a_box_travels_exactly() -> None:
    payload = packed(box())
    layer = layer_of(payload)
    assert layer["sides"] == [-1, 0.5, 0, 2]
    assert (layer["flux_scale"], layer["drag"]) == (2.0, "box")
    assert np.array_equal(read(payload, layer["mass"]), box().mass.astype(float), equal_nan=True)
    assert (read(payload, layer["flux"]) == 1).all()


MATH = '<math xmlns="http://www.w3.org/1998/Math/MathML"><mrow><mi>u</mi><mo stretchy="false">=</mo><mn>1</mn></mrow></math>'


def test_axes_and_formula_of_a_panel() -> None:
    panel = PlanePanel("a", "A", Extent(0, 1, -50, 50), (), aspect=1.5, x_label="t", y_label="x", formula=MATH)
    clip = Clip(TIMES, (panel,))
    shown = decode_header(encode(clip, english(clip), View()))["panels"][0]
    assert (shown["aspect"], shown["x_label"], shown["y_label"], shown["formula"]) == (1.5, "t", "x", MATH)
    renamed = dataclasses.replace(panel, x_label="时间", y_label="位置")
    assert clip_digest(Clip(TIMES, (renamed,))) == clip_digest(clip), "the same scene in another language"


def test_starts_of_one_layer_are_dragged_one_by_one() -> None:
    starts = [Markers("start", "init", f32([[n, 0]]), "ring", drag=f"start{n}") for n in range(3)]
    payload = packed(*starts)
    assert [layer_of(payload, n)["drag"] for n in range(3)] == ["start0", "start1", "start2"]
    assert layer_names(clip_of(*starts)) == ("start",)


def test_the_steps_of_a_solver_are_dots() -> None:
    payload = packed(Lines("euler", "euler", (f32([[0, 0], [1, 1]]),), dots=True), Lines("exact", "ode", ()))
    assert [layer_of(payload, n)["dots"] for n in range(2)] == [True, False]


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
    payload = encode(clip, labels, View())
    assert decode_header(payload)["labels"]["layers"]["density"] == name
    assert "条件 ∂".encode() in payload, "as utf-8, not as escapes that take twice the room"


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
