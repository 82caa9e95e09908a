"""The training loop: a `Trainer` that is advanced by its owner, and `train`, a generator around it.

All of a step happens on the device: the batch is one slice of a `Chunk`, the loss goes into a buffer that is read once per
snapshot, and the optimiser has a single tensor to update. On CUDA the step is captured as a graph.
"""

__all__ = [
    "Control",
    "Saved",
    "Snapshot",
    "Trainer",
    "TrainingDivergedError",
    "first_weights",
    "initial_model",
    "train",
]

import copy
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from fmviz.errors import FmvizError, ParameterError
from fmviz.learning import objectives, optimizers
from fmviz.learning.backprop import Gradient
from fmviz.learning.captured import CapturedStep
from fmviz.learning.devices import pick_device
from fmviz.learning.divergence import LossWatch
from fmviz.learning.draws import Batches, Chunk
from fmviz.learning.model import LearnedModel, model_of
from fmviz.learning.networks import MLP, Architecture
from fmviz.learning.pace import schedule
from fmviz.learning.reflow import Simulation, simulation_of
from fmviz.learning.spec import MAX_LEARNING_RATE, TrainSpec, is_learning_rate
from fmviz.theory import ProbabilityPath
from fmviz.theory.counts import as_count
from fmviz.theory.reprs import one_line


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A run at one moment; nothing in it changes afterwards.

    Attributes:
        step: steps done.
        steps: steps of the whole run.
        loss: mean of `losses`; nan before the first step.
        losses: the loss of every step since the snapshot before, (n,) float32 on the CPU.
        model: the network as it is now, weights copied; with ``ema`` that of their average.
        learning_rate: that of the last step.
        seconds: time spent computing steps so far.
        raw: with ``ema`` the network of this very step, weights copied; None without, where `model` is it.
    """

    step: int
    steps: int
    loss: float
    losses: Tensor
    model: LearnedModel
    learning_rate: float
    seconds: float
    raw: LearnedModel | None = None

    __repr__ = one_line


@dataclass(frozen=True, eq=False)
class Saved:
    """All that a `Trainer` needs to go on as if it had never stopped; every tensor is a copy on the CPU.

    Attributes:
        step: steps done.
        weights: of the network.
        average: their moving average, None without ``ema``.
        optimizer: the optimiser's own state.
        draws: the state of the source of randomness before the batches in use were drawn, None before the first.
        drawn_at: the step at which they were drawn.
        reference, high: the loss of predicting zero, and for how many steps on end the loss has been far above it.
        good: the last snapshot before that.
        seconds: time spent computing steps so far.
    """

    step: int
    weights: Tensor
    average: Tensor | None
    optimizer: dict[str, Any]
    draws: Tensor | None
    drawn_at: int
    reference: float
    high: int
    good: Snapshot
    seconds: float

    __repr__ = one_line


class TrainingDivergedError(FmvizError):
    """The loss is no longer a number, or is on its way there.

    Args:
        step: at which the run was given up.
        loss: of that step.
        learning_rate: at that time.
        last_good: the last snapshot before.
    """

    def __init__(self, step: int, loss: float, learning_rate: float, last_good: Snapshot) -> None:
        self.step, self.loss, self.learning_rate, self.last_good = step, loss, learning_rate, last_good
        found = "is not a finite number" if not math.isfinite(loss) else f"has exploded to {loss:.3g}"
        super().__init__(
            f"training stopped at step {step}: the loss {found} at a learning rate of {learning_rate:g}. Lower the learning "
            f"rate or clip the gradient; the network of step {last_good.step} is kept."
        )


class Control:
    """What a caller may change while `train` runs.

    Attributes:
        learning_rate: the peak learning rate; set it at any time, it holds from the next step on.
    """

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate


class Trainer:
    """A run that can be advanced by any number of steps at a time. Not thread-safe: one caller at a time.

    How the steps are divided among calls changes no number.

    Args:
        path: what to learn.
        spec: how.
        saved: a run of the same path and settings to go on with; from then on both give the same numbers.
        simulation: of a reflow: its pairs, all of them, and the network that they are of, whose weights it begins with.

    Raises:
        ParameterError: the objective is not defined on this path, the device is not there, or a reflow has no simulation.
    """

    def __init__(
        self, path: ProbabilityPath, spec: TrainSpec, saved: Saved | None = None, simulation: Simulation | None = None
    ) -> None:
        objectives.require_trainable(path, spec)
        if (spec.reflow is None) is not (simulation is None):
            raise ParameterError("simulation", "the simulated pairs of a reflow, and of nothing else", simulation)
        self.path, self.spec = path, spec
        self.step = 0
        self.device = pick_device(spec.device)
        self._architecture = objectives.architecture(path, spec)
        self._scheduler, self._standard = path.scheduler, path.p_init.is_standard
        first = first_weights(self._architecture, spec) if simulation is None else simulation.weights
        self._weights = first.to(self.device, copy=True)
        self._average = self._weights.clone() if spec.ema else None
        generator = torch.Generator(self.device).manual_seed(spec.seed)
        # The path stays on the CPU: its checks are in float64, which mps does not have.
        pairs = None if simulation is None else simulation.pairs(self.device)
        self._batches = Batches(path.to("cpu").to(torch.float32), spec, self._architecture, generator, pairs)
        self._gradient = Gradient(
            self._architecture, self._weights, spec.batch_size, cross_entropy=spec.classify is not None
        )
        self._weights.grad = self._gradient.gradient
        self._optimizer = optimizers.make(spec, self._weights)
        self._chunk: Chunk | None = None
        self._chunk_start = 0
        self._loss = torch.zeros((), device=self.device)
        self._losses: list[Tensor] = []
        self._base_rate = spec.learning_rate
        self._seconds = 0.0
        self._captured: CapturedStep | None = None
        if self.device.type == "cuda":
            self._captured = CapturedStep(self._eager_step, self._optimizer, self._weights)
        self._watch = LossWatch()
        self._good = self._new_snapshot(torch.zeros(0))
        self._generator = generator
        self._draws: Tensor | None = None
        if saved is not None:
            self._restore(saved)

    def __repr__(self) -> str:
        return f"<Trainer: step {self.step} of {self.spec.steps}, {self.spec.objective}>"

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.step >= self.spec.steps

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step, schedule included."""
        return self._base_rate * schedule(self.spec, self.step)

    def set_learning_rate(self, peak: float) -> None:
        """Change the peak learning rate from the next step on; the schedule goes on multiplying it.

        Raises:
            ParameterError: not a number above 0 and within bounds.
        """
        if not is_learning_rate(peak):
            raise ParameterError("learning_rate", f"a number above 0, at most {MAX_LEARNING_RATE:g}", peak)
        self._base_rate = float(peak)

    @torch.no_grad()
    def advance(self, steps: int) -> int:
        """Do up to this many steps, fewer at the end of the run.

        Returns:
            The number of steps done.
        """
        began = time.perf_counter()
        todo = min(steps, self.spec.steps - self.step)
        kept = torch.empty(max(0, todo), device=self.device)
        for index in range(todo):
            self._advance_one(kept, index)
        if todo > 0:
            self._losses.append(kept)
        self._seconds += time.perf_counter() - began
        return todo

    def snapshot(self) -> Snapshot:
        """The run as it is now.

        Raises:
            TrainingDivergedError: the loss or the weights ceased to be finite numbers, or exploded; the last snapshot before is
                in the error. Where the snapshots fall does not change the step at which a run is given up.
        """
        losses = torch.cat(self._losses).cpu() if self._losses else torch.zeros(0)
        self._losses = []
        self._require_sane(losses)
        taken = self._new_snapshot(losses)
        if not self._watch.high:
            self._good = taken
        return taken

    def save(self) -> Saved:
        """The run as it is now, for another `Trainer` to go on with."""
        return Saved(
            step=self.step,
            weights=self._weights.detach().cpu().clone(),
            average=None if self._average is None else self._average.cpu().clone(),
            optimizer=copy.deepcopy(self._optimizer.state_dict()),
            draws=self._draws,
            drawn_at=self._chunk_start,
            reference=self._watch.reference,
            high=self._watch.high,
            good=self._good,
            seconds=self._seconds,
        )

    # ------------------------------------------------------------- internals

    def _restore(self, saved: Saved) -> None:
        self.step = saved.step
        self._weights.copy_(saved.weights)
        if self._average is not None and saved.average is not None:
            self._average.copy_(saved.average)
        self._optimizer.load_state_dict(saved.optimizer)
        if saved.draws is not None:
            self._generator.set_state(saved.draws)
            self._draws, self._chunk_start = saved.draws, saved.drawn_at
            self._chunk = self._batches.draw()
        self._watch.reference, self._watch.high, self._good = saved.reference, saved.high, saved.good
        self._seconds = saved.seconds

    def _advance_one(self, kept: Tensor, index: int) -> None:
        if self._chunk is None or self.step - self._chunk_start >= self._batches.steps:
            self._draws = self._generator.get_state()
            self._chunk, self._chunk_start = self._batches.draw(), self.step
            if math.isnan(self._watch.reference):
                self._watch.reference = self._chunk.loss_of_zero()
        at = self.step - self._chunk_start
        optimizers.set_rate(self._optimizer, self.learning_rate)
        # Not kept as an attribute: a bound method would make the trainer a cycle that only gc can free.
        run_step = self._captured or self._eager_step
        run_step(self._chunk.inputs[at], self._chunk.factor_at(at), self._chunk.target[at])
        kept[index] = self._loss
        self.step += 1
        if self._average is not None:
            # A young average forgets faster, so that the first weights do not linger.
            decay = min(self.spec.ema, self.step / (self.step + 10.0))
            self._average.lerp_(self._weights, 1.0 - decay)

    def _eager_step(self, inputs: Tensor, factor: Tensor | float, target: Tensor) -> None:
        self._gradient(inputs, factor, target, self._loss)
        clip = self.spec.gradient_clip
        if clip is not None:
            gradient = self._gradient.gradient
            gradient.mul_(clip / gradient.norm().clamp(min=clip))
        optimizers.step(self._optimizer)

    def _new_snapshot(self, losses: Tensor) -> Snapshot:
        raw = self._model(self._weights.detach().clone())
        return Snapshot(
            step=self.step,
            steps=self.spec.steps,
            loss=float(losses.double().mean()) if len(losses) else math.nan,
            losses=losses,
            model=raw if self._average is None else self._model(self._average.detach().clone()),
            learning_rate=self._base_rate * schedule(self.spec, max(0, self.step - 1)),
            seconds=self._seconds,
            raw=None if self._average is None else raw,
        )

    def _model(self, weights: Tensor) -> LearnedModel:
        return model_of(MLP(self._architecture, weights), self.spec, self._scheduler, self._standard)

    def _require_sane(self, losses: Tensor) -> None:
        values: list[float] = losses.tolist()
        place = self._watch.given_up_at(values)
        if place is not None:
            raise self._diverged(len(values) - place, values[place])
        if values and not bool(self._weights.isfinite().all()):
            raise self._diverged(1, values[-1])

    def _diverged(self, ago: int, loss: float) -> TrainingDivergedError:
        """The error for the step that lies so many steps `ago`, 1 for the last, with its loss."""
        step = self.step - ago + 1
        return TrainingDivergedError(step, loss, self._base_rate * schedule(self.spec, step - 1), self._good)


