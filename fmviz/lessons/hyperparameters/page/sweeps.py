"""The sweep of a tab: begun, ended, and what is known of its cells, from this sweep or from earlier ones."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from fmviz.app import runs, tabs
from fmviz.cache import shared
from fmviz.learning import Evaluation, LearnedModel
from fmviz.learning.cluster_pool import ClusterPool
from fmviz.lessons.hyperparameters.compute import timing
from fmviz.lessons.hyperparameters.compute.plan import CellPlan, Job, Plan
from fmviz.lessons.hyperparameters.compute.running import Done, Result, Sweep, drive
from fmviz.scene import Scene, scenes
from fmviz.settings import cluster_address
from fmviz.theory import ProbabilityPath

__all__ = [
    "cancel",
    "cluster",
    "pause",
    "processes",
    "reader",
    "results",
    "resume",
    "shown",
    "start",
    "sync",
    "trained",
    "unfinished",
]


@dataclass(frozen=True, eq=False)
class Trained:
    """The errors of a run that has ended, and its network."""

    errors: tuple[tuple[int, float], ...]
    model: LearnedModel


SWEEP, PLAN, DONE = "sweep", "sweep_plan", "sweep_done"
POINTS = timing.POINTS


@shared
def _answers(scene: Scene) -> Evaluation:
    """Fixed points and exact answers of a path; `scene` as `scenes.learned_part` gives it."""
    return Evaluation(scenes.path(scene), points=POINTS)


def _paths(job: Job) -> tuple[ProbabilityPath, Evaluation]:
    return scenes.path(job[0]), _answers(job[0])


@lru_cache(maxsize=1)
def cluster() -> ClusterPool | None:
    """The cluster of this server; None where it was given none."""
    address = cluster_address()
    if address is None:
        return None
    made = ClusterPool(address, runs.pool())
    atexit.register(made.close)
    return made


def processes() -> int:
    """How many runs go on at a time."""
    there = cluster()
    return max(1, (there.threads if there is not None else 0) or len(runs.pool().pids))


def _at_once() -> int:
    return processes() + 1


def shown(plan: Plan) -> Sweep | None:
    """The sweep of this tab, if it is one of these cells."""
    sweep: Sweep | None = tabs.current().belongings.get(SWEEP)
    return sweep if sweep is not None and sweep.jobs == plan.jobs else None


def sync(plan: Plan) -> None:
    """A sweep of other cells goes on with these where they are of its table, and ends otherwise; what it has done is kept.

    Of its table are cells with the same axes, at least one of which it was to train.
    """
    belongings = tabs.current().belongings
    sweep: Sweep | None = belongings.get(SWEEP)
    if sweep is None or sweep.jobs == plan.jobs:
        return
    asked: Plan = belongings[PLAN]
    same_axes = [axis.name for axis in asked.axes] == [axis.name for axis in plan.axes]
    if same_axes and not set(asked.jobs).isdisjoint(plan.jobs):
        sweep.change(plan.jobs)
        belongings[PLAN] = plan
    else:
        sweep.cancel()


def results(plan: Plan) -> Mapping[Job, Result]:
    """What is known of the runs of these cells."""
    return reader(plan)()


def reader(plan: Plan) -> Callable[[], Mapping[Job, Result]]:
    """A function that any thread may call: what is known then."""
    done, sweep = tabs.belonging(DONE, Done), shown(plan)

    def read() -> Mapping[Job, Result]:
        kept = {job: result for job in plan.jobs if (result := done.get(job)) is not None}
        return kept if sweep is None else kept | dict(sweep.results())

    return read


def unfinished(plan: Plan) -> tuple[Job, ...]:
    """The runs that Start would begin."""
    found = results(plan)
    return tuple(job for job in plan.jobs if job not in found or not found[job].ended)


def trained(plan: Plan) -> list[tuple[CellPlan, Trained]]:
    """The cells whose first run has come to its end well, each with its network."""
    found = results(plan)
    firsts = [(cell, found[cell.jobs[0]]) for cell in plan.cells if cell.jobs[0] in found]
    return [
        (cell, Trained(result.errors, result.model))
        for cell, result in firsts
        if result.ended and result.failure is None and result.model is not None
    ]


def start(plan: Plan) -> None:
    """Begins what is not done yet."""
    tab, there = tabs.current(), cluster()
    if there is not None:
        there.connect()
    sweep = Sweep(plan.jobs, _paths, there or runs.pool(), tab.present, tabs.belonging(DONE, Done), at_once=_at_once)
    tab.belongings[SWEEP], tab.belongings[PLAN] = sweep, plan
    drive(sweep)


def pause(plan: Plan) -> None:
    """Stops the sweep where it is."""
    sweep = shown(plan)
    if sweep is not None:
        sweep.pause()


def resume(plan: Plan) -> None:
    """Goes on after `pause`."""
    sweep = shown(plan)
    if sweep is not None:
        sweep.resume()


def cancel(plan: Plan) -> None:
    """Ends the sweep; what is done stays."""
    sweep = shown(plan)
    if sweep is not None:
        sweep.cancel()
