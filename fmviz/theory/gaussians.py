r"""Banks of planar Gaussians, evaluated many at once.

Everything exact in fmviz is a posterior average over Gaussians: for components :math:`c` with weight :math:`\omega_c`,
mean :math:`m_c` and covariance :math:`C_c`, all of them possibly different at each of :math:`T` times,

.. math::
    p(x) = \sum_c \omega_c N(x; m_c, C_c), \qquad
    r_c(x) = \frac{\omega_c N(x; m_c, C_c)}{p(x)}, \qquad
    \langle f \rangle(x) = \sum_c r_c(x) [g_c + G_c C_c^{-1} (x - m_c)].

With the inverse Cholesky factor :math:`W_c` of :math:`C_c` (so :math:`W_c C_c W_c^\top = I`) the exponent is
:math:`\tfrac12 |W_c (x - m_c)|^2`. Differences first, squares last: so float32 stays good to about 1e-6, where
expanding the quadratic form would lose all digits of narrow components. Exponents are kept in units of log 2: exp2 is
the faster function, and unlike torch's exp it does not slow down ninefold where narrow components underflow. The
bracket above is affine in :math:`x` too, so averages are **one matrix product** of the rows of :math:`[A_c | b_c]` with
the posterior weights, applied to :math:`x` after.

All 2 x 2 algebra is written out entry by entry, and it is done in float64 whatever the dtype of the points (the tables are
small, the grids are large). Arrays are laid out ``(time, component, point)``, so that every pass, reductions over components
included, runs along the points and is vectorised; memory traffic decides the speed, so work goes in blocks that stay in
cache, and in place.
"""

__all__ = [
    "ComponentTable",
    "DtypeCache",
    "Layout",
    "assemble",
    "cuts",
    "log_density",
    "matrices",
    "planes",
    "posterior",
    "posterior_averages",
    "shifted_exponentials",
    "to_grid",
]

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.theory.reprs import one_line

_LOG_TWO_PI = math.log(2.0 * math.pi)
_LOG_2 = math.log(2.0)
# Bytes of one (time, component, point) block worked on at a time. Larger blocks leave the cache, smaller ones pay more
# calls.
_BLOCK_BYTES = 1_200_000
# Blocks cut along the points have a multiple of this many: torch takes maxima over components for so many points at once,
# and for each of the rest alone, at ten times the price.
_LANES = 32
_ALL = slice(None)


@dataclass(frozen=True, eq=False)
class DtypeCache:
    """A float64 tensor, and its copies in the dtypes that were asked for."""

    exact: Tensor
    _copies: dict[torch.dtype, Tensor] = field(default_factory=dict, repr=False)
    _rows: dict[torch.dtype, tuple[Tensor, ...]] = field(default_factory=dict, repr=False)

    __repr__ = one_line

    def to(self, dtype: torch.dtype) -> Tensor:
        """The tensor in a dtype, converted at the first call."""
        found = self._copies.get(dtype)
        if found is None:
            with torch.inference_mode(False):  # kept, so autograd must be able to use it later
                found = self._copies[dtype] = self.exact.to(dtype)
        return found

    def rows(self, dtype: torch.dtype) -> tuple[Tensor, ...]:
        """The same along the first axis one by one, kept since taking tensors apart costs as much as small sums."""
        found = self._rows.get(dtype)
        if found is None:
            with torch.inference_mode(False):
                found = self._rows[dtype] = self.to(dtype).unbind()
        return found

    def narrow(self, dim: int, length: int) -> "DtypeCache":
        """The first entries along an axis."""
        copies = {dtype: copy.narrow(dim, 0, length) for dtype, copy in self._copies.items()}
        return DtypeCache(self.exact.narrow(dim, 0, length), copies)

    def split(self, dim: int) -> "list[DtypeCache]":
        """One for each index along an axis, which is kept."""
        parts = {dtype: copy.split(1, dim) for dtype, copy in self._copies.items()}  # type: ignore[no-untyped-call]
        exact = self.exact.split(1, dim)  # type: ignore[no-untyped-call]
        return [DtypeCache(one, {dtype: parts[dtype][i] for dtype in parts}) for i, one in enumerate(exact)]


