"""Below the stage of the page Bridges: the numbers of both panels, and one chart at a time."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import suppress

import streamlit as st
from pydantic import ValidationError

from fmviz.app import bound, measured, state
from fmviz.app.altair import show_altair
from fmviz.app.catalogue import number
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.lessons.bridges.charts import Axes, Level, Line, lines
from fmviz.lessons.bridges.compute import evidence, labels, results
from fmviz.lessons.bridges.compute.evidence import Costs, OverSteps, Rounds
from fmviz.lessons.bridges.compute.flows import Mean
from fmviz.lessons.bridges.compute.labels import Labels
from fmviz.lessons.bridges.compute.networks import Learned
from fmviz.lessons.bridges.compute.results import Panel
from fmviz.lessons.bridges.page.networks import finished, heading, trained
from fmviz.lessons.bridges.settings import BLUR, CHARTS, PAIRS

__all__ = ["charts", "numbers"]

WIDTH, HEIGHT = 760, 400
LABEL = "bridges.label"
PART_MARKS = (("velocity", "circle"), ("ode", "diamond"), ("sde", "square"), ("score", "triangle-up"))
"""Colour and mark of each part of the source."""


def numbers(current: State, shown: tuple[Panel, Panel]) -> None:
    """Cost and straightness of both panels; while one is being computed, a dash."""
    if current.shell.present:
        return
    flows = [panel.flow for panel in shown]
    motions = [panel.motion for panel in shown]
    st.table(
        {
            "": [f"{name} · {heading(current, panel.side)}" for name, panel in zip("AB", shown, strict=True)],
            tr("bridges.pair_cost"): ["–" if flow is None else _with_error(flow.pair_cost) for flow in flows],
            tr("bridges.flow_cost"): ["–" if motion is None else _with_error(motion.cost) for motion in motions],
            tr("bridges.straightness"): [
                "–" if motion is None else _with_error(motion.straightness) for motion in motions
            ],
            tr("bridges.crossings"): ["–" if flow is None else str(len(flow.crossed)) for flow in flows],
        },
        border="horizontal",
        hide_index=True,
    )
    where = "numbers_where" if current.bridges.field == "exact" else "numbers_network"
    st.caption(tr(f"bridges.{where}", pairs=PAIRS, blur=number(BLUR)))


def charts(current: State) -> None:
    """The chosen chart."""
    if current.shell.present:
        return
    names = {str(name): tr(f"bridges.chart_{name}") for name in CHARTS}
    bound.segmented("bridges", "chart", tr("bridges.charts"), names, collapsed=True)
    draw = {"steps": _steps, "batch": _batch, "rounds": _rounds, "labels": _labels}
    with st.container(width=WIDTH):
        draw[current.bridges.chart](current)


def _steps(current: State) -> None:
    scene, which = results.plain(current.scene), results.sides(current.bridges)
    by: tuple[Learned | None, Learned | None] = (None, None)
    if current.bridges.field == "network":
        by = trained(current, 0), trained(current, 1)
        if any(network is None and side.coupling != "map" for network, side in zip(by, which, strict=True)):
            st.caption(tr("bridges.steps_untrained"))
            return

    def drawn(found: OverSteps) -> None:
        series = [
            _line(f"{name} · {heading(current, side)}", evidence.STEPS, means, role, shape)
            for name, side, means, role, shape in zip(
                "AB", which, found.of, ("velocity", "ode"), ("circle", "diamond"), strict=True
            )
        ]
        axes = Axes(tr("bridges.steps"), tr("bridges.distance"), log_x=True, marks=evidence.STEPS)
        _show("steps", series, [Level(tr("bridges.floor"), found.floor.value)], axes, (scene, which, by))
        st.caption(tr("bridges.steps_claim"))

    measured.show("bridges_steps_found", evidence.over_steps, scene, which, by, draw=drawn, height=HEIGHT, quiet=True)


def _batch(current: State) -> None:
    scene, regularisation = results.plain(current.scene), current.bridges.regularisation

    def drawn(found: Costs) -> None:
        series = [
            _line(tr("bridges.couplings.exact"), evidence.BATCHES, found.exact, "ode"),
            _line(
                tr("bridges.sinkhorn_of", reg=number(regularisation)),
                evidence.SINKHORN_BATCHES,
                found.sinkhorn,
                "score",
                "diamond",
            ),
        ]
        best = tr("bridges.best_exact") if found.closed else tr("bridges.best", n=evidence.REFERENCE)
        levels = [Level(tr("bridges.couplings.independent"), found.independent), Level(best, found.best.value)]
        axes = Axes(tr("bridges.batch_axis"), tr("bridges.cost_axis"), log_x=True, log_y=True, marks=evidence.BATCHES)
        _show("batch", series, levels, axes, (scene, regularisation))
        st.caption(tr("bridges.batch_claim"))

    measured.show("bridges_batch_found", evidence.costs, scene, regularisation, draw=drawn, height=HEIGHT)


def _rounds(current: State) -> None:
    """The rounds with exact fields, and beside them those with networks, as far as they are trained."""
    scene, fault = results.plain(current.scene), current.bridges.fault
    by = _chain(current)

    def drawn(found: Rounds) -> None:
        learned = measured.ask(evidence.rounds_by_network, scene, by) if by else None
        _draw_rounds(current, found, learned if isinstance(learned, Rounds) else None, (scene, fault, by))
        if by and not isinstance(learned, Rounds):
            measured.show(
                "bridges_rounds_network", evidence.rounds_by_network, scene, by, draw=lambda _: st.rerun(), height=40
            )

    measured.show("bridges_rounds_found", evidence.rounds, scene, fault, draw=drawn, height=HEIGHT)


def _chain(current: State) -> tuple[Learned, ...]:
    """The trained networks of the panel with most rounds; of the first flow alone there is nothing to show."""
    if current.bridges.field == "exact":
        return ()
    which = results.sides(current.bridges)
    return max((finished(current, place) for place in (0, 1) if which[place].rounds), key=len, default=())


def _draw_rounds(current: State, found: Rounds, learned: Rounds | None, of: tuple[Hashable, ...]) -> None:
    counted = tuple(range(len(found.cost)))
    parts = {
        "cost": [("flow_cost_short", "cost", "ode", "circle", "data")],
        "straight": [("straightness", "straightness", "score", "diamond", "data")],
        "distance": [
            ("many_steps", "distance", "velocity", "circle", "data"),
            ("one_step", "one_step", "sde", "square", "init"),
        ],
    }
    for column, (name, lines_of) in zip(st.columns(3), parts.items(), strict=True):
        series = []
        for text, field, role, shape, other in lines_of:
            title = tr(f"bridges.{text}", n=evidence.HEUN_STEPS)
            exact = title if learned is None else tr("bridges.by_exact", name=title)
            series.append(_line(exact, counted, getattr(found, field), role, shape))
            if learned is not None:
                means, by_network = getattr(learned, field), tr("bridges.by_network", name=title)
                series.append(_line(by_network, counted[: len(means)], means, other, "triangle-up"))
        levels = [Level(tr("bridges.floor"), found.floor.value)] if name == "distance" else []
        axes = Axes(tr("bridges.round"), "", log_y=name == "straight", marks=counted, height=220, columns=1)
        with column:
            _show(f"rounds_{name}", series, levels, axes, (*of, learned is None, name))
    st.caption(tr("bridges.rounds_claim"))
    if learned is not None:
        st.caption(tr("bridges.rounds_network"))


def _labels(current: State) -> None:
    scene, batch = results.plain(current.scene), current.bridges.batch

    def drawn(found: Labels) -> None:
        label = _shown_label(current, found)
        of = found.classes.index(label)
        ways = {"blind": found.blind, "within": found.within}
        for column, (name, coupled) in zip(st.columns(2), ways.items(), strict=True):
            series = [
                _line(tr(f"bridges.part.{part}"), labels.TIMES, means, role, shape)
                for part, means, (role, shape) in zip(labels.PARTS, coupled.shares[of], PART_MARKS, strict=True)
            ]
            axes = Axes("t", tr("bridges.share", label=label), marks=(0.0, 0.25, 0.5, 0.75, 1.0), most_y=1.0)
            with column:
                st.markdown(f"**{tr(f'bridges.{name}')}**")
                _show(f"labels_{name}", series, [Level("", found.share[of])], axes, (scene, batch, name, label))
        st.table(_bias_table(found), border="horizontal", hide_index=True)
        st.caption(tr("bridges.labels_how", pairs=labels.SET, n=batch))
        st.caption(tr("bridges.labels_claim"))

    measured.show("bridges_labels_found", labels.labels, scene, batch, draw=drawn, height=HEIGHT)


def _shown_label(current: State, found: Labels) -> int:
    """The label whose share is drawn; of more than two, which one can be chosen."""
    wanted = current.bridges.label
    shown: int = wanted if wanted in found.classes else found.classes[0]
    if len(found.classes) > 2:
        bound.show(LABEL, shown)
        st.selectbox(
            tr("bridges.label"), found.classes, key=LABEL, on_change=bound.user_change(LABEL, _take_label), width=160
        )
    return shown


def _take_label() -> None:
    with suppress(ValidationError):  # a browser can send anything
        state.change("bridges", label=st.session_state[LABEL])


def _bias_table(found: Labels) -> dict[str, list[str]]:
    rows = {"couplings.independent": found.independent, "blind": found.blind, "within": found.within}
    return {
        "": [*(tr(f"bridges.{name}") for name in rows), tr("bridges.floor")],
        tr("bridges.pair_cost"): [*(_with_error(of.cost) for of in rows.values()), "–"],
        tr("bridges.bias"): [*(_with_error(of.bias) for of in rows.values()), "–"],
        tr("bridges.label_distance"): [*(_with_error(of.distance) for of in rows.values()), _with_error(found.floor)],
    }


def _line(name: str, x: Sequence[float], means: Sequence[Mean], role: str, shape: str = "circle") -> Line:
    """Error bars of two standard errors."""
    return Line(name, tuple(x), tuple(m.value for m in means), tuple(2.0 * m.error for m in means), role, shape)


def _show(name: str, series: list[Line], levels: list[Level], axes: Axes, of: tuple[Hashable, ...]) -> None:
    show_altair(
        lambda ground: lines(series, levels, axes, ground),
        of=of,
        description=tr(f"bridges.alt.{name.split('_')[0]}"),
        key=f"bridges_{name}",
    )


def _with_error(mean: Mean) -> str:
    return f"{number(mean.value)} ± {2.0 * mean.error:.1g}"
