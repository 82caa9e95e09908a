"""A sweep at work: its runs go through the training pool a few at a time, and what each has learned is kept.

One run goes on in each process of the pool, or in each thread of a cluster, and one is ready to follow, so that a sweep takes
no more turns from the runs of others than it needs. What has ended is taken out of the pool: of a run only its errors and its last
network stay.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from torch import Tensor

from fmviz.errors import FmvizError
from fmviz.learning import Evaluation, LearnedModel
from fmviz.learning.cluster_pool import Pool
from fmviz.learning.pool import OWNER_TIMEOUT, PoolFullError, UnknownRunError
from fmviz.lessons.hyperparameters.compute.plan import Job
from fmviz.theory import ProbabilityPath

__all__ = ["Done", "Result", "Sweep", "drive"]

TICK = 0.1
"""Seconds between two looks at the runs of all sweeps, at most; there is another one as soon as a run has ended."""
MOST_KEPT, MOST_BYTES = 96, 16 << 20
"""Results kept for one tab, and the size of their networks."""

_RUN_ENDED = threading.Event()
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Result:
    """What is known of a run.

    Attributes:
        step: steps done.
        errors: (step, relative error of the velocity) of its measurements, the first at step 0.
        model: its latest network; None before there is one.
        ended: whether nothing more will come.
        failure: why it was given up; None while all is well.
        seconds: time spent computing its steps.
        losses: of every step, (steps,), of a run that has come to its end; None before.
        raw: its latest network without the average of the weights; None where there is no average.
    """

    step: int
    errors: tuple[tuple[int, float], ...]
    model: LearnedModel | None
    ended: bool
    failure: Exception | None = None
    seconds: float = 0.0
    losses: Tensor | None = None
    raw: LearnedModel | None = None


class Done:
    """Results of runs that have ended, the last ones, for a sweep that asks for the same run again."""

    def __init__(self) -> None:
        self._found: OrderedDict[Job, Result] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, job: Job) -> Result | None:
        """What is kept of a run."""
        with self._lock:
            return self._found.get(job)

    def put(self, job: Job, result: Result) -> None:
        """Keeps a result, and drops the oldest ones that are too many or too large."""
        with self._lock:
            self._found[job] = result
            self._found.move_to_end(job)
            while len(self._found) > MOST_KEPT or sum(map(_size, self._found.values())) > MOST_BYTES:
                self._found.popitem(last=False)


def _size(result: Result) -> int:
    networks = [model.network.weights.nbytes for model in (result.model, result.raw) if model is not None]
    return sum(networks) + (0 if result.losses is None else result.losses.nbytes)


class Sweep:
    """The runs of one press of Start. All methods may be called from any thread.

    Args:
        jobs: the runs, in the order in which they are done.
        paths: the path and the exact answers of each scene.
        pool: trains.
        present: whether the owner is there or waited for.
        done: runs that ended before are taken from there, and those that end are put there.
        at_once: how many runs are in the pool at a time; any thread asks.
    """

    def __init__(
        self,
        jobs: Iterable[Job],
        paths: Callable[[Job], tuple[ProbabilityPath, Evaluation]],
        pool: Pool,
        present: Callable[[], bool],
        done: Done,
        *,
        at_once: Callable[[], int] = lambda: 2,
    ) -> None:
        self.jobs = tuple(jobs)
        self._paths, self._pool, self._present, self._done, self._at_once = paths, pool, present, done, at_once
        self._lock = threading.RLock()
        self._results = {job: result for job in self.jobs if (result := done.get(job)) is not None}
        self._kept = frozenset(self._results)
        self._waiting = [job for job in self.jobs if job not in self._results]
        self._running: dict[int, Job] = {}
        self._cancelled = self._paused = False
        self._seen = time.monotonic()
        self._worked, self._since = 0.0, self._seen if self._waiting else None

    @property
    def live(self) -> bool:
        """Whether there is still something to come."""
        with self._lock:
            return not self._cancelled and bool(self._waiting or self._running)

    @property
    def cancelled(self) -> bool:
        """Whether it was ended before all runs had."""
        return self._cancelled

    @property
    def paused(self) -> bool:
        """Whether it waits to be resumed."""
        return self._paused

    @property
    def fresh(self) -> tuple[Job, ...]:
        """Its runs that no earlier sweep had done."""
        return tuple(job for job in self.jobs if job not in self._kept)

    @property
    def begun(self) -> int:
        """How many of its runs have been given to the pool."""
        return len(self.jobs) - len(self._kept) - len(self._waiting)

    @property
    def seconds(self) -> float:
        """For how long it has been at work, pauses left out."""
        with self._lock:
            return self._worked + (0.0 if self._since is None else time.monotonic() - self._since)

    def results(self) -> Mapping[Job, Result]:
        """What is known of each run that has begun."""
        with self._lock:
            return dict(self._results)

    def touch(self) -> None:
        """Says that the owner is still there."""
        with self._lock:
            self._seen = time.monotonic()
            for run_id in self._running:
                with suppress(UnknownRunError):
                    self._pool.heartbeat(run_id)

    def cancel(self) -> None:
        """Ends what has not ended; what did stays."""
        with self._lock:
            if not self.live:
                return
            self._end()

    def pause(self) -> None:
        """Stops its runs where they are, and begins no others."""
        self._hold(True)

    def resume(self) -> None:
        """Goes on where `pause` stopped."""
        self._hold(False)

    def change(self, jobs: Iterable[Job]) -> None:
        """Does other runs from now on. What is done or at work and still asked for stays; what is at work for nothing ends."""
        with self._lock:
            if not self.live:
                return
            self.jobs = tuple(jobs)
            for run_id in [run_id for run_id, job in self._running.items() if job not in self.jobs]:
                del self._running[run_id]
                self._pool.forget(run_id)
            before = self._results
            found = {job: before.get(job) or self._done.get(job) for job in self.jobs}
            self._results = {job: result for job, result in found.items() if result is not None}
            self._kept = frozenset(job for job in self._results if job in self._kept or job not in before)
            at_work = {*self._results, *self._running.values()}
            self._waiting = [job for job in self.jobs if job not in at_work]
            self._stop_if_done()

    def advance(self, *, begin: bool = True) -> bool:
        """Takes what the runs have to tell, and begins the next ones if it may. Whether the pool had no room for one."""
        now = time.monotonic()
        there, at_once = self._present(), self._at_once()  # without the lock: whom they ask may be busy
        with self._lock:
            if not self.live:
                return False
            if there:
                self._seen = now
            elif now - self._seen > OWNER_TIMEOUT:
                self._end()
                return False
            for run_id, job in list(self._running.items()):
                self._look_at(run_id, job)
            refused = False
            while begin and not refused and self._waiting and not self._paused and len(self._running) < at_once:
                refused = not self._begin(self._waiting[0])
                if not refused:
                    del self._waiting[0]
            self._stop_if_done()
            return refused

    def _hold(self, paused: bool) -> None:
        with self._lock:
            if not self.live or self._paused is paused:
                return
            self._paused = paused
            self._clock(runs=not paused)
            running = list(self._running)
        command = self._pool.pause if paused else self._pool.resume
        for run_id in running:  # without the lock: the pool waits until a command has been carried out
            with suppress(UnknownRunError):
                command(run_id)

    # ------------------------------------------------------------- internals; the lock is held

    def _begin(self, job: Job) -> bool:
        """Whether the pool has taken the run, or refused it for good."""
        try:
            path, evaluation = self._paths(job)
            run_id = self._pool.submit(
                path, job[1], evaluation=evaluation, present=self._present, notify=_RUN_ENDED.set
            )
            self._running[run_id] = job
        except PoolFullError:
            return False
        except FmvizError as error:
            self._results[job] = Result(0, (), None, True, error)
        return True

    def _look_at(self, run_id: int, job: Job) -> None:
        try:
            run = self._pool.status(run_id)
        except UnknownRunError:
            self._end()
            return
        if run.state in ("abandoned", "cancelled"):
            self._end()
            return
        errors = tuple(
            (kept.step, kept.report.velocity.total) for kept in run.kept if kept.report and kept.report.velocity
        )
        losses = run.losses if run.state == "finished" else None
        self._results[job] = Result(
            run.step, errors, run.model, not run.alive, run.failure, run.seconds, losses, run.raw
        )
        if not run.alive:
            self._done.put(job, self._results[job])
            del self._running[run_id]
            self._pool.forget(run_id)

    def _end(self) -> None:
        self._cancelled = True
        self._clock(runs=False)
        for run_id in self._running:
            self._pool.forget(run_id)
        self._running.clear()
        self._waiting.clear()

    def _stop_if_done(self) -> None:
        if not (self._waiting or self._running):
            self._clock(runs=False)

    def _clock(self, *, runs: bool) -> None:
        now = time.monotonic()
        self._worked += 0.0 if self._since is None else now - self._since
        self._since = now if runs else None


_LIVE: list[Sweep] = []
_GUARD = threading.Lock()


def drive(sweep: Sweep) -> None:
    """Has a thread look after a sweep until it has ended, whether a page shows it or not: one thread for all."""
    with _GUARD:
        _LIVE.append(sweep)
        if len(_LIVE) == 1:
            threading.Thread(target=_look_after, name="fmviz-sweeps", daemon=True).start()


def _look_after() -> None:
    while True:
        with _GUARD:
            live = sorted(_LIVE, key=lambda sweep: sweep.begun)
        full = False
        for sweep in live:
            try:  # whoever has had least comes first; a place that becomes free after that is for nobody who has had more
                full |= sweep.advance(begin=not full)
            except Exception:  # one sweep does not end those of others
                _log.exception("a sweep failed")
                sweep.cancel()
        with _GUARD:
            _LIVE[:] = [sweep for sweep in _LIVE if sweep.live]
            if not _LIVE:
                return
        _RUN_ENDED.wait(TICK)
        _RUN_ENDED.clear()
