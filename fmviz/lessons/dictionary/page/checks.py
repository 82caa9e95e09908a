"""Check it, for the page Dictionary."""

from __future__ import annotations

import streamlit as st

from fmviz.app.catalogue import number
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.cache import shared
from fmviz.lessons.dictionary.compute import checks as work
from fmviz.lessons.dictionary.compute import results
from fmviz.lessons.dictionary.compute.checks import Check
from fmviz.lessons.dictionary.compute.frames import dialect_of
from fmviz.lessons.dictionary.settings import BetasName, DialectName
from fmviz.scene import Scene, scenes

__all__ = ["table"]


@shared
def _checked(scene: Scene, a: DialectName, b: DialectName, betas: BetasName, shift: float) -> Check:
    first, second = (dialect_of(name, betas, shift) for name in (a, b))
    return work.checks(scenes.mixture(scene, "data"), first, second)


def table(current: State) -> None:
    """What was compared, and the largest difference."""
    own = current.dictionary
    found = _checked(results.gaussian(current.scene), own.a, own.b, own.betas, own.shift)
    rows = ("path", "conversions", "euler", "moments")
    st.table(
        {
            tr("dictionary.check_what"): [tr(f"dictionary.check_{name}") for name in rows],
            tr("dictionary.check_largest"): [number(getattr(found, name)) for name in rows],
        },
        border="horizontal",
        hide_index=True,
    )
    st.caption(tr("dictionary.check_how", times=work.TIMES, draws=work.DRAWS))
