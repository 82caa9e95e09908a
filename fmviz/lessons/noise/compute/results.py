"""Clips, runs and numbers of the page Noise, each computed once.

Pure functions of frozen arguments, which hold only what a result depends on: Brownian motion is the same in every scene.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from fmviz.app.catalogue import translate
from fmviz.app.choices import State
from fmviz.app.clips import labels
from fmviz.cache import shared
from fmviz.clips.clip import Clip
from fmviz.clips.extents import extent
from fmviz.clips.paths import Starts
from fmviz.lessons.noise.compute import clips, evidence, runs
from fmviz.lessons.noise.compute.evidence import (
    DistanceOverTime,
    Histogram,
    Identities,
    LongRun,
    MomentCurve,
    Row,
    Shares,
    Variation,
)
from fmviz.lessons.noise.compute.runs import Run
from fmviz.lessons.noise.settings import Settings, StartName
from fmviz.scene import Scene, scenes
from fmviz.scene.views import Language
from fmviz.stage.payload import View, encode
from fmviz.theory.euler_maruyama_errors import Errors
from fmviz.theory.processes import Langevin, OrnsteinUhlenbeck

__all__ = [
    "Checks",
    "approach",
    "checks",
    "dynamics",
    "increments",
    "langevin_part",
    "mode_shares",
    "moments",
    "orders",
    "payload",
    "process",
    "span",
    "starts",
    "variance",
]

Point = tuple[float, float]


def starts(scene: Scene) -> Starts:
    """How many particles there are, and their seeds."""
    return Starts(scene.count, scene.seed_start, scene.seed_noise)


def process(view: Settings) -> OrnsteinUhlenbeck:
    """The Ornstein-Uhlenbeck process that was chosen."""
    return OrnsteinUhlenbeck(view.theta, view.sigma)


def dynamics(scene: Scene, view: Settings) -> Langevin:
    """Langevin dynamics on the scene's p_data with the chosen sigma."""
    return Langevin(scenes.mixture(scene, "data"), view.langevin_sigma)


def span(view: Settings) -> float:
    """The time at which the clip ends."""
    return {"brownian": 1.0, "langevin": float(view.langevin_time)}.get(view.process, view.time)


def payload(now: State, view: View) -> bytes:
    """The stage of the chosen process."""
    scene, chosen = now.scene, now.noise
    language = now.shell.language
    if chosen.process == "brownian":
        return _encoded(_brownian(starts(scene), chosen.grid), view, language)
    if chosen.process == "langevin":
        return _encoded(_langevin(scene, *langevin_part(chosen)), view, language)
    of = (process(chosen), starts(scene))
    if chosen.process == "collapse":
        return _encoded(_collapse(*of, chosen.start[0], chosen.time), view, language)
    return _encoded(_ou(*of, chosen.start, chosen.time, chosen.em_steps), view, language)


@shared
def _encoded(kept: _Kept, view: View, language: Language) -> bytes:
    panels = tuple(replace(panel, title=translate(language, f"noise.panel.{panel.name}")) for panel in kept.clip.panels)
    return encode(replace(kept.clip, panels=panels), labels(language), view)


class _Kept:
    """A clip that is its own cache key: the caches below give the same one again."""

    def __init__(self, clip: Clip) -> None:
        self.clip = clip


@shared
def _brownian(of: Starts, steps: int) -> _Kept:
    return _Kept(clips.brownian_clip(of, steps))


@shared
def _ou(of: OrnsteinUhlenbeck, particles: Starts, start: Point, time: float, em_steps: int) -> _Kept:
    return _Kept(clips.ou_clip(of, start, time, em_steps, particles))


@shared
def _collapse(of: OrnsteinUhlenbeck, particles: Starts, x0: float, time: float) -> _Kept:
    return _Kept(clips.collapse_clip(of, x0, time, particles))


@shared
def _langevin(scene: Scene, kind: StartName, sigma: float, time: int, steps: int) -> _Kept:
    of = Langevin(scenes.mixture(scene, "data"), sigma)
    return _Kept(clips.langevin_clip(of, _run(scene, kind, sigma, time, steps), extent(scene), starts(scene)))


def langevin_part(view: Settings) -> tuple[StartName, float, int, int]:
    """All that a run of Langevin dynamics depends on beside the scene: start, sigma, time and steps."""
    return view.langevin_start, view.langevin_sigma, view.langevin_time, view.langevin_steps


@shared
def _run(scene: Scene, kind: StartName, sigma: float, time: int, steps: int) -> Run:
    of, particles = Langevin(scenes.mixture(scene, "data"), sigma), starts(scene)
    x0 = runs.langevin_starts(kind, of.p, particles)
    return runs.langevin_run(of, x0, float(time), steps, particles.noise())


@shared
def variance(of: Starts) -> MomentCurve:
    """The variance of Brownian motion over time."""
    return evidence.brownian_variance(of)


@shared
def increments(of: Starts, steps: int) -> Histogram:
    """The increments of Brownian motion."""
    return evidence.increments(of, steps)


@shared
def moments(of: OrnsteinUhlenbeck, start: Point, time: float, particles: Starts) -> tuple[MomentCurve, MomentCurve]:
    """Mean and variance of the Ornstein-Uhlenbeck process over time."""
    return evidence.ou_moments(of, start, time, particles)


@shared
def orders(seed: int) -> tuple[Errors, Errors]:
    """The errors of Euler-Maruyama for additive and for multiplicative clip."""
    return evidence.orders(seed)


@shared
def _shares(scene: Scene, kind: StartName, sigma: float, time: int, steps: int) -> Shares:
    return evidence.mode_shares(scenes.mixture(scene, "data"), _run(scene, kind, sigma, time, steps))


def mode_shares(scene: Scene, view: Settings) -> Shares:
    """The share of the particles in each class of p_data over time."""
    return _shares(scene, *langevin_part(view))


@shared
def approach(scene: Scene, kind: StartName, sigma: float, time: int, steps: int) -> DistanceOverTime:
    """The energy distance of a run to p_data over time."""
    return evidence.distance_over_time(scenes.mixture(scene, "data"), _run(scene, kind, sigma, time, steps))


@dataclass(frozen=True)
class Checks:
    """What proves the pictures of the page.

    Attributes:
        rows: moments of the Ornstein-Uhlenbeck process at a few times.
        grids: quadratic variation and length on finer and finer grids.
        identities: what must vanish.
        long_runs: Langevin at long time on p_data, from the standard Gaussian and from one mode.
    """

    rows: tuple[Row, ...]
    grids: tuple[Variation, ...]
    identities: Identities
    long_runs: tuple[LongRun, ...]


@shared
def checks(scene: Scene, of: OrnsteinUhlenbeck, start: float) -> Checks:
    """All that is measured for "Check it"."""
    p = scenes.mixture(scene, "data")
    return Checks(
        evidence.ou_rows(of, start, scene.seed_noise),
        evidence.variation(starts(scene)),
        evidence.identities(p, of),
        (evidence.long_run(p, "gaussian"), evidence.long_run(p, "mode")),
    )
