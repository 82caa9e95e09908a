"""What the clips of several lessons are made of, each computed once.

Everything here is a pure function of frozen arguments, so all sessions share the results.
"""

from __future__ import annotations

from functools import lru_cache

from fmviz.app.catalogue import section, translate
from fmviz.cache import shared
from fmviz.clips import paths
from fmviz.clips.clip import Floats, PlanePanel, Readout
from fmviz.clips.extents import extent
from fmviz.clips.laws import labelled_rows, schedule_of
from fmviz.clips.paths import Grid, Sent, Starts
from fmviz.scene import Scene, scenes
from fmviz.scene.views import Language
from fmviz.stage.payload import Labels
from fmviz.stage.standalone import Choices
from fmviz.theory import presets, schedulers

__all__ = [
    "Event",
    "Point",
    "choices",
    "conditional_point",
    "costly",
    "curves",
    "grid_of",
    "labels",
    "marginal_panel",
    "starts_of",
]

MANY_PAIRS = 256
Point = tuple[float, float]
Event = tuple[float, float, float]


def grid_of(scene: Scene) -> Grid:
    """Times and grids of a picture of `scene`."""
    return Grid(extent(scene))


def starts_of(scene: Scene) -> Starts:
    """How many particles there are, and their seeds."""
    return Starts(scene.count, scene.seed_start, scene.seed_noise)


@shared
def marginal_panel(scene: Scene, sent: Sent, *, draft: bool = False) -> PlanePanel:
    """The marginal path, with those of its simulated layers that are `sent`, in a `draft` without the trajectories of the ODE."""
    return paths.marginal_panel(
        scenes.path(scene), scenes.sigma(scene), grid_of(scene), starts_of(scene), sent, draft=draft
    )


def costly(scene: Scene) -> bool:
    """Whether the trajectories of a scene take so long that its picture had better come before them."""
    return scenes.path(scene).n_pairs > MANY_PAIRS


def conditional_point(scene: Scene, z: Point | None) -> Point:
    """The z of the conditional panel: the chosen one, or the mean of the first component."""
    if z is not None:
        return z
    first = scenes.components(scene, "data")[0]
    return (first.x, first.y)


@shared
def curves(scene: Scene) -> tuple[Floats, tuple[Readout, ...]]:
    """The times, and alpha_t, beta_t and sigma_t at them."""
    grid = grid_of(scene)
    return paths.as_array(grid.times()), paths.readouts(scenes.path(scene), scenes.sigma(scene), grid)


@lru_cache(maxsize=4)
def choices(language: Language) -> Choices:
    """Data and schedules to choose from on a page without a server."""
    return Choices(
        data_label=translate(language, "app.choose_data"),
        schedule_label=translate(language, "app.choose_schedule"),
        data={translate(language, f"preset.{name}"): labelled_rows(presets.get(name)) for name in presets.names()},
        schedules={
            translate(language, f"scheduler.{name}"): schedule_of(schedulers.get(name)) for name in schedulers.NAMES
        },
    )


@lru_cache(maxsize=4)
def labels(language: Language) -> Labels:
    """Every text of the stage."""
    return Labels.from_mapping(section(language, "stage"), section(language, "layer"))
