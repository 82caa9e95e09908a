"""Guidance with networks that are trained from this page: a labelled network and a classifier, in the pool of all runs."""

from __future__ import annotations

import math
from contextlib import suppress

import streamlit as st

from fmviz.app import measured, runs, tabs, training
from fmviz.app.altair import show_altair
from fmviz.app.catalogue import number
from fmviz.app.choices import State
from fmviz.app.explain import explain
from fmviz.app.i18n import tr
from fmviz.errors import FmvizError
from fmviz.learning import RunStatus, TrainSpec
from fmviz.learning.pool import UnknownRunError
from fmviz.lessons.guidance.charts.ends import Cloud, clouds
from fmviz.lessons.guidance.compute import learned, results
from fmviz.lessons.guidance.compute.learned import Comparison, Networks
from fmviz.lessons.guidance.compute.results import Chosen
from fmviz.scene import Scene, scenes

__all__ = ["section"]

EVERY = 0.8
"""Seconds between two looks at the runs while they go on."""
REMEMBERED = 8
BUTTON = "guidance_train"
WEAK_PART = 0.06
"""The weak network of autoguidance is that after this part of the steps."""


def section(current: State) -> None:
    """An expander below the charts, drawn only while open."""
    if current.shell.present:
        return
    expander = st.expander(
        tr("guidance.learned.title"), icon=":material/neurology:", on_change="rerun", key="guidance_learned"
    )
    if expander.open:
        with expander:
            try:
                _body(current)
            except FmvizError as error:
                st.error(explain(error))


def _specs(current: State) -> tuple[TrainSpec, TrainSpec]:
    seed = current.scene.seed_network
    return learned.network_spec(seed), learned.classifier_spec(results.label_of(current.scene, current.guidance), seed)


def _found(current: State, *, heartbeat: bool = False) -> list[RunStatus | None]:
    """The runs of both networks, as they are now; None where there is none."""
    scene = scenes.learned_part(current.scene)
    found: list[RunStatus | None] = []
    for spec in _specs(current):
        run_id = runs.runs().get((scene, spec))
        status = None
        if run_id is not None:
            with suppress(UnknownRunError):
                if heartbeat:
                    runs.pool().heartbeat(run_id)
                status = runs.pool().status(run_id)
        found.append(status)
    return found


def _body(current: State) -> None:
    which = results.chosen(current.scene, current.guidance)
    st.markdown(tr("guidance.learned.claim"))
    if not scenes.path(current.scene).p_init.is_standard:
        st.info(tr("guidance.learned.needs_gaussian"), icon=":material/info:")
        return
    measured.show(
        "guidance_identity",
        results.checks,
        scenes.learned_part(current.scene),
        Chosen(which.label, which.scale),
        draw=lambda known: _say_identity(known.classifier),
        height=40,
        quiet=True,
    )
    found = _found(current)
    alive = any(run is not None and run.alive for run in found)
    done = all(run is not None and run.state == "finished" for run in found)
    training.button(
        BUTTON,
        tr("guidance.learned.start"),
        found,
        going_on=alive,
        start=lambda: _start(current),
        cancel=lambda: _cancel(current),
    )
    if any(found):
        st.fragment(_progress, run_every=EVERY if alive else None)(current, alive)
    if done:
        _shown(current, which, [run for run in found if run is not None])


def _progress(current: State, shown_alive: bool) -> None:
    found = _found(current, heartbeat=True)
    for name, run in zip(("network", "classifier"), found, strict=True):
        if run is not None and run.state != "finished":
            training.progress(tr(f"guidance.learned.{name}"), run)
    if shown_alive and not any(run is not None and run.alive for run in found):
        st.rerun()


def _start(current: State) -> None:
    """Begins both runs anew."""
    scene = scenes.learned_part(current.scene)
    own = runs.runs()
    try:
        path = scenes.path(scene)
        for spec in _specs(current):
            run_id = runs.pool().submit(path, spec, present=tabs.current().present)
            old = own.pop((scene, spec), None)
            if old is not None:
                runs.pool().forget(old)
            own[scene, spec] = run_id
    except FmvizError as error:
        training.refuse(BUTTON, error)
    for key in list(own)[:-REMEMBERED]:
        runs.pool().forget(own.pop(key))


def _cancel(current: State) -> None:
    """Ends both; what was learned so far is not shown."""
    for run in _found(current):
        if run is not None:
            with suppress(UnknownRunError):
                runs.pool().cancel(run.id)


def _networks(found: list[RunStatus]) -> Networks | None:
    network, classifier = found
    if network.model is None or classifier.model is None:
        return None
    early = [kept for kept in network.kept if 0 < kept.step <= WEAK_PART * network.steps]
    weak = early[-1].model if early else None
    return Networks((network.id, classifier.id), network.model, weak, classifier.model)


def _shown(current: State, which: Chosen, found: list[RunStatus]) -> None:
    """End points over one another, and their distances to the exact ones."""
    networks = _networks(found)
    if networks is None:
        return
    measured.show(
        "guidance_comparison",
        results.comparison,
        current.scene,
        which,
        networks,
        draw=lambda found: _draw(current.scene, which, networks, found),
        height=420,
    )


def _say_identity(gap: float) -> None:
    st.caption(tr("guidance.learned.identity", gap=number(gap)))


def _draw(scene: Scene, which: Chosen, networks: Networks, found: Comparison) -> None:
    left, right = st.columns(2, gap="large")
    shown = [
        Cloud(tr("guidance.learned.exact"), found.exact, "init", "cross"),
        Cloud(tr("guidance.learned.free"), found.free, "velocity", "circle"),
        Cloud(tr("guidance.learned.by_classifier"), found.classifier, "data", "triangle-up"),
    ]
    with left:
        show_altair(
            lambda ground: clouds(shown, ground),
            of=(scene, which, networks),
            description=tr("guidance.learned.alt"),
            key="guidance_ends",
            width="content",
        )
    with right:
        names = ["free", "by_classifier", "auto"]
        values = [number(d) if math.isfinite(d) else "∞" for d in found.distances if not math.isnan(d)]
        st.table(
            {
                "": [tr(f"guidance.learned.{name}") for name in names[: len(values)]] + [tr("guidance.learned.floor")],
                tr("guidance.sliced"): [*values, number(found.floor)],
            },
            border="horizontal",
            hide_index=True,
        )
        st.caption(
            tr("guidance.learned.how", n=found.count, apart=f"{100 * found.apart:.1f}", held=f"{learned.HELD:g}")
        )
