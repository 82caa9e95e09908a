"""The charts of the page Guidance, one at a time below the stage."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from fmviz.app import bound, measured, state
from fmviz.app.altair import show_altair
from fmviz.app.catalogue import number
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.cache import shared
from fmviz.errors import FmvizError
from fmviz.lessons.guidance.charts.lines import Axes, Line, lines
from fmviz.lessons.guidance.compute import evidence, results
from fmviz.lessons.guidance.compute.results import Chosen
from fmviz.lessons.guidance.settings import CHARTS
from fmviz.scene import Scene, scenes
from fmviz.theory.guidance import WeightedRun

__all__ = ["charts"]

WIDTH, HEIGHT = 760, 340
ROLES = ("score", "velocity", "init")
"""Of the scales beside the chosen one."""


@shared
def _posterior(scene: Scene, which: Chosen, click: tuple[float, float, float]) -> evidence.PosteriorCurve:
    return evidence.posterior_along(results.guidance(scene, which), click)


def charts(current: State) -> None:
    """The chosen chart; a scene without a picture has none, and the stage has already said why."""
    if current.shell.present:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="guidance_charts"):
        names = {str(name): tr(f"guidance.chart_{name}") for name in CHARTS}
        bound.segmented("guidance", "chart", tr("guidance.charts"), names, collapsed=True)
        if current.guidance.click is not None:
            st.space("stretch")
            st.button(
                tr("paths.forget_click"),
                icon=":material/close:",
                key="forget_guidance_click",
                on_click=lambda: state.change("guidance", click=None),
            )
    draw = {"effective": _effective, "distance": _distance, "quality": _quality, "posterior": _along}
    with st.container(width=WIDTH):
        try:
            draw[current.guidance.chart](current)
        except FmvizError:
            return


def _effective(current: State) -> None:
    """The effective sample size over t, for the chosen scale and for a few others."""
    which, way = results.chosen(current.scene, current.guidance), results.plain(results.way_of(current.guidance))
    measured.show(
        "guidance_effective",
        results.compared,
        results.seen_by(way, current.scene),
        which.label,
        which.interval,
        way,
        draw=lambda others: _draw_effective(current, others),
        height=HEIGHT,
        quiet=True,
    )


def _draw_effective(current: State, others: tuple[tuple[float, tuple[float, ...], tuple[float, ...]], ...]) -> None:
    scene, which, way = current.scene, results.chosen(current.scene, current.guidance), results.way_of(current.guidance)
    found = results.run(scene, which, way)
    count = scene.count
    name = tr("guidance.effective_now", w=f"{which.scale:g}")
    shown = [_share(name, found, count, role="ode" if current.guidance.kind == "ode" else "sde")]
    for (scale, times, share), role in zip(others, ROLES, strict=True):
        if scale != which.scale:
            shown.append(Line(f"w = {scale:g}", times, share, role, dashed=True))
    axes = Axes("t", tr("guidance.effective"), (0.0, 1.0), current.clock.t, 1.02)
    show_altair(
        lambda ground: lines(shown, axes, ground),
        of=(scene, which, way, current.clock.t),
        description=tr("guidance.effective_alt"),
        key="guidance_effective",
    )
    st.caption(
        tr(
            "guidance.effective_claim",
            n=f"{float(found.effective[-1]):.0f}",
            all=count,
            times=int(found.resampled.sum()),
        )
    )


def _share(name: str, found: WeightedRun, count: int, *, role: str) -> Line:
    return Line(
        name,
        tuple(found.times.tolist()),
        tuple((found.effective / count).nan_to_num(0.0).tolist()),
        role,
    )


def _distance(current: State) -> None:
    """Distances of the end points of the ODE over w, beside their floors."""
    _over_scale(current, "guidance_distance", _draw_distance)


def _over_scale(current: State, key: str, draw: Callable[[Scene, Chosen, evidence.OverScale], None]) -> None:
    """A chart of what is measured over w, once for all charts of it."""
    which = results.chosen(current.scene, current.guidance)
    measured.show(
        key,
        results.over_scale,
        scenes.learned_part(current.scene),
        which.label,
        which.interval,
        draw=lambda found: draw(current.scene, which, found),
        height=HEIGHT,
        quiet=True,
    )


def _draw_distance(scene: Scene, which: Chosen, found: evidence.OverScale) -> None:
    flat = (found.conditional_floor,) * len(found.scales)
    shown = [
        Line(tr("guidance.to_conditional"), found.scales, found.conditional, "data", points=True),
        Line(tr("guidance.floor_conditional"), found.scales, flat, "data", dashed=True),
        Line(tr("guidance.to_tilted"), found.scales, found.tilted, "score", points=True),
        Line(tr("guidance.floor_tilted"), found.scales, found.tilted_floor, "score", dashed=True),
    ]
    axes = Axes("w", tr("guidance.sliced"), (found.scales[0], found.scales[-1]), which.scale)
    show_altair(
        lambda ground: lines(shown, axes, ground),
        of=(scene, which),
        description=tr("guidance.distance_alt"),
        key="guidance_distance",
    )
    st.caption(tr("guidance.distance_claim", n=found.count))


def _quality(current: State) -> None:
    """Share outside the label and spread over w."""
    _over_scale(current, "guidance_quality", _draw_quality)


def _draw_quality(scene: Scene, which: Chosen, found: evidence.OverScale) -> None:
    shown = [
        Line(tr("guidance.outside"), found.scales, found.outside, "sde", points=True),
        Line(tr("guidance.spread"), found.scales, found.spread, "ode", points=True),
    ]
    axes = Axes("w", tr("guidance.share"), (found.scales[0], found.scales[-1]), which.scale)
    show_altair(
        lambda ground: lines(shown, axes, ground),
        of=(scene, which),
        description=tr("guidance.quality_alt"),
        key="guidance_quality",
    )
    st.caption(tr("guidance.quality_claim", outside=number(found.outside_exact), n=found.count))


def _along(current: State) -> None:
    """p_t(y|X_t) along the trajectory through the clicked point, guided and not."""
    click = current.guidance.click
    if click is None:
        st.caption(tr("guidance.posterior_hint"))
        return
    which = results.chosen(current.scene, current.guidance)
    shown: list[Line] = []
    for scale, role in ((0.0, "init"), (1.0, "data"), (which.scale, "velocity")):
        if any(line.name == f"w = {scale:g}" for line in shown):
            continue
        found = _posterior(current.scene, Chosen(which.label, scale, which.interval), click)
        shown.append(
            Line(
                f"w = {scale:g}", tuple(found.times.tolist()), tuple(found.values.tolist()), role, scale != which.scale
            )
        )
    axes = Axes("t", tr("guidance.posterior", y=which.label), (0.0, 1.0), click[2], 1.02)
    show_altair(
        lambda ground: lines(shown, axes, ground),
        of=(current.scene, which, click),
        description=tr("guidance.posterior_alt"),
        key="guidance_posterior",
    )
    st.caption(tr("guidance.posterior_claim"))
