r"""What pairs that are blind to labels do to the classes, beside pairs within each label.

The particles of a part of the source follow the exact field of the pairs. Where they are, the exact classifier of these pairs,
:math:`p_t(y|x) = \sum_{i: y_i = y} r_i(x)`, says which class they come to. That of the independent path
(`ProbabilityPath.classifier`) would be wrong here: it knows nothing of who is paired with whom. At t = 0 the shares must be those
of the data, in every part: a label may then be asked for from any x0. Blind pairs break this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.cache import shared
from fmviz.lessons.bridges.compute.flows import Mean, mean_of
from fmviz.lessons.bridges.settings import BLUR
from fmviz.scene import Scene, scenes
from fmviz.theory import GaussianMixture
from fmviz.theory.couplings import Method, minibatch_pairs, pair_costs
from fmviz.theory.metrics import sliced_wasserstein
from fmviz.theory.pair_field import PairField
from fmviz.theory.solvers import solve_ode

__all__ = ["PARTS", "TIMES", "Coupled", "Labels", "labels"]

PARTS = ("right", "top", "left", "bottom")
"""Parts of the source: quarters around its mean, the first around the direction of x, anticlockwise."""
LEAST = 10
"""Fewer particles in a part say nothing about it."""
SETS, SET = 4, 1024
"""Independent sets of pairs, each with its own field, and their size; the largest batch is that of all sets."""
PARTICLES = 400
STEPS, EVERY = 20, 2
TIMES = tuple(step / STEPS for step in range(0, STEPS + 1, EVERY))


@dataclass(frozen=True, eq=False)
class Coupled:
    """One way to pair; means over the sets of pairs.

    Attributes:
        cost: E|z - x0|^2.
        shares: for each label, each of `PARTS` and of `TIMES`, the mean of p_t(y|X_t) over the particles of the part.
        bias: at t = 0, the total variation between the shares of all labels in a part and in the data, averaged over x0.
        distance: sliced W2 between the data of a label and the ends of the flow to that label from all of the source, averaged over
            the labels by their shares.
    """

    cost: Mean
    shares: tuple[tuple[tuple[Mean, ...], ...], ...]
    bias: Mean
    distance: Mean


@dataclass(frozen=True, eq=False)
class Labels:
    """Couplings and classes.

    Attributes:
        classes: the labels of the data, in increasing order.
        share: of each label in the data.
        independent, blind, within: random pairs; mini-batch optimal transport without regard to labels, and within each label.
        floor: that distance of exact samples.
    """

    classes: tuple[int, ...]
    share: tuple[float, ...]
    independent: Coupled
    blind: Coupled
    within: Coupled
    floor: Mean


@dataclass(frozen=True, eq=False)
class _Draws:
    """Draws that all couplings share: x0 and z (SETS * SET, 2), labels of the z, particles (SETS, PARTICLES, 2) and the part of each."""

    p_data: GaussianMixture
    x0: Tensor
    z: Tensor
    y: Tensor
    particles: Tensor
    parts: Tensor


@shared
def labels(scene: Scene, batch: int) -> Labels:
    """Optimal transport in batches of `batch`, blind to the labels and within them."""
    p_init, p_data = scenes.mixture(scene, "init"), scenes.mixture(scene, "data")
    generator = torch.Generator().manual_seed(5)
    x0 = p_init.sample(SETS * SET, generator=generator)
    z, y = p_data.sample_labelled(SETS * SET, generator=generator)
    particles = p_init.sample(SETS * PARTICLES, generator=generator).reshape(SETS, PARTICLES, 2)
    draws = _Draws(p_data, x0, z, y, particles, _parts(particles - p_init.mean))

    def coupled(method: Method, within: bool) -> Coupled:
        return _coupled(draws, _paired(draws, batch, method, within, generator))

    with torch.inference_mode():
        return Labels(
            p_data.classes,
            tuple(_share(p_data, label) for label in p_data.classes),
            coupled("independent", False),
            coupled("exact", False),
            coupled("exact", True),
            mean_of(torch.stack([_distance(p_data, {}, seed) for seed in range(SETS)])),
        )


def _paired(draws: _Draws, batch: int, method: Method, within: bool, generator: torch.Generator) -> Tensor:
    """Which z each x0 is paired with, (SETS * SET,)."""
    parts = []
    for first in range(0, len(draws.x0), batch):
        x0, z, y = (of[first : first + batch] for of in (draws.x0, draws.z, draws.y))
        parts.append(first + minibatch_pairs(x0, z, method, labels=y if within else None, generator=generator))
    return torch.cat(parts)


def _coupled(draws: _Draws, index: Tensor) -> Coupled:
    p_data, z, y = draws.p_data, draws.z[index], draws.y[index]
    of_data = torch.tensor([_share(p_data, one) for one in p_data.classes], dtype=torch.float64)
    shares, biases, distances = [], [], []
    for i, (start, part) in enumerate(zip(draws.particles, draws.parts, strict=True)):
        x0_of, z_of, y_of = (of[i * SET : (i + 1) * SET] for of in (draws.x0, z, y))
        found = _shares(PairField(x0_of, z_of, BLUR), y_of, p_data.classes, start, part)  # (times, parts, labels)
        shares.append(found)
        biases.append(_bias(found[0], of_data, part))
        distances.append(_distance(p_data, _ends(x0_of, z_of, y_of, start), i))
    means = torch.stack(shares)
    return Coupled(
        mean_of(pair_costs(draws.x0, z)),
        tuple(
            tuple(tuple(mean_of(means[:, k, p, c]) for k in range(len(TIMES))) for p in range(len(PARTS)))
            for c in range(len(p_data.classes))
        ),
        mean_of(torch.stack(biases)),
        mean_of(torch.stack(distances)),
    )


def _shares(field: PairField, y: Tensor, classes: Sequence[int], start: Tensor, part: Tensor) -> Tensor:
    """For each of `TIMES`, of `PARTS` and of the labels the mean of p_t(y|X_t); NaN where a part has too few particles."""
    line = solve_ode(field.velocity, start, method="heun", steps=STEPS)[0][::EVERY]
    members = (y[:, None] == torch.tensor(classes)).double()
    found = torch.full((len(TIMES), len(PARTS), len(classes)), torch.nan, dtype=torch.float64)
    for k, t in enumerate(TIMES):
        probability = field.posterior(line[k], t).double() @ members
        for p in range(len(PARTS)):
            if int((part == p).sum()) >= LEAST:
                found[k, p] = probability[part == p].mean(dim=0)
    return found


def _bias(shares: Tensor, of_data: Tensor, part: Tensor) -> Tensor:
    """The mean over x0 of the total variation between the shares of its part, (parts, labels), and those of the data."""
    sizes = torch.bincount(part, minlength=len(PARTS)).double()
    apart = 0.5 * (shares - of_data).abs().sum(dim=1)
    known = ~apart.isnan()
    return sizes[known] @ apart[known] / sizes[known].sum()


def _ends(x0: Tensor, z: Tensor, y: Tensor, start: Tensor) -> dict[int, Tensor]:
    """For each label among the pairs, where the flow of the pairs of this label takes particles from all of the source."""
    found = {}
    for label in sorted(set(y.tolist())):
        field = PairField(x0[y == label], z[y == label], BLUR)
        found[label] = solve_ode(field.velocity, start, method="heun", steps=STEPS)[0][-1]
    return found


def _distance(p_data: GaussianMixture, ends: dict[int, Tensor], seed: int) -> Tensor:
    """Sliced W2 from ends to exact samples of each label, averaged by the shares of the labels; exact samples where there are no ends."""
    total, sizes = torch.zeros((), dtype=torch.float64), 0.0
    for label in ends or p_data.classes:
        generator = torch.Generator().manual_seed(41_000 + 100 * seed + label)
        exact, other = (p_data.given(label).sample(PARTICLES, generator=generator) for _ in range(2))
        total += _share(p_data, label) * sliced_wasserstein(ends.get(label, other), exact)
        sizes += _share(p_data, label)
    return total / sizes


def _share(p_data: GaussianMixture, label: int) -> float:
    return float(p_data.weights[p_data.labels == label].sum())


def _parts(apart: Tensor) -> Tensor:
    """The part, 0 to 3, in which each point lies as seen from the mean."""
    quarters = torch.atan2(apart[..., 1], apart[..., 0]) / (torch.pi / 2.0)
    return torch.remainder(quarters.round().long(), len(PARTS))
