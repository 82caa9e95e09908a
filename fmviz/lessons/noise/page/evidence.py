"""Below the stage of the page Noise: the numbers of the chosen process beside its theory."""

from __future__ import annotations

import streamlit as st

from fmviz.app import measured
from fmviz.app.altair import show_altair
from fmviz.app.catalogue import number
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.errors import FmvizError
from fmviz.lessons.noise import charts
from fmviz.lessons.noise.charts import Slope
from fmviz.lessons.noise.compute import evidence, results
from fmviz.lessons.noise.compute.evidence import DistanceOverTime, MomentCurve
from fmviz.theory.euler_maruyama_errors import Errors, Order

__all__ = ["show"]


def show(current: State) -> None:
    """The charts of the chosen process; a scene that cannot be drawn has none."""
    draw = {"brownian": _brownian, "ou": _ou, "collapse": _collapse, "langevin": _langevin}[current.noise.process]
    try:
        draw(current)
    except FmvizError:
        return  # the stage says why


def _moment(name: str, found: MomentCurve, *, x: str = "t") -> None:
    st.markdown(f"**{tr(f'noise.chart.{name}')}**")
    names = (tr("noise.chart.measured"), tr("noise.chart.exact"))
    show_altair(
        lambda ground: charts.moment(
            found.times, found.measured, found.exact, found.error, ground, names=names, x=x, y=""
        ),
        of=(found, x),
        description=tr(f"noise.chart.{name}_alt"),
        key=f"noise_{name}",
    )


def _brownian(current: State) -> None:
    of = results.starts(current.scene)
    left, right = st.columns(2, gap="large")
    with left:
        _moment("brownian_variance", results.variance(of))
        st.caption(tr("noise.chart.brownian_variance_claim", n=2 * of.count))
    with right:
        found = results.increments(of, current.noise.grid)
        st.markdown(f"**{tr('noise.chart.increments')}**")
        names = (tr("noise.chart.measured"), tr("noise.chart.normal"))
        show_altair(
            lambda ground: charts.histogram(
                found.centres, found.density, found.normal, found.error, ground, names=names, x="ΔW / √h", y=""
            ),
            of=(found,),
            description=tr("noise.chart.increments_alt"),
            key="noise_increments",
        )
        st.caption(tr("noise.chart.increments_claim", n=found.count))


def _ou(current: State) -> None:
    view = current.noise
    of = results.process(view)
    mean, variance = results.moments(of, view.start, view.time, results.starts(current.scene))
    left, right = st.columns(2, gap="large")
    with left:
        _moment("ou_mean", mean)
    with right:
        _moment("ou_variance", variance)
    st.caption(tr("noise.chart.ou_claim", n=current.scene.count))
    st.subheader(tr("noise.errors.title"), anchor=False)
    st.markdown(tr("noise.errors.claim"))
    measured.show("noise_orders", results.orders, current.scene.seed_noise, draw=_orders, height=560, quiet=True)


def _orders(both: tuple[Errors, Errors]) -> None:
    additive, multiplicative = both
    found = {"additive": additive, "multiplicative": multiplicative}
    left, right = st.columns(2, gap="large")
    with left:
        _errors("strong", {name: (e, e.strong, e.strong_error, e.strong_order) for name, e in found.items()})
    with right:
        _errors("weak", {name: (e, e.weak, e.weak_error, e.weak_order) for name, e in found.items()})
    st.caption(tr("noise.errors.where", n=additive.paths))


def _errors(kind: str, series: dict[str, tuple[Errors, tuple[float, ...], tuple[float, ...], Order]]) -> None:
    st.markdown(f"**{tr(f'noise.errors.{kind}')}**")
    roles = {"additive": "sde", "multiplicative": "velocity"}
    slopes = {
        tr(f"noise.errors.{name}"): Slope(e.steps, values, [2 * error for error in errors], order.expected, roles[name])
        for name, (e, values, errors, order) in series.items()
    }
    show_altair(
        lambda ground: charts.orders(slopes, ground, x="n", y=""),
        of=tuple(e for e, *_ in series.values()),
        description=tr(f"noise.errors.{kind}_alt"),
        key=f"noise_{kind}",
    )
    orders = [order for *_, order in series.values()]
    st.table(
        {
            "": list(slopes),
            tr("noise.errors.measured"): [f"{o.measured:.2f} ± {2 * o.error:.2f}" for o in orders],
            tr("noise.errors.expected"): [f"{o.expected:g}" for o in orders],
        },
        border="horizontal",
        hide_index=True,
    )


def _collapse(current: State) -> None:
    processes = evidence.same_stationary_variance(results.process(current.noise))
    st.table(
        {
            "σ": [number(p.sigma) for p in processes],
            "θ": [number(p.theta) for p in processes],
            "D = σ²/2θ": [number(p.stationary_variance) for p in processes],
            tr("noise.collapse.relaxation"): [number(1.0 / p.theta) for p in processes],
            tr("noise.collapse.in_pace"): [number(p.sigma**2 / p.theta) for p in processes],
        },
        border="horizontal",
        hide_index=True,
    )
    st.caption(tr("noise.collapse.claim"))


def _langevin(current: State) -> None:
    view = current.noise
    left, right = st.columns(2, gap="large")
    with left:
        found = results.mode_shares(current.scene, view)
        st.markdown(f"**{tr('noise.chart.mixing')}**")
        share, mode = tr("sample.share"), tr("sample.component")
        show_altair(
            lambda ground: charts.mixing(found.times, found.shares, found.weights, ground, x="t", y=share, mode=mode),
            of=(found,),
            description=tr("noise.chart.mixing_alt"),
            key="noise_mixing",
        )
        st.caption(tr("noise.chart.mixing_claim"))
    with right:
        asked = (current.scene, *results.langevin_part(view))
        measured.show("noise_approach_found", results.approach, *asked, draw=_approach, height=420, quiet=True)


def _approach(distances: DistanceOverTime) -> None:
    st.markdown(f"**{tr('noise.chart.approach')}**")
    names = (tr("noise.chart.measured"), tr("noise.chart.floor"))
    show_altair(
        lambda ground: charts.distance_over_time(
            distances.times, distances.distance, distances.floor, ground, names=names, x="t", y=""
        ),
        of=(distances,),
        description=tr("noise.chart.approach_alt"),
        key="noise_approach",
    )
    end = number(distances.distance[-1])
    st.caption(tr("noise.chart.approach_claim", end=end, floor=number(distances.floor), n=distances.count))
