"""Draws of a mixture, many steps at a time, laid out as training multiplies them.

Components are found by inverting their cumulative weights, so that the number of components costs no call to the generator.
"""

__all__ = ["MixtureDraws"]

import torch
from torch import Tensor

from fmviz.theory import GaussianMixture

FEW = 32
"""Up to so many boundaries a pass for each is faster than a search for each point."""


class MixtureDraws:
    """Draws of a mixture, which lies on the CPU, as (S, 2, B) on a device."""

    def __init__(self, mixture: GaussianMixture, device: torch.device) -> None:
        factors = torch.linalg.cholesky(mixture.covariances.double()).to(mixture.dtype).to(device)
        self._means = mixture.means.T.contiguous().to(device)
        self._l11, self._l21, self._l22 = factors[:, 0, 0], factors[:, 1, 0], factors[:, 1, 1]
        # The inner boundaries of the cumulative weights: a uniform number lies in one of the K parts between them.
        self._bounds = mixture.weights.double().cumsum(0)[:-1].to(mixture.dtype).to(device)
        self._each_bound = tuple(self._bounds) if len(self._bounds) <= FEW else ()
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
        index = self._components(uniform)
        m1, m2, l11, l21, l22 = (
            table.index_select(0, index.view(-1)).view(shape)
            for table in (self._means[0], self._means[1], self._l11, self._l21, self._l22)
        )
        first = m1 + l11 * noise[:, 0]
        second = m2 + l21 * noise[:, 0] + l22 * noise[:, 1]
        return torch.stack((first, second), dim=1), index

    def _components(self, uniform: Tensor) -> Tensor:
        """The part between the boundaries in which each uniform number lies."""
        if not self._each_bound:
            return torch.bucketize(uniform, self._bounds, right=True)
        passed, beyond = torch.zeros_like(uniform), torch.empty_like(uniform)
        for bound in self._each_bound:
            passed += torch.ge(uniform, bound, out=beyond)
        return passed.long()
