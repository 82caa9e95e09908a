"""Several runs of one shape trained as one: one batched product a layer for all of them (`fmviz.learning.stacked_gradient`).

The runs may differ in what leaves the shape of a step alone: the seed, the learning rate and its schedule, the average of the
weights. Small batches gain most, as there the cost of a step lies in the calls rather than in the products.

The optimiser is the fused one of torch, which knows a single learning rate. It therefore steps from zero at the rate 1, which
gives the direction of every run, and each run goes along its own as far as its own rate says.
"""

from __future__ import annotations

__all__ = ["DIFFERENT", "StackedTrainer", "require_measurable"]

import dataclasses
import math
import time
from collections.abc import Sequence

import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.learning import objectives, optimizers
from fmviz.learning.devices import pick_device
from fmviz.learning.divergence import LossWatch
from fmviz.learning.draws import Batches, Chunk
from fmviz.learning.model import LearnedModel, model_of
from fmviz.learning.networks import MLP
from fmviz.learning.pace import schedule
from fmviz.learning.spec import TrainSpec
from fmviz.learning.stacked_gradient import StackedGradient, StackedWeights
from fmviz.learning.training import Snapshot, TrainingDivergedError, first_weights
from fmviz.theory import ProbabilityPath

DIFFERENT = ("seed", "learning_rate", "schedule", "warm_up", "ema")
"""The settings in which runs that are trained as one may differ."""


