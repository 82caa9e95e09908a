"""The training pool: a few threads take turns over the runs of all users.

Thirty training threads would leave the interface no processor (measured in docs/architecture.md). Here each worker takes
the run at the head of one queue, advances it for a slice of some 30 ms, and puts it at the tail: every run progresses, none
waits longer than the others' slices. Owners call `TrainingPool.heartbeat`; a run whose owner is silent ends, unless a check
finds that the owner is still there.

Commands only set fields under the pool's lock and take effect at the next step; readers get immutable `RunStatus` values.
"""

__all__ = [
    "CouplingBatchError",
    "PoolFullError",
    "RunStatus",
    "TrainingPool",
    "UnknownRunError",
    "require_affordable",
    "require_evaluable",
]

import itertools
import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from types import TracebackType

import torch

from fmviz.errors import FmvizError, ParameterError
from fmviz.learning.evaluation import Evaluation
from fmviz.learning.model import LearnedModel
from fmviz.learning.owners import UnknownRunError, find, is_there, surplus
from fmviz.learning.runs import Run, RunStatus
from fmviz.learning.spec import TrainSpec, is_count, is_learning_rate
from fmviz.learning.training import Saved
from fmviz.theory import ProbabilityPath

_log = logging.getLogger(__name__)

SLICE_SECONDS = 0.03
"""Length of a turn. A step longer than this is a turn of its own."""
OWNER_TIMEOUT = 7.0
"""Seconds of silence after which an owner is taken to be gone; with the pause between two looks, ten at most."""
PAUSE_PATIENCE = 0.5
"""Seconds that a pause waits for the present step; a longer one ends later, and the run is "running" until then."""
MAX_WAITING = 64
"""Largest number of runs that take turns; a paused one takes none."""
MAX_ENDED = 512
MAX_ENDED_BYTES = 256 << 20
"""Largest number of ended runs whose results are kept, and their largest size in bytes; the least recently used are dropped."""
ENDED_TIMEOUT = 30.0
"""Seconds of silence of an owner who is not there, after which the ended runs are forgotten."""
MAX_COST = 4.0e8
"""Weights (plus 40 per pair of components, for "fm") times batch size: about 60 ms a step on one core."""
MAX_COUPLING_BATCH = 512
"""The largest mini-batch that is paired for a step: others wait meanwhile."""


class PoolFullError(FmvizError):
    """The pool has as many runs taking turns as it allows."""


class CouplingBatchError(ParameterError):
    """A run pairs more than `MAX_COUPLING_BATCH` at once."""

    @property
    def values(self) -> Mapping[str, object]:
        """The bound."""
        return {"most": MAX_COUPLING_BATCH}


