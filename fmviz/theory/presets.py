r"""The data sets of the app, every one a Gaussian mixture (T34).

Shapes without a density of their own (moons, spirals, a smile) are chains of Gaussians along curves: each is long along
the tangent, with a standard deviation of about the spacing, and thin across it, so that the chain reads as one even
stroke. All fit in [-3.5, 3.5] squared, have at most 64 components and no standard deviation below `MIN_STD`: pictures
and SDEs stay well-behaved.
"""

__all__ = ["MAX_COMPONENTS", "MIN_STD", "get", "names"]

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.theory.mixture import GaussianMixture

MAX_COMPONENTS = 64
"""No preset has more."""
MIN_STD = 0.12
"""No component of a preset is thinner in any direction."""

# Tangential standard deviation of a stroke in units of the spacing of its components: the stroke is even, its ends crisp.
_OVERLAP = 0.6


def names() -> tuple[str, ...]:
    """All presets, in the order of the menu."""
    return tuple(_PRESETS)


def get(name: str, seed: int = 0) -> GaussianMixture:
    """A preset mixture, float32.

    Args:
        name: one of `names`.
        seed: of the "random" preset; the others ignore it.

    Raises:
        ParameterError: unknown name.
    """
    make = _PRESETS.get(name)
    if make is None:
        raise ParameterError("name", f"one of {', '.join(_PRESETS)}", name)
    return make(seed).to(torch.float32)


def _round_modes(
    means: Sequence[tuple[float, float]] | Tensor, std: float, labels: Sequence[int] | None = None
) -> GaussianMixture:
    centres = torch.as_tensor(means, dtype=torch.float64)
    count = len(centres)
    covariances = (std * std * torch.eye(2, dtype=torch.float64)).expand(count, 2, 2)
    return GaussianMixture(centres, covariances, torch.ones(count), None if labels is None else torch.tensor(labels))


def _covariances(angles: Tensor, along: Tensor, across: Tensor) -> Tensor:
    """Covariances with standard deviation `along` in the direction of an angle and `across` at right angles to it."""
    tangent = torch.stack((angles.cos(), angles.sin()), dim=-1)
    normal = torch.stack((-angles.sin(), angles.cos()), dim=-1)
    long = tangent.unsqueeze(-1) * tangent.unsqueeze(-2) * along.square()[:, None, None]
    return long + normal.unsqueeze(-1) * normal.unsqueeze(-2) * across.square()[:, None, None]


