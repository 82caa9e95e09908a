"""The training run of one session: one pool for all, one run for each browser.

A run belongs to what it learns from (the scene's distributions and path, and the settings of the page Train). When one of
those is changed the run is ended; going back to them finds what it had learned, as long as the pool remembers it. The
learning rate alone may change while a run goes on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import streamlit as st

from fmviz.app import explain as explanations
from fmviz.app import state, tabs
from fmviz.app.catalogue import number
from fmviz.app.i18n import tr
from fmviz.app.runs import Key, handed, pool, runs
from fmviz.cache import shared
from fmviz.errors import FmvizError, ParameterError
from fmviz.learning import Evaluation, LearnedModel, Report, RunStatus, TrainingDivergedError, TrainSpec
from fmviz.learning.continuation import continued
from fmviz.learning.pool import PoolFullError, UnknownRunError
from fmviz.learning.runs import KeptSnapshot
from fmviz.learning.training import initial_model
from fmviz.lessons.train.settings import Settings as TrainSettings
from fmviz.lessons.train.settings import WeightsName
from fmviz.lessons.train.spec import train_spec
from fmviz.scene import Scene, scenes

__all__ = [
    "Shown",
    "cancel",
    "chosen",
    "explain",
    "kept",
    "new_weights",
    "pause",
    "reader",
    "refusal",
    "report",
    "reports",
    "reset",
    "run_spec",
    "set_rate",
    "shown",
    "single_step",
    "spec_of",
    "start",
    "status",
    "sync",
    "train_on",
    "trained_on",
    "warm_up",
]

REFUSED, CONTINUED = "fmviz_run_refused", "continued_runs"
REMEMBERED = 8
"""Runs that a session can come back to."""


@shared
def _evaluation(scene: Scene) -> Evaluation:
    """Fixed draws and exact answers of a scene's path; `scene` as `scenes.learned_part` gives it."""
    return Evaluation(scenes.path(scene), points=1024)


@shared
def report(scene: Scene, model: LearnedModel) -> Report:
    """What `model` does on the fixed draws of `scene`, which is as `scenes.learned_part` gives it."""
    return _evaluation(scene).report(model)


@shared
def _first_model(scene: Scene, spec: TrainSpec) -> LearnedModel:
    """The network before its first step."""
    return initial_model(scenes.path(scene), spec)


def warm_up() -> None:
    """Starts the processes that train, and looks at the network that everybody begins with."""
    pool()
    scene = Scene()
    report(
        scenes.learned_part(scene),
        _first_model(scenes.learned_part(scene), train_spec(scene, TrainSettings(device="cpu"))),
    )


@dataclass(frozen=True, eq=False)
class Shown:
    """The network on stage: of the latest step, or of the chosen one.

    Attributes:
        step: its training step.
        model: itself, with averaged weights or with raw ones.
        stamp: tells networks of this session apart.
    """

    step: int
    model: LearnedModel
    stamp: tuple[int, int, WeightsName]


# ------------------------------------------------------------------ what is there


def run_spec() -> TrainSpec:
    """The settings of a run started now."""
    now = state.current()
    return train_spec(now.scene, now.train)


def _key() -> Key:
    """What a run belongs to; the learning rate is no part of it."""
    return scenes.learned_part(state.current().scene), replace(run_spec(), learning_rate=1.0)


def status(*, heartbeat: bool = False) -> RunStatus | None:
    """The run of the present scene and settings; None if there is none."""
    run = runs().get(_key()) or _adopted()
    if run is None:
        return None
    try:
        if heartbeat:
            pool().heartbeat(run)
        return pool().status(run)
    except UnknownRunError:
        del runs()[_key()]
        return None


def _adopted() -> int | None:
    """The run that another page has trained with these settings and handed over, from now on one of this page."""
    scene, _ = _key()
    found = handed(scene, run_spec())
    if found is None:
        return None
    first = _first_model(scene, replace(found.spec, device="cpu"))
    kept = (
        KeptSnapshot(0, first, report(scene, first), first if found.spec.ema else None),
        KeptSnapshot(found.spec.steps, found.model, report(scene, found.model), found.raw),
    )
    run = pool().adopt(
        scenes.path(scene), found.spec, kept, found.losses, seconds=found.seconds, present=tabs.current().present
    )
    _remember(run)
    return run


def _remember(run: int) -> None:
    """This tab can come back to the run as long as it is one of the last ones."""
    runs().pop(_key(), None)
    runs()[_key()] = run
    for old in list(runs())[:-REMEMBERED]:
        pool().forget(runs().pop(old))


def reader(run: RunStatus | None) -> Callable[[], RunStatus | None]:
    """A function that any thread may call: the same run as it is then, or as it was if the pool has forgotten it."""
    of_all = pool()

    def read() -> RunStatus | None:
        try:
            return None if run is None else of_all.status(run.id)
        except UnknownRunError:
            return run

    return read


def chosen(of: RunStatus | KeptSnapshot, weights: WeightsName) -> LearnedModel | None:
    """The network with the chosen weights; without an average there are only raw ones. None before there is one."""
    return of.raw if weights == "raw" and of.raw is not None else of.model


def kept(run: RunStatus, view: TrainSettings) -> Shown | None:
    """The network of the last kept step up to the one that is replayed, or the latest; None before there is one. Knows no session."""
    step = view.replay
    earlier = [k for k in run.kept if k.step <= step] if step is not None and step < run.step else []
    of = earlier[-1] if earlier else run
    model = chosen(of, view.weights)
    return None if model is None else Shown(of.step, model, (run.id, of.step, view.weights))


