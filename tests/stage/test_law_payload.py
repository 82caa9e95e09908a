"""A clip that carries its law: what travels, what is refused, and what does not travel at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from fmviz.clips.clip import (
    Absent,
    Bars,
    BarsPanel,
    Clip,
    Extent,
    Law,
    LawDensity,
    LawParticles,
    LawVectors,
    Layer,
    PlanePanel,
    Schedule,
)
from fmviz.clips.laws import schedule_of
from fmviz.errors import ParameterError
from fmviz.stage.payload import View, check, clip_digest, decode_header, default_layers, encode, layer_names
from fmviz.theory import schedulers
from tests.stage.scenes import english, f32

ROW = [1.0, 0.1, 0.2, 0.3, 0.05, 0.4]
LAW = Law(np.array([ROW]), np.array([ROW, ROW]), Schedule("linear"), (0.5, 0.25))
TWO = f32([[0, 1], [2, 3]])
FLOW = LawParticles("ode", "ode", TWO, "flow", trail=3, trail_name="ode_trails")


def clip_of(*layers: Layer, law: Law | None = LAW, bars: Bars | None = None) -> Clip:
    plane = PlanePanel("a", "A", Extent(-1, 1, -1, 1), layers)
    return Clip(f32([0, 0.5, 1]), (plane, BarsPanel("b", "B", bars)), law=law)


def header_of(clip: Clip) -> tuple[bytes, dict[str, Any]]:
    payload = encode(clip, english(clip), View())
    return payload, decode_header(payload)


def test_components_travel_to_the_last_bit() -> None:
    rows = np.array([[0.1, 1 / 3, -2 / 7, 0.3, 1e-9, 1e-6]])
    payload, header = header_of(
        clip_of(LawDensity("density", "marginal", 0.0), law=dataclasses.replace(LAW, data=rows))
    )
    entry = header["law"]["data"]
    found = np.frombuffer(payload, "<f8", entry["count"], header["start"] + entry["offset"])
    np.testing.assert_array_equal(found, rows[0])
    assert header["law"]["z"] == [0.5, 0.25]


@pytest.mark.parametrize("name", schedulers.NAMES)
def test_schedules_travel_by_name(name: str) -> None:
    scheduler = schedulers.get(name, exponent=2.5)
    law = dataclasses.replace(LAW, schedule=schedule_of(scheduler))
    _, header = header_of(clip_of(LawDensity("density", "marginal", 0.0), law=law))
    parameters = {"polynomial": [2.5], "vp": [0.1, 20.0]}.get(name, [])
    assert header["law"]["schedule"] == {"name": name, "parameters": parameters}


def test_a_typed_schedule_travels_as_its_tree() -> None:
    """With the limits at its ends, of which a slope may be infinite: a word, since JSON has no such number."""
    law = dataclasses.replace(LAW, schedule=schedule_of(schedulers.custom("t", "sqrt(1 - t)")))
    _, header = header_of(clip_of(LawDensity("density", "marginal", 0.0), law=law))
    schedule = header["law"]["schedule"]
    assert schedule["alpha"] == {"tree": "t", "ends": [[0.0, 1.0, 0.0], [1.0, 1.0, 1.0]]}
    assert schedule["beta"]["tree"] == ["sqrt", ["-", 1.0, "t"]]
    assert schedule["beta"]["ends"][1] == [0.0, "-Infinity", pytest.approx(-0.5)]


def test_layers_evaluated_in_the_browser_have_no_arrays() -> None:
    layers = (
        LawDensity("density", "conditional", 1.5),
        LawVectors("velocity", "velocity", "marginal", "velocity", 0.3, 12),
        FLOW,
        LawParticles("reference", "reference", TWO, "interpolant", ends=TWO),
    )
    bars = Bars(("1", "2"), None, at=(0.5, 0.5))
    _, header = header_of(clip_of(*layers, bars=bars))
    density, vectors, flow, reference = header["panels"][0]["layers"]
    assert (density["kind"], density["of"], density["log_max"]) == ("density", "conditional", 1.5)
    assert (vectors["kind"], vectors["quantity"], vectors["across"]) == ("vectors", "velocity", 12)
    assert (flow["way"], flow["positions"], flow["items"]) == ("flow", None, 2)
    assert reference["ends"]["count"] == 4
    assert header["panels"][1]["bars"]["at"] == [0.5, 0.5]


def test_a_layer_that_is_absent_has_its_name_only() -> None:
    clip = clip_of(Absent("sde", "sde", "sde_trails"), FLOW)
    _, header = header_of(clip)
    assert header["panels"][0]["layers"][0] == {
        "kind": "absent",
        "name": "sde",
        "role": "sde",
        "trail_name": "sde_trails",
    }
    assert layer_names(clip) == ("sde", "sde_trails", "ode", "ode_trails")
    assert default_layers(clip) == ("ode", "ode_trails")


def test_the_digest_tells_laws_apart() -> None:
    base = clip_of(LawDensity("density", "marginal", 0.0))
    moved = dataclasses.replace(LAW, z=(0.5, 0.26))
    other = dataclasses.replace(LAW, data=LAW.data + 1e-12)
    timed = dataclasses.replace(LAW, schedule=Schedule("trig"))
    laws = [base, *(dataclasses.replace(base, law=law) for law in (moved, other, timed))]
    assert len({clip_digest(clip) for clip in laws}) == 4


def wrong(law: Law | None = LAW, bars: Bars | None = None, **changes: Any) -> Callable[[], Clip]:
    return lambda: clip_of(dataclasses.replace(FLOW, **changes), law=law, bars=bars)


BAD = np.array([[1.0, 0.0, 0.0, 0.1, 0.5, 0.1]])
LINE = np.array([[1.0, 0.0, 0.0, 1.0, 0.5, 0.25]])
"""A covariance whose determinant is exactly 0."""
WRONG: dict[str, tuple[Callable[[], Clip], str]] = {
    "no law": (wrong(law=None), "law"),
    "law in float32": (wrong(law=dataclasses.replace(LAW, data=f32([ROW]))), "float64"),  # type: ignore[arg-type]
    "law of no components": (wrong(law=dataclasses.replace(LAW, data=np.zeros((0, 6)))), r"law\.data"),
    "law with too many": (wrong(law=dataclasses.replace(LAW, init=np.array([ROW] * 257))), "at most 256"),
    "law not positive definite": (wrong(law=dataclasses.replace(LAW, init=BAD)), r"law\.init.*positive definite"),
    "law on a line": (wrong(law=dataclasses.replace(LAW, init=LINE)), r"law\.init.*positive definite"),
    "law NaN": (wrong(law=dataclasses.replace(LAW, data=np.array([ROW]) * np.nan)), r"law\.data"),
    "law without weight": (wrong(law=dataclasses.replace(LAW, data=np.array([[0.0, *ROW[1:]]]))), "positive weights"),
    "z nowhere": (wrong(law=dataclasses.replace(LAW, z=(0.0, np.inf))), r"law\.z"),
    "starts": (wrong(starts=f32([[np.nan, 0]])), "starts"),
    "ends": (wrong(ends=f32([[0, 0]])), "ends"),
    "positions": (wrong(positions=f32(np.zeros((3, 5, 2)))), "positions"),
    "trail": (wrong(trail=-1), "trail"),
    "size": (wrong(size=0.0), "size"),
    "scale": (lambda: clip_of(LawVectors("v", "velocity", "marginal", "velocity", 0.0)), "scale"),
    "across": (lambda: clip_of(LawVectors("v", "velocity", "marginal", "velocity", 1.0, 1)), "across"),
    "top": (lambda: clip_of(LawDensity("d", "marginal", np.nan)), "log_max"),
    "bars nowhere": (wrong(bars=Bars(("1", "2"), None)), r"b\.bars"),
    "bars without labels": (wrong(bars=Bars(("1",), None, at=(0.0, 0.0))), r"b\.bars"),
}


@pytest.mark.parametrize("case", WRONG)
def test_check_names_what_is_wrong(case: str) -> None:
    build, message = WRONG[case]
    with pytest.raises(ParameterError, match=message):
        check(build())


def test_a_scheduler_of_no_known_kind_has_no_name() -> None:
    class Strange(schedulers.Linear):
        pass

    class Stranger(schedulers.Scheduler):
        def evaluate(self, t: torch.Tensor) -> schedulers.ScheduleValues:
            return schedulers.get("linear").evaluate(t)

    assert schedule_of(Strange()).name == "linear"
    with pytest.raises(ParameterError, match="scheduler"):
        schedule_of(Stranger())
