"""Trajectories at the frames of a clip, against the interpolation of numpy."""

import numpy as np
import torch

from fmviz.clips.frames import at_frames

TIMES = [0.0, 0.1, 0.25, 0.6, 1.0]
GENERATOR = torch.Generator().manual_seed(3)


def test_between_the_steps_it_is_the_straight_line():
    trajectory = torch.randn(5, 7, 2, generator=GENERATOR, dtype=torch.float64)
    frames = torch.linspace(0.0, 1.0, 23, dtype=torch.float64)
    found = at_frames(trajectory, TIMES, frames)
    assert found.shape == (23, 7, 2)
    for particle in range(7):
        for axis in range(2):
            expected = np.interp(frames, TIMES, trajectory[:, particle, axis])
            np.testing.assert_allclose(found[:, particle, axis], expected, rtol=0, atol=1e-14)


def test_at_the_steps_it_is_the_trajectory_itself():
    trajectory = torch.randn(5, 7, 2, generator=GENERATOR)
    found = at_frames(trajectory, TIMES, torch.tensor(TIMES, dtype=torch.float64))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, trajectory, rtol=0, atol=0)


def test_outside_the_steps_it_stands_still():
    trajectory = torch.randn(5, 7, 2, generator=GENERATOR)
    found = at_frames(trajectory, TIMES, torch.tensor([-0.5, 1.5]))
    assert torch.equal(found, trajectory[[0, -1]])


def test_particles_that_overflow_are_missing_from_then_on_only():
    trajectory = torch.zeros(5, 1, 2)
    trajectory[3:] = torch.inf
    found = at_frames(trajectory, TIMES, torch.tensor([0.2, 0.25, 0.3, 0.6, 1.0]))
    assert found[:2].eq(0.0).all()
    assert found[2:].isnan().all()


def test_a_point_is_drawn_as_long_as_it_is_a_number() -> None:
    """At a step before the one at which it leaves the range of numbers, and not in between."""
    trajectory = torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]], [[torch.inf, 5.0]]])
    found = at_frames(trajectory, [0.0, 0.5, 1.0], torch.tensor([0.0, 0.5, 0.505, 0.75, 1.0]))
    assert found[:2, 0].tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert bool(found[2:, 0, 0].isnan().all())
    assert found[3:, 0, 1].tolist() == [4.5, 5.0]
