r"""Banks of planar Gaussians, evaluated many at once.

Everything exact in fmviz is a posterior average over Gaussians: for components :math:`c` with weight :math:`\omega_c`,
mean :math:`m_c` and covariance :math:`C_c`, all of them possibly different at each of :math:`T` times,

.. math::
    p(x) = \sum_c \omega_c N(x; m_c, C_c), \qquad
    r_c(x) = \frac{\omega_c N(x; m_c, C_c)}{p(x)}, \qquad
    \langle f \rangle(x) = \sum_c r_c(x) [g_c + G_c C_c^{-1} (x - m_c)].

With the inverse Cholesky factor :math:`W_c` of :math:`C_c` (so :math:`W_c C_c W_c^\top = I`), the exponent is
:math:`\tfrac12 |W_c (x - m_c)|^2`. It is affine before the square, hence **one matrix product** with the homogeneous
points :math:`(x_1, x_2, 1)` whitens every point for every component and every time. Squaring afterwards keeps float32
good to about 1e-6, where expanding the quadratic form would lose all digits of narrow components. The averages are a
second product: the bracket is affine in :math:`x`, so the rows of :math:`[A_c | b_c]` are averaged first and applied to
:math:`x` after.

All 2 x 2 algebra is written out, and it is done in float64 whatever the dtype of the points (the tables are small, the
grids are large). Arrays are laid out ``(time, component, point)``, so that every reduction over components is a
vectorised pass.
"""

__all__ = ["ComponentTable", "Layout", "arrange", "averages", "log_density", "posterior"]

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.errors import ParameterError

_LOG_TWO_PI = math.log(2.0 * math.pi)
_SQRT_HALF = math.sqrt(0.5)
# Numbers of one (time, component, point) block worked on at a time: with its whitened points it stays in a core's L2
# cache.
_BLOCK = 1 << 16


@dataclass(frozen=True, eq=False)
class ComponentTable:
    r"""C weighted Gaussians at each of T times, ready to be evaluated.

    Attributes:
        log_scale: logarithm of weight times normalising constant, (T, C).
        whitening: rows of :math:`\sqrt{1/2} W [I | -m]`, first all first axes then all second axes, (T, 2C, 3).
        mean: (T, C, 2).
        precision: inverse covariances, (T, C, 2, 2).
    """

    log_scale: Tensor
    whitening: Tensor
    mean: Tensor
    precision: Tensor

    @classmethod
    def build(cls, log_weights: Tensor, mean: Tensor, covariance: Tensor) -> "ComponentTable":
        r"""Factorise covariances in closed form.

        Args:
            log_weights: (C,).
            mean: (T, C, 2).
            covariance: symmetric positive definite, (T, C, 2, 2).
        """
        a, b, c = covariance[..., 0, 0], covariance[..., 0, 1], covariance[..., 1, 1]
        w11 = a.rsqrt()
        slope = b * w11
        w22 = (c - slope * slope).rsqrt()
        w21 = -slope * w11 * w22
        m1, m2 = mean[..., 0], mean[..., 1]
        first = torch.stack((w11, torch.zeros_like(w11), -w11 * m1), dim=-1)
        second = torch.stack((w21, w22, -(w21 * m1 + w22 * m2)), dim=-1)
        p12 = w21 * w22
        precision = torch.stack((w11 * w11 + w21 * w21, p12, p12, w22 * w22), dim=-1)
        return cls(
            log_scale=log_weights + (w11 * w22).log() - _LOG_TWO_PI,
            whitening=torch.cat((first, second), dim=-2) * _SQRT_HALF,
            mean=mean,
            precision=precision.reshape(*precision.shape[:-1], 2, 2),
        )

    def affine(self, offset: Tensor | float, matrix: Tensor | None) -> Tensor:
        r"""Rows of the affine map :math:`g + G C^{-1} (x - m)`, for `averages`.

        Args:
            offset: :math:`g`, broadcastable to (T, C, 2).
            matrix: :math:`G`, broadcastable to (T, C, 2, 2); ``None`` stands for minus the identity (the score).

        Returns:
            (T, 6, C): the first column of the matrix, its second column, the constant.
        """
        slope = -self.precision if matrix is None else matrix @ self.precision
        constant = offset - (slope @ self.mean.unsqueeze(-1)).squeeze(-1)
        return torch.cat((slope.mT.flatten(-2), constant), dim=-1).mT


@dataclass(frozen=True)
class Layout:
    """How points and times share the axes of the answer.

    Attributes:
        points: homogeneous points, (S, 3, N) with S either 1 (the same points at all times) or T.
        times: the leading part of the broadcast batch shape, along which t varies; T numbers.
        inner: the trailing part, N numbers.
    """

    points: Tensor
    times: tuple[int, ...]
    inner: tuple[int, ...]

    def restore(self, values: Tensor) -> Tensor:
        """(T, N) to the batch shape, or (T, M, N) to the batch shape and a last axis of M."""
        if values.ndim == 2:
            return values.reshape(self.times + self.inner)
        return values.mT.reshape(*self.times, *self.inner, values.shape[1])


