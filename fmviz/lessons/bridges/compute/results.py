"""The stage of the page Bridges: two panels on one clock.

What the player evaluates itself moves at once; flows of coupled pairs come from a helper process, and a panel whose flow is not
there yet shows what it has.
"""

from __future__ import annotations

from dataclasses import dataclass

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
from fmviz.lessons.bridges.compute.flows import Flow, Motion
from fmviz.lessons.bridges.settings import Settings
from fmviz.scene import Scene, scenes
from fmviz.scene.views import Language
from fmviz.stage.payload import View, encode

__all__ = ["Network", "Panel", "drawn_density", "payload", "plain", "sides"]

TRAIL = 60
"""Trails of the whole way."""


@dataclass(frozen=True)
class Network:
    """A network on the stage: training steps done, and those of its run; 0 where none has begun."""

    step: int
    steps: int


@dataclass(frozen=True, eq=False)
class Panel:
    """What one panel shows.

    Attributes:
        side: the coupling.
        flow: its pairs with their exact field; None where they are being computed, or not there yet.
        network: which network moves the particles; None where the exact field does.
        by_network: how, None before it has begun.
    """

    side: Side
    flow: Flow | None
    network: Network | None = None
    by_network: Motion | None = None

    @property
    def motion(self) -> Motion | None:
        """What moves the particles."""
        exact = None if self.flow is None else self.flow.motion
        return exact if self.network is None else self.by_network

    def __hash__(self) -> int:
        return hash((self.side, id(self.flow), self.network, id(self.by_network)))

    def __eq__(self, other: object) -> bool:
        """Whether it shows the same, not an equal, flow."""
        if not isinstance(other, Panel) or (self.side, self.network) != (other.side, other.network):
            return False
        return self.flow is other.flow and self.by_network is other.by_network


def plain(scene: Scene) -> Scene:
    """`scene` without what no bridge depends on: the scheduler, sigma_t and the seed of the network."""
    default = Scene()
    unused = ("scheduler", "exponent", "alpha", "beta", "sigma", "amplitude", "seed_noise", "seed_network")
    return scene.model_copy(update={name: getattr(default, name) for name in unused})


def sides(view: Settings) -> tuple[Side, Side]:
    """What the two panels show; what has no part in a coupling is at its default."""
    return _side(view, view.a, view.gamma), _side(view, view.b, view.gamma if view.gamma_b is None else view.gamma_b)


def _side(view: Settings, coupling: str, gamma: float) -> Side:
    side, default = Side(coupling, gamma=gamma), Side()
    return Side(
        coupling,
        view.batch if coupling in ("exact", "sinkhorn") else default.batch,
        view.regularisation if coupling == "sinkhorn" else default.regularisation,
        side.gamma,
        view.fault if side.rounds else default.fault,
    )


def payload(now: State, panels: tuple[Panel, Panel], view: View) -> bytes:
    """The stage.

    Args:
        now: the state.
        panels: both panels.
        view: how the stage is first shown.
    """
    return _payload(plain(now.scene), panels, view, now.shell.language)


def drawn_density(which: tuple[Side, Side]) -> tuple[bool, bool]:
    """Of which panels with independent pairs the density travels as frames: the law of the clip has the noise of one of them."""
    gamma = _law_gamma(which)
    first, second = (side.coupling == "independent" and side.gamma != gamma for side in which)
    return first, second


def _law_gamma(which: tuple[Side, Side]) -> float:
    """The noise of the law that travels: that of the first panel with independent pairs."""
    return next((side.gamma for side in which if side.coupling == "independent"), which[0].gamma)


@shared
def _payload(scene: Scene, panels: tuple[Panel, Panel], view: View, language: Language) -> bytes:
    gamma = _law_gamma((panels[0].side, panels[1].side))
    path = bridge(scene, gamma)
    grid = Grid(extent(scene))
    drawn = tuple(_panel(name, scene, of, gamma, language) for name, of in zip(("a", "b"), panels, strict=True))
    clip = Clip(paths.as_array(grid.times()), drawn, law=law_of(path, follows=True))
    return encode(clip, labels(language), view)


def _panel(name: str, scene: Scene, of: Panel, gamma: float, language: Language) -> PlanePanel:
    title = translate(language, f"bridges.couplings.{of.side.coupling}")
    if of.side.coupling in ("exact", "sinkhorn"):
        title = translate(language, "bridges.of_batch", name=title, n=of.side.batch)
    if of.network is not None:
        begun = "network" if of.network.step else "network_none"
        title = translate(language, f"bridges.{begun}", name=title, step=of.network.step, steps=of.network.steps)
    if of.flow is not None:
        title = translate(language, "bridges.costs", name=title, cost=number(of.flow.pair_cost.value))
    elif of.network is None or of.network.step:
        title = translate(language, "bridges.coming", name=title)
    return PlanePanel(name, f"{name.upper()} · {title}", extent(scene), _layers(scene, of, gamma))


def _layers(scene: Scene, of: Panel, gamma: float) -> tuple[Layer, ...]:
    side, flow = of.side, of.flow
    path = bridge(scene, side.gamma)
    grid = Grid(extent(scene))
    layers: list[Layer] = []
    by_law = side.coupling == "independent" and side.gamma == gamma
    if by_law:
        layers.append(LawDensity("density", "marginal", density_top(path, grid.frames)))
    elif flow is not None and flow.log_density is not None:
        layers.append(Density("density", flow.log_density, float(np.quantile(flow.log_density.max(axis=(1, 2)), 0.9))))
    if flow is not None:
        lines = tuple(np.stack(ends) for ends in zip(flow.starts, flow.ends, strict=True))
        layers += [
            Lines("pairs", "init", lines, opacity=0.35),
            Markers("crossings", "score", flow.crossed, shape="cross"),
        ]
    motion = of.motion
    if by_law and of.network is None:
        x0 = paths.as_array(Starts(scene.count, scene.seed_start).points(scenes.mixture(scene, "init")))
        positions = None if motion is None else motion.positions
        layers.append(LawParticles("ode", "ode", x0, "flow", positions=positions, trail=TRAIL, trail_name="ode_trails"))
    elif motion is not None:
        layers.append(Particles("ode", "ode", motion.positions, TRAIL, "ode_trails"))
    return (*layers, paths.ellipses(path.p_data))
