"""The page Guidance as a runnable program: plain PyTorch on the library, nothing of the app."""

from __future__ import annotations

from fmviz.lessons.guidance.settings import Settings
from fmviz.scene.code import mixture_code, scheduler_code
from fmviz.scene.scene import NOISE_STREAM, Scene

__all__ = ["guidance_script"]


def guidance_script(scene: Scene, view: Settings, label: int) -> str:
    """Python that guides particles of this scene, weighs them, and compares both with exact draws. Runs as it stands."""
    sde = f"sigmas.get({scene.sigma!r}, amplitude={scene.amplitude!r}, scheduler=scheduler)"
    sigma = sde if view.kind == "sde" else "None"
    share = 0.5 if view.weights == "resampled" else 0.0
    return f"""import torch
from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers, sigmas
from fmviz.theory.guidance import Guidance, simulate_weighted
from fmviz.theory.metrics import sliced_wasserstein

p_data = {mixture_code(scene, "data")}
p_init = {mixture_code(scene, "init")}
scheduler = {scheduler_code(scene)}
path = ProbabilityPath(p_init, p_data, scheduler)

# The scale in this course's convention: (1 - w) u + w u(.|y), so that 1 is the plain conditional field.
guided = Guidance(path, label={label}, scale={view.scale!r}, interval={view.interval!r})

x0 = p_init.sample({scene.count}, generator=torch.Generator().manual_seed({scene.seed_start}))
run = simulate_weighted(
    guided,
    x0,
    steps=100,
    sigma={sigma},
    generator=torch.Generator().manual_seed({NOISE_STREAM + scene.seed_noise}),
    resample_below={share!r},
    resampler=torch.Generator().manual_seed(1),
)
ends, weights = run.positions[-1], run.weights[-1]
print("effective sample size", round(float(run.effective[-1]), 1), "of", len(ends))
print("mean, as they are", ends.mean(0).tolist(), "weighted", (weights @ ends.double()).tolist())

conditional = guided.conditional.p_data.sample({scene.count}, generator=torch.Generator().manual_seed(2))
print("sliced W2 to p(.|y)", float(sliced_wasserstein(ends, conditional)))
if guided.scale_at(1.0) >= 0:
    tilted = guided.sample_tilted({scene.count}, generator=torch.Generator().manual_seed(3))
    print("sliced W2 to the tilted distribution", float(sliced_wasserstein(ends, tilted)))
    print("its mean, from exact draws", tilted.mean(0).tolist())
"""
