"""Check it, for the page Bridges: laws that every bridge obeys, in numbers."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from fmviz.cache import shared
from fmviz.lessons.bridges.compute.fields import bridge
from fmviz.scene import Scene
from fmviz.theory import checks
from fmviz.theory.metrics import energy_distance
from fmviz.theory.sigmas import get as sigma_of
from fmviz.theory.solvers import sde_grid, solve_ode, solve_sde

__all__ = ["PARTICLES", "POINTS", "SIGMA", "TIMES", "Checked", "checked"]

TIMES = (0.25, 0.5, 0.75, 1.0)
POINTS, PARTICLES, FRAMES = 64, 400, 81
SIGMA = 0.5
REFERENCES = 4


@dataclass(frozen=True)
class Checked:
    """Largest residuals at exact samples, and energy distances of ODE and SDE at `TIMES` beside those of exact samples."""

    continuity: float
    fokker_planck: float
    score: float
    ode: tuple[float, ...]
    sde: tuple[float, ...]
    floor: tuple[float, ...]


@shared
def checked(scene: Scene, gamma: float) -> Checked:
    """The exact bridge of independent pairs with noise gamma in between."""
    path = bridge(scene, gamma)
    x = path.sample(POINTS, 0.5, generator=torch.Generator().manual_seed(1))
    continuity = checks.continuity_residual(path, x, 0.5).largest
    planck = checks.fokker_planck_residual(path, x, 0.5, SIGMA).largest
    score = checks.score_residual(path, x, 0.5).largest
    with torch.inference_mode():
        sigma = sigma_of("constant", amplitude=SIGMA, scheduler=path.scheduler)
        x0 = path.p_init.sample(PARTICLES, generator=torch.Generator().manual_seed(2))
        times = torch.linspace(0.0, 1.0, FRAMES)
        ode = solve_ode(path.marginal_velocity, x0, method="heun", times=times)[0]
        grid, frames = sde_grid(sigma, path.stiffness, times)
        noise = torch.Generator().manual_seed(3)
        sde = solve_sde(path.sde_drift(sigma), sigma, x0, generator=noise, times=grid)[0][frames]
        found: list[tuple[float, float, float]] = []
        for t in TIMES:
            frame = round(t * (FRAMES - 1))
            draws = [
                path.sample(PARTICLES, t, generator=torch.Generator().manual_seed(10 + i))
                for i in range(2 * REFERENCES)
            ]
            pairs = zip(draws[::2], draws[1::2], strict=True)
            floor = torch.stack([energy_distance(a, b) for a, b in pairs]).mean()
            moved = [torch.stack([energy_distance(of[frame], draw) for draw in draws]).mean() for of in (ode, sde)]
            found.append((float(moved[0]), float(moved[1]), float(floor)))
    of_ode, of_sde, of_floor = zip(*found, strict=True)
    return Checked(continuity, planck, score, of_ode, of_sde, of_floor)
