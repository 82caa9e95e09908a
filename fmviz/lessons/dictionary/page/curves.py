"""Schedules, clocks and loss weights of both dialects, with a rule where the clock stands."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import altair as alt
import streamlit as st

from fmviz.app.altair import show_altair
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.lessons.dictionary.charts import Axis, Curve, curves
from fmviz.lessons.dictionary.compute import curves as work
from fmviz.lessons.dictionary.compute import results

__all__ = ["show"]


def show(current: State) -> None:
    """The charts below the picture of two clocks."""
    own = current.dictionary
    a, b = results.frames(own)
    now, u = current.clock.t, results.clock()
    of = (own.a, own.b, own.betas, own.shift, own.aligned, now)
    share = Axis(tr("dictionary.share_axis"), range=(0.0, 1.0))
    sides = (("A", a, 0), ("B", b, 1))
    left, right = st.columns(2, gap="large")
    with left:
        lines = [
            Curve(f"{symbol} {side}", u, values.tolist(), role, dash)
            for side, moment, dash in sides
            for symbol, values, role in (("α", moment.alpha, "data"), ("β", moment.beta, "init"))
        ]
        tall = max(float(a.beta.max()), float(b.beta.max())) > 2.0
        value = Axis("α, β", log=True, range=(1e-3, 100.0)) if tall else Axis("α, β", range=(0.0, 1.0))
        _chart("schedules", partial(curves, lines, share, value, now=now), of)
    with right:
        ratios = [Curve(side, u, moment.log_snr.tolist(), "path", dash) for side, moment, dash in sides]
        _chart("ratio", partial(curves, ratios, share, Axis("λ", range=(-12.0, 14.0)), now=now), of)
    left, right = st.columns(2, gap="large")
    with left:
        x, y = work.times_at_equal_ratio(a.dialect, b.dialect)
        of_a, of_b = (
            Axis(f"s {side} · {tr(f'dictionary.dialects.{name}')}", log=name == "edm")
            for side, name in (("A", own.a), ("B", own.b))
        )
        at = float(a.times[0] + (a.times[-1] - a.times[0]) * now) if own.a != "edm" else None
        _chart("times", partial(curves, [Curve("B", x, y, "path")], of_a, of_b, now=at), of)
    with right:
        found = [(side, work.loss_weights(moment.dialect), dash) for side, moment, dash in sides]
        weights = [Curve(side, weight.log_snr, weight.weight, "score", dash) for side, weight, dash in found]
        ratio, weight = Axis("λ", range=work.LOG_SNR), Axis("w(λ)", log=True, range=(1e-3, 1.0))
        _chart("weights", partial(curves, weights, ratio, weight), of)


def _chart(name: str, draw: Callable[..., alt.LayerChart], of: tuple[object, ...]) -> None:
    """One chart with its title and what it says; `draw` takes the theme as ``theme``, `of` is what it depends on."""
    st.subheader(tr(f"dictionary.{name}"), anchor=False)
    show_altair(
        lambda ground: draw(theme=ground),
        of=of,
        description=tr(f"dictionary.{name}_alt"),
        key=f"dictionary_{name}",
    )
    st.caption(tr(f"dictionary.{name}_claim"))
