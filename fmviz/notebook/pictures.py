"""What `show` can show, as clips with titles in the user's language."""

from __future__ import annotations

__all__ = ["Picture", "Showable", "comparison_picture", "path_picture", "picture_of", "trajectory_picture"]

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fmviz.app.catalogue import translate
from fmviz.clips import paths
from fmviz.clips.clip import Absent, Clip, Density, Extent, Particles, PlanePanel
from fmviz.clips.extents import EXTENTS, extent_of
from fmviz.clips.laws import law_of
from fmviz.clips.learned import Resolution, Truth, truth, velocity_clip
from fmviz.clips.paths import Grid, Sent, Starts
from fmviz.comparison import Comparison
from fmviz.errors import ParameterError
from fmviz.scene.views import Language
from fmviz.theory import GaussianMixture, ProbabilityPath, schedulers
from fmviz.theory.arrays import Time
from fmviz.theory.sigmas import Sigma

Showable = ProbabilityPath | GaussianMixture | Clip | Comparison | Tensor | Sequence[Tensor]
Point = tuple[float, float]
Event = tuple[float, float, float]

MOST_FRAMES, MOST_PARTICLES, MOST_NUMBERS = 400, 5000, 400_000
"""Of a trajectory: what is more is thinned out, and what is more in all is refused nothing but precision in time."""
TRAIL = 9
NO_SDE: Sent = frozenset()
COMPARED = Resolution(frames=21, error_cells=26, particles=200, trail=4)
"""So fine that a notebook which keeps its widgets grows by less than 300 kB, as text, with the still picture and the script."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A clip, the path behind it where there is one, and where its clock stands at first."""

    clip: Clip
    path: ProbabilityPath | None = None
    t: float = 0.0


def picture_of(what: Showable, language: Language, particles: int, sigma: Sigma | None) -> Picture:
    """The picture of anything that can be shown.

    Raises:
        ParameterError: it cannot.
    """
    if isinstance(what, ProbabilityPath):
        return path_picture(what, None, None, language, particles, sigma)
    if isinstance(what, GaussianMixture):
        standard = GaussianMixture.standard(dtype=what.dtype, device=what.device)
        path = ProbabilityPath(standard, what, schedulers.get("linear"))
        return replace(path_picture(path, None, None, language, particles, sigma), t=1.0)
    if isinstance(what, Clip):
        return Picture(what)
    if isinstance(what, Comparison):
        return comparison_picture(what, language)
    if isinstance(what, Tensor):
        return trajectory_picture(what, None)
    if isinstance(what, tuple | list) and len(what) == 2 and all(isinstance(part, Tensor) for part in what):
        return trajectory_picture(what[0], what[1])
    wanted = "a path, a mixture, a clip, a comparison, or a trajectory (S, N, 2), alone or with its times (S,)"
    raise ParameterError("what", wanted, type(what).__name__)


def path_picture(
    path: ProbabilityPath,
    z: Point | None,
    click: Event | None,
    language: Language,
    particles: int,
    sigma: Sigma | None,
) -> Picture:
    """Conditional and marginal path with the posterior of a clicked point, as on the page Probability paths.

    Trajectories of the ODE are left to the player, those of the SDE travel where there is a sigma.
    """
    here = path.to("cpu").to(torch.float32)
    grid, starts = Grid(extent_of(here.p_data, here.p_init)), Starts(particles)
    first = (float(here.p_data.means[0, 0]), float(here.p_data.means[0, 1]))
    sent = paths.SIMULATED if sigma is not None else NO_SDE
    level = sigma or Sigma("zero", 0.0, here.scheduler)
    marginal = paths.marginal_panel(here, level, grid, starts, sent, draft=True)
    if click is not None:
        marginal = replace(marginal, layers=(*marginal.layers, *paths.click_layers(here, click, grid)))
    panels = (
        _titled(paths.conditional_panel(here, level, z or first, grid, starts, sent), "paths.conditional", language),
        _titled(marginal, "paths.marginal", language),
        replace(
            paths.posterior_panel(here, click),
            title=translate(language, "paths.posterior"),
            hint=translate(language, "paths.posterior_hint"),
        ),
    )
    readouts = paths.readouts(here, level, grid)[: 3 if sigma is not None else 2]
    return Picture(
        Clip(paths.as_array(grid.times()), panels, readouts, law=law_of(here, z or first, follows=True)), here
    )


