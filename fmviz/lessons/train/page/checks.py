"""Check it, for training: the two losses against the irreducible one all along the run, and the errors of every quantity."""

from __future__ import annotations

import streamlit as st

from fmviz.app import measured, state
from fmviz.app.catalogue import number
from fmviz.app.i18n import tr
from fmviz.errors import FmvizError
from fmviz.learning import Report
from fmviz.lessons.train.compute.evidence import POINTS, reports
from fmviz.lessons.train.page import training
from fmviz.lessons.train.page.feed import moving
from fmviz.scene import scenes

__all__ = ["table"]

MOST_ROWS = 7
QUANTITIES = ("velocity", "score", "noise", "data")


def table() -> None:
    """Both tables, for the network on stage and those before it; while the run goes on, for those that are kept."""
    now, run = state.current(), training.status()
    scene = scenes.learned_part(now.scene)
    st.caption(tr("train.check.intro", n=POINTS))
    try:
        seen = training.shown(run, now.train)
    except FmvizError as error:
        st.error(training.explain(error), icon=":material/error:")
        return
    weights = now.train.weights
    models = {k.step: training.chosen(k, weights) for k in run.kept if k.step <= seen.step} if run else {}
    if not models or not moving(run):
        models[seen.step] = seen.model
    every = max(1, -(-len(models) // MOST_ROWS))
    steps = tuple(reversed(list(reversed(models))[::every]))
    measured.show(
        "train_check",
        reports,
        scene,
        tuple(models[step] for step in steps),
        draw=lambda found: _tables(steps, found),
        height=470,
        reason=training.explain,
    )


def _tables(steps: tuple[int, ...], rows: tuple[Report, ...]) -> None:
    st.table(
        {
            tr("train.check.step"): [str(step) for step in steps],
            tr("train.check.conditional"): [f"{r.conditional_loss.total:.4f}" for r in rows],
            tr("train.check.marginal"): [f"{r.marginal_loss.total:.4f}" for r in rows],
            tr("train.check.gap"): [_signed(r.gap) for r in rows],
            tr("train.check.floor"): [_signed(-r.irreducible.total) for r in rows],
            tr("train.check.error"): [f"±{2 * r.gap_error:.4f}" for r in rows],
        },
        border="horizontal",
    )
    last = rows[-1]
    st.markdown(tr("train.check.errors", step=steps[-1]))
    st.table(
        {
            tr(f"train.quantity.{name}"): ["–" if (c := getattr(last, name)) is None else number(c.total)]
            for name in QUANTITIES
        },
        border="horizontal",
    )


def _signed(value: float) -> str:
    return f"{value:+.4f}".replace("-", "−")