class StackedTrainer:
    """Runs that advance together; each gives what `Trainer` gives for its settings, up to rounding.

    Args:
        path: what to learn.
        specs: settings that are equal but for `DIFFERENT`.

    Raises:
        ParameterError: no settings or such as cannot be stacked, an objective that is not defined on this path, a device that
            is not there.
    """

    def __init__(self, path: ProbabilityPath, specs: Sequence[TrainSpec]) -> None:
        first = specs[0] if specs else TrainSpec()
        same = {dataclasses.replace(spec, **{name: getattr(first, name) for name in DIFFERENT}) for spec in specs}
        if len(same) != 1:
            raise ParameterError("specs", f"settings that differ in {', '.join(DIFFERENT)} alone", tuple(specs))
        require_measurable(path, first)
        self.specs, self.step, self.steps = tuple(specs), 0, first.steps
        self._device = pick_device(first.device)
        self._path = path
        self._architecture = objectives.architecture(path, first)
        self._weights, self._direction = (
            StackedWeights(self._architecture, len(specs), self._device) for _ in range(2)
        )
        for place, spec in enumerate(specs):
            self._weights.put(place, first_weights(self._architecture, spec))
        self._average: StackedWeights | None = None
        if any(spec.ema for spec in specs):
            self._average = StackedWeights(self._architecture, len(specs), self._device)
            self._average.flat.copy_(self._weights.flat)
        self._emas = torch.tensor([[spec.ema] for spec in specs], device=self._device)
        seeds = sorted({spec.seed for spec in specs})
        plain = path.to("cpu").to(torch.float32)
        self._sources = [self._batches(plain, dataclasses.replace(first, seed=seed)) for seed in seeds]
        self._of_seed = [seeds.index(spec.seed) for spec in specs]
        self._gradient = StackedGradient(self._architecture, self._weights, first.batch_size)
        self._direction.flat.grad = self._gradient.gradient.flat
        self._optimizer = optimizers.make(dataclasses.replace(first, learning_rate=1.0), self._direction.flat)
        self._chunks: list[Chunk] = []
        self._chunk_start = 0
        self._loss = torch.zeros(len(specs), device=self._device)
        self._losses: list[Tensor] = []
        self._watches = [LossWatch() for _ in specs]
        self._seconds = 0.0
        self._good = [self._snapshot(index, torch.zeros(0)) for index in range(len(specs))]
        self._ended = [False] * len(specs)

    @property
    def finished(self) -> bool:
        """Whether all steps are done, or all runs have diverged."""
        return self.step >= self.steps or all(self._ended)

    @torch.no_grad()
    def advance(self, steps: int) -> None:
        """Up to this many steps of every run, fewer at the end."""
        began = time.perf_counter()
        for _ in range(min(steps, self.steps - self.step)):
            self._advance_one()
        self._seconds += time.perf_counter() - began

    def snapshots(self) -> list[Snapshot | TrainingDivergedError | None]:
        """Each run as it is now; an error for one that has diverged since the last call, and None from then on."""
        count = len(self.specs)
        losses = torch.stack(self._losses, dim=1).cpu() if self._losses else torch.zeros(count, 0)
        self._losses = []
        return [None if self._ended[index] else self._looked_at(index, losses[index]) for index in range(count)]

    # ------------------------------------------------------------- internals

    def _batches(self, path: ProbabilityPath, spec: TrainSpec) -> Batches:
        return Batches(path, spec, self._architecture, torch.Generator(self._device).manual_seed(spec.seed))

    def _advance_one(self) -> None:
        if not self._chunks or self.step - self._chunk_start >= self._sources[0].steps:
            self._chunks, self._chunk_start = [source.draw() for source in self._sources], self.step
            if math.isnan(self._watches[0].reference):
                references = [chunk.loss_of_zero() for chunk in self._chunks]
                for watch, seed in zip(self._watches, self._of_seed, strict=True):
                    watch.reference = references[seed]
        at = self.step - self._chunk_start
        factor: Tensor | float = 1.0
        if isinstance(self._chunks[0].factor, Tensor):
            factor = self._each([torch.as_tensor(chunk.factor_at(at)) for chunk in self._chunks])
        inputs = self._each([chunk.inputs[at] for chunk in self._chunks])
        self._gradient(inputs, factor, self._each([chunk.target[at] for chunk in self._chunks]), self._loss)
        self._losses.append(self._loss.clone())
        self._update()
        self.step += 1
        if self._average is not None:
            # As in `Trainer`: a young average forgets faster.
            decay = self._emas.clamp(max=self.step / (self.step + 10.0))
            self._average.approach(self._weights, 1.0 - decay)

    def _update(self) -> None:
        first, gradient = self.specs[0], self._gradient.gradient
        if first.gradient_clip is not None:
            gradient.scale(first.gradient_clip / gradient.norms().clamp(min=first.gradient_clip))
        self._direction.flat.zero_()
        optimizers.step(self._optimizer)
        rates = torch.tensor([[self._rate(spec, self.step)] for spec in self.specs], device=self._device)
        if first.optimizer == "adamw":
            self._weights.scale(1.0 - rates * first.weight_decay)
        self._weights.add(self._direction, rates)

    def _each(self, of_seeds: list[Tensor]) -> Tensor:
        """For every run what belongs to its seed, (C, rows, B)."""
        if len(of_seeds) == 1:
            return of_seeds[0].expand(len(self.specs), -1, -1)
        return torch.stack([of_seeds[seed] for seed in self._of_seed])

    def _rate(self, spec: TrainSpec, step: int) -> float:
        return spec.learning_rate * schedule(spec, step)

    def _looked_at(self, index: int, losses: Tensor) -> Snapshot | TrainingDivergedError:
        spec, values, watch = self.specs[index], losses.tolist(), self._watches[index]
        place = watch.given_up_at(values)
        if place is None and values and not bool(self._weights.of(index).isfinite().all()):
            place = len(values) - 1
        if place is not None:
            self._ended[index] = True
            step = self.step - len(values) + place + 1
            return TrainingDivergedError(step, values[place], self._rate(spec, step - 1), self._good[index])
        taken = self._snapshot(index, losses)
        if not watch.high:
            self._good[index] = taken
        return taken

    def _snapshot(self, index: int, losses: Tensor) -> Snapshot:
        spec = self.specs[index]
        raw = self._model(self._weights, index)
        averaged = self._model(self._average, index) if self._average is not None and spec.ema else None
        return Snapshot(
            step=self.step,
            steps=self.steps,
            loss=float(losses.double().mean()) if len(losses) else math.nan,
            losses=losses,
            model=averaged or raw,
            learning_rate=self._rate(spec, max(0, self.step - 1)),
            seconds=self._seconds / len(self.specs),
            raw=raw if averaged else None,
        )

    def _model(self, weights: StackedWeights, index: int) -> LearnedModel:
        """The network of one run, weights copied from those of all."""
        network = MLP(self._architecture, weights.of(index))
        return model_of(network, self.specs[index], self._path.scheduler, self._path.p_init.is_standard)


def require_measurable(path: ProbabilityPath, spec: TrainSpec) -> None:
    """Refuse what has no field to be compared with the exact one, beside what cannot be trained.

    Raises:
        ParameterError: a classifier; coupled pairs, whose field has no closed form (T53); noise in between other than that of
            the path; or see `fmviz.learning.objectives.require_trainable`.
    """
    if spec.coupled:
        raise ParameterError("coupling", "independent, without reflow: no other field is known exactly", spec.coupling)
    if spec.gamma != path.gamma:
        raise ParameterError("gamma", f"that of the path, {path.gamma:g}", spec.gamma)
    if spec.classify is not None:
        raise ParameterError("classify", "None: a classifier has no field", spec.classify)
    objectives.require_trainable(path, spec)
