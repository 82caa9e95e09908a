"""The page Sample as a runnable program: plain PyTorch on the library, nothing of the app."""

from __future__ import annotations

from fmviz.lessons.sample.settings import Settings
from fmviz.scene.code import mixture_code, scheduler_code
from fmviz.scene.scene import NOISE_STREAM, Scene

__all__ = ["sample_script"]


def sample_script(scene: Scene, view: Settings, *, learned: bool = False) -> str:
    """Python that draws the samples of this scene and sampler, and measures them. Runs as it stands.

    `learned` adds, as comments, the lines that take the field from a checkpoint instead.
    """
    x, y, t = view.click or (0.5, 0.5, 0.5)
    return f"""import torch
from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers, sigmas
from fmviz.theory.likelihood import flow_likelihood
from fmviz.theory.metrics import energy_distance, negative_log_density, sliced_wasserstein
from fmviz.theory.solvers import solve_ode, solve_sde
from fmviz.theory.time_grids import time_grid

p_data = {mixture_code(scene, "data")}
p_init = {mixture_code(scene, "init")}
scheduler = {scheduler_code(scene)}
sigma = sigmas.get({scene.sigma!r}, amplitude={scene.amplitude!r}, scheduler=scheduler)
path = ProbabilityPath(p_init, p_data, scheduler)

velocity, drift = path.marginal_velocity, path.sde_drift(sigma)
{_LEARNED if learned else ""}
x0 = p_init.sample({scene.count}, generator=torch.Generator().manual_seed({scene.seed_start}))
ode, _ = solve_ode(velocity, x0, method={view.method!r}, times=time_grid({view.grid!r}, {view.steps}))
noise = torch.Generator().manual_seed({NOISE_STREAM + scene.seed_noise})
sde, _ = solve_sde(drift, sigma, x0, generator=noise, times=time_grid({view.grid!r}, {view.sde_steps}))

exact = p_data.sample({scene.count}, generator=torch.Generator().manual_seed(1))
for name, samples in (("ODE", ode[-1]), ("SDE", sde[-1]), ("exact", p_data.sample({scene.count}))):
    print(name, "mean", samples.mean(0).tolist())
    print("   sliced W2", float(sliced_wasserstein(samples, exact)), "energy", float(energy_distance(samples, exact)))
    print("   -E log p", float(negative_log_density(p_data, samples)))
    print("   mode occupancy", p_data.responsibilities(samples).mean(0).tolist())

x, t = torch.tensor([[{x!r}, {y!r}]]), {t!r}
along = flow_likelihood(velocity, p_init, x, t, times=time_grid({view.grid!r}, {view.steps}), method={view.method!r})
print("log p_t(x) along the flow", float(along.value), "exact", float(path.log_density(x, t)))
"""


_LEARNED = """
# The same with a network that was saved on the Train page:
# from fmviz.learning import checkpoint
# model = checkpoint.load("model.safetensors").model
# velocity, drift = model.sampling_velocity, model.drift(sigma)
"""
