"""The particles of the conditional path, whose noise is that of Langevin dynamics."""

import math

import pytest
import torch

from fmviz.clips.particles import Langevin
from fmviz.theory import GaussianMixture


def test_on_one_gaussian_distances_decay_along_each_axis() -> None:
    """With the same noise two particles come nearer at the rate 1 / (2 v) along an axis of variance v (T9, T11)."""
    variances, clock = (0.25, 4.0), 0.7
    p = GaussianMixture(torch.tensor([[1.0, -2.0]]), torch.diag(torch.tensor(variances))[None], torch.ones(1))
    starts = torch.tensor([[0.3, 0.4], [1.5, -1.0]])
    first, second = (
        Langevin(p).run(start[None], clock, torch.Generator().manual_seed(0))[0] for start in starts.unbind()
    )
    wanted = [float(gap) * math.exp(-clock / (2 * v)) for gap, v in zip(starts[0] - starts[1], variances, strict=True)]
    assert (first - second).tolist() == pytest.approx(wanted, rel=1e-5)
