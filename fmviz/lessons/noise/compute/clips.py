r"""Clips of the page Noise: Brownian motion, Ornstein-Uhlenbeck, its collapse, and Langevin dynamics (T6 to T11).

The time of a clip is the time of its process and may run beyond 1. Paths over time are drawn in a panel of their own,
t against the first coordinate, and grow with the clock; the same paths move in the plane beside it.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from fmviz.clips.clip import (
    Clip,
    Extent,
    Floats,
    Law,
    LawDensity,
    Layer,
    Lines,
    Markers,
    Particles,
    PlanePanel,
    Readout,
    Role,
    Schedule,
)
from fmviz.clips.frames import at_frames
from fmviz.clips.laws import rows_of
from fmviz.clips.paths import TRAIL, Starts, as_array, ellipses
from fmviz.lessons.noise.compute.runs import FRAMES, PACES, Run, brownian_paths, ou_run, time_rescaled
from fmviz.theory.euler_maruyama_errors import euler_maruyama
from fmviz.theory.expressions import Tree
from fmviz.theory.processes import DrivenPaths, Langevin, OrnsteinUhlenbeck

__all__ = ["brownian_clip", "collapse_clip", "langevin_clip", "ou_clip"]

WALKS = 30
"""Paths drawn over time; the plane shows all particles."""
TRAILS = 3
"""Particles in the plane whose whole way is drawn."""
UNFADED = 3
"""Trails are this many clips long: they reach back to the start and hardly fade on the way."""
COMPARED = 2
"""Paths that Euler-Maruyama is held against."""
CELLS = 64
EARLY = 0.35
MARGIN = 0.03
"""Room for the handle of x_0 before t = 0, as a part of the time."""
WIDE = 1.5
"""Width over height of a panel over time."""
Shape = Literal["dot", "diamond", "ring"]
MARKS: tuple[tuple[Role, Shape], ...] = (("init", "dot"), ("sde", "diamond"), ("path", "ring"))
"""Colour and mark of each pace."""
HALVES = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0, 13.0, 20.0, 30.0)
"""Half heights that panels snap to, so that they stand still while a parameter is moved."""


@torch.inference_mode()
def brownian_clip(starts: Starts, steps: int) -> Clip:
    """Brownian motion in 2, 4, … or 128 steps, the same path on every grid, over time and in the plane (T6)."""
    finest = brownian_paths(starts)
    times = torch.linspace(0.0, 1.0, len(finest))
    stride = (len(finest) - 1) // steps
    shown = at_frames(finest[::stride], times[::stride].tolist(), times)
    deviation = times.sqrt()
    half = 3.0
    over_time = PlanePanel(
        "over_time",
        "",
        Extent(0.0, 1.0, -half, half),
        (*_bands(times, torch.zeros_like(times), deviation), _walks(shown, times)),
        aspect=WIDE,
        x_label="t",
        y_label="W",
    )
    plane = PlanePanel(
        "plane",
        "",
        Extent(-half, half, -half, half),
        (_gaussian(float(deviation[-1]) ** 2, half), *_cloud(shown)),
    )
    law = _moving_gaussian(1.0, ("sqrt", "t"), (0.0, 0.0))
    return Clip(as_array(times), (over_time, plane), (_readout("√t", deviation),), seconds=6.0, law=law)


@torch.inference_mode()
def ou_clip(process: OrnsteinUhlenbeck, start: tuple[float, float], time: float, em_steps: int, starts: Starts) -> Clip:
    """Exact paths in their exact band, some beside Euler-Maruyama on the same noise, and the cloud in the plane (T9).

    Args:
        process: its theta and sigma.
        start: X_0, which the user can drag.
        time: of the last frame.
        em_steps: steps of Euler-Maruyama up to there, a divisor of the frames.
        starts: particles and the seed of the noise.
    """
    times, driven = ou_run(process, start, time, starts)
    x0 = torch.tensor(start, dtype=torch.float64)
    mean = process.mean(x0, times[:, None])
    deviation = process.variance(times).sqrt()
    spread = 2.5 * math.sqrt(process.stationary_variance)
    half = _snap(max(float(x0.abs().max()) * 1.15, spread, 1e-3))
    over_time = PlanePanel(
        "over_time",
        "",
        Extent(-MARGIN * time, time, -half, half),
        (
            *_bands(times, mean[:, 0], deviation),
            _walks(driven.paths, times),
            *_compared(process, driven, times, em_steps),
            Markers("x0", "init", _floats([[0.0, start[0]]]), shape="diamond", label="x₀", drag="start"),
        ),
        aspect=WIDE,
        x_label="t",
        y_label="X",
    )
    circles = tuple(_circle(k * math.sqrt(process.stationary_variance)) for k in (1, 2))
    plane = PlanePanel(
        "plane",
        "",
        Extent(-half, half, -half, half),
        (
            _gaussian(float(deviation[-1]) ** 2, half),
            Lines("band", "path", circles, dashed=True, opacity=0.6),
            *_cloud(driven.paths),
            Markers("x0", "init", _floats([start]), shape="diamond", label="x₀", drag="plane_start"),
        ),
    )
    readouts = (_readout("E X", mean[:, 0]), _readout("√Var X", deviation))
    variance = ("*", process.stationary_variance, ("-", 1.0, ("exp", ("*", -2.0 * process.theta, "t"))))
    law = _moving_gaussian(("exp", ("*", -process.theta, "t")), ("sqrt", variance), start)
    return Clip(as_array(times), (over_time, plane), readouts, seconds=6.0, law=law)


def _compared(process: OrnsteinUhlenbeck, driven: DrivenPaths, times: Tensor, em_steps: int) -> tuple[Layer, ...]:
    """A few exact paths, and Euler-Maruyama on their own noise as the broken line that it is."""
    stride = (len(times) - 1) // em_steps
    exact, noise = driven.paths[:, :COMPARED, 0], driven.brownian[::stride, :COMPARED, 0]
    h = float(times[-1]) / em_steps
    steps = euler_maruyama(lambda x: process.drift(x, 0.0), lambda x: process.sigma, exact[0], noise.diff(dim=0), h)
    solved = torch.stack(list(steps))
    return (
        Lines("steps", "path", _over_time(times, exact)),
        Lines("steps", "euler", _over_time(times[::stride], solved), dots=True),
    )


@torch.inference_mode()
def collapse_clip(process: OrnsteinUhlenbeck, x0: float, time: float, starts: Starts) -> Clip:
    """Three processes with one D = sigma² / (2 theta) and the same noise, against t and against sigma² t (T9).

    Against t they relax at different rates; against sigma² t they are one path, run through at three same_stationary_variance.
    """
    times = torch.linspace(0.0, time, FRAMES, dtype=torch.float64)
    pace, common = time_rescaled(process, x0, time, starts)
    half = _snap(max(1.15 * abs(x0), 3.2 * math.sqrt(process.stationary_variance)))
    last = float(pace[-1])
    against_t: list[Layer] = []
    against_pace: list[Layer] = [Lines("walks", "path", _over_time(pace, common), opacity=0.35)]
    for ratio, (role, shape) in zip(PACES, MARKS, strict=True):
        sigma2 = ratio * process.sigma**2
        stop = round(ratio / PACES[-1] * (len(pace) - 1))
        every = stop // (FRAMES - 1)
        heads = common[: stop + 1 : every]
        label = f"σ² = {sigma2:.2g}"
        against_t += [
            Lines("walks", role, _over_time(pace[: stop + 1] / sigma2, common[: stop + 1]), opacity=0.8),
            _heads(role, times, heads, shape, label),
        ]
        against_pace.append(_heads(role, pace[: stop + 1 : every], heads, shape, label))
    deviation = math.sqrt(process.stationary_variance)
    panels = (
        PlanePanel(
            "over_time",
            "",
            Extent(0.0, time, -half, half),
            (_stationary_band(time, deviation), *against_t),
            aspect=1.25,
            x_label="t",
            y_label="X",
        ),
        PlanePanel(
            "over_pace",
            "",
            Extent(0.0, last, -half, half),
            (_stationary_band(last, deviation), *against_pace),
            aspect=1.25,
            x_label="σ²t",
            y_label="X",
        ),
    )
    return Clip(as_array(times), panels, (), seconds=6.0)


def _heads(role: Role, times: Tensor, values: Tensor, shape: Shape, label: str) -> Markers:
    at = torch.stack((times[:, None].expand_as(values), values), dim=-1)
    return Markers("walks", role, as_array(at), shape=shape, label=label)


@torch.inference_mode()
def langevin_clip(dynamics: Langevin, run: Run, extent: Extent, starts: Starts) -> Clip:
    """Particles of Langevin dynamics over the law that they leave invariant (T10), and exact samples of it."""
    exact = dynamics.p.sample(starts.count, generator=starts.reference())
    p = dynamics.p
    # p at rest: a path of alpha = 1 and beta = 0
    law = Law(STANDARD, rows_of(p), Schedule("custom", curves=((1.0, None), (0.0, None))), follows=True)
    panel = PlanePanel(
        "langevin",
        "",
        extent,
        (
            LawDensity("density", "marginal", float(p.log_density(p.means).max())),
            Particles("reference", "reference", as_array(exact.expand(FRAMES, -1, -1))),
            Particles("walks", "sde", as_array(run.positions), TRAIL, "sde_trails"),
            ellipses(p),
        ),
    )
    return Clip(as_array(run.times), (panel,), (_readout("σ²t", dynamics.sigma**2 * run.times),), seconds=8.0, law=law)


def _walks(paths: Tensor, times: Tensor) -> Particles:
    """First coordinates over time, growing with the clock."""
    values = paths[:, :WALKS, 0]
    at = torch.stack((times[:, None].to(values).expand_as(values), values), dim=-1)
    return Particles("walks", "sde", as_array(at), trail=UNFADED * len(times), size=0.6)


def _cloud(paths: Tensor) -> tuple[Particles, ...]:
    """All particles in the plane, and the whole way of a few."""
    return (
        Particles("walk_trails", "sde", as_array(paths[:, :TRAILS]), trail=UNFADED * len(paths), size=1.2),
        Particles("walks", "sde", as_array(paths)),
    )


def _bands(times: Tensor, mean: Tensor, deviation: Tensor) -> tuple[Lines, ...]:
    """The mean, which follows the ODE, and one and two standard deviations around it."""
    edges = torch.stack([mean + k * deviation for k in (-2, -1, 1, 2)], dim=1)
    return (
        Lines("mean", "ode", _over_time(times, mean[:, None])),
        Lines("band", "path", _over_time(times, edges), dashed=True, opacity=0.75),
    )


def _stationary_band(last: float, deviation: float) -> Lines:
    ends = torch.tensor([0.0, last])
    edges = deviation * torch.tensor([-2.0, -1.0, 1.0, 2.0]).expand(2, 4)
    return Lines("band", "path", _over_time(ends, edges), dashed=True, opacity=0.5)


def _over_time(times: Tensor, values: Tensor) -> tuple[Floats, ...]:
    """Each column of values (T, K) as a line over the times (T,)."""
    return tuple(as_array(torch.stack((times, column), dim=1)) for column in values.unbind(1))


def _circle(radius: float) -> Floats:
    angle = torch.linspace(0.0, 2.0 * math.pi, 73)
    return as_array(radius * torch.stack((angle.cos(), angle.sin()), dim=1))


def _gaussian(last_variance: float, half: float) -> LawDensity:
    """The density of N(m_t, v_t I) in the plane; its colours end at the peak of the law at `EARLY` of its last variance.

    A point mass, from which it comes, has none: the top is at most that of all mass in one of `CELLS` squared cells.
    """
    smallest = (2 * half / CELLS) ** 2 / (2 * math.pi)
    return LawDensity("density", "conditional", -math.log(2 * math.pi * max(EARLY * last_variance, smallest)))


STANDARD = np.array([[1.0, 0.0, 0.0, 1.0, 0.0, 1.0]])
"""One component, N(0, I), as a law has it."""


def _moving_gaussian(mean_factor: Tree, deviation: Tree, start: tuple[float, float]) -> Law:
    """N(mean_factor(t) start, deviation(t)² I): the conditional path given `start`, with a schedule of its own."""
    schedule = Schedule("custom", curves=((mean_factor, None), (deviation, None)))
    return Law(STANDARD, STANDARD, schedule, start, z_name="plane_start")


def _snap(reach: float) -> float:
    return next((half for half in HALVES if half >= reach), HALVES[-1])


def _floats(rows: list[list[float]] | list[tuple[float, float]]) -> Floats:
    return as_array(torch.tensor(rows))


def _readout(label: str, values: Tensor) -> Readout:
    return Readout(label, as_array(values))
