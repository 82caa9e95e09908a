"""Guidance in a clip: its law, its weighted particles, and what the stage refuses."""

import dataclasses

import numpy as np
import pytest

from fmviz.clips.clip import (
    Clip,
    Extent,
    Guide,
    Law,
    LawDensity,
    LawParticles,
    LawVectors,
    Particles,
    PlanePanel,
    Schedule,
)
from fmviz.errors import ParameterError
from fmviz.stage.block import Block
from fmviz.stage.layers import law_entry, layer_entry
from fmviz.stage.payload import check, clip_digest

EXTENT = Extent(-2.0, 2.0, -2.0, 2.0)
TIMES = np.linspace(0, 1, 3, dtype=np.float32)
ROWS = np.array([[0.5, 0.0, 0.0, 1.0, 0.0, 1.0], [0.5, 1.0, 0.0, 1.0, 0.0, 1.0]])
GUIDE = Guide((4, 7), 7, 2.5, (0.2, 0.8))
STARTS = np.zeros((5, 2), np.float32)
PLACES = np.zeros((3, 5, 2), np.float32)
WEIGHTS = np.ones((3, 5), np.float32)
LAYERS = (
    LawDensity("density", "tilted", 0.0),
    LawVectors("velocity", "velocity", "guided", "velocity", 1.0),
    LawParticles("ode", "ode", STARTS, "flow", positions=PLACES, of="guided", weights=WEIGHTS),
    Particles("sde", "sde", PLACES, weights=WEIGHTS),
)


def clip(*layers, guide: Guide | None = GUIDE) -> Clip:
    law = Law(ROWS[:1], ROWS, Schedule("linear"), guide=guide)
    return Clip(TIMES, (PlanePanel("a", "", EXTENT, layers or LAYERS),), law=law)


def test_a_guided_clip_can_be_played_and_its_guide_travels():
    check(clip())
    entry = law_entry(Block(), clip().law)
    assert entry["guide"] == {"classes": (4, 7), "y": 7, "scale": 2.5, "interval": (0.2, 0.8), "slider": None}
    assert layer_entry(Block(), EXTENT, LAYERS[2])["of"] == "guided"
    assert layer_entry(Block(), EXTENT, LAYERS[3])["weights"]["count"] == 15


@pytest.mark.parametrize("change", [{"scale": 2.6}, {"y": 4}, {"classes": (7, 7)}, {"interval": (0.2, 0.9)}])
def test_another_guide_is_another_clip(change):
    assert clip_digest(clip()) != clip_digest(clip(guide=dataclasses.replace(GUIDE, **change)))


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (clip(guide=None), "law.guide"),
        (clip(guide=dataclasses.replace(GUIDE, classes=(4,))), "law.guide"),
        (clip(guide=dataclasses.replace(GUIDE, y=5)), "law.guide"),
        (clip(guide=dataclasses.replace(GUIDE, scale=float("nan"))), "law.guide"),
        (clip(dataclasses.replace(LAYERS[2], weights=WEIGHTS[:, :4])), "weights"),
        (clip(dataclasses.replace(LAYERS[3], weights=WEIGHTS * np.float32(np.nan))), "weights"),
    ],
)
def test_what_could_not_be_drawn_is_refused(wrong, complaint):
    with pytest.raises(ParameterError, match=complaint):
        check(wrong)
