"""Clips and numbers of the page Guidance, each computed once for all sessions.

The panels are kept apart: a change of the weights leaves the outer ones as they are, a new scale the left one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from fmviz.app.catalogue import translate
from fmviz.app.choices import State
from fmviz.app.clips import Event, labels, starts_of
from fmviz.cache import shared
from fmviz.clips import paths
from fmviz.clips.clip import Clip, PlanePanel
from fmviz.clips.extents import extent
from fmviz.clips.laws import law_of
from fmviz.clips.paths import Grid
from fmviz.lessons.guidance.compute import clips, evidence, interval
from fmviz.lessons.guidance.compute.clips import Way
from fmviz.lessons.guidance.compute.interval import IntervalPlan
from fmviz.lessons.guidance.compute.learned import Comparison, Networks, compare
from fmviz.lessons.guidance.settings import Settings
from fmviz.scene import Scene, scenes
from fmviz.scene.views import Language
from fmviz.stage.payload import View, encode
from fmviz.theory.guidance import Guidance, WeightedRun

__all__ = [
    "Chosen",
    "checks",
    "chosen",
    "compared",
    "comparison",
    "grid_of",
    "guidance",
    "interval_cell",
    "interval_floor",
    "label_of",
    "moments",
    "over_scale",
    "payload",
    "plain",
    "run",
    "scheduler_gap",
    "seen_by",
    "way_of",
]

ARROWS = 16
COMPARED = (1.5, 2.0, 4.0)
"""Scales whose effective sample size is drawn beside the chosen one."""


@dataclass(frozen=True)
class Chosen:
    """Which guidance: label, scale and interval."""

    label: int
    scale: float
    interval: tuple[float, float] = (0.0, 1.0)


def label_of(scene: Scene, view: Settings) -> int:
    """The label that is shown: the chosen one if a component has it, else the first."""
    classes = scenes.mixture(scene, "data").classes
    return view.label if view.label in classes else classes[0]


def chosen(scene: Scene, view: Settings) -> Chosen:
    """The guidance that the page shows."""
    return Chosen(label_of(scene, view), view.scale, view.interval)


def way_of(view: Settings) -> Way:
    """How its particles move."""
    return Way(view.kind == "sde", view.weights == "resampled")


@shared
def guidance(scene: Scene, which: Chosen) -> Guidance:
    """The exact guidance of a scene."""
    return Guidance(scenes.path(scene), which.label, which.scale, which.interval)


def grid_of(scene: Scene) -> Grid:
    """Three panels beside one another: fewer arrows in each."""
    return Grid(extent(scene), arrows=ARROWS)


def run(scene: Scene, which: Chosen, way: Way) -> WeightedRun:
    """The guided particles with their weights."""
    return _run(seen_by(way, scene), which, way)


def seen_by(way: Way, scene: Scene) -> Scene:
    """What particles see of a scene: the ODE sees no sigma_t."""
    return scene if way.stochastic else scenes.without_sigma(scene)


@shared
def _run(scene: Scene, which: Chosen, way: Way) -> WeightedRun:
    return clips.run(guidance(scene, which), way, scenes.sigma(scene), grid_of(scene), starts_of(scene))


@shared
def _conditional(scene: Scene, label: int) -> PlanePanel:
    return clips.conditional_panel(guidance(scene, Chosen(label, 1.0)), grid_of(scene), starts_of(scene))


@shared
def _tilted(scene: Scene, label: int, scale: float) -> PlanePanel:
    return clips.tilted_panel(guidance(scene, Chosen(label, scale)), grid_of(scene), starts_of(scene))


def payload(now: State, view: View) -> bytes:
    """The stage: the path to the label, the guided particles, the tilted distribution."""
    picked = now.guidance
    which = chosen(now.scene, picked)
    return _payload(
        now.scene,
        which,
        way_of(picked),
        picked.weights != "off",
        picked.ground,
        picked.click,
        view,
        now.shell.language,
    )


@shared
def _payload(
    scene: Scene,
    which: Chosen,
    way: Way,
    weighted: bool,
    ground: str,
    click: Event | None,
    view: View,
    language: Language,
) -> bytes:
    still = scenes.without_sigma(scene)
    grid, found = grid_of(scene), guidance(scenes.learned_part(scene), which)
    guided = clips.guided_panel(found, run(scene, which, way), way, grid, weighted=weighted, ground=ground)
    if click is not None:
        guided = replace(guided, layers=(*guided.layers, *clips.trajectory(found, click, grid)))
    panels = (
        replace(
            _conditional(still, which.label), title=translate(language, "guidance.conditional_title", y=which.label)
        ),
        replace(guided, title=translate(language, "guidance.guided_title", w=f"{which.scale:g}")),
        replace(
            _tilted(still, which.label, which.scale),
            title=translate(
                language,
                "guidance.tilted_title" if which.scale >= 0.0 else "guidance.tilted_title_none",
                w=f"{which.scale:g}",
            ),
        ),
    )
    readouts = paths.readouts(found.path, scenes.sigma(scene), grid)
    law = law_of(found.path, follows=True, guidance=found, slider="guidance-scale")
    return encode(Clip(paths.as_array(grid.times()), panels, readouts, law=law), labels(language), view)


@shared
def compared(
    scene: Scene, label: int, interval: tuple[float, float], way: Way
) -> tuple[tuple[float, tuple[float, ...], tuple[float, ...]], ...]:
    """For each scale of `COMPARED`: the scale, times, and effective sample sizes over the number of particles."""
    found = []
    for scale in COMPARED:
        other = run(scene, Chosen(label, scale, interval), plain(way))
        share = (other.effective / scene.count).nan_to_num(0.0)
        found.append((scale, tuple(other.times.tolist()), tuple(share.tolist())))
    return tuple(found)


@shared
def over_scale(scene: Scene, label: int, interval: tuple[float, float]) -> evidence.OverScale:
    """What guidance does to its end points, over the scale."""
    return evidence.over_scale(scenes.path(scene), label, interval)


@shared
def checks(scene: Scene, which: Chosen) -> evidence.Checks:
    """The identities of guidance."""
    return evidence.checks(guidance(scene, which))


@shared
def moments(scene: Scene, which: Chosen) -> evidence.Moments:
    """The moments that prove the weights. Raises ParameterError where the tilted distribution has no exact draws."""
    return evidence.moments(guidance(scene, which))


@shared
def scheduler_gap(scene: Scene, which: Chosen) -> float:
    """How far the end points move with another scheduler."""
    return evidence.scheduler_gap(guidance(scene, which))


@shared
def comparison(scene: Scene, which: Chosen, networks: Networks) -> Comparison:
    """Exact and learned guidance beside one another."""
    return compare(guidance(scene, which), networks)


@shared
def interval_cell(scene: Scene, plan: IntervalPlan, low: int, high: int) -> float:
    """One cell of the map of guidance on intervals."""
    return interval.cell(scenes.path(scene), plan, low, high)


@shared
def interval_floor(scene: Scene, label: int) -> float:
    """The distance of two exact samples of p(. | y)."""
    return interval.floor(scenes.path(scene), label)


def plain(way: Way) -> Way:
    """The same dynamics without resampling."""
    return Way(way.stochastic)
