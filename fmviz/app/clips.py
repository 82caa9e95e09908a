"""Clips and payloads of what a user chose, each computed once.

The panels are kept apart, because dragging z changes the left one only and a click adds little to the right one.
Everything here is a pure function of frozen arguments, so all sessions share the results.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from fmviz.app.i18n import section, translate
from fmviz.clips import paths
from fmviz.clips.clip import Clip, Floats, Particles, PlanePanel, Readout
from fmviz.clips.paths import Grid, Starts
from fmviz.lessons.paths.compute import spacetime
from fmviz.scene import Scene, scenes
from fmviz.scene.views import Language
from fmviz.stage.payload import Labels, View, encode

__all__ = ["conditional_point", "curves", "labels", "marginal_payload", "paths_payload", "space_time", "trajectory"]

Point = tuple[float, float]
Event = tuple[float, float, float]


DRAFT_CELLS = 48
"""Of a density that is only looked at for a moment: half as fine as usual both ways."""


def _grid(scene: Scene, *, draft: bool = False) -> Grid:
    grid = Grid(scenes.extent(scene))
    return replace(grid, cells=DRAFT_CELLS) if draft else grid


def _starts(scene: Scene) -> Starts:
    return Starts(scene.count, scene.seed_start, scene.seed_noise)


@lru_cache(maxsize=12)
def _marginal_figures(scene: Scene) -> PlanePanel:
    return paths.marginal_figures(scenes.path(scene), scenes.sigma(scene), _grid(scene), _starts(scene))


@lru_cache(maxsize=12)
def _marginal(scene: Scene, *, draft: bool = False) -> PlanePanel:
    density = paths.marginal_density(scenes.path(scene), _grid(scene, draft=draft))
    return paths.on_ground(density, _marginal_figures(scene))


@lru_cache(maxsize=12)
def _conditional_figures(scene: Scene, z: Point) -> PlanePanel:
    return paths.conditional_figures(scenes.path(scene), scenes.sigma(scene), z, _grid(scene), _starts(scene))


@lru_cache(maxsize=12)
def _conditional(scene: Scene, z: Point, *, draft: bool = False) -> PlanePanel:
    density = paths.conditional_density(scenes.path(scene), z, _grid(scene, draft=draft))
    return paths.on_ground(density, _conditional_figures(scene, z))


def conditional_point(scene: Scene, z: Point | None) -> Point:
    """The z of the conditional panel: the chosen one, or the mean of the first component."""
    if z is not None:
        return z
    first = scenes.components(scene, "data")[0]
    return (first.x, first.y)


@lru_cache(maxsize=12)
def paths_payload(
    scene: Scene, z: Point, click: Event | None, view: View, language: Language, *, draft: bool = False
) -> bytes:
    """The stage of the page on probability paths: conditional, marginal, posterior. A `draft` has coarser densities."""
    path, grid = scenes.path(scene), _grid(scene)
    marginal, conditional = _marginal(scene, draft=draft), _conditional(scene, z, draft=draft)
    if click is not None:
        marginal = replace(marginal, layers=(*marginal.layers, *paths.click_layers(path, click, grid)))
    panels = (
        replace(conditional, title=translate(language, "paths.conditional")),
        replace(marginal, title=translate(language, "paths.marginal")),
        replace(
            paths.posterior_panel(path, click, grid),
            title=translate(language, "paths.posterior"),
            hint=translate(language, "paths.posterior_hint"),
        ),
    )
    clip = Clip(paths.as_array(grid.times()), panels, paths.readouts(path, scenes.sigma(scene), grid))
    return encode(clip, labels(language), view)


@lru_cache(maxsize=12)
def marginal_payload(scene: Scene, view: View, language: Language, *, draft: bool = False) -> bytes:
    """The stage of the start page: the marginal path alone. A `draft` has a coarser density."""
    panel = replace(_marginal(scene, draft=draft), title=translate(language, "paths.marginal"), clickable=False)
    grid = _grid(scene)
    clip = Clip(paths.as_array(grid.times()), (panel,), paths.readouts(scenes.path(scene), scenes.sigma(scene), grid))
    return encode(clip, labels(language), view)


@lru_cache(maxsize=12)
def space_time(scene: Scene, axis: int) -> spacetime.SpaceTime:
    """The space-time view of `scene` along one coordinate."""
    particles = next(
        layer for layer in _marginal_figures(scene).layers if isinstance(layer, Particles) and layer.name == "ode"
    )
    return spacetime.space_time(scenes.path(scene), axis, _grid(scene), particles.positions)


@lru_cache(maxsize=12)
def trajectory(scene: Scene, click: Event | None, axis: int) -> Floats | None:
    """One coordinate (T,) of the trajectory through the clicked point."""
    if click is None:
        return None
    return paths.as_array(paths.trajectory_through(scenes.path(scene), click, _grid(scene))[0][:, axis])


@lru_cache(maxsize=64)
def curves(scene: Scene) -> tuple[Floats, tuple[Readout, ...]]:
    """The times, and alpha_t, beta_t and sigma_t at them."""
    grid = _grid(scene)
    return paths.as_array(grid.times()), paths.readouts(scenes.path(scene), scenes.sigma(scene), grid)


@lru_cache(maxsize=4)
def labels(language: Language) -> Labels:
    """Every text of the stage."""
    return Labels.from_mapping(section(language, "stage"), section(language, "layer"))
