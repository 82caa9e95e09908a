"""Networks that learn the coupling of each panel, trained from this page in the pool of all runs.

The particles follow the newest network a few times in a few seconds; what it was in between is left out.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass

import streamlit as st

from fmviz.app import measured, runs, tabs, training
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.errors import FmvizError
from fmviz.learning import LearnedModel, RunStatus, TrainSpec
from fmviz.learning.pool import UnknownRunError, require_affordable
from fmviz.lessons.bridges.compute import networks, results
from fmviz.lessons.bridges.compute.fields import Side, bridge
from fmviz.lessons.bridges.compute.flows import Flow, Motion, flow
from fmviz.lessons.bridges.compute.networks import Learned
from fmviz.lessons.bridges.compute.results import Network, Panel
from fmviz.scene import Scene, scenes
from fmviz.tasks.task import Task

__all__ = ["finished", "heading", "panels", "section", "trained"]

EVERY = 0.8
"""Seconds between two looks at the runs while they go on."""
REST = 6.0
"""After the flow of a network has been computed, which takes some 50 ms, so many times as long others have their turn."""
REMEMBERED = 12
BUTTON, WANTED = "bridges_train", "fmviz_bridges_wanted"
FOLLOWED = "fmviz_bridges_followed"


@dataclass
class _Followed:
    """Of one panel: the newest network whose flow is known, and when that of the next may be looked for."""

    known: tuple[Learned, Motion] | None = None
    next: float = 0.0


def _followed(scene: Scene, side: Side, steps: int) -> _Followed:
    all_of: dict[tuple[Scene, Side, int], _Followed] = st.session_state.setdefault(FOLLOWED, {})
    found = all_of.setdefault((scene, side, steps), _Followed())
    for old in list(all_of)[:-REMEMBERED]:
        del all_of[old]
    return found


# ------------------------------------------------------------------ what is there


def _scene(current: State) -> Scene:
    """What the runs of this page belong to: their path is linear."""
    return scenes.learned_part(results.plain(current.scene))


def _specs(current: State) -> tuple[tuple[TrainSpec, ...], tuple[TrainSpec, ...]]:
    first, second = (
        networks.chain(side, current.bridges.steps, current.scene.seed_network)
        for side in results.sides(current.bridges)
    )
    return first, second


def _status(scene: Scene, spec: TrainSpec) -> RunStatus | None:
    run_id = runs.runs().get((scene, spec))
    if run_id is None:
        return None
    with suppress(UnknownRunError):
        return runs.pool().status(run_id)
    return None


def _newest(current: State, place: int) -> tuple[int, Learned] | None:
    """The network of a panel that is furthest along its chain, and its place there."""
    scene, found, teacher = _scene(current), None, None
    for index, spec in enumerate(_specs(current)[place]):
        run = _status(scene, spec)
        if run is None or run.model is None or run.step == 0:
            break
        found = index, Learned((run.id, run.step), run.model, teacher)
        if run.state != "finished":
            break
        teacher = found[1]
    return found


def trained(current: State, place: int) -> Learned | None:
    """The network of a panel once it has learned all it will; None before, and for the optimal map."""
    specs, done = _specs(current)[place], finished(current, place)
    return done[-1] if done and len(done) == len(specs) else None


def finished(current: State, place: int) -> tuple[Learned, ...]:
    """The networks of a panel's chain that have learned all they will."""
    scene, done = _scene(current), list[Learned]()
    for spec in _specs(current)[place]:
        run = _status(scene, spec)
        if run is None or run.model is None or run.state != "finished":
            break
        done.append(Learned((run.id, run.step), run.model, done[-1] if done else None))
    return tuple(done)


def panels(current: State) -> tuple[Panel, Panel]:
    """Both panels with the flows of their networks, as far as they are known."""
    dense = results.drawn_density(results.sides(current.bridges))
    first, second = (_panel(current, place, dense[place]) for place in (0, 1))
    return first, second


def _panel(current: State, place: int, dense: bool) -> Panel:
    scene, side, steps = results.plain(current.scene), results.sides(current.bridges)[place], current.bridges.steps
    if side.coupling == "map":
        return Panel(side, _base(scene, side, None, dense))
    followed = _followed(scene, side, steps)
    newest = _newest(current, place)
    if newest is None:
        followed.known = None
        # The pairs of a reflow are those of a network, which is not there yet.
        return Panel(side, None if side.rounds else _base(scene, side, None, dense), Network(0, steps))
    at, learned = newest
    if followed.known is not None and followed.known[0].stamp[0] != learned.stamp[0]:
        followed.known = None  # another run
    shown = networks.stage(side, at)
    base = _base(scene, shown, learned.teacher, dense and shown == side)
    if followed.known is None:
        return Panel(shown, base, Network(0, steps))
    known, motion = followed.known
    return Panel(shown, base, Network(known.stamp[1], steps), motion)


def _follow(current: State) -> None:
    """Lets the particles of each panel go with its newest network, at most once in `EVERY`."""
    scene = results.plain(current.scene)
    for place, side in enumerate(results.sides(current.bridges)):
        newest, followed = _newest(current, place), _followed(scene, side, current.bridges.steps)
        began = time.monotonic()
        if newest is None or began < followed.next or (followed.known and followed.known[0] == newest[1]):
            continue
        followed.known = newest[1], networks.moved(scene, newest[1])
        followed.next = began + max(EVERY, REST * (time.monotonic() - began))


