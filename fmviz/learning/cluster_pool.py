"""Training in a dask cluster, with the face of a training pool: for runs that are begun one after another and may end early.

`fmviz.learning.sweep` hands all its runs to the cluster and waits for them. A page cannot: it pauses, cancels, and changes its mind.
So each run is a task of its own here. It gives the numbers that it gives in the pool, all of them when it has ended. A task
whose worker dies is done again by another worker. What the cluster cannot do, because it does not answer, has no
workers or was lost on the way, the pool of this machine does.
"""

from __future__ import annotations

__all__ = ["ClusterPool", "Pool"]

import itertools
import logging
import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal, Protocol

from fmviz.learning.evaluation import Evaluation
from fmviz.learning.mirror import Mirror
from fmviz.learning.optimizers import leave_out_compiler_in_helper
from fmviz.learning.owners import find
from fmviz.learning.pool import PoolFullError, require_affordable, require_evaluable
from fmviz.learning.runs import Run, RunStatus
from fmviz.learning.spec import TrainSpec
from fmviz.learning.sweeps import RETRIES
from fmviz.theory import ProbabilityPath

_log = logging.getLogger(__name__)

PATIENCE = 3.0
"""Seconds within which a scheduler has to answer."""
SILENCE = 20.0
"""Seconds for which one that has answered may be too busy to do it again; a connection that breaks is noticed at once."""
LOOK_EVERY = 2.0
"""Seconds between two looks at a cluster that has answered."""
TRY_AGAIN = 30.0
"""Seconds before a cluster that did not answer is asked again."""
SLICE = 60.0

State = Literal["connecting", "connected", "away"]


class Pool(Protocol):
    """What is needed of a pool that trains."""

    def submit(
        self,
        path: ProbabilityPath,
        spec: TrainSpec,
        *,
        evaluation: Evaluation | None = None,
        paused: bool = False,
        present: Callable[[], bool] = ...,
        notify: Callable[[], None] = ...,
    ) -> int: ...

    def status(self, run_id: int) -> RunStatus: ...
    def heartbeat(self, run_id: int) -> None: ...
    def pause(self, run_id: int) -> None: ...
    def resume(self, run_id: int) -> None: ...
    def forget(self, run_id: int) -> None: ...


class _Run:
    """A run: a task of the cluster, or a run of the pool, or waiting for the pool where it has neither number nor task."""

    def __init__(
        self,
        number: int,
        path: ProbabilityPath,
        spec: TrainSpec,
        evaluation: Evaluation | None,
        present: Callable[[], bool],
        notify: Callable[[], None],
        paused: bool,
    ) -> None:
        self.id, self.path, self.spec, self.evaluation = number, path, spec, evaluation
        self.present, self.notify, self.paused = present, notify, paused
        self.task: Any = None
        self.here: int | None = None
        self.ended: RunStatus | None = None