def shown(run: RunStatus | None, view: TrainSettings) -> Shown:
    """The network to show: that of the last kept step up to the one that is replayed, the latest, or that before the first step.

    Raises:
        FmvizError: these settings cannot be trained on this scene.
    """
    found = kept(run, view) if run else None
    if found is not None:
        return found
    first = _first_model(scenes.learned_part(state.current().scene), replace(run_spec(), device="cpu"))
    return Shown(0, first, (0, 0, view.weights))


def reports(run: RunStatus | None, view: TrainSettings, scene: Scene) -> list[tuple[int, Report]]:
    """The errors of the kept networks with the chosen weights, by step; `scene` as `scenes.learned_part` gives it. Knows no session.

    The pool measures what is shown unless somebody asks for the raw weights; those are measured here.
    """
    found = []
    for snapshot in run.kept if run else ():
        if view.weights == "raw" and snapshot.raw is not None:
            found.append((snapshot.step, report(scene, snapshot.raw)))
        elif snapshot.report is not None:
            found.append((snapshot.step, snapshot.report))
    return found


def spec_of(spec: TrainSpec, weights: WeightsName) -> TrainSpec:
    """The settings of a run that gives the chosen weights: the raw ones are those of a run without an average."""
    return replace(spec, ema=0.0) if weights == "raw" else spec


def explain(error: Exception | None) -> str:
    """Why a run failed or was not begun, in the user's language."""
    match error:
        case TrainingDivergedError():
            loss = number(error.loss) if math.isfinite(error.loss) else tr("train.failed.no_number")
            rate, good = number(error.learning_rate), error.last_good.step
            return tr("train.failed.diverged", step=error.step, loss=loss, rate=rate, good=good)
        case PoolFullError():
            return tr("train.failed.full")
        case ParameterError(name="objective"):
            return tr("train.failed.objective")
        case ParameterError(name="device"):
            return tr("train.failed.device")
        case ParameterError(name="batch_size, hidden"):
            return tr("train.failed.too_large")
    return explanations.explain(error)


# ------------------------------------------------------------------ what is done


def sync() -> None:
    """Ends the runs of this session that belong to another scene or other settings."""
    here = _key()
    for key, run_id in runs().items():
        if key != here:
            _known(pool().cancel, run_id)


def start(*, paused: bool = False) -> None:
    """Goes on with the run of this session, or begins one from the same weights."""
    run = status()
    if run is not None and run.alive:
        if not paused:
            _known(pool().resume, run.id)
        return
    _begin(run, paused=paused)


def train_on() -> None:
    """As many steps again, from what the finished run has learned."""
    run = status()
    if run is not None and run.state == "finished":
        _begin(run, goes_on=True)


def trained_on(run: RunStatus | None) -> bool:
    """Whether a run began with what another had learned, and so is not what its settings alone give."""
    return run is not None and run.id in _continued()


def _continued() -> set[int]:
    return tabs.belonging(CONTINUED, set[int])


def _begin(before: RunStatus | None, *, paused: bool = False, goes_on: bool = False) -> None:
    """Has the pool train these settings, in place of the run before: from its weights, or from random ones."""
    scene, _ = _key()
    path, spec = scenes.path(scene), run_spec()
    st.session_state.pop(REFUSED, None)
    tabs.forget_lost()
    learned = before.model if before is not None and goes_on else None
    try:
        found = pool().submit(
            path,
            spec,
            evaluation=_evaluation(scene),
            paused=paused,
            present=tabs.current().present,
            saved=None if learned is None else continued(path, spec, learned),
        )
    except FmvizError as error:
        st.session_state[REFUSED] = error
        return
    if before is not None:
        pool().forget(before.id)
        _continued().discard(before.id)
    if learned is not None:
        _continued().add(found)
    _remember(found)
    state.change("train", replay=None)


def refusal() -> FmvizError | None:
    """Why the last run asked for was not begun."""
    error: FmvizError | None = st.session_state.get(REFUSED)
    return error


def pause() -> None:
    """Stops after the present step."""
    _mine(pool().pause)


def single_step() -> None:
    """Does exactly one step, and waits."""
    start(paused=True)
    _mine(pool().single_step)


def cancel() -> None:
    """Ends the run; what it learned stays."""
    _mine(pool().cancel)


def reset() -> None:
    """Forgets the run: back to the same weights."""
    run_id = runs().pop(_key(), None)
    st.session_state.pop(REFUSED, None)
    if run_id is not None:
        pool().forget(run_id)
    state.change("train", replay=None)


def new_weights() -> None:
    """Other weights, by the next seed; the old run can be found again at the old seed."""
    cancel()
    state.change("scene", seed_network=(state.current().scene.seed_network + 1) % 1_000_000)
    state.change("train", replay=None)


def set_rate(rate: float) -> None:
    """Another learning rate, from the next step on."""
    state.change("train", learning_rate=rate)
    _mine(lambda run_id: pool().set_learning_rate(run_id, rate))


def _mine(command: Callable[[int], None]) -> None:
    run_id = runs().get(_key())
    if run_id is not None:
        _known(command, run_id)


def _known(command: Callable[[int], None], run_id: int) -> None:
    """A command to a run that the pool may have forgotten since."""
    with suppress(UnknownRunError):
        command(run_id)