def initial_model(path: ProbabilityPath, spec: TrainSpec) -> LearnedModel:
    """The network that a run of `spec` starts from, on the CPU.

    Raises:
        ParameterError: the objective is not defined on this path.
    """
    objectives.require_trainable(path, spec)
    built = objectives.architecture(path, spec)
    return model_of(MLP(built, first_weights(built, spec)), spec, path.scheduler, path.p_init.is_standard)


def first_weights(built: Architecture, spec: TrainSpec) -> Tensor:
    """The weights that a run of `spec` starts from, (W,) on the CPU."""
    return built.initial_weights(torch.Generator().manual_seed(spec.seed))


def train(
    path: ProbabilityPath,
    spec: TrainSpec | None = None,
    *,
    every: int = 50,
    control: Control | None = None,
    teacher: LearnedModel | None = None,
) -> Iterator[Snapshot]:
    """Train, one snapshot at a time: a generator, so the caller owns the pace and stops by leaving its loop.

    Args:
        path: what to learn.
        spec: how; the defaults of `TrainSpec` if left out.
        every: steps between snapshots; the last step always has one.
        control: through which the learning rate can be changed while the generator is suspended.
        teacher: of a reflow: the network of the round before, from which it goes on and which simulates its pairs.

    Yields:
        A `Snapshot` after every ``every`` steps and after the last.

    Raises:
        ParameterError: the objective is not defined on this path, the device is not there, ``every`` is below 1, or the
            teacher is missing or of another shape.
        TrainingDivergedError: the loss ceased to be a finite number; it carries the explanation and the last good snapshot.

    Example:
        >>> from fmviz.theory import GaussianMixture, presets, schedulers
        >>> path = ProbabilityPath(GaussianMixture.standard(), presets.get("two_modes"), schedulers.get("linear"))
        >>> [snapshot.step for snapshot in train(path, TrainSpec(hidden=(8,), batch_size=10, steps=25), every=10)]
        [10, 20, 25]
    """
    every = as_count("every", every, 1)
    spec = spec or TrainSpec()
    simulation = simulation_of(path, spec, teacher)
    if simulation is not None:
        simulation.finish()
    trainer = Trainer(path, spec, simulation=simulation)
    return _snapshots(trainer, every, control)


def _snapshots(trainer: Trainer, every: int, control: Control | None) -> Iterator[Snapshot]:
    while not trainer.finished:
        if control is not None:
            trainer.set_learning_rate(control.learning_rate)
        trainer.advance(every)
        yield trainer.snapshot()