def _stroke(
    curve: Callable[[Tensor], Tensor], count: int, width: float, closed: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """Components evenly spaced by arc length along a curve over [0, 1].

    Returns:
        Means (count, 2), covariances (count, 2, 2) and weights (count,), the arc length of each.
    """
    fine = curve(torch.linspace(0.0, 1.0, 2001, dtype=torch.float64))
    length = torch.cat((torch.zeros(1, dtype=torch.float64), (fine[1:] - fine[:-1]).norm(dim=-1).cumsum(0)))
    spacing = float(length[-1]) / count
    offset = 0.0 if closed else 0.5
    wanted = (torch.arange(count, dtype=torch.float64) + offset) * spacing
    at = torch.searchsorted(length, wanted).clamp(1, len(fine) - 1)
    share = ((wanted - length[at - 1]) / (length[at] - length[at - 1])).unsqueeze(-1)
    chord = fine[at] - fine[at - 1]
    angles = torch.atan2(chord[:, 1], chord[:, 0])
    along = torch.full_like(angles, max(_OVERLAP * spacing, width))
    means = fine[at - 1] + share * chord
    return means, _covariances(angles, along, torch.full_like(angles, width)), torch.full_like(angles, spacing)


def _join(*parts: tuple[tuple[Tensor, Tensor, Tensor], int]) -> GaussianMixture:
    """Put strokes, each with its class label, together."""
    labels = torch.cat([torch.full((len(stroke[0]),), label) for stroke, label in parts])
    means, covariances, weights = (torch.cat(column) for column in zip(*(stroke for stroke, _ in parts), strict=True))
    return GaussianMixture(means, covariances, weights, labels)


def _arc(
    radius: float, start: float, end: float, centre: tuple[float, float] = (0.0, 0.0)
) -> Callable[[Tensor], Tensor]:
    """Circular arc; angles in turns."""

    def curve(s: Tensor) -> Tensor:
        angle = 2.0 * math.pi * (start + (end - start) * s)
        return torch.stack((centre[0] + radius * angle.cos(), centre[1] + radius * angle.sin()), dim=-1)

    return curve


def _ring(count: int, radius: float, std: float) -> GaussianMixture:
    angles = torch.arange(count, dtype=torch.float64) * (2.0 * math.pi / count)
    return _round_modes(radius * torch.stack((angles.cos(), angles.sin()), dim=-1), std)


def _two_modes(_: int) -> GaussianMixture:
    return _round_modes([(-2.0, 0.0), (2.0, 0.0)], 0.5)


def _three_modes(_: int) -> GaussianMixture:
    means = torch.tensor([[-2.0, -1.2], [2.2, -0.8], [0.0, 2.2]], dtype=torch.float64)
    angles = torch.tensor([0.6, 2.2, 0.0], dtype=torch.float64)
    along = torch.tensor([0.75, 0.6, 0.8], dtype=torch.float64)
    across = torch.tensor([0.35, 0.4, 0.3], dtype=torch.float64)
    return GaussianMixture(means, _covariances(angles, along, across), torch.tensor([0.4, 0.35, 0.25]))


def _grid(_: int) -> GaussianMixture:
    ticks = torch.linspace(-2.7, 2.7, 4, dtype=torch.float64)
    return _round_modes(torch.cartesian_prod(ticks, ticks), 0.28)


def _random(seed: int) -> GaussianMixture:
    """Eight modes of random place, shape and weight.

    For each a few places are tried, and the one farthest from the modes so far is kept.
    """
    generator = torch.Generator().manual_seed(seed)
    candidates = 5.6 * torch.rand(8, 12, 2, generator=generator, dtype=torch.float64) - 2.8
    means = candidates[0, :1]
    for offered in candidates[1:]:
        best = torch.cdist(offered, means).amin(dim=1).argmax()
        means = torch.cat((means, offered[best : best + 1]))
    angles = math.pi * torch.rand(8, generator=generator, dtype=torch.float64)
    along = 0.35 + 0.35 * torch.rand(8, generator=generator, dtype=torch.float64)
    across = 0.2 + 0.15 * torch.rand(8, generator=generator, dtype=torch.float64)
    weights = 0.5 + torch.rand(8, generator=generator, dtype=torch.float64)
    return GaussianMixture(means, _covariances(angles, along, across), weights)


def _moons(_: int) -> GaussianMixture:
    upper = _stroke(_arc(2.0, 0.0, 0.5, (-1.0, -0.35)), 14, 0.18)
    lower = _stroke(_arc(2.0, 0.5, 1.0, (1.0, 0.35)), 14, 0.18)
    return _join((upper, 0), (lower, 1))


def _circles(_: int) -> GaussianMixture:
    outer, inner = (
        _stroke(_arc(2.9, 0.0, 1.0), 32, 0.16, closed=True),
        _stroke(_arc(1.3, 0.0, 1.0), 16, 0.16, closed=True),
    )
    return _join((outer, 0), (inner, 1))


def _spiral(_: int) -> GaussianMixture:
    """Two arms of an Archimedean spiral."""

    def arm(turn: float) -> Callable[[Tensor], Tensor]:
        def curve(s: Tensor) -> Tensor:
            angle, radius = 2.0 * math.pi * (1.35 * s + turn), 0.35 + 2.75 * s
            return radius.unsqueeze(-1) * torch.stack((angle.cos(), angle.sin()), dim=-1)

        return curve

    return _join((_stroke(arm(0.0), 30, 0.14), 0), (_stroke(arm(0.5), 30, 0.14), 1))


def _checkerboard(_: int) -> GaussianMixture:
    """The eight dark squares of a 4 x 4 board, each of 2 x 2 Gaussians; the label says whether their row is odd."""
    side = 1.6
    corners = [(i, j) for j in range(4) for i in range(4) if (i + j) % 2 == 0]
    means = [
        ((i - 1.5) * side + dx * side, (j - 1.5) * side + dy * side)
        for i, j in corners
        for dx in (-0.2, 0.2)
        for dy in (-0.2, 0.2)
    ]
    return _round_modes(means, 0.25, labels=[j % 2 for _, j in corners for _ in range(4)])


def _pinwheel(_: int) -> GaussianMixture:
    """Five curved arms, thin at the hub and broad at the rim; the label is the arm."""
    s = (torch.arange(8, dtype=torch.float64) + 0.5) / 8
    radius = 0.7 + 2.3 * s
    arms = []
    for arm in range(5):
        angle = 2.0 * math.pi * (arm / 5 + 0.2 * s)
        means = radius.unsqueeze(-1) * torch.stack((angle.cos(), angle.sin()), dim=-1)
        heading = angle + torch.atan2(radius * (2.0 * math.pi * 0.2), torch.full_like(s, 2.3))
        arms.append(
            ((means, _covariances(heading, torch.full_like(s, 0.24), 0.13 + 0.15 * s), torch.ones_like(s)), arm)
        )
    return _join(*arms)


def _smiley(_: int) -> GaussianMixture:
    """Face (label 0), eyes (label 1), mouth (label 2)."""
    face = _stroke(_arc(2.9, 0.0, 1.0), 34, 0.14, closed=True)
    mouth = _stroke(_arc(1.6, 0.56, 0.94), 12, 0.14)
    centres = torch.tensor([[-1.0, 0.95], [1.0, 0.95]], dtype=torch.float64)
    upright = torch.full((2,), 0.5 * math.pi, dtype=torch.float64)
    eyes = (centres, _covariances(upright, 0.32 + 0.0 * upright, 0.22 + 0.0 * upright), 1.1 + 0.0 * upright)
    return _join((face, 0), (eyes, 1), (mouth, 2))


_PRESETS: dict[str, Callable[[int], GaussianMixture]] = {
    "two_modes": _two_modes,
    "three_modes": _three_modes,
    "ring5": lambda _: _ring(5, 2.8, 0.28),
    "ring8": lambda _: _ring(8, 2.8, 0.28),
    "grid": _grid,
    "random": _random,
    "moons": _moons,
    "circles": _circles,
    "spiral": _spiral,
    "checkerboard": _checkerboard,
    "pinwheel": _pinwheel,
    "smiley": _smiley,
}
