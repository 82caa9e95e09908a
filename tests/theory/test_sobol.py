"""Evenly spread points: the same for a seed, other ones for another, and one in each stretch."""

from __future__ import annotations

import torch

from fmviz.theory.sobol import sobol


def test_a_seed_gives_its_own_points_one_in_each_stretch() -> None:
    one, again, other = sobol(3, 64, 0), sobol(3, 64, 0), sobol(3, 64, 1)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    for points in (one, other):
        assert points.shape == (64, 3)
        assert torch.equal(
            (64.0 * points).floor().sort(dim=0).values, torch.arange(64.0).double()[:, None].expand(-1, 3)
        )