def arrange(x: Tensor, t_shape: tuple[int, ...] = ()) -> Layout:
    """Split the batch axes of x into those along which t varies and the rest.

    Args:
        x: points, (..., 2), floating.
        t_shape: shape of t, broadcastable with ``x.shape[:-1]``.

    Raises:
        ParameterError: x is not a floating tensor of points in the plane, or does not broadcast with t.
    """
    if not x.is_floating_point() or x.ndim == 0 or x.shape[-1] != 2:
        raise ParameterError("x", "a floating tensor of shape (..., 2)", f"{x.dtype} {tuple(x.shape)}")
    try:
        batch = tuple(torch.broadcast_shapes(x.shape[:-1], t_shape))  # type: ignore[no-untyped-call, unused-ignore]
    except RuntimeError:
        raise ParameterError("t", f"a shape broadcastable with {tuple(x.shape[:-1])}", t_shape) from None
    padded = (1,) * (len(batch) - len(t_shape)) + tuple(t_shape)
    split = max((axis + 1 for axis, size in enumerate(padded) if size != 1), default=0)
    own = (1,) * (len(batch) + 1 - x.ndim) + tuple(x.shape[:-1])
    times, inner = batch[:split], batch[split:]
    if all(size == 1 for size in own[:split]):
        spread = x.reshape(*own[split:], 2).expand(*inner, 2).reshape(1, -1, 2)
    else:
        spread = x.expand(*batch, 2).reshape(math.prod(times), -1, 2)
    ones = torch.ones_like(spread[:, :1, :1]).expand(-1, 1, spread.shape[1])
    return Layout(torch.cat((spread.mT, ones), dim=1), times, inner)


def _blocks(times: int, components: int, points: int) -> Iterator[tuple[slice, slice]]:
    """Cut (T, N) so that no block of (time, component, point) has many more than `_BLOCK` numbers."""
    width = max(1, min(points, _BLOCK // components))
    height = max(1, _BLOCK // (components * width))
    for row in range(0, times, height):
        for column in range(0, points, width):
            yield slice(row, row + height), slice(column, column + width)


def _relative_densities(table: ComponentTable, points: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted component densities over the largest of them, (T, C, N), and the logarithm of the largest, (T, 1, N)."""
    times, components = table.log_scale.shape
    if points.shape[0] == 1:
        whitened = (table.whitening.flatten(0, 1) @ points[0]).reshape(times, 2 * components, -1)
    else:
        whitened = table.whitening @ points
    first, second = whitened[:, :components], whitened[:, components:]
    logits = torch.addcmul(table.log_scale.unsqueeze(-1), first, first, value=-1.0)
    logits = logits.addcmul_(second, second, value=-1.0)
    # The shift cancels in every result, so no derivative is taken of it. Held finite: at a point so far away that all
    # densities underflow, log 0 = -inf is the answer, not -inf + inf.
    largest = logits.detach().amax(dim=1, keepdim=True).clamp_(min=torch.finfo(logits.dtype).min)
    return logits.sub_(largest).exp_(), largest


def _cast(table: ComponentTable, dtype: torch.dtype, rows: slice) -> ComponentTable:
    return ComponentTable(table.log_scale[rows].to(dtype), table.whitening[rows].to(dtype), table.mean, table.precision)


def _assemble(parts: list[Tensor], times: int, points: int) -> Tensor:
    """Put blocks in the order of `_blocks` back together."""
    if len(parts) == 1:
        return parts[0]
    per_row = next(i for i in range(1, len(parts) + 1) if sum(p.shape[-1] for p in parts[:i]) >= points)
    rows = [
        torch.cat(parts[i : i + per_row], dim=-1) if per_row > 1 else parts[i] for i in range(0, len(parts), per_row)
    ]
    return torch.cat(rows, dim=0)


def log_density(table: ComponentTable, points: Tensor) -> Tensor:
    """Logarithm of the mixture density, (T, N), in the dtype of the points.

    Args:
        table: T times C components.
        points: homogeneous, (1 or T, 3, N).
    """
    times, components = table.log_scale.shape
    parts = []
    for rows, columns in _blocks(times, components, points.shape[-1]):
        block = points[:, :, columns] if points.shape[0] == 1 else points[rows, :, columns]
        relative, largest = _relative_densities(_cast(table, points.dtype, rows), block)
        parts.append(relative.sum(dim=1).log_().add_(largest.squeeze(1)))
    return _assemble(parts, times, points.shape[-1])


def posterior(table: ComponentTable, points: Tensor) -> Tensor:
    """Weight of each component given the point, (T, C, N); each column sums to one."""
    relative, _ = _relative_densities(_cast(table, points.dtype, slice(None)), points)
    return relative / relative.sum(dim=1, keepdim=True)


def averages(table: ComponentTable, points: Tensor, *maps: Tensor) -> tuple[Tensor, ...]:
    """Posterior averages of affine maps of the point.

    Args:
        table: T times C components.
        points: homogeneous, (1 or T, 3, N).
        maps: each (T, 6, C), from `ComponentTable.affine`.

    Returns:
        For each map, (T, 2, N).
    """
    times, components = table.log_scale.shape
    rows_of_maps = torch.cat((*maps, torch.ones_like(maps[0][:, :1])), dim=1).to(points.dtype)
    parts = []
    for rows, columns in _blocks(times, components, points.shape[-1]):
        block = points[:, :, columns] if points.shape[0] == 1 else points[rows, :, columns]
        relative, _ = _relative_densities(_cast(table, points.dtype, rows), block)
        sums = rows_of_maps[rows] @ relative
        slopes = (sums[:, :-1] / sums[:, -1:]).reshape(len(sums), len(maps), 3, 2, -1)
        parts.append((slopes * block[:, None, :, None, :]).sum(dim=2).flatten(1, 2))
    return torch.chunk(_assemble(parts, times, points.shape[-1]), len(maps), dim=1)