def _titled(panel: PlanePanel, key: str, language: Language) -> PlanePanel:
    """With its title, and without layers that could only be asked of a server."""
    layers = tuple(layer for layer in panel.layers if not isinstance(layer, Absent))
    return replace(panel, title=translate(language, key), layers=layers)


def comparison_picture(report: Comparison, language: Language) -> Picture:
    """Exact field, the network's and the error under one clock."""
    path = report.path.to("cpu").to(torch.float32)
    return Picture(worded(velocity_clip(compared(path), _plain(report)), language), path)


def compared(path: ProbabilityPath, resolution: Resolution = COMPARED) -> Truth:
    """The exact side of a picture of a network."""
    return truth(path, extent_of(path.p_data, path.p_init), Starts(resolution.particles), resolution)


def _plain(report: Comparison) -> Callable[[Tensor, Time], Tensor]:
    """The network's velocity as the clip asks for it: outside inference mode, which not every network bears."""

    def velocity(x: Tensor, t: Time) -> Tensor:
        with torch.inference_mode(False), torch.enable_grad():
            return report.field(x.clone(), t.clone() if isinstance(t, Tensor) else t).detach()

    return velocity


def worded(clip: Clip, language: Language) -> Clip:
    """The clip of a network with its titles."""
    error = translate(language, "layer.error")
    panels = []
    for panel in clip.panels:
        assert isinstance(panel, PlanePanel)
        layers = tuple(replace(la, label=error) if isinstance(la, Density) else la for la in panel.layers)
        panels.append(replace(panel, title=translate(language, f"train.panel_{panel.name}"), layers=layers))
    return replace(clip, panels=tuple(panels))


def trajectory_picture(positions: Tensor, times: Tensor | None) -> Picture:
    """Particles that follow given positions (S, N, 2) at times (S,), by default evenly spread over [0, 1].

    Raises:
        ParameterError: another shape, no finite position, or times that do not fit, or neither rise nor fall.
    """
    if positions.ndim == 2:
        positions = positions[:, None]
    if positions.ndim != 3 or positions.shape[0] < 2 or positions.shape[1] < 1 or positions.shape[2] != 2:
        raise ParameterError("what", "a trajectory of shape (S, N, 2) or (S, 2), S >= 2", tuple(positions.shape))
    frames = len(positions)
    when = torch.linspace(0.0, 1.0, frames) if times is None else times.detach().cpu().float()
    if when.shape != (frames,) or not bool(when.isfinite().all()):
        raise ParameterError("times", f"finite times of shape ({frames},)", tuple(when.shape))
    moved = positions.detach()[:, :MOST_PARTICLES].cpu().float()
    if bool((when.diff() < 0).all()):
        when, moved = when.flip(0), moved.flip(0)
    if not bool((when.diff() > 0).all()):
        raise ParameterError("times", "times that rise, or fall, strictly", when.tolist()[:8])
    most = max(2, min(MOST_FRAMES, MOST_NUMBERS // moved.shape[1]))
    if frames > most:
        kept = torch.linspace(0, frames - 1, most).round().long()
        when, moved = when[kept], moved[kept]
    moved = torch.where(moved.isfinite(), moved, math.nan)
    reach = float(torch.nan_to_num(moved, nan=0.0).abs().quantile(0.999)) if moved.numel() < 10_000_000 else EXTENTS[-1]
    if not bool(moved.isfinite().any()):
        raise ParameterError("what", "at least one finite position", "none")
    half = next((side for side in EXTENTS if side >= 1.05 * reach), 1.05 * reach)
    layer = Particles("ode", "ode", paths.as_array(moved), TRAIL, "ode_trails")
    panel = PlanePanel("trajectory", "", Extent(-half, half, -half, half), (layer,))
    return Picture(Clip(paths.as_array(when), (panel,)))
