"""The parts of a scene as Python expressions on the library, for the programs that the lessons offer."""

from __future__ import annotations

from fmviz.scene.components import Component
from fmviz.scene.scene import MixtureName, Scene

__all__ = ["mixture_code", "scheduler_code"]


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