def _base(scene: Scene, side: Side, teacher: Learned | None, dense: bool) -> Flow | None:
    found = (
        measured.ask(flow, scene, side, dense)
        if teacher is None
        else measured.ask(networks.taught, scene, side, teacher)
    )
    if isinstance(found, Task):
        if found.error is not None:
            raise found.error
        return found.result
    return found


# ------------------------------------------------------------------ below the stage


def heading(current: State, side: Side) -> str:
    """The name of a panel's field in tables and charts."""
    name = tr(f"bridges.couplings.{side.coupling}")
    return name if current.bridges.field == "exact" or side.coupling == "map" else tr("bridges.by_network", name=name)


def section(current: State, shown: tuple[Panel, Panel] | None) -> None:
    """The button and the progress of both chains; none where the fields are exact."""
    if current.bridges.field == "exact":
        return
    specs = _all_specs(current)
    if not specs:
        st.info(tr("bridges.nothing_to_train"), icon=":material/info:")
        return
    found = [_status(_scene(current), spec) for spec in specs]
    going_on = _wanted() == _stamp(current)
    training.button(
        BUTTON,
        tr("bridges.train"),
        found,
        going_on=going_on,
        start=lambda: _start(current),
        cancel=lambda: _cancel(current),
        hint=tr("bridges.train_hint"),
        refused=_refusal(current, specs),
    )
    settled = not going_on and (shown is None or _all_there(current, shown))
    st.fragment(_progress, run_every=None if settled else EVERY)(current, shown)


def _refusal(current: State, specs: tuple[TrainSpec, ...]) -> FmvizError | None:
    """Why one of these runs cannot begin on a machine that others share; None if all can."""
    path = bridge(_scene(current))
    for spec in specs:
        try:
            require_affordable(path, spec)
        except FmvizError as error:
            return error
    return None


def _progress(current: State, shown: tuple[Panel, Panel] | None) -> None:
    """What each run does. Goes on with the next of a chain, and has the page follow when another picture is there."""
    scene, wanted = _scene(current), _wanted() == _stamp(current)
    if wanted:
        _advance(current)
    for spec in _all_specs(current):
        run = _status(scene, spec)
        if run is None:
            if wanted:
                st.progress(0.0, text=tr("bridges.run_waits", name=_name(spec)))
            continue
        with suppress(UnknownRunError):
            runs.pool().heartbeat(run.id)
        training.progress(_name(spec), run, begins=tr("bridges.run_begins", name=_name(spec)))
    _follow(current)
    with suppress(FmvizError):
        if panels(current) != shown or wanted != (_wanted() == _stamp(current)):
            st.rerun()


def _name(spec: TrainSpec) -> str:
    if spec.reflow is not None:
        return tr(f"bridges.couplings.reflow{spec.reflow.round}")
    return tr(f"bridges.couplings.{spec.coupling}")


def _all_there(current: State, shown: tuple[Panel, Panel]) -> bool:
    """Whether each panel shows its newest network, and the pairs that it learns."""
    scene = results.plain(current.scene)
    for place, side in enumerate(results.sides(current.bridges)):
        newest = _newest(current, place)
        known = _followed(scene, side, current.bridges.steps).known
        if newest is not None and (known is None or known[0] != newest[1]):
            return False
        if shown[place].flow is None and not (side.rounds and newest is None):
            return False
    return True


# ------------------------------------------------------------------ commands


def _all_specs(current: State) -> tuple[TrainSpec, ...]:
    """The runs of both panels, each once, teachers first."""
    return tuple(dict.fromkeys(spec for of in _specs(current) for spec in of))


def _stamp(current: State) -> object:
    return _scene(current), _specs(current)


def _wanted() -> object:
    """For which scene and settings the runs go on; None for none."""
    return st.session_state.get(WANTED)


def _start(current: State) -> None:
    """Begins what is not finished, or everything anew."""
    scene, specs = _scene(current), _all_specs(current)
    found = [_status(scene, spec) for spec in specs]
    everything = all(run is not None and run.state == "finished" for run in found)
    for spec, run in zip(specs, found, strict=True):
        if run is not None and (everything or run.state != "finished"):
            runs.pool().forget(runs.runs().pop((scene, spec)))
    st.session_state[WANTED] = _stamp(current)
    _advance(current)


def _advance(current: State) -> None:
    """Submits each run whose teacher is ready; when none is left, or one has failed, nothing is wanted any more."""
    scene, over = _scene(current), True
    for specs in _specs(current):
        teacher: LearnedModel | None = None
        for spec in specs:
            run = _status(scene, spec)
            if run is None:
                run = _submit(scene, spec, teacher)
            if run is None:
                st.session_state.pop(WANTED, None)
                return
            if run.state != "finished":
                over = over and not run.alive
                break
            teacher = run.model
    if over:
        st.session_state.pop(WANTED, None)


def _submit(scene: Scene, spec: TrainSpec, teacher: LearnedModel | None) -> RunStatus | None:
    own = runs.runs()
    try:
        run_id = runs.pool().submit(bridge(scene), spec, present=tabs.current().present, teacher=teacher)
    except FmvizError as error:
        training.refuse(BUTTON, error)
        return None
    own[scene, spec] = run_id
    for key in list(own)[:-REMEMBERED]:
        runs.pool().forget(own.pop(key))
    return runs.pool().status(run_id)


def _cancel(current: State) -> None:
    """Ends all; what was learned so far stays on the stage."""
    st.session_state.pop(WANTED, None)
    for spec in _all_specs(current):
        run = _status(_scene(current), spec)
        if run is not None and run.alive:
            with suppress(UnknownRunError):
                runs.pool().cancel(run.id)
