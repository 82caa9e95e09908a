r"""The field of each coupling.

Independent pairs have the exact field of the path. Of other couplings a few thousand pairs are drawn, and the field is the exact
one of these pairs, each blurred by `BLUR` (`fmviz.theory.pair_field`): nothing is trained, so what is seen is the coupling. The
rounds of reflow begin with the exact flow.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.lessons.bridges.settings import BLUR, PAIRS, REFLOW_STEPS
from fmviz.scene import Scene, scenes
from fmviz.theory import GaussianMixture, ProbabilityPath, couplings, schedulers
from fmviz.theory.couplings import gaussian_map, minibatch_pairs, reflow_pairs
from fmviz.theory.pair_field import PairField
from fmviz.theory.solvers import Velocity

__all__ = ["COARSE_STEPS", "FEW", "Made", "Side", "bridge", "made", "of_pairs", "pairs_of", "rounds_of", "simulated"]

FEW, COARSE_STEPS = 40, 3
"""Of the faults: so few pairs, and so few Euler steps that simulate them."""


@dataclass(frozen=True)
class Side:
    """What one panel shows.

    Attributes:
        coupling, batch, regularisation, gamma, fault: as in `fmviz.lessons.bridges.settings.Settings`.
    """

    coupling: str = "independent"
    batch: int = 256
    regularisation: float = 0.1
    gamma: float = 0.0
    fault: str = "none"

    @property
    def rounds(self) -> int:
        """How often the flow has been learned again from its own pairs."""
        return int(self.coupling[-1]) if self.coupling.startswith("reflow") else 0


@dataclass(frozen=True, eq=False)
class Made:
    """A coupling and its field.

    Attributes:
        x0, z: its pairs, (M, 2) each.
        velocity: u(x, t).
        field: where the field is that of blurred pairs, these.
    """

    x0: Tensor
    z: Tensor
    velocity: Velocity
    field: PairField | None = None


def bridge(scene: Scene, gamma: float = 0.0) -> ProbabilityPath:
    """The path of independent pairs, linear whatever the scheduler of the scene (T33, T52)."""
    return ProbabilityPath(
        scenes.mixture(scene, "init"), scenes.mixture(scene, "data"), schedulers.get("linear"), gamma=gamma
    )


def pairs_of(scene: Scene, side: Side, count: int = PAIRS, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Pairs of a coupling that is drawn in batches; draws of both laws are the same for every method.

    Returns:
        x0 and z, (count, 2) each.
    """
    p_init, p_data = scenes.mixture(scene, "init"), scenes.mixture(scene, "data")
    x0, z = _draws(p_init, p_data, max(count, side.batch), seed)
    method: couplings.Method = "exact" if side.coupling == "exact" else "independent"
    if side.coupling == "sinkhorn":
        method = "sinkhorn"
    shuffle = torch.Generator().manual_seed(seed)
    index = torch.cat(
        [
            first
            + minibatch_pairs(
                x0[first : first + side.batch],
                z[first : first + side.batch],
                method,
                regularisation=side.regularisation,
                generator=shuffle,
            )
            for first in range(0, len(x0), side.batch)
        ]
    )
    return x0[:count], z[index[:count]]


def _draws(p_init: GaussianMixture, p_data: GaussianMixture, count: int, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(7_001 + seed)
    return p_init.sample(count, generator=generator), p_data.sample(count, generator=generator)


def made(scene: Scene, side: Side, seed: int = 0) -> Made:
    """The coupling of a panel and its field.

    Raises:
        FmvizError: "map" where one of the two is not a single Gaussian.
    """
    path = bridge(scene, side.gamma)
    if side.coupling == "independent":
        return Made(*pairs_of(scene, side, seed=seed), path.marginal_velocity)
    if side.coupling == "map":
        optimal = gaussian_map(path.p_init, path.p_data)
        x0, _ = _draws(path.p_init, path.p_data, PAIRS, seed)
        if side.gamma > 0.0:
            return of_pairs(x0, optimal(x0), side)
        return Made(x0, optimal(x0), optimal.velocity)
    if side.rounds:
        return rounds_of(scene, side, side.rounds, seed)[-1]
    return of_pairs(*pairs_of(scene, side, seed=seed), side)


def rounds_of(scene: Scene, side: Side, rounds: int, seed: int = 0) -> tuple[Made, ...]:
    """The rounds of reflow from the exact flow of independent pairs, with whatever is wrong on purpose (T55)."""
    path = bridge(scene)
    velocity: Velocity = path.marginal_velocity
    found = []
    for number in range(rounds):
        found.append(of_pairs(*simulated(scene, velocity, side, number, seed), side))
        velocity = found[-1].velocity
    return tuple(found)


def simulated(scene: Scene, velocity: Velocity, side: Side, number: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """The pairs of a flow from which the round after it learns; `number` rounds lie before that, with the fault of `side`."""
    path = bridge(scene)
    start, _ = _draws(path.p_init, path.p_data, FEW if side.fault == "few" else PAIRS, seed + 100 * number)
    steps, method = (COARSE_STEPS, "euler") if side.fault == "coarse" else (REFLOW_STEPS, "heun")
    x0, z = reflow_pairs(velocity, start, steps=steps, method=method)
    return (z, x0) if side.fault == "reversed" else (x0, z)


def of_pairs(x0: Tensor, z: Tensor, side: Side) -> Made:
    """The exact field of pairs, each blurred, with the noise of `side` in between."""
    field = PairField(x0, z, BLUR, side.gamma)
    return Made(x0, z, field.velocity, field)
