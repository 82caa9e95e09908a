"""Below the stage of the page Bridges: the numbers of both panels, and one chart at a time."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import streamlit as st

from fmviz.app import bound, measured
from fmviz.app.altair import show_altair
from fmviz.app.catalogue import number
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.lessons.bridges.charts import Axes, Level, Line, lines
from fmviz.lessons.bridges.compute import evidence, results
from fmviz.lessons.bridges.compute.evidence import Costs, Labels, OverSteps, Rounds
from fmviz.lessons.bridges.compute.flows import Flow, Mean
from fmviz.lessons.bridges.settings import BLUR, CHARTS, PAIRS

__all__ = ["charts", "numbers"]

WIDTH, HEIGHT = 760, 400


def numbers(current: State, flows: Sequence[Flow | None]) -> None:
    """Cost and straightness of both panels; while one is being computed, a dash."""
    if current.shell.present:
        return
    names = [
        f"{side} · {tr(f'bridges.couplings.{coupling}')}"
        for side, coupling in (("A", current.bridges.a), ("B", current.bridges.b))
    ]

    def column(of: str) -> list[str]:
        return ["–" if flow is None else _with_error(getattr(flow, of)) for flow in flows]

    st.table(
        {
            "": names,
            tr("bridges.pair_cost"): column("pair_cost"),
            tr("bridges.flow_cost"): column("cost"),
            tr("bridges.straightness"): column("straightness"),
            tr("bridges.crossings"): ["–" if flow is None else str(len(flow.crossed)) for flow in flows],
        },
        border="horizontal",
        hide_index=True,
    )
    st.caption(tr("bridges.numbers_where", pairs=PAIRS, blur=number(BLUR)))


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

    def drawn(found: OverSteps) -> None:
        series = [
            _line(f"{name} · {tr(f'bridges.couplings.{side.coupling}')}", evidence.STEPS, means, role, shape)
            for name, side, means, role, shape in zip(
                "AB", which, found.of, ("velocity", "ode"), ("circle", "diamond"), strict=True
            )
        ]
        axes = Axes(tr("bridges.steps"), tr("bridges.distance"), log_x=True, marks=evidence.STEPS)
        _show("steps", series, [Level(tr("bridges.floor"), found.floor.value)], axes, (scene, which))
        st.caption(tr("bridges.steps_claim"))

    measured.show("bridges_steps_found", evidence.over_steps, scene, which, draw=drawn, height=HEIGHT, quiet=True)


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
    scene, fault = results.plain(current.scene), current.bridges.fault

    def drawn(found: Rounds) -> None:
        number_of = tuple(range(len(found.cost)))
        parts = (
            ("cost", [("flow_cost", found.cost, "ode", "circle")], False),
            ("straight", [("straightness", found.straightness, "score", "diamond")], True),
            (
                "distance",
                [("many_steps", found.distance, "velocity", "circle"), ("one_step", found.one_step, "sde", "square")],
                False,
            ),
        )
        for column, (name, of, log) in zip(st.columns(3), parts, strict=True):
            series = [
                _line(tr(f"bridges.{text}", n=evidence.HEUN_STEPS), number_of, means, role, shape)
                for text, means, role, shape in of
            ]
            levels = [Level(tr("bridges.floor"), found.floor.value)] if name == "distance" else []
            axes = Axes(tr("bridges.round"), "", log_y=log, marks=number_of, height=220)
            with column:
                _show(f"rounds_{name}", series, levels, axes, (scene, fault, name))
        st.caption(tr("bridges.rounds_claim"))

    measured.show("bridges_rounds_found", evidence.rounds, scene, fault, draw=drawn, height=HEIGHT)


def _labels(current: State) -> None:
    scene, batch = results.plain(current.scene), current.bridges.batch

    def drawn(found: Labels) -> None:
        degrees = tuple((k + 0.5) * 360.0 / evidence.SECTORS for k in range(evidence.SECTORS))
        series = [
            _line(tr("bridges.blind"), degrees, found.blind, "sde"),
            _line(tr("bridges.within"), degrees, found.within, "ode", "diamond"),
        ]
        axes = Axes(tr("bridges.angle"), tr("bridges.share", label=found.label), marks=degrees)
        _show("labels", series, [Level(tr("bridges.true_share"), found.share)], axes, (scene, batch))
        st.markdown(tr("bridges.bias", blind=number(found.bias_blind), within=number(found.bias_within), n=batch))
        st.caption(tr("bridges.labels_claim"))

    measured.show("bridges_labels_found", evidence.labels, scene, batch, draw=drawn, height=HEIGHT)


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
