"""What a layer is like unless its maker says otherwise: plain, at rest, and touched by nobody."""

import dataclasses

import numpy as np

from fmviz.clips.clip import (
    Bars,
    BarsPanel,
    Box,
    Clip,
    Contours,
    Ellipses,
    Extent,
    LawParticles,
    LawVectors,
    Lines,
    Markers,
    Particles,
    PlanePanel,
    Schedule,
)
from fmviz.clips.laws import law_of
from fmviz.theory import GaussianMixture, ProbabilityPath, schedulers

ONE = np.zeros((1, 2), np.float32)
MOVING = np.zeros((2, 1, 2), np.float32)


def test_layers_are_plain() -> None:
    lines = Lines("l", "data", (ONE,))
    assert (lines.dashed, lines.opacity, lines.dots) == (False, 1.0, False)
    for particles in (Particles("p", "ode", MOVING), LawParticles("p", "ode", ONE, "flow")):
        assert (particles.trail, particles.trail_name, particles.size) == (0, None, 1.0)
    assert LawVectors("v", "velocity", "marginal", "velocity", 1.0).across == 20
    assert all(a < b for a, b in zip(Contours("c").levels, Contours("c").levels[1:], strict=False))


def test_nothing_is_dragged_edited_or_clicked() -> None:
    assert Markers("m", "data", ONE).drag is None
    assert Box("b", "velocity", 0, 1, 0, 1, MOVING[:, 0, 0], MOVING[:, 0], 1.0).drag is None
    assert Ellipses("e", "data", ONE, np.zeros((1, 2, 2), np.float32), ONE[:, 0]).edit is None
    panel = PlanePanel("a", "A", Extent(0, 1, 0, 1), ())
    assert (panel.clickable, panel.aspect, panel.formula) == (False, None, "")
    law = law_of(ProbabilityPath(GaussianMixture.standard(), GaussianMixture.standard(), schedulers.get("linear")))
    assert law == dataclasses.replace(law, schedule=Schedule("linear"), z=(0.0, 0.0), z_name="z", follows=False)


def test_a_clip_lasts_five_seconds_and_has_no_law() -> None:
    clip = Clip(MOVING[:, 0, 0], (BarsPanel("b", "B", Bars((), None)),))
    assert (clip.seconds, clip.law, clip.readouts) == (5.0, None, ())
