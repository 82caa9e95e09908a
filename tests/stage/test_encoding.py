"""How a view and the arrays of a clip are written into a payload, and written anew from one."""

from __future__ import annotations

import numpy as np
import pytest

from fmviz.clips.clip import Clip, Density, Extent, Layer, Particles, PlanePanel
from fmviz.errors import ParameterError
from fmviz.stage.block import Block
from fmviz.stage.payload import NATS, View, decode_header, encode, layer_names, live_part, packed, pair
from tests.stage.scenes import english, f32, small_clip


def clip_of(*layers: Layer) -> Clip:
    return Clip(f32([0, 0.25, 1]), (PlanePanel("a", "A", Extent(-2, 2, -1, 3), layers),))


def test_a_view_travels_as_it_is_and_is_modest_by_default() -> None:
    clip = clip_of(Density("density", f32(np.zeros((3, 2, 2))), 0.0))
    for speed in (0.05, 20.0):
        assert decode_header(encode(clip, english(clip), View(speed=speed)))["view"]["speed"] == speed
    shown = decode_header(encode(clip, english(clip), View(t=-1.0)))["view"]
    assert shown["t"] == 0.0
    assert [shown[name] for name in ("playing", "per_frame", "present", "acknowledge")] == [False] * 4
    assert (shown["speed"], shown["zoom"], shown["revision"], shown["feed"]) == (1.0, None, 0, "")


def test_a_payload_packed_is_the_same_and_forgets_arrays_without_a_name() -> None:
    clip = small_clip()
    payload = encode(clip, english(clip), View())
    assert packed(decode_header(payload), payload) == payload
    bare = packed(decode_header(payload) | {"panels": []}, payload)
    assert decode_header(bare)["panels"] == []
    assert len(bare) - decode_header(bare)["start"] == 4 * 48, (
        "times and three readouts of 11 numbers, each to a multiple of 8"
    )


def test_two_payloads_travel_as_one_and_the_live_one_is_found_again() -> None:
    clip = small_clip()
    pinned, live = (encode(clip, english(clip), View(t=t)) for t in (0.0, 0.5))
    both = pair(pinned, live)
    assert live_part(both) == live
    assert both[8:] == pinned + live
    assert int.from_bytes(both[4:8], "little") == len(pinned)
    assert live_part(live) == live
    for wrong in ((both, live), (pinned, both), (pinned, b"")):
        with pytest.raises(ParameterError, match="pinned" if wrong[0] is both else "live"):
            pair(*wrong)


def test_log_densities_are_rounded_to_the_nearest_code() -> None:
    step = NATS / 65534
    codes = np.arange(1, 40)
    near = np.concatenate([codes - 0.49, codes + 0.49]) * step - NATS
    values = np.zeros((3, 39, 2))
    values[0] = near.reshape(2, 39).T
    clip = clip_of(Density("density", f32(values), 0.0))
    payload = encode(clip, english(clip), View())
    header = decode_header(payload)
    entry = header["panels"][0]["layers"][0]["codes"]
    found = np.frombuffer(payload, "<u2", 78, header["start"] + entry["offset"])
    assert (found.reshape(39, 2) == codes[:, None] + 1).all(), "code 1 is the lowest density that is kept"


@pytest.mark.parametrize(
    "junk", [b"", b"FMVZ", b"FMVZ\0\0\0", b"FMVZ\0\0\0\0", b"FMVZ\2\0\0\0{]", b"FMVZ\2\0\0\0{}"[:-1]]
)
def test_bytes_that_break_off_are_no_payload(junk: bytes) -> None:
    with pytest.raises(ParameterError, match="payload"):
        decode_header(junk)


@pytest.mark.parametrize(("trail", "names"), [(0, ("p",)), (1, ("p", "t")), (2, ("p", "t"))])
def test_trails_of_any_length_have_a_chip_of_their_own(trail: int, names: tuple[str, ...]) -> None:
    assert layer_names(clip_of(Particles("p", "ode", f32(np.ones((3, 4, 2))), trail, "t"))) == names


def test_arrays_of_any_length_begin_at_a_multiple_of_eight_bytes() -> None:
    densities = [Density("d", f32(np.zeros((3, rows, 3))), 0.0) for rows in (2, 3, 5, 7)]
    for density in densities:
        clip = clip_of(density, Particles("p", "ode", f32(np.ones((3, 341, 2)))))
        payload = encode(clip, english(clip), View())
        codes, positions = (
            layer[name]
            for layer, name in zip(decode_header(payload)["panels"][0]["layers"], ("codes", "positions"), strict=True)
        )
        assert (codes["offset"] % 8, positions["offset"] % 8) == (0, 0)
        assert (len(payload) - decode_header(payload)["start"]) % 8 == 0


def test_frames_that_two_layers_share_travel_once_and_what_can_be_edited_does_not():
    block = Block()
    frames = np.linspace(-1.0, 1.0, 4096, dtype=np.float32)
    first, again, other = block.floats(frames), block.floats(frames.copy()), block.floats(2.0 * frames + 1.0)
    assert again == first
    assert (other["lo"], other["hi"]) == (-1.0, 3.0)
    size = block.size
    rows = np.ones(6)
    assert block.doubles(rows)["offset"] != block.doubles(rows)["offset"]
    assert size <= 2 * 4096 * 2
    assert block.size == size + 2 * rows.nbytes
