"""A run that another process does, as it is known here."""

from __future__ import annotations

__all__ = ["Mirror"]

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from fmviz.errors import FmvizError
from fmviz.learning.evaluation import Evaluation
from fmviz.learning.model import LearnedModel
from fmviz.learning.networks import MLP
from fmviz.learning.runs import History, KeptSnapshot, RunStatus, State
from fmviz.learning.spec import TrainSpec
from fmviz.learning.training import Saved, initial_model
from fmviz.learning.worker import Update
from fmviz.theory import ProbabilityPath

MOST_DEATHS = 3
"""A run during which so many processes have died is not given to another one."""
FINAL = ("finished", "failed", "cancelled", "abandoned")


class Mirror:
    """The latest news of a run, and all that is needed to begin it again elsewhere. Guarded by the pool's lock.

    Args:
        run_id: its number.
        path, spec, evaluation: as in `ProcessPool.submit`.
        paused: whether it waits for its owner.
        touched: when its owner was last heard from.
        present: whether a silent owner is there all the same.
        saved, teacher, notify: as in `ProcessPool.submit`.
    """

    def __init__(
        self,
        run_id: int,
        path: ProbabilityPath,
        spec: TrainSpec,
        evaluation: Evaluation | None,
        *,
        paused: bool,
        touched: float,
        present: Callable[[], bool],
        saved: Saved | None = None,
        teacher: LearnedModel | None = None,
        notify: Callable[[], None] = lambda: None,
    ) -> None:
        self.teacher: LearnedModel | None = teacher
        self.id, self.path, self.spec, self.evaluation = run_id, path, spec, evaluation
        self.paused, self.touched, self.present, self.notify = paused, touched, present, notify
        self.state: State = "paused" if paused else "queued"
        self.learning_rate, self.rate_changed = spec.learning_rate, False
        self.saved: Saved | None = saved
        self.deaths = 0
        self.place: int | None = None
        self._first: LearnedModel | None = None
        self._step, self._rate, self._speed, self._loss = 0, spec.learning_rate, 0.0, math.nan
        self._history, self._losses, self._seconds = History(), torch.zeros(0), 0.0
        self._model: LearnedModel | None = None
        self._raw: LearnedModel | None = None
        self._kept: tuple[KeptSnapshot, ...] = ()
        self._error: str | None = None
        self._failure: Exception | None = None

    @property
    def alive(self) -> bool:
        """Whether it may still go on."""
        return self.state not in FINAL

    @property
    def moving(self) -> bool:
        """Whether it takes turns."""
        return self.state in ("queued", "running")

    @property
    def size(self) -> int:
        """Size of the networks and losses that are kept, in bytes."""
        return sum(kept.nbytes for kept in self._kept) + self._losses.nbytes

    def apply(self, update: Update) -> None:
        """Takes news. What an ended run still has to tell is not heard."""
        if not self.alive:
            return
        self.state, self._step, self._rate = update.state, update.step, update.learning_rate
        self._speed, self._error, self._failure = update.steps_per_second, update.error, update.failure
        self.rate_changed |= update.rate_changed
        self._seconds = update.seconds
        self.saved = update.saved or self.saved
        if len(update.losses):
            if not len(self._losses):
                self._losses = torch.empty(self.spec.steps)
            # What a reader has is a view of the part that does not change any more.
            self._losses[update.step - len(update.losses) : update.step] = torch.from_numpy(update.losses)
            self._loss = float(update.losses.mean(dtype="float64"))
            self._history.add(update.losses.tolist())
        if update.weights is not None:
            self._model, self._raw = self._built(update.weights), self._maybe_built(update.raw)
        self._kept += tuple(
            KeptSnapshot(k.step, self._built(k.weights), k.report, self._maybe_built(k.raw)) for k in update.kept
        )
        if update.state in FINAL:
            self.release()

    def adopt(self, kept: tuple[KeptSnapshot, ...], losses: torch.Tensor, seconds: float) -> None:
        """Takes over what was learned elsewhere, to the last step; then it has ended."""
        self._step, self._model, self._raw = kept[-1].step, kept[-1].model, kept[-1].raw
        self._kept, self._seconds = kept, seconds
        self._losses = losses
        self._loss = float(losses.mean(dtype=torch.float64))
        self._history.add(losses.tolist())
        self.end("finished")

    def rewind(self) -> None:
        """Back to where it was saved, or to its beginning, from where another process goes on."""
        self.deaths += 1
        self._step = 0 if self.saved is None else self.saved.step
        done = self._losses[: self._step].tolist()
        self._history = History()
        self._history.add(done)
        # A fresh tensor: readers keep views of the old one.
        self._losses = torch.cat([self._losses[: self._step], torch.empty(self.spec.steps - self._step)])
        self._kept = tuple(kept for kept in self._kept if self._step > 0 and kept.step <= self._step)
        self._speed = 0.0
        if self.state == "running":
            self.state = "queued"

    def end(self, state: State, error: FmvizError | None = None) -> None:
        """Makes it final; what was learned stays."""
        self.state, self.place = state, None
        if error is not None:
            self._error, self._failure = str(error), error
        self.release()

    def release(self) -> None:
        """Drops what only training needs."""
        self.evaluation = self.saved = self.teacher = None
        self._speed = 0.0

    def status(self) -> RunStatus:
        """How it looks from outside."""
        moving = self.state == "running"
        return RunStatus(
            id=self.id,
            state=self.state,
            spec=self.spec,
            step=self._step,
            steps=self.spec.steps,
            loss=self._loss,
            history=self._history.points(),
            losses=self._losses[: self._step],
            learning_rate=self._rate,
            rate_changed=self.rate_changed,
            steps_per_second=self._speed if moving else 0.0,
            eta_seconds=(self.spec.steps - self._step) / self._speed if moving and self._speed > 0 else None,
            model=self._model,
            raw=self._raw,
            kept=self._kept,
            error=self._error,
            failure=self._failure,
            place=self.place,
            seconds=self._seconds,
        )

    def _built(self, weights: NDArray[np.float32]) -> LearnedModel:
        """The network with these weights."""
        if self._first is None:
            self._first = initial_model(self.path, self.spec)
        return replace(self._first, network=MLP(self._first.network.architecture, torch.from_numpy(weights)))

    def _maybe_built(self, weights: NDArray[np.float32] | None) -> LearnedModel | None:
        return None if weights is None else self._built(weights)