@dataclass(frozen=True, eq=False)
class ComponentTable:
    r"""C weighted Gaussians at each of T times, ready to be evaluated.

    Attributes:
        exponents: (6, T, C, 1): the base 2 logarithm of weight times normalising constant, the two entries of the mean,
            and :math:`W_{11}, W_{21}, W_{22}` times :math:`\sqrt{1 / (2 \log 2)}`.
        mean: (T, 2, C).
        precision: inverse covariances, (T, 3, C) as from `planes`.
    """

    exponents: DtypeCache
    mean: Tensor
    precision: Tensor

    __repr__ = one_line

    @classmethod
    def build(cls, log_weights: Tensor, mean: Tensor, covariance: Tensor) -> "ComponentTable":
        r"""Factorise covariances in closed form.

        Args:
            log_weights: (C,).
            mean: (T, 2, C).
            covariance: positive definite, (T, 3, C) as from `planes`.
        """
        m1, m2 = mean.unbind(1)
        a, b, c = covariance.unbind(1)
        w11 = a.rsqrt()
        slope = b * w11
        w22 = (c - slope * slope).rsqrt()
        w21 = -slope * w11 * w22
        log_scale = (log_weights + (w11 * w22).log() - _LOG_TWO_PI) / _LOG_2
        unit = math.sqrt(0.5 / _LOG_2)
        exponents = torch.stack((log_scale, m1, m2, unit * w11, unit * w21, unit * w22)).unsqueeze(-1)
        precision = torch.stack((w11 * w11 + w21 * w21, w21 * w22, w22 * w22), dim=1)
        return cls(DtypeCache(exponents), mean, precision)

    def affine(self, offset: Tensor, matrix: Tensor | None) -> Tensor:
        r"""The affine maps :math:`g + G C^{-1} (x - m)`, for `posterior_averages`.

        Args:
            offset: :math:`g`, broadcastable to (T, 2, C).
            matrix: :math:`G`, symmetric, (T, 3, C) as from `planes`; ``None`` stands for minus the identity (the score).

        Returns:
            (T, 8, C): two rows each for the first column of the matrix, its second column, the constant, and ones, which
            sum up the weights.
        """
        p11, p12, p22 = self.precision.unbind(1)
        if matrix is None:
            s11, s21, s12, s22 = -p11, -p12, -p12, -p22
        else:
            g11, g12, g22 = matrix.unbind(1)
            s11, s21 = g11 * p11 + g12 * p12, g12 * p11 + g22 * p12
            s12, s22 = g11 * p12 + g12 * p22, g12 * p12 + g22 * p22
        m1, m2 = self.mean.unbind(1)
        o1, o2 = offset.unbind(-2)
        constant = (o1 - (s11 * m1 + s12 * m2), o2 - (s21 * m1 + s22 * m2))
        return torch.stack((s11, s21, s12, s22, *constant, torch.ones_like(m1), torch.ones_like(m1)), dim=1)

    def split(self) -> "list[ComponentTable]":
        """One table for each of the T times."""
        means = self.mean.split(1)  # type: ignore[no-untyped-call]
        precisions = self.precision.split(1)  # type: ignore[no-untyped-call]
        return [ComponentTable(*row) for row in zip(self.exponents.split(1), means, precisions, strict=True)]


def planes(symmetric: Tensor) -> Tensor:
    """The entries 11, 12 and 22 of symmetric matrices, (..., C, 2, 2) to (..., 3, C)."""
    return torch.stack((symmetric[..., 0, 0], symmetric[..., 0, 1], symmetric[..., 1, 1]), dim=-2)


def matrices(entries: Tensor) -> Tensor:
    """Symmetric matrices from their `planes`, (..., 3, C) to (..., C, 2, 2)."""
    a, b, c = entries.unbind(-2)
    return torch.stack((a, b, b, c), dim=-1).reshape(*a.shape, 2, 2)


