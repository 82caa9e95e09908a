"""The closed forms in this browser against the server's: a component without a picture that reports the largest difference."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import streamlit as st

from fmviz.clips.law_layers import LawValues
from fmviz.stage.assets import law_script
from fmviz.stage.layers import schedule_entry

__all__ = ["law_check"]

_CHECK = """
export default function check({ data, setStateValue }) {
  if (!data?.times) return;
  const law = LAW.makeLaw(data.law);
  let worst = 0;
  data.times.forEach((t, i) => {
    const table = LAW.pairTable(law, t);
    const largest = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const compare = (found, wanted) => {
      const scale = largest(wanted);
      found.forEach((value, n) => (worst = Math.max(worst, Math.abs(value - wanted[n]) / scale)));
    };
    const points = data.points[i];
    compare(points.map(([x, y]) => LAW.logDensity(table, x, y)), data.log_density[i]);
    for (const quantity of ["velocity", "score"]) {
      const maps = LAW.QUANTITY_MAPS[quantity](table);
      const out = new Float64Array(2 * points.length);
      points.forEach(([x, y], n) => LAW.average(table, maps, x, y, out, 2 * n));
      compare([...out], data[quantity][i].flat());
    }
  });
  setStateValue("worst", { key: data.key, worst: Number.isFinite(worst) ? worst : -1 });
}
"""

_SCRIPT = law_script() + _CHECK
_MOUNT = st.components.v2.component("fmviz_law_check", js=_SCRIPT)


def law_check(expected: LawValues, *, key: str) -> float | None:
    """The largest difference of any quantity, relative to the largest value of that quantity at the same time.

    None until the browser has answered; infinite if something there is no number.

    Args:
        expected: what to compare with.
        key: names the law as well, so that an answer for another one does not count.
    """
    data = {
        "key": key,
        "law": {
            "init": expected.law.init.tolist(),
            "data": expected.law.data.tolist(),
            "schedule": schedule_entry(expected.law.schedule),
            "gamma": float(expected.law.gamma),
        },
        "times": list(expected.times),
        "points": expected.points.tolist(),
        "log_density": expected.log_density.tolist(),
        "velocity": expected.velocity.tolist(),
        "score": expected.score.tolist(),
    }
    result = _MOUNT(key=key, data=data, on_worst_change=lambda: None)
    return _worst(result.get("worst"), key)


def _worst(answer: Any, key: str) -> float | None:
    """What a browser says is never trusted: anything malformed, or for another law, reads as None."""
    if not isinstance(answer, Mapping) or answer.get("key") != key:
        return None
    worst = answer.get("worst")
    if isinstance(worst, bool) or not isinstance(worst, int | float):
        return None
    return float(worst) if math.isfinite(worst) and worst >= 0 else math.inf
