"""The page Dictionary as runnable programs: this project's names, and those of the library of the convention."""

from __future__ import annotations

from fmviz.lessons.dictionary.settings import DialectName, Settings
from fmviz.scene import Scene
from fmviz.scene.code import mixture_code

__all__ = ["dictionary_script", "library_script"]


def dictionary_script(scene: Scene, own: Settings) -> str:
    """Python on this project that samples the scene in convention A, and translates a point to B. Runs as it stands."""
    return f"""import torch
from fmviz.theory import GaussianMixture, dialects, presets
from fmviz.theory.discrete import Chain, ancestral, ddim, exact_denoiser
from fmviz.theory.metrics import sliced_wasserstein

p_data = {mixture_code(scene, "data")}
a = {_dialect(own, own.a)}
b = {_dialect(own, own.b)}

u = torch.linspace(0, 1, {own.steps + 1}, dtype=torch.float64)
chain = Chain.of(a, a.sampling_times(u).flip(0))  # {own.steps} steps, from data to noise
denoiser = exact_denoiser(p_data, a, chain)  # E[z | x]; put a network here
x = chain.prior_std * torch.randn({scene.count}, 2, generator=torch.Generator().manual_seed({scene.seed_start}))

noise = torch.Generator().manual_seed({scene.seed_noise})
samples = {{"DDIM": ddim(chain, denoiser, x), "ancestral": ancestral(chain, denoiser, x, generator=noise)}}
for name, positions in samples.items():
    print(name, "sliced W2", float(sliced_wasserstein(positions[-1], p_data.sample({scene.count}))))

k = chain.steps // 2  # one point in the middle, in the words of A and of B
x, s = samples["DDIM"][chain.steps - k], float(chain.times[k])
y, t = dialects.translate(x, s, a, b)
z = denoiser(x, k)
print("time", s, "in A is", float(t), "in B")
print(a.predicts, "in A:", a.convert(z, x, s, predicts="data", to=a.predicts)[0].tolist())
print(b.predicts, "in B:", b.convert(z, y, float(t), predicts="data", to=b.predicts)[0].tolist())
"""


def library_script(scene: Scene, own: Settings) -> str:
    """The same sampler with diffusers, or, where diffusers has none for convention A, in plain PyTorch. Runs as it stands."""
    return f"""import torch
from fmviz.theory import GaussianMixture, dialects, presets
from fmviz.theory.dialect_path import DialectPath
{_LIBRARY[own.a].format(steps=own.steps, betas=_THEIR_BETAS[own.betas], shift=own.shift, count=scene.count, start=scene.seed_start).strip()}

print("mean of", len(x), "samples:", x.mean(0).tolist())
""".replace("P_DATA", mixture_code(scene, "data")).replace("DIALECT", _dialect(own, own.a))


def _dialect(own: Settings, name: DialectName) -> str:
    written = name.replace("_", "-")
    if name == "ddpm":
        return f'dialects.get("ddpm", steps=1000, betas="{own.betas.replace("_", "-")}")'
    if name == "rectified_flow":
        return f'dialects.get("rectified-flow", shift={own.shift!r})'
    return f'dialects.get("{written}")'


_THEIR_BETAS = {
    "linear": "beta_schedule='linear', beta_start=1e-4, beta_end=0.02",
    "scaled_linear": "beta_schedule='scaled_linear', beta_start=0.00085, beta_end=0.012",
    "cosine": "beta_schedule='squaredcos_cap_v2'",
}

_EXACT = """
path = DialectPath(P_DATA, DIALECT)  # stands in for the network
"""

_SDE = """
# Song et al.: the reverse SDE by Euler-Maruyama, as in score_sde.
{exact}
sde = path.dialect
N, eps = {{steps}}, 1e-3
timesteps = torch.linspace(1.0, eps, N)
generator = torch.Generator().manual_seed({{start}})
x = float(sde.beta(1.0)) * torch.randn({{count}}, 2, generator=generator)
with torch.no_grad():
    for t in timesteps.tolist():
        dt = -(1.0 - eps) / N
        f, g2 = (float(value) for value in (sde.forward_sde(t).f, sde.forward_sde(t).g_squared))
        x_mean = x + (f * x - g2 * path.score(x, t)) * dt
        x = x_mean + (g2 * -dt) ** 0.5 * torch.randn(x.shape, generator=generator)
x = x_mean  # the last step without noise
"""

_FLOW = """
# Euler's method for dx/dt = u(x, t), from noise (t = 0) to data (t = 1).
{exact}
x = torch.randn({{count}}, 2, generator=torch.Generator().manual_seed({{start}}))
times = torch.linspace(0.0, 1.0, {{steps}} + 1).tolist()
with torch.no_grad():
    for t, t_next in zip(times[:-1], times[1:]):
        x = x + (t_next - t) * path.velocity(x, t)
"""

_LIBRARY: dict[DialectName, str] = {
    "ddpm": """
from diffusers import DDIMScheduler

"""
    + _EXACT.strip()
    + """
scheduler = DDIMScheduler(num_train_timesteps=1000, {betas}, clip_sample=False)
scheduler.set_timesteps({steps})
x = torch.randn({count}, 2, generator=torch.Generator().manual_seed({start}))
with torch.no_grad():
    for t in scheduler.timesteps:
        noise_pred = path.noise(x, float(t) + 1.0)  # their t counts from 0
        x = scheduler.step(noise_pred, t, x).prev_sample
""",
    "edm": """
from diffusers import EDMEulerScheduler

"""
    + _EXACT.strip()
    + """
scheduler = EDMEulerScheduler(sigma_min=0.002, sigma_max=80.0, rho=7.0, sigma_data=0.5)
scheduler.set_timesteps({steps})
x = scheduler.init_noise_sigma * torch.randn({count}, 2, generator=torch.Generator().manual_seed({start}))
with torch.no_grad():
    for sigma, sigma_next in zip(scheduler.sigmas[:-1].tolist(), scheduler.sigmas[1:].tolist()):
        denoised = path.posterior_mean(x, min(sigma, 80.0))  # D(x; sigma)
        x = x + (sigma_next - sigma) * (x - denoised) / sigma
""",
    "rectified_flow": """
from diffusers import FlowMatchEulerDiscreteScheduler

"""
    + _EXACT.strip()
    + """
scheduler = FlowMatchEulerDiscreteScheduler(shift={shift})
scheduler.set_timesteps({steps})
x = torch.randn({count}, 2, generator=torch.Generator().manual_seed({start}))
with torch.no_grad():
    for t, sigma in zip(scheduler.timesteps, scheduler.sigmas.double()):
        s = float(path.dialect.time(2.0 * ((1.0 - sigma) / sigma).log())) if sigma < 1.0 else 1.0
        model_output = path.noise(x, s) - path.posterior_mean(x, s)  # eps - z
        x = scheduler.step(model_output, t, x).prev_sample
""",
    "vp": _SDE.format(exact=_EXACT.strip()),
    "ve": _SDE.format(exact=_EXACT.strip()),
    "flow_matching": _FLOW.format(exact=_EXACT.strip()),
    "interpolant": _FLOW.format(exact=_EXACT.strip()),
}
