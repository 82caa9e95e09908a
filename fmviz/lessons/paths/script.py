"""The page on probability paths as a runnable program: plain PyTorch on the library, nothing of the app."""

from __future__ import annotations

from fmviz.lessons.paths.settings import Settings
from fmviz.scene.code import mixture_code, scheduler_code
from fmviz.scene.scene import NOISE_STREAM, Scene

__all__ = ["paths_script"]


def paths_script(scene: Scene, view: Settings) -> str:
    """Python that builds this scene's path and simulates its ODE and SDE. Runs as it stands."""
    x, y, t = view.click or (0.5, 0.5, 0.5)
    return f"""import torch
from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers, sigmas
from fmviz.theory.solvers import solve_ode, solve_sde

p_data = {mixture_code(scene, "data")}
p_init = {mixture_code(scene, "init")}
scheduler = {scheduler_code(scene)}
sigma = sigmas.get({scene.sigma!r}, amplitude={scene.amplitude!r}, scheduler=scheduler)
path = ProbabilityPath(p_init, p_data, scheduler)

x, t = torch.tensor([{x!r}, {y!r}]), {t!r}
print("log p_t(x)     ", path.log_density(x, t))
print("velocity u_t(x)", path.marginal_velocity(x, t))
print("score s_t(x)   ", path.marginal_score(x, t))
print("posterior      ", path.posterior(x, t))

x0 = p_init.sample({scene.count}, generator=torch.Generator().manual_seed({scene.seed_start}))
ode, times = solve_ode(path.marginal_velocity, x0, steps=60, method="heun")


def drift(x, t):
    velocity, score = path.velocity_and_score(x, t)
    return velocity + sigma(t) ** 2 / 2 * score


noise = torch.Generator().manual_seed({NOISE_STREAM + scene.seed_noise})
sde, times = solve_sde(drift, sigma, x0, steps=1000, generator=noise)
print("ODE ends with mean", ode[-1].mean(0), "SDE with mean", sde[-1].mean(0), "data have", p_data.mean)
"""
