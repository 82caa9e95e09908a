"""Noising and its reversal on one clock: the forward process of a dialect, then the way back by an SDE or the ODE (T24, T58).

The forward process is drawn by its exact transitions from frame to frame. On the way back the prediction of the data is held
fixed during each step, and the rest is exact (`fmviz.theory.discrete.Chain.sde_step`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from fmviz.clips.clip import Clip, Density, Extent, Particles, PlanePanel, Readout
from fmviz.clips.paths import as_array
from fmviz.clips.roles import Role
from fmviz.learning import LearnedModel
from fmviz.lessons.dictionary.compute import clocks
from fmviz.lessons.dictionary.compute.frames import Frames
from fmviz.theory import GaussianMixture, ProbabilityPath
from fmviz.theory.dialect_path import DialectPath
from fmviz.theory.dialects import Dialect, OwnTime, translate
from fmviz.theory.discrete import Chain
from fmviz.theory.schedulers import Scheduler

__all__ = ["FRAMES", "Denoise", "Way", "back", "clip", "exact", "forward", "grid", "learned"]

FRAMES = 41
"""Frames of each half of the clock: out to the noise, and back."""
STEPS = 2
"""Steps of the way back between two frames."""
LEAST_LOG_SNR = -8.0
"""Where the noise begins: below it the data leave no trace that one could see."""
FINE = 2001
TRAIL = 6
TRAILS = {"sde": "sde_trails", "ode": "ode_trails", "learned": "learned_trails"}

Denoise = Callable[[Tensor, float], Tensor]
"""E[z | x] at x (N, 2) and the dialect's time s."""


@dataclass(frozen=True, eq=False)
class Way:
    """One way back: the name and role of its layer, and its positions on the frames, noise first, (T, N, 2)."""

    name: Literal["sde", "ode", "learned"]
    role: Role
    title: str
    positions: Tensor


def grid(dialect: Dialect, intervals: int) -> Chain:
    """A chain along the dialect's own steps from `LEAST_LOG_SNR`, or where the dialect begins, to the data."""
    u = torch.linspace(0.0, 1.0, FINE, dtype=torch.float64)
    noisy = dialect.log_snr(dialect.sampling_times(u)) < LEAST_LOG_SNR
    first = float(u[noisy][-1]) if bool(noisy.any()) else 0.0
    times = dialect.sampling_times(torch.linspace(first, 1.0, intervals + 1, dtype=torch.float64))
    return Chain.of(dialect, times.flip(0))


def exact(data: GaussianMixture, dialect: Dialect) -> Denoise:
    """The exact E[z | x]."""
    return DialectPath(data, dialect).posterior_mean


def learned(model: LearnedModel, scheduler: Scheduler, dialect: Dialect) -> Denoise:
    """That of a network, which was trained with another schedule: point and time are translated for it."""
    own = OwnTime(scheduler)

    def denoise(x: Tensor, s: float) -> Tensor:
        moved, t = translate(x, s, dialect, own)
        return model.posterior_mean(moved, float(t))

    return denoise


@torch.inference_mode()
def forward(chain: Chain, data: GaussianMixture, count: int, generator: torch.Generator) -> Tensor:
    """The noising of exact data by the exact transitions of the chain, data first, (N + 1, count, 2)."""
    z = data.sample(count, generator=generator)
    kept = [chain.alpha[0].to(z) * z + chain.beta[0].to(z) * torch.randn(z.shape, generator=generator, dtype=z.dtype)]
    for k in range(1, chain.steps + 1):
        law = chain.transition(k, kept[-1])
        kept.append(law.mean + law.variance.sqrt() * torch.randn(z.shape, generator=generator, dtype=z.dtype))
    return torch.stack(kept)


@torch.inference_mode()
def back(chain: Chain, denoise: Denoise, x: Tensor, amplitude: float, generator: torch.Generator) -> Tensor:
    """The way back from x at the noise, noise first, (N + 1, n, 2).

    Args:
        chain: the steps.
        denoise: exact or learned.
        x: (n, 2), at the end of the chain.
        amplitude: of the diffusion coefficient, 1 that of the time reversal, 0 the ODE.
        generator: source of the noise.
    """
    kept = [x]
    times = chain.times.tolist()
    for k in range(chain.steps, 0, -1):
        noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
        kept.append(chain.sde_step(k, kept[-1], denoise(kept[-1], times[k]), noise, amplitude))
    return torch.stack(kept)


@torch.inference_mode()
def clip(path: ProbabilityPath, dialect: Dialect, out: Tensor, ways: tuple[Way, ...]) -> Clip:
    """Noising in the first half of the clock and each way back in the second, a panel for each.

    Args:
        path: the linear path to the data.
        dialect: whose time and scale.
        out: of `forward` on the frames, data first.
        ways: the ways back, on the same frames.
    """
    chain = grid(dialect, FRAMES - 1)
    frames = Frames(dialect, chain.times, chain.alpha, chain.beta)
    extent = clocks.extent_of(path.p_data, frames, common=False)
    values, top = clocks.densities(path, frames, extent, common=False)
    both = as_array(torch.cat((torch.from_numpy(values), torch.from_numpy(values).flip(0)[1:])))
    panels = tuple(_panel(i, way, out, Density("density", both, top), extent) for i, way in enumerate(ways))
    times = torch.linspace(0.0, 2.0, 2 * FRAMES - 1)
    there_and_back = torch.cat((chain.times, chain.times.flip(0)[1:]))
    ratios = torch.cat((frames.log_snr, frames.log_snr.flip(0)[1:]))
    return Clip(
        as_array(times),
        panels,
        (Readout("s", as_array(there_and_back)), Readout("λ", as_array(ratios))),
        seconds=8.0,
    )


def _panel(i: int, way: Way, out: Tensor, density: Density, extent: Extent) -> PlanePanel:
    nowhere = torch.full((FRAMES - 1, *out.shape[1:]), torch.nan)
    noising = torch.cat((out, nowhere))
    returning = torch.cat((nowhere, way.positions))
    layers = (
        density,
        Particles("walks", "init", as_array(noising), TRAIL, "walk_trails"),
        Particles(way.name, way.role, as_array(returning), TRAIL, TRAILS[way.name]),
    )
    return PlanePanel(f"{way.name}_{i}", way.title, extent, layers)
