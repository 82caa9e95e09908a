"""Clips and views that the check before the journey to the browser refuses, each with what it says."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

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
    Mesh,
    Particles,
    PlanePanel,
    Readout,
    Signed,
    Vectors,
)
from fmviz.errors import ParameterError
from fmviz.stage.assets import script
from fmviz.stage.mathml import MATHML_ATTRIBUTES, MATHML_TAGS
from fmviz.stage.payload import (
    View,
    check,
    encode,
)
from tests.stage.scenes import english, f32
from tests.stage.test_payload import EXTENT, ONES, box, clip_of, density, signed


def _with(**changes: Any) -> Callable[[], Clip]:
    return lambda: clip_of(density(), **changes)


def _layers(*layers: Layer) -> Callable[[], Clip]:
    return lambda: clip_of(*layers)


WRONG: dict[str, tuple[Callable[[], Clip], str]] = {
    "one frame": (_with(times=f32([0])), "times"),
    "times stand still": (_with(times=f32([0, 0.5, 0.5])), "increasing"),
    "times NaN": (_with(times=f32([0, np.nan, 1])), "times"),
    "times infinite": (_with(times=f32([0, 0.5, np.inf])), "finite"),
    "times double": (_with(times=np.array([0, 0.5, 1])), "float32"),
    "no panels": (_with(panels=()), "panels"),
    "no seconds": (_with(seconds=0.0), "seconds"),
    "panel names": (_with(panels=(PlanePanel("a", "A", EXTENT, ()),) * 2), "differ"),
    "extent upside down": (_with(panels=(PlanePanel("a", "A", Extent(0, 1, 1, 0), ()),)), "extent"),
    "extent flat": (_with(panels=(PlanePanel("a", "A", Extent(0, 1, 1, 1), ()),)), "x0 < x1 and y0 < y1"),
    "extent thin": (_with(panels=(PlanePanel("a", "A", Extent(1, 1, 0, 1), ()),)), "x0 < x1 and y0 < y1"),
    "extent infinite": (_with(panels=(PlanePanel("a", "A", Extent(0, np.inf, 0, 1), ()),)), "extent"),
    "extent a slit": (_with(panels=(PlanePanel("a", "A", Extent(0, 1, 0, 100), ()),)), "between 0.2 and 5"),
    "readout length": (_with(readouts=(Readout("α", f32([1, 2])),)), "readouts.α"),
    "empty name": (_layers(Particles("", "ode", ONES)), "not empty"),
    "two densities": (_layers(density(), dataclasses.replace(density(), name="e")), "one density"),
    "density and signed": (_layers(density(), signed()), "one density or signed"),
    "density frames": (_layers(density(np.zeros((2, 4, 4)))), r"\(3, H, W\)"),
    "density NaN": (_layers(density(np.full((3, 4, 4), np.nan))), "none NaN"),
    "density infinite": (_layers(density(np.full((3, 4, 4), np.inf))), "below"),
    "density a row": (_layers(density(np.zeros((3, 1, 4)))), "2 to 512"),
    "density top": (_layers(Density("d", f32(np.zeros((3, 4, 4))), np.nan)), "log_max"),
    "signed frames": (_layers(signed(np.zeros((2, 4, 4)))), r"\(3, H, W\)"),
    "signed double": (_layers(Signed("s", np.zeros((3, 4, 4)), 1, f32([1, 1, 1]))), "float32"),  # type: ignore[arg-type]
    "signed infinite": (_layers(signed(np.full((3, 4, 4), -np.inf))), "NaN"),
    "signed a row": (_layers(signed(np.zeros((3, 1, 4)))), "2 to 512"),
    "signed limit": (_layers(signed(limit=0)), "limit"),
    "signed limits": (_layers(signed(limits=[1, 0, 1])), "limits"),
    "signed limits frames": (_layers(signed(limits=[1, 1])), "limits"),
    "mesh in 3d": (_layers(Mesh("m", "path", f32(np.zeros((3, 4, 4, 3))))), "positions"),
    "mesh frames": (_layers(Mesh("m", "path", f32(np.zeros((2, 4, 4, 2))))), "positions"),
    "mesh size": (_layers(Mesh("m", "path", f32(np.zeros((3, 200, 200, 2))))), "at most"),
    "box sides": (_layers(box(x1=-1)), "x0 < x1"),
    "box infinite": (_layers(box(y1=np.inf)), "finite"),
    "box mass": (_layers(box(mass=f32([1, 1]))), "mass"),
    "box flux": (_layers(box(flux=f32(np.ones((3, 2))))), "flux"),
    "box scale": (_layers(box(flux_scale=np.nan)), "flux_scale"),
    "drag names": (_layers(box(), Markers("m", "data", f32([[0, 0]]), drag="box")), "drag"),
    "aspect": (_with(panels=(PlanePanel("a", "A", EXTENT, (), aspect=9),)), "aspect"),
    "contours alone": (_layers(Contours("c")), "a density"),
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


@pytest.mark.parametrize("width", [0.2, 5.0])
def test_a_panel_may_be_five_times_as_wide_as_high_or_as_high_as_wide(width: float) -> None:
    def panel(extent: Extent, aspect: float | None = None) -> Clip:
        return clip_of(panels=(PlanePanel("a", "A", extent, (), aspect=aspect),))

    check(panel(Extent(0, width, 0, 1)))
    check(panel(EXTENT, aspect=width))
    beyond = width * (1.01 if width > 1 else 0.99)
    for clip in (panel(Extent(0, beyond, 0, 1)), panel(EXTENT, aspect=beyond)):
        with pytest.raises(ParameterError, match=r"between 0\.2 and 5"):
            check(clip)


def test_as_much_as_the_browser_can_play_and_no_more() -> None:
    """The stated limits, as numbers: those of a clip's frames, panels, layers and bytes."""

    def frames(count: int) -> Clip:
        return Clip(np.linspace(0, 1, count, dtype=np.float32), (PlanePanel("a", "A", EXTENT, ()),))

    def panels(count: int) -> Clip:
        return clip_of(panels=tuple(PlanePanel(f"p{n}", "", EXTENT, ()) for n in range(count)))

    def layers(count: int) -> Clip:
        return clip_of(*(Lines(f"l{n}", "data", ()) for n in range(count)))

    def kibibytes(count: int) -> Clip:
        """256 times are one, a density of 255 x 256 cells at each of them 65 280 more, and 128 points of a line the last."""
        values = np.broadcast_to(np.float32(0), (256, 255, 256))
        lines = [f32(np.zeros((min(rest, 16_384), 2))) for rest in range(128 * (count - 65_281), 0, -16_384)]
        return clip_of(
            Density("density", values, 0.0), Lines("l", "data", tuple(lines)), times=np.arange(256, dtype=np.float32)
        )

    for build, most in ((frames, 1001), (panels, 16), (layers, 32), (kibibytes, 64 * 1024)):
        check(build(most))
        with pytest.raises(ParameterError, match=r"to 1001|to 16|at most"):
            check(build(most + 1))


