"""One run in the pool: what its owner may ask of it, what its worker does in a turn, and how it looks from outside.

A `Run` is guarded by the pool's lock, except for its trainer, which belongs to the worker whose turn it is.
"""

__all__ = ["History", "KeptSnapshot", "Run", "RunStatus", "State", "snapshot_steps"]

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from fmviz.errors import FmvizError
from fmviz.learning import objectives
from fmviz.learning.evaluation import Evaluation, Report
from fmviz.learning.model import LearnedModel
from fmviz.learning.pace import log_spaced_steps
from fmviz.learning.reflow import Simulation, simulation_of
from fmviz.learning.spec import TrainSpec
from fmviz.learning.training import Saved, Snapshot, Trainer, TrainingDivergedError
from fmviz.theory import ProbabilityPath
from fmviz.theory.reprs import one_line

State = Literal["queued", "running", "paused", "finished", "failed", "cancelled", "abandoned"]

HISTORY = 1000
"""Largest number of points in a loss history; beyond it neighbours are averaged."""
KEPT_SNAPSHOTS = 40
"""Log-spaced snapshots kept for replay, fewer where they would exceed `KEPT_BYTES`."""
KEPT_BYTES = 16 << 20
SAVE_EVERY = 0.5
"""Seconds after which a run is saved anew, at least, so that another process can go on with it."""
SAVED_BYTES_PER_SECOND = 1 << 20
"""Bytes of weights saved per second at most: large networks are saved less often."""
_MAX_BURST = 64
# Seconds over which the speed shown is averaged.
_SPEED_WINDOW = 3.0


@dataclass(frozen=True, eq=False)
class KeptSnapshot:
    """A snapshot kept for replay.

    Attributes:
        step: steps done.
        model: the network then.
        report: the errors of `model`, if the run is evaluated.
        raw: see `Snapshot.raw`.
    """

    step: int
    model: LearnedModel
    report: Report | None
    raw: LearnedModel | None = None

    __repr__ = one_line

    @property
    def nbytes(self) -> int:
        """Size of its weights, in bytes."""
        return sum(model.network.weights.nbytes for model in (self.model, self.raw) if model is not None)


@dataclass(frozen=True, eq=False)
class RunStatus:
    """A run at one moment, for a reader in any thread.

    Attributes:
        id: the run's number.
        state: "queued" has had no turn yet, "paused" does nothing any more; the last four are final.
        spec: its settings.
        step, steps: steps done, and those of the whole run.
        loss: mean over the last few steps; nan before the first.
        history: (last step, mean loss) of equal stretches of steps, at most `HISTORY`, first to last.
        losses: of every step so far, (step,) float32.
        learning_rate: that of the last step.
        rate_changed: whether the peak was another than that of `spec` while the run was alive.
        steps_per_second: over the last few seconds, others' turns included; 0 when not running.
        eta_seconds: time left at that speed, None when unknown.
        model: the latest network, with ``ema`` that of the average; None before the first turn.
        kept: log-spaced snapshots, step 0 first, for replay.
        error: why a failed run failed; None otherwise.
        failure: the exception behind `error`; None otherwise.
        place: of a run that waits until others have ended, 1 for the next one; None for all others.
        seconds: time spent computing its steps so far.
        raw: with ``ema`` the network of the latest step; None without, and before the first turn.
    """

    id: int
    state: State
    spec: TrainSpec
    step: int
    steps: int
    loss: float
    history: tuple[tuple[int, float], ...]
    losses: Tensor
    learning_rate: float
    rate_changed: bool
    steps_per_second: float
    eta_seconds: float | None
    model: LearnedModel | None
    kept: tuple[KeptSnapshot, ...]
    error: str | None
    failure: Exception | None = None
    place: int | None = None
    seconds: float = 0.0
    raw: LearnedModel | None = None

    __repr__ = one_line

    @property
    def alive(self) -> bool:
        """Whether the run may still go on."""
        return self.state in ("queued", "running", "paused")


