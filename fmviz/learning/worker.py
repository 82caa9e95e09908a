"""The other end of `ProcessPool`: a `TrainingPool` of one thread in a process of its own, which tells what has changed."""

from __future__ import annotations

__all__ = ["Command", "Kept", "Reply", "Update", "prepare", "serve"]

import threading
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from fmviz.learning.evaluation import Report
from fmviz.learning.model import LearnedModel
from fmviz.learning.optimizers import leave_out_compiler
from fmviz.learning.pool import TrainingPool, UnknownRunError
from fmviz.learning.runs import RunStatus, State
from fmviz.learning.spec import TrainSpec
from fmviz.learning.training import Saved, Trainer
from fmviz.processes import Receive, Send
from fmviz.runtime import share_heaps
from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers
from fmviz.theory.reprs import one_line

TELL_EVERY = 0.12
"""Seconds between two looks at what has changed, at most."""
SPEED_NEWS = 0.02
"""A run that is slower or faster by less than this part of its speed has nothing new to tell."""
FOREVER = 1e9

Order = Literal["submit", "pause", "resume", "single_step", "set_learning_rate", "cancel", "forget"]


@dataclass(frozen=True)
class Command:
    """What the owner of the run `run` wants: a method of `TrainingPool` and its arguments besides the run."""

    ticket: int
    order: Order
    run: int
    arguments: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Kept:
    """A `KeptSnapshot`, of whose networks the weights alone travel, (W,)."""

    step: int
    weights: NDArray[np.float32]
    report: Report | None
    raw: NDArray[np.float32] | None

    __repr__ = one_line


@dataclass(frozen=True, eq=False)
class Update:
    """What has changed about a run since the last update.

    Attributes:
        run: its number at the other end.
        state, learning_rate, rate_changed, steps_per_second, error, failure: as in `RunStatus`.
        step: steps done.
        seconds: time spent computing them.
        losses: of the steps since the last update, (n,).
        weights, raw: of the latest `RunStatus.model` and `RunStatus.raw`, None before there is one or where it is the last one
            told.
        kept: snapshots kept since the last update.
        saved: the run, for another process to go on with, where it was saved anew.
    """

    run: int
    state: State
    step: int
    seconds: float
    losses: NDArray[np.float32]
    learning_rate: float
    rate_changed: bool
    steps_per_second: float
    weights: NDArray[np.float32] | None
    raw: NDArray[np.float32] | None
    kept: tuple[Kept, ...]
    error: str | None
    failure: Exception | None
    saved: Saved | None

    __repr__ = one_line


@dataclass(frozen=True, eq=False)
class Reply:
    """The command `ticket` was carried out; the run as it is then, if there is one."""

    ticket: int
    update: Update | None


class _Told:
    """What the other end knows of the run `run_id`, which begins at `step`."""

    def __init__(self, run_id: int, step: int = 0) -> None:
        self.id, self.step = run_id, step
        self.state: State | None = None
        self.speed = 0.0
        self.model: object = None
        self.saved: object = None


class _Teller:
    """The runs by their number at the other end, and what is known there."""

    def __init__(self, pool: TrainingPool, send: Send) -> None:
        self._pool, self._send = pool, send
        self._told: dict[int, _Told] = {}
        self._ended = threading.Event()
        self._lock = threading.Lock()

    def obey(self, command: Command) -> None:
        """Carries a command out, and replies."""
        with self._lock:
            told = self._told.get(command.run)
        if command.order == "submit":
            saved: Saved | None = command.arguments["saved"]
            told = _Told(
                self._pool.submit(**command.arguments, notify=self._ended.set), step=0 if saved is None else saved.step
            )
            with self._lock:
                self._told[command.run] = told
        elif told is not None:
            if command.order == "forget":
                with self._lock:
                    del self._told[command.run]
            getattr(self._pool, command.order)(told.id, **command.arguments)
        with self._lock:
            self._send(Reply(command.ticket, self._update(command.run) if command.run in self._told else None))

    def wait(self) -> None:
        """Waits until there may be something to tell: at once where a run has ended, whose owner may have another one."""
        self._ended.wait(TELL_EVERY)
        self._ended.clear()

    def tell(self) -> None:
        """Sends what has changed."""
        with self._lock:
            for run in list(self._told):
                update = self._update(run, only_news=True)
                if update is not None:
                    self._send(update)

    def _update(self, run: int, *, only_news: bool = False) -> Update | None:
        told = self._told[run]
        try:
            status, saved = self._pool.take(told.id), self._pool.saved(told.id)
        except UnknownRunError:
            return None
        speed = status.steps_per_second
        step = told.step if status.model is None else status.step
        news = (step, status.state) != (told.step, told.state) or abs(speed - told.speed) > SPEED_NEWS * speed
        if only_news and not news and not status.kept:
            return None
        update = _update(run, told, status, saved)
        told.state, told.step, told.speed = status.state, update.step, speed
        told.model, told.saved = status.model, saved
        return update


def _update(run: int, told: _Told, status: RunStatus, saved: Saved | None) -> Update:
    model, raw = (None, None) if status.model is told.model else (status.model, status.raw)
    return Update(
        run=run,
        state=status.state,
        step=told.step if status.model is None else status.step,  # before its first turn it is where it was saved
        seconds=status.seconds,
        losses=status.losses[told.step :].numpy().copy(),
        learning_rate=status.learning_rate,
        rate_changed=status.rate_changed,
        steps_per_second=status.steps_per_second,
        weights=_weights(model),
        raw=_weights(raw),
        kept=tuple(Kept(k.step, k.model.network.weights.cpu().numpy(), k.report, _weights(k.raw)) for k in status.kept),
        error=status.error,
        failure=status.failure,
        saved=saved if saved is not told.saved else None,
    )


def _weights(model: LearnedModel | None) -> NDArray[np.float32] | None:
    return None if model is None else model.network.weights.cpu().numpy()


@cache
def prepare() -> None:
    """What the first run would otherwise wait for: torch imports most of a second's worth of modules for its optimisers."""
    torch.set_num_threads(1)
    share_heaps()
    leave_out_compiler()
    path = ProbabilityPath(GaussianMixture.standard(), presets.get("two_modes"), schedulers.get("linear"))
    Trainer(path, TrainSpec(hidden=(8,), batch_size=10, steps=10, device="cpu")).advance(2)


def serve(receive: Receive, send: Send) -> None:
    """Trains what it is told to, until nobody is there any more."""
    prepare()
    # Owners, and how many runs take turns, are the other end's business.
    pool = TrainingPool(owner_timeout=FOREVER, max_waiting=1024)
    teller = _Teller(pool, send)
    threading.Thread(target=_tell, args=(teller,), daemon=True).start()
    for command in receive:
        teller.obey(command)


def _tell(teller: _Teller) -> None:
    while True:
        teller.wait()
        teller.tell()
