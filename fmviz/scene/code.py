"""The parts of a scene as Python expressions on the library, for the programs that the lessons offer."""

from __future__ import annotations

from fmviz.scene.components import Component
from fmviz.scene.scene import MixtureName, Scene
from fmviz.scene.scenes import components

__all__ = ["mixture_code", "scheduler_code"]


def mixture_code(scene: Scene, which: MixtureName) -> str:
    """The expression that builds p_data or p_init of `scene`."""
    edited = scene.data_components if which == "data" else scene.init_components
    if edited is not None:
        return _written(components(scene, which))
    name = scene.data if which == "data" else scene.init
    return "GaussianMixture.standard()" if name == "gaussian" else f"presets.get({name!r}, seed={scene.seed_data})"


def _written(components: tuple[Component, ...]) -> str:
    means = ", ".join(f"[{c.x!r}, {c.y!r}]" for c in components)
    covariances = ", ".join(f"[[{c.xx!r}, {c.xy!r}], [{c.xy!r}, {c.yy!r}]]" for c in components)
    columns = [means, covariances, ", ".join(repr(c.weight) for c in components)]
    if components[0].label is not None:
        columns.append(", ".join(str(c.label) for c in components))
    return "GaussianMixture(\n" + "".join(f"    torch.tensor([{column}]),\n" for column in columns) + ")"


def scheduler_code(scene: Scene) -> str:
    """The expression that makes the scheduler of `scene`."""
    if scene.scheduler == "custom":
        return f"schedulers.custom({scene.alpha!r}, {scene.beta!r})"
    if scene.scheduler == "polynomial":
        return f'schedulers.get("polynomial", exponent={scene.exponent!r})'
    return f"schedulers.get({scene.scheduler!r})"
