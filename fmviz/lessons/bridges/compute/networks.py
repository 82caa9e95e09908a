"""Networks that learn the field of a coupling, in the pool of all runs, and what they do with the particles of the scene.

A round of reflow needs the rounds before it, and the flow of independent pairs before those: a chain of runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from fmviz.cache import shared
from fmviz.learning import LearnedModel, Reflow, TrainSpec, next_round
from fmviz.lessons.bridges.compute.fields import COARSE_STEPS, FEW, Side, of_pairs, simulated
from fmviz.lessons.bridges.compute.flows import Flow, Motion, flow_of, motion
from fmviz.scene import Scene

__all__ = ["Learned", "chain", "moved", "stage", "taught"]


LEARNED_PAIRS, LEARNED_STEPS = 4096, 20
"""Pairs of a round and the steps of Heun's method that simulate them: a second or so."""


@dataclass(frozen=True)
class Learned:
    """A network at one step of one run; equal if they are the same.

    Attributes:
        stamp: the run and the step.
        model: the network.
        teacher: of a reflow, the network whose pairs it learns.
    """

    stamp: tuple[int, int]
    model: LearnedModel = field(compare=False, repr=False)
    teacher: Learned | None = field(default=None, compare=False, repr=False)


def chain(side: Side, steps: int, seed: int) -> tuple[TrainSpec, ...]:
    """The runs that a panel needs, one after the other; none for the optimal map, which is known exactly."""
    if side.coupling == "map":
        return ()
    plain = TrainSpec(batch_size=256, ema=0.95, steps=steps, seed=seed, device="cpu")
    if side.coupling == "independent":
        return (replace(plain, gamma=side.gamma),)
    if not side.rounds:
        return (
            replace(
                plain,
                coupling="exact" if side.coupling == "exact" else "sinkhorn",
                coupling_batch=side.batch,
                coupling_regularisation=side.regularisation,
                gamma=side.gamma,
            ),
        )
    reflow = Reflow(
        pairs=FEW if side.fault == "few" else LEARNED_PAIRS,
        steps=COARSE_STEPS if side.fault == "coarse" else LEARNED_STEPS,
        method="euler" if side.fault == "coarse" else Reflow().method,
        reversed=side.fault == "reversed",
    )
    specs = [plain]
    for _ in range(side.rounds):
        specs.append(replace(next_round(specs[-1], reflow), gamma=side.gamma))
    return tuple(specs)


def stage(side: Side, place: int) -> Side:
    """What the network at a place of the chain of `side` learns."""
    if not side.rounds:
        return side
    return Side() if place == 0 else replace(side, coupling=f"reflow{place}")


@shared
def taught(scene: Scene, side: Side, teacher: Learned) -> Flow:
    """The pairs of a round of reflow, as its teacher makes them, with their own exact field."""
    pairs = simulated(scene, teacher.model.sampling_velocity, side, side.rounds - 1)
    return flow_of(scene, of_pairs(*pairs, side))


def moved(scene: Scene, learned: Learned) -> Motion:
    """What a network does with the particles of the scene."""
    return motion(scene, learned.model.sampling_velocity)
