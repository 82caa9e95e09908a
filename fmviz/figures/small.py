"""The small pictures by which mixtures, schedulers and paths show themselves in a notebook, on a light and on a dark ground.

They need torch and NumPy alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import torch

from fmviz.figures import panels
from fmviz.figures.marks import Clip, Ink, Line, Mark, Words
from fmviz.figures.panels import Panel
from fmviz.figures.svg import write_svg
from fmviz.theory.mixture import GaussianMixture
from fmviz.theory.path import ProbabilityPath
from fmviz.theory.schedulers import Scheduler

__all__ = ["html"]

SIDE = 30.0
"""Of a square, in millimetres."""
GAP = 2.0
CELLS = 48
AREAS = 6
TIMES = (0.0, 0.25, 0.5, 0.75, 1.0)
CURVE = 101
CURVE_SIZE = (44.0, 26.0)
MOST_COMPONENTS = 256
"""Beyond so many pairs of components a path is shown by its two mixtures alone."""


@torch.no_grad()
def html(thing: object) -> str | None:
    """A picture and the line of text under it; None for what has no picture."""
    match thing:
        case GaussianMixture():
            svg = _densities([thing], [""], str(thing))
        case ProbabilityPath():
            times = TIMES if thing.n_pairs <= MOST_COMPONENTS else TIMES[::4]
            laws = [thing.marginal(t) for t in times] if len(times) > 2 else [thing.p_init, thing.p_data]
            svg = _densities(laws, [f"t = {t:g}" for t in times], str(thing))
        case Scheduler():
            svg = _curves(thing)
        case _:
            return None
    return f'<figure style="margin:0">{svg}<figcaption><code>{escape(str(thing))}</code></figcaption></figure>'


def _densities(laws: Sequence[GaussianMixture], titles: Sequence[str], description: str) -> str:
    """The laws side by side, with one scale of colours."""
    here = [law.to("cpu").to(torch.float64) for law in laws]
    reach = max(
        float((law.means.abs() + 2.5 * law.covariances.diagonal(dim1=-2, dim2=-1).sqrt()).max()) for law in here
    )
    title = panels.TITLE if any(titles) else 0.3
    places = [Panel((-reach, reach, -reach, reach), 0.3 + i * (SIDE + GAP), title, SIDE) for i in range(len(here))]
    values = [law.log_density(panel.grid(CELLS)).exp() for law, panel in zip(here, places, strict=True)]
    top = max(float(v.max()) for v in values)
    width, height = len(here) * (SIDE + GAP) - GAP + 0.6, title + SIDE + 0.3
    marks: list[Mark] = [panels.ground(0.0, 0.0, width, height)]
    for panel, value, name in zip(places, values, titles, strict=True):
        marks.append(Clip(panel.box, panels.density(panel, value, top, AREAS, CELLS)))
        marks += panels.edge(panel, name)
    return write_svg(marks, width, height, description, both_themes=True)


def _curves(scheduler: Scheduler) -> str:
    """alpha and beta over time."""
    t = torch.linspace(0.0, 1.0, CURVE, dtype=torch.float64)
    width, height = CURVE_SIZE
    left, right, upper, lower = 2.0, width - 6.0, 2.0, height - 2.0
    v = scheduler.evaluate(t)
    axes = np.array([[left, upper], [left, lower], [right, lower]])
    marks: list[Mark] = [panels.ground(0.0, 0.0, width, height), Line([axes], Ink("init"), panels.LINE)]
    for name, role, values, dashes, at in (("α", "data", v.alpha, (), 0), ("β", "init", v.beta, (1.6, 1.0), 1)):
        x, y = left + t.numpy() * (right - left), lower - values.numpy() * (lower - upper)
        marks.append(Line([np.stack((x, y), axis=1)], Ink(role), 0.5, dashes))
        marks.append(Words(name, right + 1.2, (upper + 2.2) if at == 0 else lower - 0.2, 3.4, Ink(role)))
    return write_svg(marks, width, height, str(scheduler), both_themes=True)
