"""Clips, samples and numbers of the page Sample, each computed once.

Pure functions of frozen arguments: what a sampler does depends on the scene, the sampler and the network alone, so a
change of language, layers or theme computes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from fmviz.app.catalogue import translate
from fmviz.app.choices import State
from fmviz.app.clips import labels
from fmviz.app.network import Learned
from fmviz.cache import shared
from fmviz.clips import paths
from fmviz.clips.clip import Clip, PlanePanel
from fmviz.clips.extents import extent
from fmviz.clips.laws import law_of
from fmviz.clips.paths import Grid, Starts
from fmviz.lessons.sample.compute import clips, error_map, evidence, samples
from fmviz.lessons.sample.compute.clips import Dynamics, Ground, Runs, Sampler
from fmviz.lessons.sample.compute.error_map import ErrorMapSpec
from fmviz.lessons.sample.compute.evidence import Checks
from fmviz.lessons.sample.compute.samples import Distances, Floor
from fmviz.lessons.sample.settings import Settings
from fmviz.scene import Scene, scenes
from fmviz.scene.views import Language
from fmviz.stage.payload import View, encode
from fmviz.theory.likelihood import FlowLikelihood

__all__ = [
    "Measured",
    "checks",
    "distances",
    "ends",
    "exact_cell",
    "fields",
    "learned_cell",
    "likelihood",
    "noise_floor",
    "payload",
    "sampler",
]

CELLS = 72
Event = tuple[float, float, float]


def sampler(view: Settings) -> Sampler:
    """The sampler that was chosen."""
    return Sampler(view.method, view.steps, view.sde_steps, view.grid)


def fields(view: Settings, learned: Learned | None) -> tuple[Learned | None, ...]:
    """The fields to show, None standing for the exact one."""
    if learned is None or view.field == "exact":
        return (None,)
    return (learned,) if view.field == "learned" else (None, learned)


def payload(now: State, learned: Learned | None, view: View) -> bytes:
    """The stage: a panel for each field."""
    chosen = now.sample
    return _payload(now.scene, sampler(chosen), fields(chosen, learned), chosen.click, view, now.shell.language)


@shared
def _payload(
    scene: Scene,
    how: Sampler,
    shown: tuple[Learned | None, ...],
    click: Event | None,
    view: View,
    language: Language,
) -> bytes:
    grid = _grid(scene)
    panels = tuple(_clicked(scene, how, learned, click, language) for learned in shown)
    path = scenes.path(scene)
    readouts = paths.readouts(path, scenes.sigma(scene), grid)
    clip = Clip(paths.as_array(grid.times()), panels, readouts, law=law_of(path, follows=True))
    return encode(clip, labels(language), view)


def _clicked(
    scene: Scene, how: Sampler, learned: Learned | None, click: Event | None, language: Language
) -> PlanePanel:
    panel = _panel(scene, how, learned)
    if click is not None:
        followed = likelihood(scene, how, learned, click)
        layers = clips.likelihood_layers(_dynamics(scene, learned), followed, _grid(scene))
        panel = replace(panel, layers=(*panel.layers, *layers))
    title = translate(language, "sample.exact_title")
    if learned is not None:
        title = translate(language, "sample.learned_title", step=learned.step)
    return replace(panel, title=title)


def _grid(scene: Scene) -> Grid:
    return Grid(extent(scene), cells=CELLS)


def _dynamics(scene: Scene, learned: Learned | None) -> Dynamics:
    sigma = scenes.sigma(scene)
    if learned is None:
        return clips.exact_dynamics(scenes.path(scene), sigma)
    return clips.learned_dynamics(learned.model, sigma)


@shared
def _ground(scene: Scene) -> Ground:
    return clips.ground(scenes.path(scene), _grid(scene))


@shared
def _runs(scene: Scene, how: Sampler, learned: Learned | None) -> Runs:
    starts = Starts(scene.count, scene.seed_start, scene.seed_noise)
    x0 = starts.points(scenes.path(scene).p_init)
    return clips.run(_dynamics(scene, learned), how, scenes.sigma(scene), x0, starts.noise())


@shared
def _panel(scene: Scene, how: Sampler, learned: Learned | None) -> PlanePanel:
    return clips.panel(_dynamics(scene, learned), _runs(scene, how, learned), _ground(scene), _grid(scene))


@shared
def likelihood(scene: Scene, how: Sampler, learned: Learned | None, click: Event) -> FlowLikelihood:
    """log p along the trajectory through the clicked point."""
    return clips.likelihood(_dynamics(scene, learned), scenes.path(scene), how, click)


def ends(scene: Scene, how: Sampler, learned: Learned | None) -> dict[str, Tensor]:
    """The final samples (N, 2) of "ode" and, where the field has a score, "sde"."""
    runs = _runs(scene, how, learned)
    return {"ode": runs.ode[-1]} if runs.sde is None else {"ode": runs.ode[-1], "sde": runs.sde[-1]}


@dataclass(frozen=True)
class Measured:
    """Distances to the data.

    Attributes:
        of: for each field that was asked for, by sampler ("ode", "sde").
        floor: of exact samples.
    """

    of: tuple[dict[str, Distances], ...]
    floor: Floor


@shared
def distances(scene: Scene, how: Sampler, shown: tuple[Learned | None, ...]) -> Measured:
    """The distances of the final samples of each sampler on the fields `shown`."""
    data = scenes.mixture(scene, "data")
    found = (
        {name: samples.distances(data, end) for name, end in ends(scene, how, learned).items()} for learned in shown
    )
    return Measured(tuple(found), samples.floor(data, scene.count))


@shared
def checks(scene: Scene) -> Checks:
    """What proves the sampler; `scene` as `scenes.learned_part` gives it."""
    return evidence.checks(scenes.path(scene))


@shared
def exact_cell(scene: Scene, plan: ErrorMapSpec, row: int, column: int) -> float:
    """One cell of the error map with the exact field; `scene` as `scenes.learned_part` gives it."""
    return error_map.cell(scenes.path(scene), plan, row, column)


def learned_cell(scene: Scene, plan: ErrorMapSpec, learned: Learned, row: int, column: int) -> float:
    """The same with a network. Not kept for all: nobody else has it."""
    return error_map.cell(scenes.path(scene), plan, row, column, learned.model)


@shared
def noise_floor(scene: Scene, plan: ErrorMapSpec) -> float:
    """The distance of exact samples of the map's size."""
    return error_map.noise_floor(scenes.path(scene), plan)
