"""The numbers that prove a picture of a probability path: residuals of its equations, distances of its particles."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor

from fmviz.clips.law_layers import LawValues
from fmviz.clips.laws import law_of
from fmviz.clips.particles import marginal_ode, marginal_sde
from fmviz.clips.paths import Starts
from fmviz.theory import ProbabilityPath
from fmviz.theory.checks import continuity_residual, fokker_planck_residual, score_residual
from fmviz.theory.metrics import energy_distance
from fmviz.theory.sigmas import Sigma

__all__ = ["Checks", "Distances", "Residuals", "checks", "distances", "expected", "residuals"]

RESIDUAL_TIMES = (0.1, 0.3, 0.5, 0.7, 0.9)
DISTANCE_TIMES = (0.25, 0.5, 0.75, 1.0)
FLOOR_PAIRS = 8


@dataclass(frozen=True)
class Residuals:
    """Largest residuals over `points` points, each relative to the largest term of its equation."""

    continuity: float
    fokker_planck: float
    score: float
    points: int


@dataclass(frozen=True)
class Distances:
    """Energy distances of particles to exact samples of p_t at one time; `floor`: of two exact samples, on average."""

    t: float
    ode: float
    sde: float
    floor: float


@torch.inference_mode()
def expected(path: ProbabilityPath, n: int = 200) -> LawValues:
    """Log density, velocity and score at `n` exact samples of p_t for each of five times, in float64, for the browser to check."""
    exact = path.to(torch.float64)
    generator = torch.Generator().manual_seed(1)
    points = [exact.sample(n, t, generator=generator) for t in RESIDUAL_TIMES]
    return LawValues(
        law_of(path),
        RESIDUAL_TIMES,
        torch.stack(points).numpy(),
        torch.stack([exact.log_density(x, t) for x, t in zip(points, RESIDUAL_TIMES, strict=True)]).numpy(),
        torch.stack([exact.marginal_velocity(x, t) for x, t in zip(points, RESIDUAL_TIMES, strict=True)]).numpy(),
        torch.stack([exact.marginal_score(x, t) for x, t in zip(points, RESIDUAL_TIMES, strict=True)]).numpy(),
    )


def residuals(path: ProbabilityPath, sigma: Sigma, n: int = 200) -> Residuals:
    """T17, T20 with T21, and T19 at `n` exact samples of p_t for each of five times, in float64."""
    exact = path.to(torch.float64)
    generator = torch.Generator().manual_seed(0)
    worst = (0.0, 0.0, 0.0)
    for t in RESIDUAL_TIMES:
        x = exact.sample(n, t, generator=generator)
        mass = continuity_residual(exact, x, t)
        law = fokker_planck_residual(exact, x, t, sigma)
        score = score_residual(exact, x, t)
        found = (
            _relative(mass.residual, mass.density_rate, mass.flux_divergence),
            _relative(law.residual, law.density_rate, law.flux_divergence, law.diffusion),
            _relative(score.residual, score.autodiff),
        )
        worst = (max(worst[0], found[0]), max(worst[1], found[1]), max(worst[2], found[2]))
    return Residuals(*worst, points=n * len(RESIDUAL_TIMES))


def _relative(residual: Tensor, *terms: Tensor) -> float:
    return float(residual.abs().max() / max(term.abs().max() for term in terms))


def distances(path: ProbabilityPath, sigma: Sigma, starts: Starts, frames: int = 61) -> tuple[Distances, ...]:
    """T47 at four times, for the particles that the stage shows."""
    times = torch.linspace(0.0, 1.0, frames)
    x0 = starts.points(path.p_init)
    ode = marginal_ode(path, x0, times)
    sde = marginal_sde(path, sigma, x0, times, starts.noise())
    generator = torch.Generator().manual_seed(0)
    rows = []
    for t in DISTANCE_TIMES:
        frame = round(t * (frames - 1))
        exact = [path.sample(starts.count, t, generator=generator) for _ in range(2 * FLOOR_PAIRS)]
        floor = [float(energy_distance(a, b)) for a, b in zip(exact[::2], exact[1::2], strict=True)]
        near_ode, near_sde = ([float(energy_distance(p[frame], e)) for e in exact[:FLOOR_PAIRS]] for p in (ode, sde))
        rows.append(Distances(t, fmean(near_ode), fmean(near_sde), fmean(floor)))
    return tuple(rows)


@dataclass(frozen=True)
class Checks:
    """All that proves a picture; `expected` is what the browser's closed forms are held against."""

    residuals: Residuals
    distances: tuple[Distances, ...]
    expected: LawValues


def checks(path: ProbabilityPath, sigma: Sigma, starts: Starts) -> Checks:
    """All that proves the picture of one scene."""
    return Checks(residuals(path, sigma), distances(path, sigma, starts), expected(path))
