r"""The stage of the page: a small panel for each cell, with particles that follow what its network has learned.

All cells have the same starting points and one clock. Behind the particles lies the exact density, so that each panel says by
itself what is wrong with them; where cells differ in the scheduler, and so in the density at a time, the components of the data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from fmviz.app.clips import labels
from fmviz.cache import shared
from fmviz.clips.clip import Clip, Floats, Law, LawDensity, Layer, Particles, PlanePanel
from fmviz.clips.extents import extent
from fmviz.clips.laws import law_of
from fmviz.clips.paths import Grid, Starts, as_array, ellipses
from fmviz.clips.scales import density_top
from fmviz.learning import LearnedModel
from fmviz.lessons.hyperparameters.compute.plan import CellPlan, Job, Plan
from fmviz.lessons.hyperparameters.compute.running import Result
from fmviz.scene import Scene, scenes
from fmviz.scene.views import Language
from fmviz.stage.payload import View, encode
from fmviz.theory.solvers import solve_ode

__all__ = ["FRAMES", "components", "ground", "panel_name", "particles", "payload"]

ACROSS = 4
"""Panels in a row where one axis is alone."""
FRAMES, PARTICLES, TRAIL, SIZE = 21, 120, 4, 0.8
"""The particles take one step of Heun's method from frame to frame."""


@shared
def ground(scene: Scene) -> tuple[Law, LawDensity]:
    """The exact density of one path."""
    path = scenes.path(scene)
    return law_of(path), LawDensity("density", "marginal", density_top(path, FRAMES))


@shared
@torch.inference_mode()
def particles(scene: Scene, seed: int, model: LearnedModel, count: int = PARTICLES) -> Particles:
    """Particles that the learned velocity moves; what has no place is not drawn."""
    path = scenes.path(scene)
    x0 = Starts(count, seed, 0).points(path.p_init)
    positions, _ = solve_ode(
        model.to("cpu").sampling_velocity, x0, method="heun", times=Grid(extent(scene), FRAMES).times()
    )
    shown: Floats = as_array(torch.where(positions.isfinite(), positions, torch.nan))
    return Particles("learned", "learned", shown, TRAIL, "learned_trails", size=SIZE)


def components(scene: Scene) -> Layer:
    """What stands behind the particles where panels differ in the path: the data, which belong to no time."""
    return replace(ellipses(scenes.mixture(scene, "data")), name="mixture", edit=None)


def panel_name(cell: CellPlan) -> str:
    """What the stage calls the panel of a cell."""
    return f"cell{cell.column}_{cell.row}"


def payload(
    plan: Plan, results: Mapping[Job, Result], titles: Sequence[str], seed: int, view: View, language: Language
) -> bytes:
    """The stage, with one title for each cell. Rows of panels are those of the map, the highest first.

    Args:
        plan: the cells.
        results: of the runs that have begun.
        titles: of the panels, in the order of the plan.
        seed: of the starting points.
        view: how it is first shown.
        language: of the labels.
    """
    first = plan.scenes[0]
    law, density = ground(first)
    alike = len(plan.scenes) == 1
    behind: Layer = density if alike else components(first)
    window = extent(first)
    panels = []
    for cell, title in zip(plan.cells, titles, strict=True):
        result, layers = results.get(cell.jobs[0]), [behind]
        if result is not None and result.model is not None:
            layers.append(particles(cell.jobs[0][0], seed, result.model))
        panels.append(
            (
                -cell.row,
                cell.column,
                PlanePanel(panel_name(cell), title, window, tuple(layers), clickable=True),
            )
        )
    panels.sort(key=lambda placed: placed[:2])
    times = as_array(Grid(window, FRAMES).times())
    clip = Clip(
        times,
        tuple(panel for *_, panel in panels),
        (),
        law=law if alike else None,
        columns=plan.columns if plan.rows > 1 else min(plan.columns, ACROSS),
    )
    return encode(clip, labels(language), view)