class Layout(NamedTuple):
    """How points and times share the axes of the answer.

    Attributes:
        points: first and second coordinates, (2, S, 1, N), with S either 1 (the same points at all times) or T.
        times: the leading part of the broadcast batch shape, along which t varies; T numbers.
        inner: the trailing part, N numbers.
    """

    points: Tensor
    times: tuple[int, ...]
    inner: tuple[int, ...]

    def repeated(self, t: float | Tensor) -> float | Tensor:
        """t, repeated along those axes before its last that only the points have, so that it holds T numbers."""
        return t.expand(self.times + (1,) * len(self.inner)) if isinstance(t, Tensor) else t

    def from_grid(self, values: Tensor) -> Tensor:
        """(T, N) to the batch shape, or (T, M, N) to the batch shape and a last axis of M."""
        if values.ndim == 2:
            return values.reshape(self.times + self.inner)
        return values.mT.reshape(*self.times, *self.inner, values.shape[1])


def to_grid(x: Tensor, t_shape: tuple[int, ...] = ()) -> Layout:
    """Split the batch axes of x into those along which t varies and the rest.

    Args:
        x: points, (..., 2), floating.
        t_shape: shape of t, broadcastable with ``x.shape[:-1]``.

    Raises:
        ParameterError: x is not a floating tensor of points in the plane, or does not broadcast with t.
    """
    if not x.is_floating_point() or x.ndim == 0 or x.shape[-1] != 2:
        raise ParameterError("x", "a floating tensor of shape (..., 2)", f"{x.dtype} {tuple(x.shape)}")
    own = tuple(x.shape[:-1])
    if not t_shape:
        return Layout(_coordinates(x.reshape(1, -1, 2)), (), own)
    rank = max(len(own), len(t_shape))
    own, padded = (1,) * (rank - len(own)) + own, (1,) * (rank - len(t_shape)) + t_shape
    if any(a != b and 1 not in (a, b) for a, b in zip(own, padded, strict=True)):
        raise ParameterError("t", f"a shape broadcastable with {tuple(x.shape[:-1])}", t_shape)
    batch = tuple(b if a == 1 else a for a, b in zip(own, padded, strict=True))
    split = max((axis + 1 for axis, size in enumerate(padded) if size != 1), default=0)
    times, inner = batch[:split], batch[split:]
    shared = all(size == 1 for size in own[:split])
    spread = x.reshape(1, -1, 2) if shared else x.expand(*batch, 2).reshape(math.prod(times), math.prod(inner), 2)
    return Layout(_coordinates(spread), times, inner)


def _coordinates(points: Tensor) -> Tensor:
    """(S, N, 2) to (2, S, 1, N), contiguous so that passes along the points are vectorised."""
    return points.permute(2, 0, 1).unsqueeze(2).contiguous()


class _Block(NamedTuple):
    """A part of the (T, N) answers that is worked out at once.

    Attributes:
        times: which.
        exponents: the six of the table, (T', C, 1) each.
        points: two coordinates, (1 or T', 1, N') each.
        buffers: two places for (T', C, N') numbers, or two times ``None``.
    """

    times: slice
    exponents: tuple[Tensor, ...]
    points: tuple[Tensor, ...]
    buffers: tuple[Tensor, Tensor] | tuple[None, None]


def _blocks(table: ComponentTable, points: Tensor) -> Iterator[_Block]:
    """Cut (T, N) so that no block of (time, component, point) has more than about `_BLOCK_BYTES`.

    All blocks share their buffers: fresh memory for each would cost as much in page faults as the arithmetic in it.
    Derivatives need the memory kept, so with them, and where there is but one block, there are no buffers.
    """
    exponents = table.exponents.rows(points.dtype)
    times, components, _ = exponents[0].shape
    count, size = points.shape[-1], points.element_size()
    if times * components * count * size <= _BLOCK_BYTES:
        yield _Block(_ALL, exponents, points.unbind(), (None, None))
        return
    pieces = cuts(times, count, components, size)
    recorded = torch.is_grad_enabled() and (exponents[0].requires_grad or points.requires_grad)
    rows, columns = pieces[0]
    memory = None if recorded else points.new_empty(2, _length(rows, times) * components * _length(columns, count))
    for rows, columns in pieces:
        own = tuple(row[rows] for row in exponents)
        part = (points if points.shape[1] == 1 else points[:, rows])[..., columns].unbind()
        if memory is None:
            yield _Block(rows, own, part, (None, None))
        else:
            shape = (len(own[0]), components, part[0].shape[-1])
            first, second = memory[:, : math.prod(shape)].view(2, *shape).unbind()
            yield _Block(rows, own, part, (first, second))


