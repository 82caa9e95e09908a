"""Samplers of discrete time at few and at many steps: the picture, how fast their errors fall, and the bound (T40, T59).

Every sampler visits the same noise levels. DDIM and ancestral sampling do not depend on the convention beyond that; Euler and
Heun step in its own time and scale. Errors are distances, particle by particle, to the exact flow, or for ancestral
sampling to a fine chain that is driven by the same Brownian motion in S = alpha^2 / beta^2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from fmviz.cache import shared
from fmviz.clips.clip import Clip, Density, Particles, PlanePanel, Readout
from fmviz.clips.paths import as_array
from fmviz.clips.roles import Role
from fmviz.lessons.dictionary.compute import clocks
from fmviz.lessons.dictionary.compute.frames import Frames, dialect_of
from fmviz.lessons.dictionary.settings import BetasName, DialectName, LevelsName
from fmviz.scene import Scene, scenes
from fmviz.theory import GaussianMixture, ProbabilityPath
from fmviz.theory.convergence import measured_order
from fmviz.theory.dialect_path import DialectPath
from fmviz.theory.dialects import Dialect, Edm
from fmviz.theory.discrete import Chain, ancestral, ddim, exact_denoiser
from fmviz.theory.metrics import sliced_wasserstein
from fmviz.theory.solvers import solve_ode
from fmviz.theory.variational_bound import VARIANCES, Variance, variational_bound

__all__ = [
    "FRAMES",
    "LAYERS",
    "ORDERS",
    "SAMPLERS",
    "BoundGap",
    "Convergence",
    "Run",
    "SamplerName",
    "bound_gaps",
    "chain_of",
    "clip",
    "convergence",
    "euler_gap",
    "run",
]

SamplerName = Literal["ancestral", "ddim", "euler", "heun"]
LAYERS: dict[SamplerName, tuple[str, Role]] = {
    "ancestral": ("sde", "sde"),
    "ddim": ("ode", "ode"),
    "euler": ("euler", "euler"),
    "heun": ("heun", "heun"),
}
"""The layer of each, and the role whose colour and mark it has."""
FRAMES, CELLS = 41, 56
SAMPLERS: tuple[SamplerName, ...] = get_args(SamplerName)
ORDERS: dict[SamplerName, int] = {"ancestral": 1, "ddim": 1, "euler": 1, "heun": 2}
"""The order by theory."""
COUNTS = (4, 8, 16, 32, 64, 128, 256, 512, 1024)
FINEST, REFERENCE = 2048, 512
"""Steps of the chain that ancestral sampling is held against, and of Runge-Kutta 4 that the others are."""
TRUSTED = FINEST // 16
"""Most steps of ancestral sampling whose error is clearly larger than that of the finest chain."""
PARTICLES = 128
LEAST, MOST = 0.002, 80.0
"""The noise levels beta / alpha that samplers stay between; a dialect with a smaller range keeps to its own."""
RHO = 7.0
BOUND_DRAWS, BOUND_COUNTS = 1000, (4, 8, 16, 32, 64, 128, 256, 512)
ENTROPY_DRAWS = 100_000


@dataclass(frozen=True)
class Run:
    """One sampler's steps: positions, noise first, (N + 1, n, 2), in the dialect's own scale."""

    sampler: SamplerName
    positions: Tensor


@dataclass(frozen=True)
class Convergence:
    """How the error of one sampler falls.

    Attributes:
        sampler: which.
        counts: numbers of steps.
        errors: median distance to where the particle belongs; NaN where that is known no better.
        distances: sliced Wasserstein-2 distance of the samples to exact data.
        floor: what other exact data give.
    """

    sampler: SamplerName
    counts: tuple[int, ...]
    errors: tuple[float, ...]
    distances: tuple[float, ...]
    floor: float

    @property
    def order(self) -> float | None:
        """Minus the slope over the finest three counts whose error is far above that of what they are held against."""
        most = TRUSTED if self.sampler == "ancestral" else math.inf
        return measured_order([(n, e) for n, e in zip(self.counts, self.errors, strict=True) if n <= most])


@dataclass(frozen=True)
class BoundGap:
    """The variational bound minus the exact -E log p_data, in nats, at each number of steps, with its standard error."""

    variance: Variance
    counts: tuple[int, ...]
    gaps: tuple[float, ...]
    errors: tuple[float, ...]

    @property
    def order(self) -> float | None:
        """Minus the slope of log gap over the finest three counts whose gap is beyond three standard errors."""
        rows = zip(self.counts, self.gaps, self.errors, strict=True)
        return measured_order([(n, gap) for n, gap, error in rows if gap > 3.0 * error])


def chain_of(dialect: Dialect, steps: int, levels: LevelsName, *, to_data: bool = False) -> Chain:
    """A chain of N steps; those of N and 2N steps are nested.

    Args:
        dialect: whose.
        steps: N.
        levels: evenly along the dialect's own steps, or the noise levels of Karras et al. within its range.
        to_data: one more step, to the data themselves, where the dialect has them.
    """
    low, high = dialect.log_snr_range
    least, most = max(LEAST, math.exp(-0.5 * high)), min(MOST, math.exp(-0.5 * low))
    ends = dialect.time(-2.0 * torch.tensor([most, least], dtype=torch.float64).log())
    if levels == "karras":
        roots = torch.linspace(most ** (1.0 / RHO), least ** (1.0 / RHO), steps + 1, dtype=torch.float64).pow(RHO)
        times = dialect.time(-2.0 * roots.clamp(least, most).log())
    elif isinstance(dialect, Edm):
        times = dialect.sampling_times(torch.linspace(0.0, 1.0, steps + 1, dtype=torch.float64))
    else:
        times = torch.linspace(float(ends[0]), float(ends[1]), steps + 1, dtype=torch.float64)
    if to_data and float(dialect.beta(dialect.data_time)) == 0.0:
        times = torch.cat((times, torch.tensor([dialect.data_time], dtype=torch.float64)))
    return Chain.of(dialect, times.flip(0))


@torch.inference_mode()
def clip(
    path: ProbabilityPath, chain: Chain, frames: Frames, runs: tuple[Run, ...], titles: dict[SamplerName, str]
) -> Clip:
    """A panel for each sampler, in the scale of the linear path; between two steps particles are drawn along straight lines.

    Args:
        path: the linear path.
        chain: of the samplers.
        frames: as many even shares of the same steps, for the exact density behind the particles.
        runs: what the samplers did.
        titles: of the panels.
    """
    extent = clocks.extent_of(path.p_data, frames, common=True)
    values, top = clocks.densities(path, frames, extent, common=True, cells=CELLS)
    place = torch.linspace(0.0, float(chain.steps), len(frames.times), dtype=torch.float64)
    before = place.floor().long().clamp(max=chain.steps - 1)
    share = (place - before)[:, None, None]
    total = (chain.alpha + chain.beta).flip(0)[:, None, None]
    panels = []
    for found in runs:
        common = found.positions / total.to(found.positions)
        moving = common[before] + share.to(common) * (common[before + 1] - common[before])
        name, role = LAYERS[found.sampler]
        layers = (Density("density", values, top), Particles(name, role, as_array(moving)))
        panels.append(PlanePanel(found.sampler, titles[found.sampler], extent, layers))
    done = as_array(place)
    times = as_array(torch.linspace(0.0, 1.0, len(frames.times)))
    return Clip(times, tuple(panels), (Readout("n", done), Readout("λ", as_array(frames.log_snr))))


@torch.inference_mode()
def run(data: GaussianMixture, dialect: Dialect, chain: Chain, x: Tensor, seed: int) -> tuple[Run, ...]:
    """All samplers from x (n, 2) at the noise end of the chain."""
    denoiser = exact_denoiser(data, dialect, chain)
    generator = torch.Generator().manual_seed(seed)
    return (
        Run("ancestral", ancestral(chain, denoiser, x, generator=generator)),
        Run("ddim", ddim(chain, denoiser, x)),
        *(Run(method, _solved(data, dialect, chain, x, method)) for method in ("euler", "heun")),
    )


def _solved(data: GaussianMixture, dialect: Dialect, chain: Chain, x: Tensor, method: str) -> Tensor:
    path = DialectPath(data, dialect)
    path.prepare(chain.times)
    return solve_ode(path.velocity, x, method=method, times=chain.times.flip(0))[0]


@shared
@torch.inference_mode()
def convergence(
    scene: Scene, name: DialectName, betas: BetasName, shift: float, levels: LevelsName
) -> tuple[Convergence, ...]:
    """Errors and distances of every sampler at every count, in float64; some seconds."""
    dialect, data = dialect_of(name, betas, shift), scenes.mixture(scene, "data").to(torch.float64)
    generator = torch.Generator().manual_seed(scene.seed_start)
    finest = chain_of(dialect, FINEST, levels)
    x = finest.prior_std * torch.randn(PARTICLES, 2, generator=generator, dtype=torch.float64)
    exact_flow = _solved(data, dialect, chain_of(dialect, REFERENCE, levels), x, "rk4")[-1]
    snr = (finest.alpha / finest.beta).square().flip(0)
    noise = torch.randn(FINEST, PARTICLES, 2, generator=generator, dtype=torch.float64)
    motion = torch.cat(
        (torch.zeros(1, PARTICLES, 2, dtype=torch.float64), snr.diff().sqrt()[:, None, None] * noise)
    ).cumsum(0)

    def driven(steps: int) -> Tensor:
        every = FINEST // steps
        own = motion[::every].diff(dim=0) / snr[::every].diff().sqrt()[:, None, None]
        chain = chain_of(dialect, steps, levels)
        return ancestral(chain, exact_denoiser(data, dialect, chain), x, noise=list(own))[-1]

    def end(sampler: SamplerName, steps: int) -> Tensor:
        if sampler == "ancestral":
            return driven(steps)
        chain = chain_of(dialect, steps, levels)
        if sampler == "ddim":
            return ddim(chain, exact_denoiser(data, dialect, chain), x)[-1]
        return _solved(data, dialect, chain, x, sampler)[-1]

    fine = driven(FINEST)
    reference, other = (data.sample(PARTICLES, generator=generator) for _ in range(2))
    floor = float(sliced_wasserstein(other, reference))
    found = []
    for sampler in SAMPLERS:
        target = fine if sampler == "ancestral" else exact_flow
        ends = [end(sampler, steps) for steps in COUNTS]
        known = FINEST // 4 if sampler == "ancestral" else math.inf
        errors = tuple(
            float((last - target).norm(dim=-1).median()) if n <= known else math.nan
            for n, last in zip(COUNTS, ends, strict=True)
        )
        distances = tuple(float(sliced_wasserstein(last, reference)) for last in ends)
        found.append(Convergence(sampler, COUNTS, errors, distances, floor))
    return tuple(found)


@shared
@torch.inference_mode()
def bound_gaps(
    scene: Scene, name: DialectName, betas: BetasName, shift: float, levels: LevelsName
) -> tuple[BoundGap, ...]:
    """The gap of the bound for every choice of the variances; empty where the dialect does not reach the data. Some seconds."""
    dialect, data = dialect_of(name, betas, shift), scenes.mixture(scene, "data").to(torch.float64)
    if float(dialect.beta(dialect.data_time)) != 0.0:
        return ()
    surprise = -data.log_density(data.sample(ENTROPY_DRAWS, generator=torch.Generator().manual_seed(scene.seed_start)))
    exact, error = float(surprise.mean()), float(surprise.std()) / math.sqrt(ENTROPY_DRAWS)
    found = []
    for variance in VARIANCES:
        bounds = [
            variational_bound(
                data,
                dialect,
                chain_of(dialect, n - 1, levels, to_data=True),
                variance=variance,
                n=BOUND_DRAWS,
                generator=torch.Generator().manual_seed(scene.seed_noise),
            )
            for n in BOUND_COUNTS
        ]
        gaps, errors = tuple(b.total - exact for b in bounds), tuple(math.hypot(b.error, error) for b in bounds)
        found.append(BoundGap(variance, BOUND_COUNTS, gaps, errors))
    return tuple(found)


@torch.inference_mode()
def euler_gap(data: GaussianMixture, dialect: Dialect, steps: int) -> float:
    """Largest relative difference between DDIM and Euler's method for x / alpha in sigma = beta / alpha, along all steps (T59)."""
    exact = data.to(torch.float64)
    chain = chain_of(dialect, steps, "karras")
    x = chain.prior_std * torch.randn(64, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    path = DialectPath(exact, dialect)
    sigma = (chain.beta / chain.alpha).flip(0)
    at = {float(level): chain.steps - i for i, level in enumerate(sigma)}

    def noise(y: Tensor, level: float) -> Tensor:
        k = at[level]
        return path.noise(chain.alpha[k] * y, float(chain.times[k]))

    euler, _ = solve_ode(noise, x / chain.alpha[-1], method="euler", times=sigma)
    own = ddim(chain, exact_denoiser(exact, dialect, chain), x) / chain.alpha.flip(0)[:, None, None]
    return float((own - euler).abs().max() / euler.abs().max())
