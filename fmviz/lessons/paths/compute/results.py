"""Clips and numbers of the page on probability paths, each computed once for all sessions.

The panels are kept apart, because dragging z changes the left one only and a click adds little to the right one.
"""

from __future__ import annotations

from dataclasses import replace

from fmviz.app.catalogue import translate
from fmviz.app.clips import Event, Point, costly, grid_of, labels, marginal_panel, starts_of
from fmviz.cache import shared
from fmviz.clips import paths
from fmviz.clips.clip import Clip, Floats, LawParticles, PlanePanel
from fmviz.clips.laws import law_of
from fmviz.clips.paths import Sent
from fmviz.lessons.paths.compute import evidence, spacetime
from fmviz.lessons.paths.compute.evidence import Checks
from fmviz.scene import Scene, scenes
from fmviz.scene.views import Language
from fmviz.stage.payload import View, encode

__all__ = ["checks", "payload", "space_time", "trajectory"]


@shared
def _conditional_panel(scene: Scene, z: Point, sent: Sent) -> PlanePanel:
    return paths.conditional_panel(scenes.path(scene), scenes.sigma(scene), z, grid_of(scene), starts_of(scene), sent)


@shared
def payload(
    scene: Scene,
    z: Point,
    click: Event | None,
    view: View,
    language: Language,
    sent: Sent = frozenset(),
    *,
    draft: bool = False,
) -> bytes:
    """The stage of the page: conditional, marginal, posterior, with those of the simulated layers that are `sent`; a `draft` may do without trajectories."""
    path, grid = scenes.path(scene), grid_of(scene)
    marginal = marginal_panel(scene, sent, draft=draft and costly(scene))
    conditional = _conditional_panel(scene, z, sent)
    if click is not None:
        marginal = replace(marginal, layers=(*marginal.layers, *paths.click_layers(path, click, grid)))
    panels = (
        replace(conditional, title=translate(language, "paths.conditional")),
        replace(marginal, title=translate(language, "paths.marginal")),
        replace(
            paths.posterior_panel(path, click),
            title=translate(language, "paths.posterior"),
            hint=translate(language, "paths.posterior_hint"),
        ),
    )
    readouts = paths.readouts(path, scenes.sigma(scene), grid)
    clip = Clip(paths.as_array(grid.times()), panels, readouts, law=law_of(path, z, follows=True))
    return encode(clip, labels(language), view)


@shared
def space_time(scene: Scene, axis: int) -> spacetime.SpaceTime:
    """The space-time view of `scene` along one coordinate."""
    particles = next(
        layer.positions
        for layer in marginal_panel(scene, frozenset()).layers
        if isinstance(layer, LawParticles) and layer.positions is not None
    )
    return spacetime.space_time(scenes.path(scene), axis, grid_of(scene), particles)


@shared
def trajectory(scene: Scene, click: Event | None, axis: int) -> Floats | None:
    """One coordinate (T,) of the trajectory through the clicked point."""
    if click is None:
        return None
    return paths.as_array(paths.trajectory_through(scenes.path(scene), click, grid_of(scene))[0][:, axis])


@shared
def checks(scene: Scene) -> Checks:
    """What proves the picture."""
    return evidence.checks(scenes.path(scene), scenes.sigma(scene), starts_of(scene))
