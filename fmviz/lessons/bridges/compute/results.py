"""The stage of the page Bridges: two panels on one clock.

What the player evaluates itself moves at once; flows of coupled pairs come from a helper process, and a panel whose flow is not
there yet shows what it has.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fmviz.app.catalogue import number, translate
from fmviz.app.choices import State
from fmviz.app.clips import labels
from fmviz.cache import shared
from fmviz.clips import paths
from fmviz.clips.clip import Clip, Density, LawDensity, LawParticles, Layer, Lines, Markers, Particles, PlanePanel
from fmviz.clips.extents import extent
from fmviz.clips.laws import law_of
from fmviz.clips.paths import Grid, Starts
from fmviz.clips.scales import density_top
from fmviz.lessons.bridges.compute.fields import Side, bridge
from fmviz.lessons.bridges.compute.flows import Flow
from fmviz.lessons.bridges.settings import Settings
from fmviz.scene import Scene, scenes
from fmviz.scene.views import Language
from fmviz.stage.payload import View, encode

__all__ = ["payload", "plain", "sides"]

TRAIL = 60
"""Trails of the whole way."""


def plain(scene: Scene) -> Scene:
    """`scene` without what no bridge depends on: the scheduler, sigma_t and the seed of the network."""
    default = Scene()
    unused = ("scheduler", "exponent", "alpha", "beta", "sigma", "amplitude", "seed_noise", "seed_network")
    return scene.model_copy(update={name: getattr(default, name) for name in unused})


def sides(view: Settings) -> tuple[Side, Side]:
    """What the two panels show; what has no part in a coupling is at its default."""
    return _side(view, view.a), _side(view, view.b)


def _side(view: Settings, coupling: str) -> Side:
    side, default = Side(coupling, gamma=view.gamma), Side()
    return Side(
        coupling,
        view.batch if coupling in ("exact", "sinkhorn") else default.batch,
        view.regularisation if coupling == "sinkhorn" else default.regularisation,
        side.gamma,
        view.fault if side.rounds else default.fault,
    )


def payload(now: State, flows: Sequence[Flow | None], view: View) -> bytes:
    """The stage.

    Args:
        now: the state.
        flows: of both panels, None where it is being computed.
        view: how the stage is first shown.
    """
    return _payload(plain(now.scene), sides(now.bridges), _Flows(tuple(flows)), view, now.shell.language)


class _Flows:
    """Flows as an argument that is found again: the same objects, or none."""

    def __init__(self, flows: tuple[Flow | None, ...]) -> None:
        self.flows = flows

    def __hash__(self) -> int:
        return hash(tuple(map(id, self.flows)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Flows) and all(a is b for a, b in zip(self.flows, other.flows, strict=True))


@shared
def _payload(scene: Scene, which: tuple[Side, Side], flows: _Flows, view: View, language: Language) -> bytes:
    path = bridge(scene, which[0].gamma)
    grid = Grid(extent(scene))
    panels = tuple(
        _panel(name, scene, side, flow, language)
        for name, side, flow in zip(("a", "b"), which, flows.flows, strict=True)
    )
    clip = Clip(paths.as_array(grid.times()), panels, law=law_of(path, follows=True))
    return encode(clip, labels(language), view)


def _panel(name: str, scene: Scene, side: Side, flow: Flow | None, language: Language) -> PlanePanel:
    title = translate(language, f"bridges.couplings.{side.coupling}")
    if side.coupling in ("exact", "sinkhorn"):
        title = translate(language, "bridges.of_batch", name=title, n=side.batch)
    if flow is None:
        title = translate(language, "bridges.coming", name=title)
    else:
        title = translate(language, "bridges.costs", name=title, cost=number(flow.pair_cost.value))
    return PlanePanel(name, f"{name.upper()} · {title}", extent(scene), _layers(scene, side, flow))


def _layers(scene: Scene, side: Side, flow: Flow | None) -> tuple[Layer, ...]:
    path = bridge(scene, side.gamma)
    grid = Grid(extent(scene))
    layers: list[Layer] = []
    if side.coupling == "independent":
        layers.append(LawDensity("density", "marginal", density_top(path, grid.frames)))
    elif flow is not None and flow.log_density is not None:
        layers.append(Density("density", flow.log_density, float(np.quantile(flow.log_density.max(axis=(1, 2)), 0.9))))
    if flow is not None:
        lines = tuple(np.stack(ends) for ends in zip(flow.starts, flow.ends, strict=True))
        layers += [
            Lines("pairs", "init", lines, opacity=0.35),
            Markers("crossings", "score", flow.crossed, shape="cross"),
        ]
    x0 = paths.as_array(Starts(scene.count, scene.seed_start).points(scenes.mixture(scene, "init")))
    if side.coupling == "independent":
        positions = None if flow is None else flow.positions
        layers.append(LawParticles("ode", "ode", x0, "flow", positions=positions, trail=TRAIL, trail_name="ode_trails"))
    elif flow is not None:
        layers.append(Particles("ode", "ode", flow.positions, TRAIL, "ode_trails"))
    return (*layers, paths.ellipses(path.p_data))
