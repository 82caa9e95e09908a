"""Maps, clips and numbers of the page Conservation, each computed once.

Maps and particles do not know the box, so moving it computes the box's numbers only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from fmviz.app.catalogue import translate
from fmviz.app.choices import State
from fmviz.app.clips import conditional_point, labels
from fmviz.cache import shared
from fmviz.clips.clip import PlanePanel
from fmviz.clips.extents import extent
from fmviz.clips.laws import law_of
from fmviz.clips.paths import Grid, Starts
from fmviz.lessons.conservation.compute import clips, evidence
from fmviz.lessons.conservation.compute.clips import BoxNumbers, Experiment, Maps
from fmviz.lessons.conservation.compute.evidence import Agreement
from fmviz.lessons.conservation.settings import BreakName, Settings
from fmviz.scene import Scene, scenes
from fmviz.scene.views import Language
from fmviz.stage.payload import View, encode
from fmviz.theory import boxes
from fmviz.theory.conservation import TermFactors

__all__ = ["CELLS", "FRAMES", "Checks", "box_numbers", "checks", "experiment", "maps", "payload", "title"]

FRAMES, CELLS = 41, 56
FEW_FRAMES, LEAST_CELLS = 31, 24
MOST_EVALUATIONS = 6e7
"""Of pairs of components at points and times, for one clip: with more the maps are coarser, so that they come within a second."""
PAIRED_PARTICLES, LEAST_PARTICLES = 250_000, 80
"""Particles times pairs of components; with more pairs fewer particles move, but never fewer than these."""
LAWS: dict[BreakName, TermFactors] = {
    "none": TermFactors(),
    "velocity": TermFactors(velocity=1.1),
    "score": TermFactors(score=0.0),
}
Sides = tuple[float, float, float, float]


def experiment(scene: Scene, view: Settings) -> Experiment:
    """What is put to the test."""
    z = conditional_point(scene, view.z) if view.kind == "conditional" else None
    return Experiment(z, view.law == "fokker_planck", LAWS[view.broken])


def payload(now: State, view: View) -> bytes:
    """The stage: the density with the box, and the maps."""
    chosen = now.conservation
    return _payload(now.scene, experiment(now.scene, chosen), chosen.broken, chosen.box, view, now.shell.language)


@shared
def _payload(scene: Scene, what: Experiment, broken: BreakName, sides: Sides, view: View, language: Language) -> bytes:
    numbers = box_numbers(scene, what, sides)
    clip = clips.clip(
        maps(scene, what),
        _density(scene, what),
        boxes.Box(*sides),
        numbers,
        law_of(scenes.path(scene), what.z or (0.0, 0.0)),
    )
    kind = "marginal" if what.z is None else "conditional"
    titles = [translate(language, f"conservation.map.density_{kind}")] + [
        title(panel.name, broken, language) for panel in clip.panels[1:]
    ]
    panels = tuple(
        replace(panel, title=text, sign=SIGNS.get(panel.name, ""))
        for panel, text in zip(clip.panels, titles, strict=True)
        if isinstance(panel, PlanePanel)
    )
    return encode(replace(clip, panels=panels), labels(language), view)


SIGNS = {"total": "=", "transport": "=", "diffusion": "+", "score_transport": "+"}
"""The maps as an equation: the rate is the right-hand side, which is the sum of its terms."""


def title(name: str, broken: BreakName, language: Language) -> str:
    """What a map is called, under the law that is in force."""
    changed = {("transport", "velocity"): "transport_fast", ("score_transport", "score"): "score_dropped"}
    return translate(language, f"conservation.map.{changed.get((name, broken), name)}")


@shared
def maps(scene: Scene, what: Experiment) -> Maps:
    """All maps of the experiment."""
    return clips.maps(_solution(scene, replace(what, law=TermFactors())), what)


@shared
def _solution(scene: Scene, what: Experiment) -> clips.Solution:
    """For the true law; a broken one changes two factors."""
    return clips.solution(scenes.path(scene), scenes.sigma(scene), what, _grid(scene))


@shared
def _density(scene: Scene, what: Experiment) -> PlanePanel:
    count = min(scene.count, max(LEAST_PARTICLES, PAIRED_PARTICLES // scenes.path(scene).n_pairs))
    starts = Starts(count, scene.seed_start, scene.seed_noise)
    return clips.density_panel(scenes.path(scene), scenes.sigma(scene), maps(scene, what), starts)


@shared
def box_numbers(scene: Scene, what: Experiment, sides: Sides) -> BoxNumbers:
    """The box at the frames of the clip."""
    times = _grid(scene).times()
    return clips.box_numbers(scenes.path(scene), scenes.sigma(scene), what, boxes.Box(*sides), times)


def _grid(scene: Scene) -> Grid:
    pairs = scenes.path(scene).n_pairs
    if FRAMES * CELLS**2 * pairs <= MOST_EVALUATIONS:
        return Grid(extent(scene), frames=FRAMES, cells=CELLS)
    cells = int((MOST_EVALUATIONS / (FEW_FRAMES * pairs)) ** 0.5)
    return Grid(extent(scene), frames=FEW_FRAMES, cells=min(CELLS, max(LEAST_CELLS, cells)))


@dataclass(frozen=True)
class Checks:
    """What proves the maps.

    Attributes:
        residuals, mismatches: the worst residual of the maps and of the box, under the true law and under the chosen one.
        agreement: of the terms with automatic differentiation.
    """

    residuals: tuple[float, float]
    mismatches: tuple[float, float]
    agreement: Agreement


@shared
def checks(scene: Scene, chosen: Experiment, sides: Sides) -> Checks:
    """The true law and the chosen one beside it, and the terms against automatic differentiation."""
    true = replace(chosen, law=TermFactors())
    return Checks(
        (maps(scene, true).worst, maps(scene, chosen).worst),
        (box_numbers(scene, true, sides).mismatch, box_numbers(scene, chosen, sides).mismatch),
        evidence.agreement(scenes.path(scene), scenes.sigma(scene)),
    )
