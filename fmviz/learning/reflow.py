"""Rounds of rectified flow: the pairs that a network's own flow makes, from which the next network learns (T55)."""

__all__ = ["PIECE", "Simulation", "next_round", "simulation_of"]

import dataclasses

import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.learning import objectives
from fmviz.learning.model import LearnedModel
from fmviz.learning.pairing import Simulated
from fmviz.learning.spec import MAX_ROUNDS, Reflow, TrainSpec
from fmviz.theory import ProbabilityPath
from fmviz.theory.couplings import reflow_pairs

PIECE = 512
"""Pairs that are simulated together: a few dozen milliseconds."""
_START_SEED = 55_000_001
"""Sets the starting points of a round apart from the draws of its training."""


class Simulation:
    """The pairs (x0, psi_1(x0)) of one round, made piece by piece, so that others get their turns in between.

    Args:
        path: gives the starting points, and the shape of the network.
        spec: of the round; its seed decides the starting points.
        teacher: the network of the round before, or that of the first flow.

    Raises:
        ParameterError: the settings are those of no reflow, or the teacher predicts no velocity or has other layers.
    """

    def __init__(self, path: ProbabilityPath, spec: TrainSpec, teacher: LearnedModel) -> None:
        reflow = spec.reflow
        if reflow is None:
            raise ParameterError("reflow", "a round of reflow", None)
        if teacher.predicts != "velocity" or teacher.network.architecture != objectives.architecture(path, spec):
            raise ParameterError(
                "teacher", "a network that predicts a velocity, of this path and of these layers", teacher.predicts
            )
        self._reflow, self._teacher = reflow, teacher.to("cpu")
        seed = (_START_SEED * reflow.round + spec.seed) % 2**63
        starts = (
            path.to("cpu").to(torch.float32).p_init.sample(reflow.pairs, generator=torch.Generator().manual_seed(seed))
        )
        self._starts, self._ends = starts, torch.empty_like(starts)
        self.done = 0
        """Pairs that are there."""

    def __repr__(self) -> str:
        return f"<Simulation: {self.done} of {len(self._starts)} pairs>"

    @property
    def finished(self) -> bool:
        """Whether all pairs are there."""
        return self.done >= len(self._starts)

    @property
    def weights(self) -> Tensor:
        """Those of the teacher, with which the round begins, (W,) float32."""
        return self._teacher.network.weights.detach().float()

    @torch.no_grad()
    def advance(self) -> None:
        """The next `PIECE` pairs.

        Raises:
            ParameterError: the teacher's flow leaves the numbers.
        """
        piece = slice(self.done, self.done + PIECE)
        reflow = self._reflow
        ends = reflow_pairs(
            self._teacher.sampling_velocity, self._starts[piece], steps=reflow.steps, method=reflow.method
        )[1]
        if not bool(ends.isfinite().all()):
            raise ParameterError("teacher", "a network whose flow ends at finite points", "one whose flow does not")
        self._ends[piece] = ends
        self.done += len(ends)

    def finish(self) -> None:
        """All pairs that are missing."""
        while not self.finished:
            self.advance()

    def pairs(self, device: torch.device) -> Simulated:
        """All of them, for training.

        Raises:
            ParameterError: some are missing.
        """
        if not self.finished:
            raise ParameterError("simulation", f"all {len(self._starts)} pairs", self.done)
        x0, z = self._starts.to(device), self._ends.to(device)
        return Simulated(z, x0) if self._reflow.reversed else Simulated(x0, z)


def simulation_of(path: ProbabilityPath, spec: TrainSpec, teacher: LearnedModel | None) -> Simulation | None:
    """The simulation that a run of `spec` begins with, not begun; none for a run that is no reflow.

    Raises:
        ParameterError: a reflow without a teacher, a teacher without a reflow, or one of another shape.
    """
    if (spec.reflow is None) is not (teacher is None):
        raise ParameterError("teacher", "the network of the round before, with reflow and only then", teacher)
    return None if teacher is None else Simulation(path, spec, teacher)


def next_round(spec: TrainSpec, reflow: Reflow | None = None) -> TrainSpec:
    """The settings of the round that goes on from a run of `spec`.

    Args:
        spec: of a first flow, or of a round.
        reflow: how the pairs are simulated; its round is replaced. By default as in `spec`, or as `Reflow` has it.

    Raises:
        ParameterError: `spec` is that of the last round.
    """
    before = spec.reflow
    number = 1 if before is None else before.round + 1
    if number > MAX_ROUNDS:
        raise ParameterError("reflow.round", f"at most {MAX_ROUNDS}", number)
    how = reflow or before or Reflow()
    return dataclasses.replace(spec, coupling="independent", reflow=dataclasses.replace(how, round=number))
