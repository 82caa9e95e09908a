"""Schedules, clocks and loss weights of both dialects, with a rule where the clock stands."""

from __future__ import annotations

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
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(tr("dictionary.schedules"), anchor=False)
        lines = [
            Curve(f"{symbol} {side}", u, values.tolist(), role, dash)
            for side, moment, dash in (("A", a, 0), ("B", b, 1))
            for symbol, values, role in (("α", moment.alpha, "data"), ("β", moment.beta, "init"))
        ]
        tall = max(float(a.beta.max()), float(b.beta.max())) > 2.0
        value = Axis("α, β", log=True, range=(1e-3, 100.0)) if tall else Axis("α, β", range=(0.0, 1.0))
        show_altair(
            lambda ground: curves(lines, share, value, ground, now=now),
            of=of,
            description=tr("dictionary.schedules_alt"),
            key="dictionary_schedules",
        )
        st.caption(tr("dictionary.schedules_claim"))
    with right:
        st.subheader(tr("dictionary.ratio"), anchor=False)
        ratios = [
            Curve(side, u, moment.log_snr.tolist(), "path", dash) for side, moment, dash in (("A", a, 0), ("B", b, 1))
        ]
        ratio = Axis("λ", range=(-12.0, 14.0))
        show_altair(
            lambda ground: curves(ratios, share, ratio, ground, now=now),
            of=of,
            description=tr("dictionary.ratio_alt"),
            key="dictionary_ratio",
        )
        st.caption(tr("dictionary.ratio_claim"))
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(tr("dictionary.times"), anchor=False)
        x, y = work.times_at_equal_ratio(a.dialect, b.dialect)
        names = [tr(f"dictionary.dialects.{name}") for name in (own.a, own.b)]
        at = float(a.times[0] + (a.times[-1] - a.times[0]) * now) if own.a != "edm" else None
        show_altair(
            lambda ground: curves(
                [Curve("B", x, y, "path")],
                Axis(f"s A · {names[0]}", log=own.a == "edm"),
                Axis(f"s B · {names[1]}", log=own.b == "edm"),
                ground,
                now=at,
            ),
            of=of,
            description=tr("dictionary.times_alt"),
            key="dictionary_times",
        )
        st.caption(tr("dictionary.times_claim"))
    with right:
        st.subheader(tr("dictionary.weights"), anchor=False)
        found = [(side, work.loss_weights(moment.dialect), dash) for side, moment, dash in (("A", a, 0), ("B", b, 1))]
        weights = [Curve(side, weight.log_snr, weight.weight, "score", dash) for side, weight, dash in found]
        show_altair(
            lambda ground: curves(
                weights, Axis("λ", range=work.LOG_SNR), Axis("w(λ)", log=True, range=(1e-3, 1.0)), ground
            ),
            of=of,
            description=tr("dictionary.weights_alt"),
            key="dictionary_weights",
        )
        st.caption(tr("dictionary.weights_claim"))