def test_the_browser_takes_over_what_is_checked() -> None:
    words = set(re.findall(r"[a-z]+", script().split("const MATHML_TAGS")[1].split("/**")[0]))
    assert words - {"new", "const", "split", "set", "et"} >= MATHML_TAGS | MATHML_ATTRIBUTES


@pytest.mark.parametrize(
    "formula",
    [
        "<math><mi>x</mi>",
        "<math><script>alert(1)</script></math>",
        "<math><mi onclick='alert(1)'>x</mi></math>",
        "<math><mi href='javascript:alert(1)'>x</mi></math>",
        "<math><mtext><b xmlns='http://www.w3.org/1999/xhtml'>x</b></mtext></math>",
        "<mrow><mi>x</mi></mrow>",
        "<!DOCTYPE math [<!ENTITY a 'a'>]><math><mi>&a;</mi></math>",
        "<math><mo>&nabla;</mo></math>",
    ],
)
def test_a_formula_is_mathml_and_nothing_else(formula: str) -> None:
    with pytest.raises(ParameterError, match=r"a\.formula"):
        check(clip_of(panels=(PlanePanel("a", "A", EXTENT, (), formula=formula),)))


@pytest.mark.parametrize(
    "view",
    [
        View(t=np.nan),
        View(density_scale="cubic"),  # type: ignore[arg-type]
        View(speed=0),
        View(speed=0.049),
        View(speed=20.1),
        View(speed=np.nan),
    ],
)
def test_view_is_checked(view: View) -> None:
    clip = clip_of(density())
    with pytest.raises(ParameterError, match="view"):
        encode(clip, english(clip), view)


def test_not_an_array() -> None:
    with pytest.raises(ParameterError, match="float32"):
        check(clip_of(Particles("p", "ode", [[1, 2]])))  # type: ignore[arg-type]