class TrainingPool:
    """A fixed number of worker threads for any number of runs. All methods may be called from any thread.

    A method that takes the number of a run raises `UnknownRunError` if there is no such run; `forget` does not.

    Args:
        workers: threads.
        slice_seconds: length of a turn.
        owner_timeout: seconds without `heartbeat` after which a live run is ended.
        max_waiting: largest number of runs that take turns.
        max_ended: largest number of ended runs remembered.
        max_ended_bytes: largest size of all their networks and losses together.

    Raises:
        ParameterError: no worker, or a bound below 1.
    """

    def __init__(
        self,
        *,
        workers: int = 1,
        slice_seconds: float = SLICE_SECONDS,
        owner_timeout: float = OWNER_TIMEOUT,
        max_waiting: int = MAX_WAITING,
        max_ended: int = MAX_ENDED,
        max_ended_bytes: int = MAX_ENDED_BYTES,
    ) -> None:
        for name, value in (("workers", workers), ("max_waiting", max_waiting), ("max_ended", max_ended)):
            if not is_count(value, 1, 1024):
                raise ParameterError(name, "an integer from 1 to 1024", value)
        self._slice_seconds, self._owner_timeout = slice_seconds, owner_timeout
        self._max_waiting, self._max_ended, self._max_ended_bytes = max_waiting, max_ended, max_ended_bytes
        self._pause, self._look_again = min(1.0, owner_timeout / 2.0), 0.0
        self._changed = threading.Condition()
        self._runs: OrderedDict[int, Run] = OrderedDict()
        self._queue: deque[Run] = deque()
        self._next_id = 1
        self._closing = False
        self._torch_threads = torch.get_num_threads()
        self._threads = [
            threading.Thread(target=self._work, name=f"fmviz-train-{i}", daemon=True) for i in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def __repr__(self) -> str:
        return f"<TrainingPool: {len(self._runs)} runs, {len(self._queue)} of them in the queue>"

    # -------------------------------------------------------------- commands

    def submit(
        self,
        path: ProbabilityPath,
        spec: TrainSpec,
        *,
        evaluation: Evaluation | None = None,
        paused: bool = False,
        present: Callable[[], bool] = lambda: False,
        saved: Saved | None = None,
        teacher: LearnedModel | None = None,
        notify: Callable[[], None] = lambda: None,
    ) -> int:
        """Queue a run.

        Args:
            path: what to learn.
            spec: how.
            evaluation: measures every kept snapshot, if given.
            paused: whether it waits for `resume` or `single_step`.
            present: whether a silent owner is there all the same; called with the pool's lock held, in any thread.
            saved: a run of the same path and settings to go on with.
            teacher: of a reflow, see `fmviz.learning.train`.
            notify: called when the run has come to its end by itself, well or not; in any thread, and not to wait there.

        Returns:
            The run's number.

        Raises:
            PoolFullError: too many runs take turns.
            ParameterError: the run is too large for a shared machine, has an evaluation of which nothing is known exactly, or
                a reflow's teacher is missing or of another shape.
        """
        require_affordable(path, spec)
        require_evaluable(spec, evaluation)
        with self._changed:
            if self._closing:
                raise PoolFullError("the training pool is closed")
            self._reap(time.monotonic())
            if not paused and sum(run.runnable for run in self._runs.values()) >= self._max_waiting:
                raise PoolFullError(f"training is busy: {self._max_waiting} runs are under way; try again in a moment")
            run = Run(
                self._next_id,
                path,
                spec,
                evaluation,
                paused=paused,
                touched=time.monotonic(),
                present=present,
                saved=saved,
                teacher=teacher,
                notify=notify,
            )
            self._next_id += 1
            self._runs[run.id] = run
            self._enqueue(run)
            return run.id

    def status(self, run_id: int) -> RunStatus:
        """The state of a run. Does not count as `heartbeat`."""
        time.sleep(0)  # a caller that asks all the time would otherwise keep the lock from the workers for ever
        with self._changed:
            return self._get(run_id).status(time.monotonic())

    def saved(self, run_id: int) -> Saved | None:
        """The run as it was saved last, for another process to go on with; None before that, and once it has ended."""
        with self._changed:
            return self._get(run_id).saved

    def take(self, run_id: int) -> RunStatus:
        """What `status` returns; its kept snapshots are the caller's from now on, and no later status has them."""
        with self._changed:
            run = self._get(run_id)
            status = run.status(time.monotonic())
            run.drop_kept()
            return status

    def heartbeat(self, run_id: int) -> None:
        """Say that the owner is still there."""
        with self._changed:
            self._get(run_id).touched = time.monotonic()

    def pause(self, run_id: int) -> None:
        """Stop after the present step, and wait for it (`PAUSE_PATIENCE` at most); nothing if the run has ended."""
        with self._changed:
            run = self._get(run_id)
            run.single_steps = 0
            self._settle(run)

    def resume(self, run_id: int) -> None:
        """Go on; nothing if the run has ended."""
        with self._changed:
            run = self._get(run_id)
            run.paused = False
            self._enqueue(run)

    def single_step(self, run_id: int, steps: int = 1) -> None:
        """Pause, and do exactly this many steps more.

        Raises:
            ParameterError: steps not between 1 and a million.
        """
        if not is_count(steps, 1, 1_000_000):
            raise ParameterError("steps", "an integer from 1 to 1000000", steps)
        with self._changed:
            run = self._get(run_id)
            if not run.paused:
                self._settle(run)
            run.single_steps += steps
            self._enqueue(run)

    def set_learning_rate(self, run_id: int, peak: float) -> None:
        """Change the peak learning rate from the next turn on.

        Raises:
            ParameterError: not a number above 0 and within bounds.
        """
        if not is_learning_rate(peak):
            raise ParameterError("learning_rate", "a number above 0, at most 1000", peak)
        with self._changed:
            run = self._get(run_id)
            run.learning_rate = float(peak)
            run.rate_changed |= run.alive and peak != run.spec.learning_rate

    def cancel(self, run_id: int) -> None:
        """End a run; what it learned so far stays readable."""
        with self._changed:
            run = self._get(run_id)
            if run.alive:
                run.end("cancelled")
                self._forget_old()

    def forget(self, run_id: int) -> None:
        """End a run and drop everything about it."""
        with self._changed:
            run = self._runs.pop(run_id, None)
            if run is not None and run.alive:
                run.end("cancelled")

    def close(self) -> None:
        """End all runs and the workers."""
        with self._changed:
            self._closing = True
            for run in self._runs.values():
                if run.alive:
                    run.end("cancelled")
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> "TrainingPool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --------------------------------------------------------------- workers

    def _work(self) -> None:
        # A new thread forgets the choice that its creator made; two OpenMP threads cost a factor of ten here.
        torch.set_num_threads(self._torch_threads)
        while (run := self._take()) is not None:
            self._turn(run)
            del run  # while waiting for the next, keep nothing of the last alive

    def _take(self) -> Run | None:
        """The next run whose turn it is; None when closing."""
        with self._changed:
            while not self._closing:
                self._reap(time.monotonic())
                while self._queue:
                    run = self._queue.popleft()
                    run.queued = False
                    if run.runnable:
                        run.in_turn = True
                        return run
                self._changed.wait(timeout=self._pause)
            return None

    def _turn(self, run: Run) -> None:
        error: Exception | None = None
        try:
            run.run_slice(self._changed, self._slice_seconds)
        except Exception as caught:
            error = caught
            if not isinstance(caught, FmvizError):
                _log.exception("run %d failed", run.id)
        with self._changed:
            run.in_turn = False
            if error is not None and run.alive:
                run.fail(error)
            if not run.alive:
                run.release()
                self._forget_old()
                run.notify()
            self._enqueue(run)
            self._changed.notify_all()  # for those that wait for the end of this turn

    def _settle(self, run: Run) -> None:
        """Pause a run and wait for the end of its turn; the lock is held, and given up meanwhile."""
        run.paused = True
        self._changed.wait_for(lambda: not run.in_turn, timeout=PAUSE_PATIENCE)

    def _enqueue(self, run: Run) -> None:
        """Put a run at the tail of the queue, once; the lock is held."""
        if run.runnable and not run.queued and not run.in_turn:
            run.queued = True
            self._queue.append(run)
            self._changed.notify_all()

    def _reap(self, now: float) -> None:
        """End the runs whose owners are gone, and forget the results of owners who are gone; the lock is held."""
        if now < self._look_again:
            return
        self._look_again = now + self._pause
        for run in list(self._runs.values()):
            silent = now - run.touched
            if run.alive and silent > self._owner_timeout:
                if is_there(run):
                    run.touched = now
                else:
                    run.end("abandoned")
            elif not run.alive and silent > ENDED_TIMEOUT and not is_there(run):
                del self._runs[run.id]
        self._forget_old()

    def _forget_old(self) -> None:
        for run in surplus(self._runs.values(), self._max_ended, self._max_ended_bytes):
            del self._runs[run.id]

    def _get(self, run_id: int) -> Run:
        return find(self._runs, run_id)


def require_affordable(path: ProbabilityPath, spec: TrainSpec) -> None:
    """Refuses a run whose steps would take too long on a shared machine.

    Raises:
        ParameterError: its batch size times its weights exceeds `MAX_COST`, or it pairs more than `MAX_COUPLING_BATCH`.
    """
    if spec.coupling != "independent" and spec.coupling_batch > MAX_COUPLING_BATCH:
        raise CouplingBatchError(
            "coupling_batch",
            f"up to {MAX_COUPLING_BATCH} on a shared machine",
            spec.coupling_batch,
            key="coupling_batch",
        )
    cost = spec.batch_size * _weights_per_point(path, spec)
    if cost > MAX_COST:
        raise ParameterError(
            "batch_size, hidden", f"batch size times weights up to {MAX_COST:g} on a shared machine", f"{cost:.3g}"
        )


def require_evaluable(spec: TrainSpec, evaluation: Evaluation | None) -> None:
    """Refuses to measure a run against a field that is not the one it learns.

    Raises:
        ParameterError: an evaluation of coupled pairs, whose field is not known exactly (T53).
    """
    if evaluation is not None and spec.coupled:
        raise ParameterError("evaluation", "None: the field of coupled pairs is not known exactly", "an Evaluation")


def _weights_per_point(path: ProbabilityPath, spec: TrainSpec) -> int:
    widths = (11, *spec.hidden, 2)
    weights = sum((before + 1) * after for before, after in itertools.pairwise(widths))
    pairs = path.n_pairs
    return weights + (40 * pairs if spec.objective == "fm" else 0)
