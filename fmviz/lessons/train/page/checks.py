"""Check it, for training: the two losses against the irreducible one all along the run, and the errors of every quantity."""

from __future__ import annotations

import streamlit as st

from fmviz.app import state
from fmviz.app.catalogue import number
from fmviz.app.i18n import tr
from fmviz.cache import shared
from fmviz.errors import FmvizError
from fmviz.learning import Evaluation, LearnedModel, Report
from fmviz.lessons.train.page import training
from fmviz.scene import Scene, scenes

__all__ = ["table"]

POINTS, MOST_ROWS = 16_384, 7
QUANTITIES = ("velocity", "score", "noise", "data")


@shared
def _answers(scene: Scene) -> Evaluation:
    return Evaluation(scenes.path(scene), points=POINTS)


@shared
def _report(scene: Scene, model: LearnedModel) -> Report:
    return _answers(scene).report(model)


def table() -> None:
    """Both tables, for the network on stage and those before it."""
    now, run = state.current(), training.status()
    scene = scenes.learned_part(now.scene)
    st.caption(tr("train.check.intro", n=POINTS))
    try:
        seen = training.shown(run, now.train.replay)
        models = {k.step: k.model for k in run.kept if k.step < seen.step} if run else {}
        every = max(1, -(-len(models) // (MOST_ROWS - 1)))
        chosen = dict(list(models.items())[::every]) | {seen.step: seen.model}
        with st.spinner(tr("train.check.running")):
            reports = {step: _report(scene, model) for step, model in chosen.items()}
    except FmvizError as error:
        st.error(training.explain(error), icon=":material/error:")
        return
    rows = list(reports.values())
    st.table(
        {
            tr("train.check.step"): [str(step) for step in reports],
            tr("train.check.conditional"): [f"{r.conditional_loss.total:.4f}" for r in rows],
            tr("train.check.marginal"): [f"{r.marginal_loss.total:.4f}" for r in rows],
            tr("train.check.gap"): [_signed(r.gap) for r in rows],
            tr("train.check.floor"): [_signed(-r.irreducible.total) for r in rows],
            tr("train.check.error"): [f"±{2 * r.gap_error:.4f}" for r in rows],
        },
        border="horizontal",
    )
    last = rows[-1]
    st.markdown(tr("train.check.errors", step=seen.step))
    st.table(
        {
            tr(f"train.quantity.{name}"): ["–" if (c := getattr(last, name)) is None else number(c.total)]
            for name in QUANTITIES
        },
        border="horizontal",
    )


def _signed(value: float) -> str:
    return f"{value:+.4f}".replace("-", "−")