class ClusterPool:
    """A cluster, and a pool for what it cannot do. All methods may be called from any thread; none waits for the cluster.

    A method that takes the number of a run raises `UnknownRunError` if there is no such run; `forget` does not.

    Args:
        address: of the scheduler, such as ``"tcp://host:8786"``.
        pool: of this machine.
    """

    def __init__(self, address: str, pool: Pool) -> None:
        self.address, self._pool = address, pool
        self._lock = threading.RLock()
        self._numbers = itertools.count(1)
        self._runs: dict[int, _Run] = {}
        self._state: State = "away"
        self._client: Any = None
        self._threads = 0
        self._tried = -math.inf
        self._closing = threading.Event()
        self.connect()

    def __repr__(self) -> str:
        return f"<ClusterPool: {self.address}, {self._state}, {len(self._runs)} runs>"

    @property
    def state(self) -> State:
        """Whether the cluster trains, is being looked for, or does not answer."""
        return self._state

    @property
    def threads(self) -> int:
        """How many runs the cluster trains at a time; 0 where it trains none."""
        return self._threads if self._state == "connected" else 0

    def connect(self) -> None:
        """Looks for a cluster that does not answer, unless that was done just now; does not wait for it."""
        with self._lock:
            now = time.monotonic()
            if self._state != "away" or now - self._tried < TRY_AGAIN or self._closing.is_set():
                return
            self._state, self._tried = "connecting", now
        threading.Thread(target=self._look_after, name="fmviz-cluster", daemon=True).start()

    def close(self) -> None:
        """Leaves the cluster; what it has not done is lost."""
        self._closing.set()
        with self._lock:
            client, self._client, self._state = self._client, None, "away"
            self._runs.clear()
        if client is not None:
            client.close(timeout=PATIENCE)

    # -------------------------------------------------------------- commands

    def submit(
        self,
        path: ProbabilityPath,
        spec: TrainSpec,
        *,
        evaluation: Evaluation | None = None,
        paused: bool = False,
        present: Callable[[], bool] = lambda: False,
        notify: Callable[[], None] = lambda: None,
    ) -> int:
        """Queue a run; see `TrainingPool.submit`. Whose owner is gone is for the owner to find out, and to `forget`.

        Raises:
            PoolFullError: the cluster has not answered yet, or does not and the pool is full: try again.
            ParameterError: see `TrainingPool.submit`.
        """
        require_affordable(path, spec)
        require_evaluable(spec, evaluation)
        with self._lock:
            if self._state == "connecting":
                raise PoolFullError("the cluster has not answered yet; try again in a moment")
            run = _Run(next(self._numbers), path, spec, evaluation, present, notify, paused)
            if not (self._state == "connected" and not paused and self._train_there(run)):
                self._train_here(run)
            self._runs[run.id] = run
            return run.id

    def status(self, run_id: int) -> RunStatus:
        """The latest news of a run; of one in the cluster there are none before it has ended."""
        with self._lock:
            run = self._get(run_id)
            if run.task is None and run.here is None and run.ended is None:  # the cluster has lost it
                try:
                    self._train_here(run)
                except PoolFullError:
                    _log.debug("run %d waits for the pool", run_id)
            if run.here is not None:
                return replace(self._pool.status(run.here), id=run_id)
            if run.ended is not None:
                return replace(run.ended, id=run_id)
            return Mirror(
                run_id, run.path, run.spec, None, paused=run.paused, touched=0.0, present=run.present
            ).status()

    def heartbeat(self, run_id: int) -> None:
        """Say that the owner is still there."""
        self._order(run_id, self._pool.heartbeat)

    def pause(self, run_id: int) -> None:
        """Stop after the present step; a run in the cluster goes on to its end."""
        self._order(run_id, self._pool.pause, paused=True)

    def resume(self, run_id: int) -> None:
        """Go on; nothing if the run has ended."""
        self._order(run_id, self._pool.resume, paused=False)

    def forget(self, run_id: int) -> None:
        """End a run and drop everything about it. What a worker has begun it finishes, for nobody."""
        with self._lock:
            run = self._runs.pop(run_id, None)
            if run is None:
                return
            task, run.task = run.task, None
            if run.here is not None:
                self._pool.forget(run.here)
        if task is not None:
            task.release()

    # ------------------------------------------------------------- internals

    def _get(self, run_id: int) -> _Run:
        return find(self._runs, run_id)

    def _order(self, run_id: int, order: Callable[[int], None], *, paused: bool | None = None) -> None:
        with self._lock:
            run = self._get(run_id)
            run.paused = run.paused if paused is None else paused
            here = run.here
        if here is not None:
            order(here)

    def _train_there(self, run: _Run) -> bool:
        """Whether the cluster has taken the run; the lock is held."""
        try:
            run.task = self._client.submit(_train, run.path, run.spec, run.evaluation, pure=False, retries=RETRIES)
        except Exception as error:  # it went a moment ago
            self._lose(f"{type(error).__name__}: {error}")
            return False
        run.task.add_done_callback(lambda task: self._hear(run, task))
        return True

    def _train_here(self, run: _Run) -> None:
        """Gives a run to the pool; the lock is held."""
        run.here = self._pool.submit(
            run.path,
            run.spec,
            evaluation=run.evaluation,
            paused=run.paused,
            present=run.present,
            notify=run.notify,
        )

    def _hear(self, run: _Run, task: Any) -> None:
        """A task has ended, well or not; called in a thread of the client."""
        with self._lock:
            if run.task is not task:  # forgotten, or lost and trained here
                return
        try:
            ended: RunStatus = task.result(timeout=SILENCE)
        except BaseException as error:  # whatever a foreign machine raises; its own failures a run brings as a result
            self._lose(f"{type(error).__name__}: {error}")
            return
        with self._lock:
            if run.task is task:
                run.ended, run.task = ended, None
        run.notify()

    def _lose(self, reason: str) -> None:
        """From now on the pool trains, and what the cluster had in hand as well."""
        with self._lock:
            if self._state == "away" or self._closing.is_set():
                return
            self._state, self._client, self._tried = "away", None, time.monotonic()
            for run in self._runs.values():
                run.task = None
        _log.warning("the dask cluster at %s is not used, this machine trains: %s", self.address, reason)

    def _look_after(self) -> None:
        """Connects, and looks again and again whether somebody is still there."""
        client = None
        try:
            from distributed import Client

            client = Client(self.address, timeout=PATIENCE, set_as_default=False)
            threads, heard = 0, -math.inf
            while not self._closing.is_set():
                try:
                    threads, heard = sum(client.nthreads(callback_timeout=PATIENCE).values()), time.monotonic()
                except TimeoutError:
                    if client.status != "running" or time.monotonic() - heard > SILENCE:
                        raise
                if not threads:
                    raise ConnectionError("it has no workers")
                with self._lock:
                    if self._state == "away":  # lost meanwhile
                        break
                    if self._state == "connecting":
                        _log.info("the dask cluster at %s trains, %d runs at a time", self.address, threads)
                    self._client, self._threads, self._state = client, threads, "connected"
                self._closing.wait(LOOK_EVERY)
        except Exception as error:  # not installed, no address, nobody there, or somebody who speaks another language
            self._lose(f"{error}".split("\n")[0] or type(error).__name__)
        if client is not None and not self._closing.is_set():
            with suppress(Exception):  # there may be nobody to take leave of
                client.close(timeout=PATIENCE)


def _train(path: ProbabilityPath, spec: TrainSpec, evaluation: Evaluation | None) -> RunStatus:
    """The task: a run as the pool does it, from its first step to its last. Its own failures are part of the result."""
    leave_out_compiler_in_helper()
    run = Run(0, path, spec, evaluation, paused=False, touched=0.0, present=lambda: True)
    lock = threading.Condition()
    while run.alive:
        try:
            run.run_slice(lock, SLICE)
        except Exception as error:
            run.fail(error)
    return run.status(time.monotonic())
