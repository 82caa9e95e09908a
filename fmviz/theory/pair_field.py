r"""The exact field of finitely many pairs, each blurred (T53, T60).

Pairs :math:`(x_0^i, z^i)` of any coupling, each moved as a whole by the same :math:`h \eta`, :math:`\eta \sim N(0, I)`, have the path
:math:`X_t = (1-t) x_0^i + t z^i + h \eta + \gamma_t \xi`, that is, a mixture of as many Gaussians
:math:`N\big(m_i, (h^2 + \gamma_t^2) I\big)` with :math:`m_i = (1-t) x_0^i + t z^i`, and so

.. math::
    u_t(x) = \sum_i r_i(x) \Big[z^i - x_0^i + \frac{\gamma_t \dot\gamma_t}{h^2 + \gamma_t^2} (x - m_i)\Big], \qquad
    s_t(x) = -\sum_i r_i(x) \frac{x - m_i}{h^2 + \gamma_t^2}.

Without gamma this is the Nadaraya-Watson estimate of :math:`E[z - x_0 | X_t = x]` with a Gaussian kernel of width h: what a
network of that resolution would learn from the pairs.
"""

__all__ = ["PairField"]

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.theory import gaussians
from fmviz.theory.arrays import Points, Time, arraylike, as_numbers, one_time
from fmviz.theory.gaussians import ComponentTable, DtypeCache
from fmviz.theory.reprs import one_line


@dataclass(frozen=True, eq=False)
class PairField:
    """The field of pairs; call it with points (N, 2) and a float time.

    Args:
        x0, z: the pairs, (M, 2) each, floating.
        blur: h, positive: the standard deviation by which each pair is blurred, in units of length.
        gamma: g of gamma_t = g sqrt(t (1 - t)) (T52), at least 0.

    Raises:
        ParameterError: an argument is not as described.
    """

    x0: Tensor
    z: Tensor
    blur: float
    gamma: float = 0.0

    __repr__ = one_line

    def __post_init__(self) -> None:
        object.__setattr__(self, "x0", as_numbers("x0", self.x0))
        object.__setattr__(self, "z", as_numbers("z", self.z, self.x0))
        if self.x0.ndim != 2 or self.x0.shape != self.z.shape or self.x0.shape[-1] != 2 or len(self.x0) == 0:
            raise ParameterError("z", "points of shape (M, 2), as many as x0", tuple(self.z.shape))
        if not (math.isfinite(self.blur) and self.blur > 0.0):
            raise ParameterError("blur", "a positive number", self.blur, key="positive")
        if not (math.isfinite(self.gamma) and self.gamma >= 0.0):
            raise ParameterError("gamma", "a finite number, at least 0", self.gamma, key="gamma")

    @arraylike
    def __call__(self, x: Points, t: Time) -> Tensor:
        """u_t(x), (N, 2)."""
        return self.velocity(x, t)

    def variance(self, t: float) -> float:
        """h^2 + gamma_t^2, that of each component at t."""
        return self.blur**2 + self.gamma**2 * t * (1.0 - t)

    @arraylike
    def velocity(self, x: Points, t: Time) -> Tensor:
        """u_t(x), (N, 2)."""
        table, rate = self._table(one_time("t", t))
        offset = (self.z - self.x0).double().mT[None]
        return _averages(table, x, table.affine(offset, rate))

    @arraylike
    def score(self, x: Points, t: Time) -> Tensor:
        """The gradient of log p_t(x), (N, 2)."""
        table, _ = self._table(one_time("t", t))
        return _averages(table, x, table.affine(table.mean.new_zeros(2, 1), None))

    @arraylike
    def log_density(self, x: Points, t: Time) -> Tensor:
        """log p_t(x), (N,)."""
        layout = gaussians.to_grid(x)
        return layout.from_grid(gaussians.log_density(self._table(one_time("t", t))[0], layout.points))

    @arraylike
    def posterior(self, x: Points, t: Time) -> Tensor:
        """Weight r_i(x) of each pair given X_t = x, (N, M).

        Where the z have labels, its sum over the pairs of each label is the exact classifier p_t(y|x) of this coupling (T36).
        """
        layout = gaussians.to_grid(x)
        return layout.from_grid(gaussians.posterior(self._table(one_time("t", t))[0], layout.points))

    def _table(self, t: float) -> tuple[ComponentTable, Tensor]:
        """The mixture at t, and gamma gamma' of each component as `gaussians.planes` has it."""
        if not 0.0 <= t <= 1.0:
            raise ParameterError("t", "a time in [0, 1]", t)
        count = len(self.x0)
        mean = torch.lerp(self.x0.double(), self.z.double(), t).mT[None]
        one = torch.tensor([1.0, 0.0, 1.0], dtype=torch.float64, device=mean.device)[None, :, None].expand(1, 3, count)
        log_weights = torch.full((count,), -math.log(count), dtype=torch.float64, device=mean.device)
        table = ComponentTable.build(log_weights, mean, self.variance(t) * one)
        return table, 0.5 * self.gamma**2 * (1.0 - 2.0 * t) * one


def _averages(table: ComponentTable, x: Tensor, maps: Tensor) -> Tensor:
    layout = gaussians.to_grid(x)
    return layout.from_grid(gaussians.posterior_averages(table, layout.points, DtypeCache(maps)))
