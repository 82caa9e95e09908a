"""A chart of curves on the page Dictionary."""

from __future__ import annotations

from collections.abc import Sequence

from fmviz.app.altair import show_altair
from fmviz.lessons.dictionary.charts import Axis, Curve, curves, styles, table

__all__ = ["plot"]


def plot(name: str, lines: Sequence[Curve], x: Axis, y: Axis, description: str, *, now: float | None = None) -> None:
    """Shows curves; the chart is made once for their names and axes, and new values reach it as rows.

    Args:
        name: of the chart, on the page.
        lines, x, y: what is drawn over which axes.
        description: what a screen reader says.
        now: where the rule of the clock is; None draws none.
    """
    looks, ruled = styles(lines), now is not None
    show_altair(
        lambda ground: curves(looks, x, y, ground, ruled=ruled),
        of=(looks, x, y, ruled),
        description=description,
        key=f"dictionary_{name}",
        rows=table(lines, x, y, now),
    )
