"""The page Flows as a runnable program: plain PyTorch on the library, nothing of the app."""

from __future__ import annotations

from fmviz.lessons.flows.settings import STARTS, Settings
from fmviz.scene.code import mixture_code, scheduler_code
from fmviz.scene.scene import Scene

__all__ = ["flows_script"]


def flows_script(scene: Scene, view: Settings) -> str:
    """Python that follows the points of this page exactly and by every solver, and measures the orders. Runs as it stands."""
    marginal = view.field == "marginal"
    return f"""import torch
from fmviz.theory import {"GaussianMixture, ProbabilityPath, presets, schedulers" if marginal else "flows"}
from fmviz.theory.convergence import convergence
from fmviz.theory.flows import {"Marginal, " if marginal else ""}exact_flow, jacobian_determinant, volume_factor
from fmviz.theory.solvers import solve_ode

{_marginal(scene) if marginal else f"field = flows.analytic({view.field!r}, {view.chosen_rate!r})"}
x0 = torch.tensor({[list(start) for start in view.starts or STARTS]!r}, dtype=torch.float64)
exact = exact_flow(field, x0, times=[0.0, 0.5, 1.0])
print("exact flow at t = 1", exact[-1].tolist())

for method in {view.solvers!r}:
    trajectory, times = solve_ode(field.velocity, x0, steps={view.steps}, method=method)
    print(method, "is off by", float((trajectory[-1] - exact[-1]).norm(dim=-1).max()))

for found in convergence(field, x0, counts=(4, 8, 16, 32, 64, 128)):
    print(found.method, "order", found.measured, "theory", found.expected)

print("det of the flow's derivative", jacobian_determinant(field, x0, 1.0).tolist())
print("exp of the integral of div u", volume_factor(field, x0, 1.0).tolist())
"""


def _marginal(scene: Scene) -> str:
    return f"""p_data = {mixture_code(scene, "data")}
p_init = {mixture_code(scene, "init")}
scheduler = {scheduler_code(scene)}
field = Marginal(ProbabilityPath(p_init, p_data, scheduler).to(torch.float64))"""
