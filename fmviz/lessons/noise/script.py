"""What the page Noise shows as a runnable program: plain PyTorch on the library, nothing of the app."""

from __future__ import annotations

from fmviz.lessons.noise.settings import Settings
from fmviz.scene.code import mixture_code
from fmviz.scene.scene import NOISE_STREAM, Scene

__all__ = ["noise_script"]


def noise_script(scene: Scene, view: Settings) -> str:
    """Python that simulates the chosen process and compares it with its exact distribution. Runs as it stands."""
    if view.process == "brownian":
        return _brownian(scene, view)
    if view.process == "langevin":
        return _langevin(scene, view)
    return _ou(scene, view)


def _brownian(scene: Scene, view: Settings) -> str:
    return f"""import torch
from fmviz.theory.processes import brownian_motion

noise = torch.Generator().manual_seed({NOISE_STREAM + scene.seed_noise})
finest = brownian_motion(7, ({scene.count}, 2), generator=noise, dtype=torch.float32)  # (129, N, 2) on [0, 1]
w = finest[:: 128 // {view.grid}]  # the same path in {view.grid} steps
t = torch.linspace(0, 1, len(w))

for k in range(0, len(w), max(1, len(w) // 8)):
    print(f"t = {{float(t[k]):.3f}}  variance {{float(w[k].var()):.4f}}")
increments = w.diff(dim=0)
print("increments over sqrt(h): mean", float(increments.mean()), "variance", float(increments.var() * {view.grid}))
print("quadratic variation", float(increments.square().sum(0).mean()), "length", float(increments.abs().sum(0).mean()))
"""


def _ou(scene: Scene, view: Settings) -> str:
    return f"""import torch
from fmviz.theory.processes import OrnsteinUhlenbeck
from fmviz.theory.euler_maruyama_errors import OUEquation, GeometricBrownianMotion, euler_maruyama, measure_errors

process = OrnsteinUhlenbeck(theta={view.theta!r}, sigma={view.sigma!r})
times = torch.linspace(0, {view.time!r}, 121, dtype=torch.float64)
x0 = torch.tensor({list(view.start)!r}, dtype=torch.float64).expand({scene.count}, 2)
noise = torch.Generator().manual_seed({NOISE_STREAM + scene.seed_noise})
exact = process.simulate(x0, times.tolist(), generator=noise)
print("mean    ", exact.paths[-1].mean(0), "exact", process.mean(x0[0], times[-1]))
print("variance", exact.paths[-1].var(0), "exact", process.variance(times[-1]))

n = {view.em_steps}  # Euler-Maruyama on the same noise
increments = exact.brownian[:: 120 // n].diff(dim=0)
steps = euler_maruyama(lambda x: process.drift(x, 0.0), lambda x: process.sigma, x0, increments, {view.time!r} / n)
*_, end = steps
print("mean distance from the exact end", float((end - exact.paths[-1]).norm(dim=-1).mean()))

for equation in (OUEquation(), GeometricBrownianMotion()):  # additive noise, and noise that grows with x
    found = measure_errors(equation, generator=torch.Generator().manual_seed({scene.seed_noise}), paths=8000)
    print(type(equation).__name__, "strong", found.strong_order, "weak", found.weak_order)
"""


def _langevin(scene: Scene, view: Settings) -> str:
    start = {
        "gaussian": "standard",
        "data": f"p_data.sample({scene.count}, generator=torch.Generator().manual_seed({scene.seed_start}))",
        "mode": "p_data.means[heaviest] + standard @ p_data.factors[heaviest].mT",
    }[view.langevin_start]
    return f"""import torch
from fmviz.theory import GaussianMixture, presets
from fmviz.theory.metrics import energy_distance
from fmviz.theory.processes import Langevin
from fmviz.theory.solvers import solve_sde

p_data = {mixture_code(scene, "data")}
dynamics = Langevin(p_data, sigma={view.langevin_sigma!r})
generator = torch.Generator().manual_seed({scene.seed_start})
standard = GaussianMixture.standard().sample({scene.count}, generator=generator)
heaviest = int(p_data.weights.argmax())
x0 = {start}

steps, time = {view.langevin_steps}, {float(view.langevin_time)!r}
times = [time * i / steps for i in range(steps + 1)]
noise = torch.Generator().manual_seed({NOISE_STREAM + scene.seed_noise})
x, _ = solve_sde(dynamics.drift, dynamics.diffusion, x0, generator=noise, times=times)

exact, other = p_data.sample({scene.count}), p_data.sample({scene.count})
print("step", time / steps, "longest stable step", dynamics.max_stable_step)
print("end mean", x[-1].mean(0).tolist())
print("mode occupancy", p_data.responsibilities(x[-1]).mean(0).tolist(), "weights", p_data.weights.tolist())
print("energy distance", float(energy_distance(x[-1], exact)), "of two exact samples", float(energy_distance(exact, other)))
"""
