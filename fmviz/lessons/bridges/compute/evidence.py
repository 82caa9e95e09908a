"""The numbers below the stage of the page Bridges: distances over steps, costs over batches, rounds of reflow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.cache import shared
from fmviz.lessons.bridges.compute.fields import Side, bridge, made, pairs_of, rounds_of
from fmviz.lessons.bridges.compute.flows import Mean, mean_of, straightness_along
from fmviz.lessons.bridges.compute.networks import Learned
from fmviz.lessons.bridges.settings import PAIRS
from fmviz.scene import Scene, scenes
from fmviz.theory.couplings import gaussian_map, pair_costs, transport_cost
from fmviz.theory.metrics import sliced_wasserstein
from fmviz.theory.solvers import Velocity, solve_ode

__all__ = [
    "BATCHES",
    "HEUN_STEPS",
    "REFERENCE",
    "SINKHORN_BATCHES",
    "STEPS",
    "Costs",
    "OverSteps",
    "Rounds",
    "costs",
    "over_steps",
    "rounds",
    "rounds_by_network",
]

STEPS = (1, 2, 4, 8, 16, 32, 64)
SAMPLES, SETS = 400, 4
"""Points of a sample that is compared with p_data, and how many of them."""
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
SINKHORN_BATCHES = (16, 64, 256)
REFERENCE = 1024
"""The batch whose cost stands for that of the best coupling, W2²; it is approached from above."""
REPEATS = 4
ROUNDS = 3
HEUN_STEPS = 20
"""Of the flow whose ends are compared with the data in every round."""


@dataclass(frozen=True, eq=False)
class OverSteps:
    """Sliced W2 from the ends of Euler's method to exact samples.

    Attributes:
        of: for each panel, one for each of `STEPS`.
        floor: of exact samples.
    """

    of: tuple[tuple[Mean, ...], ...]
    floor: Mean


@dataclass(frozen=True, eq=False)
class Costs:
    """E|z - x0|^2 of couplings.

    Attributes:
        exact, sinkhorn: of mini-batches, one for each of `BATCHES`, and of `SINKHORN_BATCHES`.
        independent: exactly.
        best: W2², exactly for two Gaussians, else of a batch of `REFERENCE`.
        closed: whether the last is exact.
    """

    exact: tuple[Mean, ...]
    sinkhorn: tuple[Mean, ...]
    independent: float
    best: Mean
    closed: bool


@dataclass(frozen=True, eq=False)
class Rounds:
    """Of the exact flow and of each round of reflow: E|X_1 - X_0|^2, S, and the distances of its ends to p_data, with many steps and one."""

    cost: tuple[Mean, ...]
    straightness: tuple[Mean, ...]
    distance: tuple[Mean, ...]
    one_step: tuple[Mean, ...]
    floor: Mean


def _samples(scene: Scene, which: str, seed: int) -> Tensor:
    law = scenes.mixture(scene, "init" if which == "init" else "data")
    return law.sample(SAMPLES, generator=torch.Generator().manual_seed(31_000 + seed))


def _distance(ends: Callable[[int], Tensor], scene: Scene) -> Mean:
    """Over sets, the distance from a sample of ends to a sample of p_data."""
    found = [sliced_wasserstein(ends(i), _samples(scene, "data", 100 + i)) for i in range(SETS)]
    return mean_of(torch.stack(found))


def _floor(scene: Scene) -> Mean:
    return _distance(lambda i: _samples(scene, "data", 200 + i), scene)


def _ends(velocity: Velocity, scene: Scene, seed: int, steps: int, method: str = "euler") -> Tensor:
    times = [i / steps for i in range(steps + 1)]
    return solve_ode(velocity, _samples(scene, "init", seed), method=method, times=times)[0][-1]


@shared
def over_steps(
    scene: Scene, which: tuple[Side, Side], by: tuple[Learned | None, Learned | None] = (None, None)
) -> OverSteps:
    """Both panels' distances over the number of Euler steps, of their exact fields or of networks."""
    with torch.inference_mode():
        panels = []
        for side, network in zip(which, by, strict=True):
            of = made(scene, side).velocity if network is None else network.model.sampling_velocity
            panels.append(
                tuple(_distance(lambda i, of=of, n=n: _ends(of, scene, i, n), scene) for n in STEPS)  # type: ignore[misc]
            )
        return OverSteps(tuple(panels), _floor(scene))


@shared
def costs(scene: Scene, regularisation: float) -> Costs:
    """What mini-batches of each size cost, beside the best and the independent coupling."""
    p_init, p_data = scenes.mixture(scene, "init"), scenes.mixture(scene, "data")

    def of_batches(method: str, n: int) -> Mean:
        x0, z = pairs_of(scene, Side(method, n, regularisation), PAIRS)
        return mean_of(pair_costs(x0, z).reshape(-1, n).mean(dim=1))

    exact, sinkhorn = (
        tuple(of_batches("exact", n) for n in BATCHES),
        tuple(of_batches("sinkhorn", n) for n in SINKHORN_BATCHES),
    )
    m0, m1, s0, s1 = (x.double() for x in (p_init.mean, p_data.mean, p_init.covariance, p_data.covariance))
    independent = (m0 - m1).square().sum() + torch.trace(s0) + torch.trace(s1)
    closed = p_init.n_components == p_data.n_components == 1
    if closed:
        best = Mean(gaussian_map(p_init, p_data).cost, 0.0)
    else:
        of = []
        for seed in range(REPEATS):
            x0, z = pairs_of(scene, Side("exact", REFERENCE), REFERENCE, seed=seed)
            of.append(transport_cost(x0, z))
        best = mean_of(torch.stack(of))
    return Costs(exact, sinkhorn, float(independent), best, closed)


@shared
def rounds(scene: Scene, fault: str) -> Rounds:
    """The exact flow, and the rounds of reflow after it."""
    all_of = rounds_of(scene, Side("reflow1", fault=fault), ROUNDS)
    return _rounds_of(scene, [bridge(scene).marginal_velocity, *(of.velocity for of in all_of)])


@shared
def rounds_by_network(scene: Scene, by: tuple[Learned, ...]) -> Rounds:
    """The flow of a first network, and those of the rounds that go on from it."""
    return _rounds_of(scene, [network.model.sampling_velocity for network in by])


def _rounds_of(scene: Scene, fields: Sequence[Velocity]) -> Rounds:
    with torch.inference_mode():
        times = torch.linspace(0.0, 1.0, 41)
        cost, straight, far, one = [], [], [], []
        for of in fields:
            line = solve_ode(of, _samples(scene, "init", 0), method="heun", times=times)[0]
            cost.append(mean_of(pair_costs(line[0], line[-1])))
            straight.append(mean_of(straightness_along(of, line, times)))
            far.append(_distance(lambda i, of=of: _ends(of, scene, i, HEUN_STEPS, "heun"), scene))  # type: ignore[misc]
            one.append(_distance(lambda i, of=of: _ends(of, scene, i, 1), scene))  # type: ignore[misc]
        return Rounds(tuple(cost), tuple(straight), tuple(far), tuple(one), _floor(scene))
