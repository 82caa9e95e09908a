"""The arrays of one clip, on one thread, against the loop over components that one would write in a notebook."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from bench.report import Row, at_least, at_most, median_ms, note
from fmviz.clips.particles import marginal_ode
from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers
from fmviz.theory.solvers import solve_ode

__all__ = ["rows"]

FRAMES, CELLS, ARROWS, PARTICLES = 61, 96, 20, 500
HALF_WIDTH = 4.5


def mixture(k: int) -> GaussianMixture:
    """k correlated components, no two alike."""
    g = torch.Generator().manual_seed(0)
    factor = 0.35 * torch.randn(k, 2, 2, generator=g)
    covariances = factor @ factor.mT + 0.02 * torch.eye(2)
    return GaussianMixture(2.5 * torch.randn(k, 2, generator=g), covariances, torch.rand(k, generator=g) + 0.5)


def points(n: int) -> Tensor:
    """n by n points on the view, (n², 2)."""
    line = torch.linspace(-HALF_WIDTH, HALF_WIDTH, n)
    y, x = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([x, y], dim=-1).reshape(-1, 2)


def library(p_data: GaussianMixture, x0: Tensor) -> tuple[Tensor, ...]:
    """The clip by fmviz, from nothing: no path is kept between two calls."""
    path = ProbabilityPath(GaussianMixture.standard(), p_data, schedulers.get("linear"))
    times = torch.linspace(0, 1, FRAMES)
    log_p = path.log_density(points(CELLS)[None], times[:, None])
    velocity, score = path.velocity_and_score(points(ARROWS)[None], times[:, None])
    path.prepare(times.tolist())
    particles, _ = solve_ode(path.marginal_velocity, x0, method="heun", times=times.tolist())
    return log_p, velocity, score, particles


def plain_loop(p_data: GaussianMixture, x0: Tensor) -> tuple[Tensor, ...]:
    """The same by the textbook: for each frame, for each component, its Gaussian and its conditional velocity."""
    eye, k = torch.eye(2), len(p_data.weights)
    log_w = p_data.weights.log()

    def components(t: float) -> list[tuple[MultivariateNormal, Tensor, Tensor]]:
        out = []
        for i in range(k):
            mean, covariance = p_data.means[i], p_data.covariances[i]
            c = t**2 * covariance + (1 - t) ** 2 * eye
            a = (t * covariance - (1 - t) * eye) @ torch.linalg.inv(c)
            out.append((MultivariateNormal(t * mean, c), mean, a))
        return out

    def log_density(x: Tensor, t: float) -> Tensor:
        logs = [log_w[i] + normal.log_prob(x) for i, (normal, _, _) in enumerate(components(t))]
        return torch.logsumexp(torch.stack(logs), dim=0)

    def velocity_and_score(x: Tensor, t: float) -> tuple[Tensor, Tensor]:
        parts = components(t)
        logs = [log_w[i] + normal.log_prob(x) for i, (normal, _, _) in enumerate(parts)]
        posterior = torch.softmax(torch.stack(logs), dim=0)
        velocity, score = torch.zeros_like(x), torch.zeros_like(x)
        for i, (normal, mean, a) in enumerate(parts):
            offset = x - normal.mean
            velocity += posterior[i, :, None] * (mean + offset @ a.T)
            score -= posterior[i, :, None] * (offset @ normal.precision_matrix)
        return velocity, score

    times = torch.linspace(0, 1, FRAMES).tolist()
    grid, arrows = points(CELLS), points(ARROWS)
    log_p = torch.stack([log_density(grid, t) for t in times])
    fields = [velocity_and_score(arrows, t) for t in times]
    x, trajectory = x0, [x0]
    for t, s in itertools.pairwise(times):
        h = s - t
        k1 = velocity_and_score(x, t)[0]
        k2 = velocity_and_score(x + h * k1, s)[0]
        x = x + h / 2 * (k1 + k2)
        trajectory.append(x)
    return log_p, torch.stack([v for v, _ in fields]), torch.stack([s for _, s in fields]), torch.stack(trajectory)


def largest_difference(ours: tuple[Tensor, ...], theirs: tuple[Tensor, ...]) -> float:
    """Relative to the largest value of each array: both compute the same clip."""
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in zip(ours, theirs, strict=True))


def between(p_init: str, p_data: str) -> ProbabilityPath:
    """A path between two presets that remembers nothing yet."""
    return ProbabilityPath(presets.get(p_init), presets.get(p_data), schedulers.get("linear"))


def particles(p_init: str, p_data: str, dtype: torch.dtype) -> Tensor:
    """One Heun step a frame between two presets, from nothing."""
    path = between(p_init, p_data).to(dtype)
    x0 = path.p_init.sample(PARTICLES, generator=torch.Generator().manual_seed(1))
    return marginal_ode(path, x0, torch.linspace(0, 1, FRAMES, dtype=torch.float64))


def rows() -> Iterator[Row]:
    """The default clip, the same by the plain loop, the largest mixture that the app allows, and many pairs."""
    torch.set_num_threads(1)
    x0 = torch.randn(PARTICLES, 2, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        eight, many = mixture(8), mixture(64)
        difference = largest_difference(library(eight, x0), plain_loop(eight, x0))
        ours, theirs = median_ms(lambda: library(eight, x0), lambda: plain_loop(eight, x0))
        (large,) = median_ms(lambda: library(many, x0))
    yield at_most("default clip: 8 components, 61 frames, 96² cells, 400 arrows, 500 Heun", ours, "ms", 60)
    yield note("the same by a plain loop over components", theirs, "ms")
    yield at_least("times faster than the plain loop", theirs / ours, "×", 4)
    yield at_most("largest relative difference between the two (float32)", difference, "", 1e-2)
    yield at_most("64 components", large, "ms", 300)
    for dtype in (torch.float32, torch.float64):
        name = str(dtype).removeprefix("torch.")
        with torch.inference_mode():
            some, most = median_ms(
                lambda dtype=dtype: particles("circles", "checkerboard", dtype),  # type: ignore[misc]
                lambda dtype=dtype: particles("circles", "spiral", dtype),  # type: ignore[misc]
            )
            cells, times = points(CELLS).to(dtype), torch.linspace(0, 1, FRAMES)[:, None]
            (grid,) = median_ms(lambda c=cells, t=times: between("checkerboard", "checkerboard").log_density(c, t))  # type: ignore[misc]
        yield at_most(f"500 particles, 60 Heun steps, 1536 pairs, {name}", some, "ms", 500)
        yield at_most(f"the same with 2880 pairs, {name}", most, "ms", 1000)
        yield at_most(f"1024 pairs of one covariance, 61 frames of 96² cells, {name}", grid, "ms", 300)
    if not math.isfinite(difference):
        raise ArithmeticError("the two clips differ by something that is not a number")
