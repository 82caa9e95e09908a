r"""Pairs of components that all have one covariance, evaluated as a product of two short sums.

Where all components of p_init share a covariance :math:`S`, and all of p_data a :math:`\Sigma`, all pairs share
:math:`C = \alpha^2 \Sigma + \beta^2 S`. Let :math:`o` be the mean of all the means :math:`m_{jk}`, :math:`W C W^\top`
the identity over :math:`2 \log 2`, and :math:`y = W (x - o)`. With :math:`a_j` and :math:`b_k` the parts of
:math:`W (m_{jk} - o)` that come from p_init and from p_data, the weighted density of a pair is, up to one factor for all,

.. math::
    2^{\log_2 v_j + 2 a_j \cdot y - |a_j|^2} \; 2^{-2 a_j \cdot b_k} \; 2^{\log_2 w_k - |y - b_k|^2}
    = A_j(y) \, M_{jk} \, B_k(y).

So J + K exponentials and one matrix product do for a point, instead of J K exponentials. All terms are positive: nothing
cancels but in the exponents, where :math:`2 a_j \cdot y` must stay small enough for float64 (`LARGEST_EXPONENT`). For each
point A and B are divided by their largest values, at some j and k; the sum over pairs is then at least :math:`M_{jk}`,
and underflow loses nothing as long as all of M lie within the range of float64 (`LARGEST_RANGE`). Where either fails the
general form of `fmviz.theory.gaussians` is to be used. With the posterior weights of all j, and those of all k, averages
of maps :math:`g_j + g_k + G x` are two more products. All is worked out in float64 whatever the dtype of the points.
"""

__all__ = ["LARGEST_EXPONENT", "LARGEST_RANGE", "ProductTable"]

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.theory.gaussians import assemble, cuts, shifted_exponentials
from fmviz.theory.reprs import one_line

LARGEST_EXPONENT = 2.0**15
"""Bound on the exponents that cancel: their rounding errors, 2^-53 of it, make at most 1e-11 of a density."""
LARGEST_RANGE = 900.0
"""Bound on log2 of the ratio of any two couplings, some of which are above 1 and some below, since means are taken from
their centre; float64 holds 2^1022, and 2^-60 is less than its rounding."""

_LOG_2 = math.log(2.0)


