"""Draws of a mixture, many steps at a time, laid out as training multiplies them.

Components are found by inverting their cumulative weights, so that the number of components costs no call to the generator.
"""

__all__ = ["MixtureDraws"]

import torch
from torch import Tensor

from fmviz.theory import GaussianMixture


class MixtureDraws:
    """Draws of a mixture, which lies on the CPU, as (S, 2, B) on a device."""

    def __init__(self, mixture: GaussianMixture, device: torch.device) -> None:
        factors = torch.linalg.cholesky(mixture.covariances.double()).to(mixture.dtype).to(device)
        self._means = mixture.means.T.contiguous().to(device)
        self._l11, self._l21, self._l22 = factors[:, 0, 0], factors[:, 1, 0], factors[:, 1, 1]
        # The inner boundaries of the cumulative weights: a uniform number lies in one of the K parts between them.
        self._bounds = mixture.weights.double().cumsum(0)[:-1].to(mixture.dtype).to(device)
        self._standard = mixture.is_standard

    def __call__(self, shape: tuple[int, int], generator: torch.Generator) -> Tensor:
        return self.labelled(shape, generator)[0]

    def labelled(self, shape: tuple[int, int], generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draws (S, 2, B), and for each the component that it is of, (S, B)."""
        steps, batch = shape
        device = self._means.device
        if self._standard:
            points = torch.randn(steps, 2, batch, generator=generator, device=device)
            return points, torch.zeros(shape, dtype=torch.int64, device=device)
        uniform = torch.rand(steps, batch, generator=generator, device=device)
        noise = torch.randn(steps, 2, batch, generator=generator, device=device)
        index = torch.bucketize(uniform, self._bounds, right=True)
        first = self._means[0][index] + self._l11[index] * noise[:, 0]
        second = self._means[1][index] + self._l21[index] * noise[:, 0] + self._l22[index] * noise[:, 1]
        return torch.stack((first, second), dim=1), index
