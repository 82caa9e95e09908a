"""Schedules, clocks and loss weights of both dialects, with a rule where the clock stands."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.lessons.dictionary.charts import Axis, Curve
from fmviz.lessons.dictionary.compute import curves as work
from fmviz.lessons.dictionary.compute import results
from fmviz.lessons.dictionary.page.plot import plot

__all__ = ["show"]


def show(current: State) -> None:
    """The charts below the picture of two clocks."""
    own = current.dictionary
    a, b = results.frames(own)
    now, u = current.clock.t, results.clock()
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
        _chart("schedules", lines, share, value, now)
    with right:
        ratios = [Curve(side, u, moment.log_snr.tolist(), "path", dash) for side, moment, dash in sides]
        _chart("ratio", ratios, share, Axis("λ", range=(-12.0, 14.0)), now)
    left, right = st.columns(2, gap="large")
    with left:
        x, y = work.times_at_equal_ratio(a.dialect, b.dialect)
        of_a, of_b = (
            Axis(f"s {side} · {tr(f'dictionary.dialects.{name}')}", log=name == "edm")
            for side, name in (("A", own.a), ("B", own.b))
        )
        at = float(a.times[0] + (a.times[-1] - a.times[0]) * now) if own.a != "edm" else None
        _chart("times", [Curve("B", x, y, "path")], of_a, of_b, at)
    with right:
        found = [(side, work.loss_weights(moment.dialect), dash) for side, moment, dash in sides]
        weights = [Curve(side, weight.log_snr, weight.weight, "score", dash) for side, weight, dash in found]
        ratio, weight = Axis("λ", range=work.LOG_SNR), Axis("w(λ)", log=True, range=(1e-3, 1.0))
        _chart("weights", weights, ratio, weight)


def _chart(name: str, lines: Sequence[Curve], x: Axis, y: Axis, now: float | None = None) -> None:
    """One chart with its title and what it says."""
    st.subheader(tr(f"dictionary.{name}"), anchor=False)
    plot(name, lines, x, y, tr(f"dictionary.{name}_alt"), now=now)
    st.caption(tr(f"dictionary.{name}_claim"))