def cuts(times: int, points: int, numbers: int, size: int) -> list[tuple[slice, slice]]:
    """Times and points of the blocks in which to work, row by row: the first is the largest.

    Args:
        times: how many.
        points: how many.
        numbers: intermediate results at each time and point.
        size: bytes of each.
    """
    room = _BLOCK_BYTES // (numbers * size)
    width = max(1, points if points <= room else max(1, room // _LANES) * _LANES)
    height = max(1, room // width)
    columns = [slice(i, i + width) for i in range(0, max(1, points), width)]
    return [(slice(i, i + height), across) for i in range(0, times, height) for across in columns]


def _length(part: slice, whole: int) -> int:
    return len(range(*part.indices(whole)))


def assemble(parts: list[Tensor], points: int) -> Tensor:
    """Put answers for `cuts`, in their order, back together."""
    if len(parts) == 1:
        return parts[0]
    across = math.ceil(points / parts[0].shape[-1])
    if across > 1:
        parts = [torch.cat(parts[i : i + across], dim=-1) for i in range(0, len(parts), across)]
    return torch.cat(parts)


def _logits(block: _Block) -> Tensor:
    """log2 of the weighted component densities, (T, C, N)."""
    log_scale, m1, m2, w11, w21, w22 = block.exponents
    one, two = block.buffers
    x, y = block.points
    right = torch.sub(x, m1, out=one)
    second = torch.sub(y, m2, out=two).mul_(w22).addcmul_(w21, right)
    first = torch.mul(right, w11, out=one)
    logits = torch.addcmul(log_scale, first, first, value=-1.0, out=one)
    return logits.addcmul_(second, second, value=-1.0)


def shifted_exponentials(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Powers of two over the largest of all components, (T, C, N), and log2 of the largest, (T, 1, N); in place.

    The largest cancels wherever both are used, so no derivative is taken of it. Answers stay above the smallest normal
    number, far below rounding: exp2 would be slow where it underflows.
    """
    largest = logits.detach().amax(dim=1, keepdim=True)
    return logits.sub_(largest).clamp_(min=_lowest_exponent(logits.dtype)).exp2_(), largest


@cache
def _lowest_exponent(dtype: torch.dtype) -> float:
    return math.log2(torch.finfo(dtype).tiny)


def log_density(table: ComponentTable, points: Tensor) -> Tensor:
    """Logarithm of the mixture density, (T, N), in the dtype of the points.

    Args:
        table: T times C components.
        points: (2, 1 or T, 1, N), from `to_grid`.
    """
    parts = []
    for block in _blocks(table, points):
        weights, largest = shifted_exponentials(_logits(block))
        # So far away that all densities underflow, log 0 = -inf is the answer, not -inf + inf.
        total = weights.sum(dim=1).nan_to_num_(nan=1.0)
        parts.append(total.log2_().add_(largest.squeeze(1)).mul_(_LOG_2))
    return assemble(parts, points.shape[-1])


def posterior(table: ComponentTable, points: Tensor) -> Tensor:
    """Weight of each component given the point, (T, C, N); each column sums to one."""
    whole = _Block(_ALL, table.exponents.rows(points.dtype), points.unbind(), (None, None))
    weights, _ = shifted_exponentials(_logits(whole))
    return weights / weights.sum(dim=1, keepdim=True)


def posterior_averages(table: ComponentTable, points: Tensor, maps: DtypeCache) -> Tensor:
    """Posterior averages of affine maps of the point.

    Args:
        table: T times C components.
        points: (2, 1 or T, 1, N), from `to_grid`.
        maps: M maps from `ComponentTable.affine` one after the other, (T, 8 M, C).

    Returns:
        (T, 2 M, N).
    """
    coefficients = maps.to(points.dtype)
    parts = []
    for block in _blocks(table, points):
        own = coefficients if block.times is _ALL else coefficients[block.times]
        sums = torch.bmm(own, shifted_exponentials(_logits(block))[0])
        along_x, along_y, constant, total = sums.view(len(sums), sums.shape[1] // 8, 4, 2, sums.shape[2]).unbind(2)
        x, y = (of.unsqueeze(1) for of in block.points)
        parts.append(torch.addcmul(constant, along_x, x).addcmul_(along_y, y).div_(total).flatten(1, 2))
    return assemble(parts, points.shape[-1])
