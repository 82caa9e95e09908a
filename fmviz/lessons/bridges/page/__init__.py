"""Bridges: any source to any data, and what the pairing of the two does to the flow."""

from __future__ import annotations

import time

import streamlit as st

from fmviz.app import lesson, measured, player, state
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.errors import FmvizError
from fmviz.lessons.bridges.compute import results
from fmviz.lessons.bridges.compute.fields import Side
from fmviz.lessons.bridges.compute.flows import Flow, flow
from fmviz.lessons.bridges.compute.results import Panel
from fmviz.lessons.bridges.page import charts, checks, controls, networks
from fmviz.lessons.bridges.script import bridges_script
from fmviz.tasks.task import Task

__all__ = ["show"]


def show() -> None:
    """Draws the page."""
    current = state.current()
    view = player.visit_view("bridges", "bridges")
    lesson.opening("bridges")
    player.player("bridges_stage", "bridges", lambda: results.payload(state.current(), _panels(state.current()), view))
    _wait(current)
    lesson.controls(lambda: controls.controls(current))
    shown = _quietly(current)
    networks.section(current, shown)
    if shown is not None:
        charts.numbers(current, shown)
    charts.charts(current)
    lesson.notice("bridges")
    lesson.check("bridges", lambda: checks.table(current))
    lesson.code("bridges", lambda: bridges_script(current.scene, current.bridges))


def _panels(now: State) -> tuple[Panel, Panel]:
    """Both panels, without a flow where it is still being computed.

    Raises:
        FmvizError: a coupling that this scene does not have.
    """
    if now.bridges.field == "network":
        return networks.panels(now)
    found = []
    for side, one in _asked(now):
        if isinstance(one, Task):
            if one.error is not None:
                raise one.error
            one = one.result
        found.append(Panel(side, one))
    return found[0], found[1]


def _quietly(now: State) -> tuple[Panel, Panel] | None:
    """The same, None where the stage says why there are none."""
    try:
        return _panels(now)
    except FmvizError:
        return None


def _wait(current: State) -> None:
    """While a flow is being computed: says which and for how long, looks for it, and offers to go back to the usual batch."""
    if current.bridges.field == "network" or _all_ended(current):
        return

    def look() -> None:
        if _all_ended(current):
            st.rerun()
        with st.container(horizontal=True, vertical_alignment="center", key="bridges_waiting"):
            for text in _waited_for(current):
                st.caption(f":material/hourglass_top: {text}")
            if current.bridges.batch > controls.USUAL_BATCH:
                st.button(
                    tr("bridges.cancel"),
                    key="bridges_cancel",
                    type="tertiary",
                    on_click=lambda: state.change("bridges", batch=controls.USUAL_BATCH),
                )

    st.fragment(look, run_every=measured.EVERY)()


def _asked(current: State) -> list[tuple[Side, Flow | Task[Flow] | None]]:
    """The exact flow of each panel, or what becomes of it."""
    which = results.sides(current.bridges)
    scene = results.plain(current.scene)
    return [
        (side, measured.ask(flow, scene, side, dense))
        for side, dense in zip(which, results.drawn_density(which), strict=True)
    ]


def _all_ended(current: State) -> bool:
    return not any(one is None or (isinstance(one, Task) and one.error is None) for _, one in _asked(current))


def _waited_for(current: State) -> list[str]:
    """What is being computed, and for how many seconds already, each once."""
    texts = []
    for side, one in _asked(current):
        name = tr(f"bridges.couplings.{side.coupling}")
        if side.coupling in ("exact", "sinkhorn"):
            name = tr("bridges.of_batch", name=name, n=side.batch)
        if isinstance(one, Task) and one.state == "running":
            texts.append(tr("bridges.waiting", name=name, seconds=f"{time.monotonic() - one.began:.0f}"))
        elif one is None or (isinstance(one, Task) and one.error is None):
            texts.append(tr("bridges.waiting_turn", name=name))
    return list(dict.fromkeys(texts))
