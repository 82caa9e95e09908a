"""The page Hyperparameters as a runnable program: the same cells with `fmviz.sweep`, nothing of the app."""

from __future__ import annotations

from fmviz.lessons.hyperparameters.settings import NAMES, PLAIN, Settings
from fmviz.scene import Scene
from fmviz.scene.code import mixture_code, scheduler_code

__all__ = ["sweep_script"]


def sweep_script(scene: Scene, view: Settings) -> str:
    """Python that trains the cells of the page and prints the error of each. Runs as it stands."""
    axes = {axis.name: axis.values for axis in view.axes}
    plain = {name: repr(getattr(view, name)) for name in PLAIN if name not in axes}
    fixed = "".join(f"    {name}={value},\n" for name, value in plain.items())
    grid = _grid(view, axes)
    hidden = "" if "hidden" in grid else f"    hidden=({view.width},) * {view.depth},\n"
    seed = "" if "seed" in axes else f"    seed={scene.seed_network},\n"
    schedulers = axes.get("scheduler")
    one = scheduler_code(scene)
    chosen = (
        "{\n"
        + "".join(
            f"    {name!r}: {scheduler_code(scene.model_copy(update={'scheduler': name}))},\n" for name in schedulers
        )
        + "}"
        if schedulers
        else f'{{"path": {one}}}'
    )
    entries = "".join(f"    {name!r}: {values},\n" for name, values in grid.items())
    return f"""import fmviz
import pandas as pd
import torch
from fmviz.learning import TrainSpec, frame
from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers

torch.set_num_threads(1)  # small networks are faster so
p_data = {mixture_code(scene, "data")}
p_init = {mixture_code(scene, "init")}
spec = TrainSpec(
{fixed}{hidden}{seed}    device="cpu",
)
grid = {{
{entries}}}
tables = []
for name, scheduler in {chosen}.items():
    path = ProbabilityPath(p_init, p_data, scheduler)
    cells = list(fmviz.sweep(path, spec, grid, seeds={view.runs_of_a_cell}))
    tables.append(frame(cell for cell in cells if cell.ended).assign(scheduler=name))

# One row for each cell: its settings, and the relative error of its velocity.
table = pd.concat(tables, ignore_index=True)
print(table.sort_values("velocity").to_string())
"""


def _grid(view: Settings, axes: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """The axes as `fmviz.sweep` takes them: width and depth are one setting, and the scheduler belongs to the path."""
    grid: dict[str, str] = {}
    if "width" in axes or "depth" in axes:
        widths, depths = axes.get("width", (str(view.width),)), axes.get("depth", (str(view.depth),))
        grid["hidden"] = f"[(width,) * depth for width in ({', '.join(widths)},) for depth in ({', '.join(depths)},)]"
    for name, values in axes.items():
        if name not in ("width", "depth", "scheduler"):
            grid[name] = repr(list(values)) if name in NAMES else f"[{', '.join(values)}]"
    return grid
