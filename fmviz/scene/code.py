"""A scene as a runnable program: plain PyTorch on the library, nothing of the app."""

from __future__ import annotations

from fmviz.lessons.sample.settings import SampleView
from fmviz.scene.components import Component
from fmviz.scene.scene import NOISE_STREAM, MixtureName, Scene
from fmviz.scene.views import PathsView

__all__ = ["mixture_code", "paths_script", "sample_script", "scheduler_code"]


def paths_script(scene: Scene, view: PathsView) -> str:
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


def sample_script(scene: Scene, view: SampleView, *, learned: bool = False) -> str:
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
# The same with a network that was saved on the page Train:
# from fmviz.learning import checkpoint
# model = checkpoint.load("model.safetensors").model
# velocity, drift = model.sampling_velocity, model.drift(sigma)
"""


def mixture_code(scene: Scene, which: MixtureName) -> str:
    """The expression that builds p_data or p_init of `scene`."""
    edited = scene.data_components if which == "data" else scene.init_components
    if edited is not None:
        return _written(edited)
    name = scene.data if which == "data" else scene.init
    return "GaussianMixture.standard()" if name == "gaussian" else f"presets.get({name!r}, seed={scene.seed_data})"


def _written(components: tuple[Component, ...]) -> str:
    means = ", ".join(f"[{c.x!r}, {c.y!r}]" for c in components)
    covariances = ", ".join(f"[[{c.xx!r}, {c.xy!r}], [{c.xy!r}, {c.yy!r}]]" for c in components)
    weights = ", ".join(repr(c.weight) for c in components)
    return f"GaussianMixture(\n    torch.tensor([{means}]),\n    torch.tensor([{covariances}]),\n    torch.tensor([{weights}]),\n)"


def scheduler_code(scene: Scene) -> str:
    """The expression that makes the scheduler of `scene`."""
    if scene.scheduler == "custom":
        return f"schedulers.custom({scene.alpha!r}, {scene.beta!r})"
    if scene.scheduler == "polynomial":
        return f'schedulers.get("polynomial", exponent={scene.exponent!r})'
    return f"schedulers.get({scene.scheduler!r})"
