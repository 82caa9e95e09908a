"""Small pictures of mixtures, against the density written out."""

import numpy as np
import pytest
import torch

from fmviz.clips.thumbnails import density_image
from fmviz.theory import GaussianMixture


@pytest.mark.parametrize(("half_width", "cells"), [(4.0, 72), (3.0, 31)])
def test_it_is_the_density_over_its_top_with_the_highest_row_first(half_width: float, cells: int) -> None:
    mean, covariance = np.array([1.0, 0.5]), np.array([[0.5, 0.2], [0.2, 0.8]])
    law = GaussianMixture(torch.tensor(mean)[None], torch.tensor(covariance)[None], torch.ones(1))
    side = 2.0 * half_width / cells
    x = -half_width + side / 2 + side * np.arange(cells)
    offset = np.stack(np.meshgrid(x, x[::-1]), axis=-1) - mean
    density = np.exp(-0.5 * np.einsum("...i,ij,...j", offset, np.linalg.inv(covariance), offset))
    found = density_image(law, half_width, cells)
    assert found.shape == (cells, cells)
    np.testing.assert_allclose(found, density / density.max(), rtol=0, atol=2e-6)


def test_by_default_it_shows_eight_units_on_72_cells() -> None:
    law = GaussianMixture.standard()
    np.testing.assert_array_equal(density_image(law), density_image(law, 4.0, 72))
