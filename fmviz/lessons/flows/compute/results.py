"""Clips and numbers of the page Flows, each computed once: pure functions of frozen arguments."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fmviz.app.catalogue import translate
from fmviz.app.choices import State
from fmviz.app.clips import conditional_point, labels
from fmviz.cache import shared
from fmviz.clips.clip import Clip, PlanePanel, Readout, Vectors
from fmviz.clips.extents import extent
from fmviz.clips.paths import Grid, as_array
from fmviz.lessons.flows.compute import clips, evidence
from fmviz.lessons.flows.compute.evidence import Evidence
from fmviz.lessons.flows.settings import STARTS, FlowName, Settings
from fmviz.scene import Scene, scenes
from fmviz.scene.views import Language, MethodName
from fmviz.stage.payload import View, encode
from fmviz.theory.convergence import COUNTS, Convergence, convergence
from fmviz.theory.flows import Field, Marginal, analytic

__all__ = ["ARROWS", "Checks", "Chosen", "checks", "chosen", "errors", "payload", "starts", "warm_up"]

MARGINAL_COUNTS = COUNTS[:-1]
"""Step counts for the marginal field, whose every step costs more than those of the others."""
ARROWS = 16
"""Arrows a side, few enough that trajectories stand out among them."""
Point = tuple[float, float]


def warm_up(view: View) -> None:
    """The default clip, and that of the scene's field: importing what integrates it takes a second."""
    for state in (State(), State(flows=Settings(field="marginal"))):
        payload(state, view)


def payload(now: State, view: View) -> bytes:
    """The stage: the field with its trajectories, and the panel beside it."""
    own = now.flows
    scene = scenes.learned_part(now.scene)
    z = conditional_point(now.scene, now.path.z) if own.beside == "conditional" else None
    return _payload(
        chosen(now).build(), _grid(now), own.solvers, own.steps, own.starts, scene, z, view, now.shell.language
    )


@dataclass(frozen=True)
class Chosen:
    """The field of the page and where its exact flow is tested: all that its numbers depend on.

    Attributes:
        field: a name of the settings.
        rate: the parameter of a field in closed form, None for that of the scene.
        scene: of the marginal field, None for the others.
    """

    field: FlowName
    rate: float | None
    scene: Scene | None

    def build(self) -> Field:
        """The field."""
        if self.field == "marginal":
            return _marginal(self.scene or Scene())
        return analytic(self.field, self.rate or 0.0)


def chosen(now: State) -> Chosen:
    """The field of the page."""
    if now.flows.field == "marginal":
        return Chosen("marginal", None, scenes.learned_part(now.scene))
    return Chosen(now.flows.field, now.flows.chosen_rate, None)


def starts(now: State) -> tuple[Point, ...]:
    """The points whose errors are measured: those on stage, the default ones where there are none."""
    return now.flows.starts or STARTS


@shared
def errors(of: Chosen, starts: tuple[Point, ...]) -> tuple[Convergence, ...]:
    """The error of every solver against its number of steps."""
    counts = MARGINAL_COUNTS if of.field == "marginal" else COUNTS
    with torch.inference_mode():
        return convergence(of.build(), _points(starts), counts=counts)


@dataclass(frozen=True)
class Checks:
    """What proves the exact flow, and the solvers."""

    evidence: Evidence
    orders: tuple[Convergence, ...]


@shared
def checks(of: Chosen, starts: tuple[Point, ...]) -> Checks:
    """All that is measured for "Check it"."""
    scene = of.scene
    grid = Grid(clips.EXTENT if scene is None else extent(scene), arrows=ARROWS)
    return Checks(evidence.evidence(of.build(), grid), errors(of, starts))


@shared
def _marginal(scene: Scene) -> Marginal:
    return Marginal(scenes.path(scene).to(torch.float64))


def _grid(now: State) -> Grid:
    return Grid(extent(now.scene) if now.flows.field == "marginal" else clips.EXTENT, arrows=ARROWS)


def _points(starts: tuple[Point, ...]) -> Tensor:
    return torch.tensor(starts, dtype=torch.float64).reshape(-1, 2)


@shared
def _payload(
    field: Field,
    grid: Grid,
    solvers: tuple[MethodName, ...],
    steps: int,
    starts: tuple[Point, ...],
    scene: Scene,
    z: Point | None,
    view: View,
    language: Language,
) -> bytes:
    found = clips.trajectories(field, _exact(field, starts, grid), solvers, steps)
    first = replace(
        clips.field_panel(_arrows(field, grid), found, grid), title=translate(language, "flows.field_title", n=steps)
    )
    readouts = [replace(r, label=translate(language, f"solver.{r.label}")) for r in clips.error_readouts(found, grid)]
    if z is None:
        second = replace(_mesh(field, grid), title=translate(language, "flows.mesh_title"))
    else:
        conditional, bound = _conditional(scene, z, starts)
        second = replace(conditional, title=translate(language, "flows.conditional_title"))
        readouts.append(bound)
    return encode(Clip(as_array(grid.times()), (first, second), tuple(readouts)), labels(language), view)


@shared
def _exact(field: Field, starts: tuple[Point, ...], grid: Grid) -> Tensor:
    return clips.exact_trajectories(field, _points(starts), grid)


@shared
def _arrows(field: Field, grid: Grid) -> Vectors:
    return clips.arrows(field, grid)


@shared
def _mesh(field: Field, grid: Grid) -> PlanePanel:
    return clips.mesh_panel(field, grid)


@shared
def _conditional(scene: Scene, z: Point, starts: tuple[Point, ...]) -> tuple[PlanePanel, Readout]:
    path, grid = scenes.path(scene), Grid(extent(scene), arrows=ARROWS)
    panel = clips.conditional_panel(path, z, _points(starts).float(), grid)
    return panel, clips.lipschitz_readout(path, grid)
