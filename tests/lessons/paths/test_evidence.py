"""What the page on probability paths measures: distances at the very times of the frames, and their baseline."""

import pytest
import torch

from fmviz.clips.paths import Starts
from fmviz.lessons.paths.compute.evidence import DISTANCE_TIMES, FLOOR_PAIRS, distances
from fmviz.scene import Scene, scenes
from fmviz.theory import ProbabilityPath
from fmviz.theory.metrics import energy_distance

STARTS = Starts(count=400, seed_start=1, seed_noise=2)
SCENE = Scene(data="two_modes", sigma="constant")


def test_exact_samples_are_drawn_at_the_times_of_the_particles(monkeypatch):
    asked, sample = [], ProbabilityPath.sample

    def noted(self, n, t, **more):
        asked.append((n, float(t)))
        return sample(self, n, t, **more)

    monkeypatch.setattr(ProbabilityPath, "sample", noted)
    rows = distances(scenes.path(SCENE), scenes.sigma(SCENE), STARTS)
    assert [row.t for row in rows] == list(DISTANCE_TIMES)
    assert asked == [(STARTS.count, t) for t in DISTANCE_TIMES for _ in range(2 * FLOOR_PAIRS)]


def test_the_baseline_is_the_mean_distance_of_two_exact_samples():
    """E of the V-statistic is 2 E|X - X'| / n for samples of one law; particles of an exact field lie near it."""
    path = scenes.path(SCENE)
    rows = distances(path, scenes.sigma(SCENE), STARTS)
    generator = torch.Generator().manual_seed(11)
    for row in rows:
        a, b = (path.sample(STARTS.count, row.t, generator=generator).double() for _ in range(2))
        expected = 2.0 * float((a[:, None] - b).norm(dim=-1).mean()) / STARTS.count
        several = [
            float(energy_distance(*(path.sample(STARTS.count, row.t, generator=generator) for _ in range(2))))
            for _ in range(24)
        ]
        spread = float(torch.tensor(several).std())
        assert row.floor == pytest.approx(expected, abs=4 * spread / FLOOR_PAIRS**0.5)
        assert row.ode < row.floor + 6 * spread
        assert row.sde < row.floor + 6 * spread