@dataclass(frozen=True, eq=False)
class ProductTable:
    r"""J K components with one covariance at each of T times; everything float64.

    Attributes:
        origin: o, (T, 2).
        whiten: W, lower triangular, (T, 2, 2).
        log_scale: log2 of the normalising constant, (T,).
        init: log2 v_j - |a_j|^2 and 2 a_j, (T, J, 3).
        data: log2 w_k and b_k, (T, K, 3).
        log_couplings: log2 M_jk, (T, J, K).
    """

    origin: Tensor
    whiten: Tensor
    log_scale: Tensor
    init: Tensor
    data: Tensor
    log_couplings: Tensor

    __repr__ = one_line

    @classmethod
    def build(
        cls, log_weights: tuple[Tensor, Tensor], means: tuple[Tensor, Tensor], covariance: Tensor
    ) -> "ProductTable":
        r"""Whiten the means.

        Args:
            log_weights: natural logarithms of v (J,) and w (K,).
            means: :math:`\beta m_j`, (T, J, 2), and :math:`\alpha \mu_k`, (T, K, 2).
            covariance: C, (T, 2, 2).
        """
        centres = [of.mean(dim=1, keepdim=True) for of in means]
        a, b, c = covariance[:, 0, 0], covariance[:, 0, 1], covariance[:, 1, 1]
        unit = math.sqrt(0.5 / _LOG_2)
        w11 = unit * a.rsqrt()
        w22 = unit * (c - b * b / a).rsqrt()
        w21 = -b / a * w22
        whiten = torch.stack((w11, torch.zeros_like(w11), w21, w22), dim=-1).reshape(-1, 2, 2)
        apart_init, apart_data = ((of - centre) @ whiten.mT for of, centre in zip(means, centres, strict=True))
        v, w = (of / _LOG_2 for of in log_weights)
        return cls(
            (centres[0] + centres[1]).squeeze(1),
            whiten,
            (w11 * w22).log2() + math.log2(_LOG_2 / math.pi),
            torch.cat(((v - apart_init.square().sum(-1)).unsqueeze(-1), 2.0 * apart_init), dim=-1),
            torch.cat((w.expand(len(apart_data), -1).unsqueeze(-1), apart_data), dim=-1),
            -2.0 * apart_init @ apart_data.mT,
        )

    def fits(self, points: Tensor) -> bool:
        """Whether the exponents stay small enough at these points, (2, 1 or T, 1, N), and the couplings in range."""
        if points.numel() == 0:
            return False
        with torch.no_grad():
            low, high = self.log_couplings.flatten(1).aminmax(dim=1)
            farthest = points.abs().amax().double() * math.sqrt(2.0) + self.origin.norm(dim=-1)
            exponents = self.init[..., 1:].norm(dim=-1).amax(dim=1) * self.whiten.flatten(1).norm(dim=-1) * farthest
            return bool(((high - low <= LARGEST_RANGE) & (exponents <= LARGEST_EXPONENT)).all())

    def log_density(self, points: Tensor) -> Tensor:
        """Logarithm of the mixture density, (T, N), in the dtype of the points, (2, 1 or T, 1, N)."""
        couplings = self.log_couplings.exp2()
        parts = []
        for rows, own, _ in self._blocks(points):
            init, data, shift = self._factors(rows, own)
            total = (couplings[rows] @ data).mul_(init).sum(dim=1)
            log_total = total.log2_().add_(shift + self.log_scale[rows, None]).mul_(_LOG_2)
            parts.append(log_total.to(points.dtype))
        return assemble(parts, points.shape[-1])

    def posterior_averages(self, points: Tensor, maps: Tensor) -> Tensor:
        """Posterior averages of affine maps of the point, g_j + g_k + G x with one matrix G for all pairs.

        Args:
            points: (2, 1 or T, 1, N).
            maps: M of them from `ComponentTable.affine` one after the other, (T, 8 M, J K).

        Returns:
            (T, 2 M, N), in the dtype of the points.
        """
        along_x, along_y, constant, _ = maps.reshape(len(maps), maps.shape[1] // 8, 4, 2, -1).unbind(2)
        along_x, along_y = along_x[..., :1].flatten(1, 2), along_y[..., :1].flatten(1, 2)
        constant = constant.reshape(len(maps), -1, *self.log_couplings.shape[1:])
        of_init, of_data = constant[..., 0], constant[..., 0, :] - constant[..., 0, :1]
        couplings = self.log_couplings.exp2()
        parts = []
        for rows, own, (x, y) in self._blocks(points):
            init, data, _ = self._factors(rows, own)
            init_sums, data_sums = couplings[rows] @ data, couplings[rows].mT @ init
            init_weights, data_weights = init_sums.mul_(init), data_sums.mul_(data)
            average = torch.baddbmm(of_init[rows] @ init_weights, of_data[rows], data_weights)
            average = average.div_(init_weights.sum(dim=1, keepdim=True))
            average = average.addcmul_(along_x[rows], x).addcmul_(along_y[rows], y)
            parts.append(average.to(points.dtype))
        return assemble(parts, points.shape[-1])

    def _blocks(self, points: Tensor) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Times, whitened points (T', 2, N') and points (2, 1 or T', 1, N'), a cache full of intermediate results at once."""
        times, count_init, count_data = self.log_couplings.shape
        for rows, columns in cuts(times, points.shape[-1], 2 * (count_init + count_data), 8):
            own = (points if points.shape[1] == 1 else points[:, rows])[..., columns].double()
            apart = own.squeeze(2).transpose(0, 1) - self.origin[rows].unsqueeze(-1)
            yield rows, self.whiten[rows] @ apart, own

    def _factors(self, rows: slice, whitened: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """A (T', J, N') and B (T', K, N') over their largest values, and log2 of the product of those, (T', N')."""
        init, data = self.init[rows], self.data[rows]
        of_init = torch.baddbmm(init[..., :1], init[..., 1:], whitened)
        first, second = whitened.unsqueeze(1).unbind(2)
        log_weight, b1, b2 = data.unsqueeze(-1).unbind(2)
        apart = first - b1
        of_data = torch.addcmul(log_weight, apart, apart, value=-1.0)
        apart = second - b2
        of_data = of_data.addcmul_(apart, apart, value=-1.0)
        init_weights, init_largest = shifted_exponentials(of_init)
        data_weights, data_largest = shifted_exponentials(of_data)
        return init_weights, data_weights, (init_largest + data_largest).squeeze(1)
