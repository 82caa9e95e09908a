"""The page Conservation as a runnable program: plain PyTorch on the library, nothing of the app."""

from __future__ import annotations

from fmviz.lessons.conservation.settings import Settings
from fmviz.scene.code import mixture_code, scheduler_code
from fmviz.scene.scene import Scene

__all__ = ["conservation_script"]

_LAWS = {"none": "TermFactors()", "velocity": "TermFactors(velocity=1.1)", "score": "TermFactors(score=0.0)"}


def conservation_script(scene: Scene, view: Settings) -> str:
    """Python that works out this scene's terms, residual and box. Runs as it stands."""
    if view.kind == "marginal":
        motion = "moving_marginal(path, times)"
    else:
        z = f"[{view.z[0]!r}, {view.z[1]!r}]" if view.z else "p_data.means[0].tolist()"
        motion = f"moving_conditional(path, torch.tensor({z}), times)"
    sigma = "sigma(times)" if view.law == "fokker_planck" else "0 * times"
    return f"""import torch
from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers, sigmas
from fmviz.theory.boxes import Box, fluxes, mass, mass_rate
from fmviz.theory.conservation import TermFactors, moving_conditional, moving_marginal, terms

p_data = {mixture_code(scene, "data")}
p_init = {mixture_code(scene, "init")}
scheduler = {scheduler_code(scene)}
sigma = sigmas.get({scene.sigma!r}, amplitude={scene.amplitude!r}, scheduler=scheduler)
path = ProbabilityPath(p_init, p_data, scheduler)

times = torch.linspace(0.1, 0.9, 5, dtype=torch.float64)
half_sigma_squared = {sigma} ** 2 / 2
law = {_LAWS[view.broken]}
motion = {motion}

side = torch.linspace(-4.5, 4.5, 80, dtype=torch.float64)
found = terms(motion, torch.cartesian_prod(side, side), half_sigma_squared).with_factors(law)
for name in ("rate", "transport", "diffusion", "score_transport", "total", "residual"):
    print(f"{{name:16}} largest |value| at each t:", getattr(found, name).abs().amax(1).tolist())

box = Box{view.box!r}
out = fluxes(motion, box, half_sigma_squared, law)
print("mass in the box          ", mass(motion, box).tolist())
print("its rate                 ", mass_rate(motion, box).tolist())
print("minus the net flux out   ", (-out.net).tolist())
print("left, right, bottom, top ", out.total.tolist())
"""