class History:
    """Losses averaged over stretches whose length doubles whenever there are too many."""

    def __init__(self) -> None:
        self._means: list[float] = []
        self._stride, self._sum, self._count = 1, 0.0, 0

    def add(self, losses: list[float]) -> None:
        for loss in losses:
            self._sum += loss
            self._count += 1
            if self._count == self._stride:
                self._means.append(self._sum / self._count)
                self._sum, self._count = 0.0, 0
        if len(self._means) > HISTORY:
            # A last mean without a partner is again a stretch that is not full yet.
            if len(self._means) % 2:
                self._sum, self._count = self._sum + self._stride * self._means.pop(), self._count + self._stride
            pairs = zip(self._means[::2], self._means[1::2], strict=True)
            self._means = [0.5 * (a + b) for a, b in pairs]
            self._stride *= 2

    def points(self) -> tuple[tuple[int, float], ...]:
        return tuple((self._stride * (index + 1), mean) for index, mean in enumerate(self._means))


def snapshot_steps(path: ProbabilityPath, spec: TrainSpec) -> tuple[int, ...]:
    """The steps whose snapshots a run of `spec` keeps: log-spaced, fewer of a large network.

    With ``ema`` a snapshot has two networks.
    """
    size = (8 if spec.ema else 4) * objectives.architecture(path, spec).n_weights
    return log_spaced_steps(spec.steps, min(KEPT_SNAPSHOTS, max(4, KEPT_BYTES // size)))


class Run:
    """A run of the pool.

    Args:
        run_id: its number.
        path: what to learn.
        spec: how.
        evaluation: measures kept snapshots, or None.
        paused: whether it waits for its owner.
        touched: when its owner was last heard from, by `time.monotonic`.
        present: whether a silent owner is there all the same.
        saved: a run to go on with, which another process began.
        teacher: of a reflow, see `fmviz.learning.training.train`.
        notify: called by the pool when it has come to its end.

    Raises:
        ParameterError: the teacher is missing, or is not of the same shape.
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
        self.id, self.spec, self.paused, self.touched = run_id, spec, paused, touched
        self.present, self.notify = present, notify
        self.learning_rate, self.rate_changed = spec.learning_rate, False
        self.single_steps = 0
        self.queued = self.in_turn = False
        self._path, self._evaluation = path, evaluation
        self.saved = saved
        self._save_at = 0.0
        self._simulation: Simulation | None = simulation_of(path, spec, teacher)
        self._trainer: Trainer | None = None
        self._ended: State | None = None
        self._error: str | None = None
        self._failure: Exception | None = None
        self._snapshot: Snapshot | None = None
        self._history = History()
        self._losses = torch.zeros(0)
        self._kept: tuple[KeptSnapshot, ...] = ()
        self._wanted: deque[int] = deque()
        self._burst = 1
        self._progress: deque[tuple[float, int]] = deque()

    @property
    def alive(self) -> bool:
        """Whether it may still go on."""
        return self._ended is None

    @property
    def runnable(self) -> bool:
        """Whether a worker has something to do."""
        return self.alive and (not self.paused or self.single_steps > 0)

    @property
    def size(self) -> int:
        """Size of the networks and losses that are kept, in bytes."""
        return sum(kept.nbytes for kept in self._kept) + self._losses.nbytes

    # ------------------------------------------------- by the pool, lock held

    def drop_kept(self) -> None:
        """Lets go of the kept snapshots."""
        self._kept = ()

    def end(self, state: State, error: str | None = None) -> None:
        """Make it final."""
        self._ended, self._error = state, error
        if not self.in_turn:
            self.release()

    def fail(self, error: Exception) -> None:
        """End it with an explanation; what was learned before stays."""
        self._failure = error.with_traceback(None)
        if isinstance(error, TrainingDivergedError):
            self._snapshot = error.last_good
        text = (
            str(error)
            if isinstance(error, FmvizError)
            else f"training failed unexpectedly: {type(error).__name__}: {error}"
        )
        self.end("failed", text)

    def release(self) -> None:
        """Give back the memory that only training needs."""
        self._trainer = self._simulation = None
        self._evaluation = self.saved = None
        self._progress.clear()

    def status(self, now: float) -> RunStatus:
        """How it looks from outside."""
        speed = self._speed(now)
        done = 0 if self._snapshot is None else self._snapshot.step
        return RunStatus(
            id=self.id,
            state=self._state(),
            spec=self.spec,
            step=done,
            steps=self.spec.steps,
            loss=math.nan if self._snapshot is None else self._snapshot.loss,
            history=self._history.points(),
            losses=self._losses[:done],
            learning_rate=self.learning_rate if self._snapshot is None else self._snapshot.learning_rate,
            rate_changed=self.rate_changed,
            steps_per_second=speed,
            eta_seconds=(self.spec.steps - done) / speed if speed > 0 else None,
            model=None if self._snapshot is None else self._snapshot.model,
            raw=None if self._snapshot is None else self._snapshot.raw,
            kept=self._kept,
            error=self._error,
            failure=self._failure,
            seconds=0.0 if self._snapshot is None else self._snapshot.seconds,
        )

    # ----------------------------------------------- by a worker, lock not held

    def run_slice(self, lock: threading.Condition, seconds: float) -> None:
        """Train for about this long; a reflow first simulates its pairs.

        Raises:
            TrainingDivergedError: see `Trainer.snapshot`.
            ParameterError: see `Simulation.advance`.
        """
        deadline = time.perf_counter() + seconds
        simulation = self._simulation
        while simulation is not None and not simulation.finished:
            if time.perf_counter() >= deadline or not self.runnable:
                return
            simulation.advance()
        if self._trainer is None:
            self._trainer = Trainer(self._path, self.spec, self.saved, simulation)
            self._simulation = None
            self._losses = torch.empty(self.spec.steps)
            done = -1 if self.saved is None or not self.saved.step else self.saved.step
            self._wanted.extend(step for step in snapshot_steps(self._path, self.spec) if step > done)
            self._publish(self._trainer, lock)
        trainer = self._trainer
        while not trainer.finished:
            with lock:
                if not self.runnable:
                    break
                counted = self.paused
                most = self.single_steps if counted else _MAX_BURST
                trainer.set_learning_rate(self.learning_rate)
            began = time.perf_counter()
            done = trainer.advance(min(self._burst, most, self._wanted[0] - trainer.step))
            now = time.perf_counter()
            # Short bursts, so that a pause is obeyed at once and the turn ends on time.
            self._burst = max(1, min(_MAX_BURST, int(0.2 * seconds * done / max(now - began, 1e-9))))
            if counted:
                with lock:
                    self.single_steps = max(0, self.single_steps - done)
            if trainer.step == self._wanted[0]:
                self._publish(trainer, lock)
            if now >= deadline:
                break
        if self._snapshot is None or self._snapshot.step != trainer.step:
            self._publish(trainer, lock)

    def _publish(self, trainer: Trainer, lock: threading.Condition) -> None:
        snapshot = trainer.snapshot()
        kept: tuple[KeptSnapshot, ...] = ()
        if self._wanted and snapshot.step == self._wanted[0]:
            self._wanted.popleft()
            report = None if self._evaluation is None else self._evaluation.report(snapshot.model)
            kept = (KeptSnapshot(snapshot.step, snapshot.model, report, snapshot.raw),)
        losses: list[float] = snapshot.losses.tolist()
        saved = None
        if (now := time.monotonic()) >= self._save_at and 0 < trainer.step < self.spec.steps:
            saved = trainer.save()
            self._save_at = now + max(SAVE_EVERY, saved.weights.nbytes / SAVED_BYTES_PER_SECOND)
        with lock:
            if not self.alive:
                return
            self.saved = saved or self.saved
            # What a reader has is a view of the part that does not change any more.
            self._losses[snapshot.step - len(losses) : snapshot.step] = snapshot.losses
            self._snapshot = snapshot
            self._history.add(losses)
            self._kept += kept
            now = time.monotonic()
            self._progress.append((now, snapshot.step))
            while now - self._progress[0][0] > _SPEED_WINDOW and len(self._progress) > 2:
                self._progress.popleft()
            if trainer.finished:
                self._ended = "finished"

    # ------------------------------------------------------------- internals

    def _state(self) -> State:
        if self._ended is not None:
            return self._ended
        if not (self.runnable or self.in_turn):  # what a turn has done is not known before it is over
            return "paused"
        return "queued" if self._snapshot is None else "running"

    def _speed(self, now: float) -> float:
        if self._state() != "running" or len(self._progress) < 2:
            return 0.0
        (began, first), (_, last) = self._progress[0], self._progress[-1]
        return (last - first) / max(now - began, 1e-6)
