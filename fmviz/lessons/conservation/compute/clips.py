"""The clip of the page Conservation: the terms of Fokker-Planck as maps on one scale, and a box (T17, T20, T21).

Maps and numbers come from the same float64 arrays, so what the chart says of a map is true of the map on screen. At times
where a term has no value (given z at t = 1, a point mass) its frame is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fmviz.clips.clip import (
    Box,
    Clip,
    Contours,
    Floats,
    Law,
    LawDensity,
    Layer,
    Markers,
    Particles,
    PlanePanel,
    Readout,
    Role,
    Signed,
)
from fmviz.clips.paths import Grid, Starts, as_array
from fmviz.lessons.conservation.compute.perturbed import conditional_particles, marginal_particles
from fmviz.theory import ProbabilityPath, boxes, conservation, sigmas
from fmviz.theory.conservation import MovingMixture, TermFactors, Terms
from fmviz.theory.sigmas import Sigma

__all__ = [
    "FLUX_SCALE",
    "BoxNumbers",
    "Experiment",
    "Maps",
    "Solution",
    "box_numbers",
    "clip",
    "density_panel",
    "maps",
    "solution",
    "term_panels",
]

HEADROOM = 4.0
"""The colour scale shared by all t ends at this many times the median frame's largest value: a path that collapses onto a
point grows without bound, and would leave all earlier frames blank."""
PARTICLE_SIZE = 0.55
"""The panels are small, and the density behind the particles is what they are compared with."""
FLUX_SCALE = 0.6
"""World length of the arrow for a flux of 1, as a part of the panel's width."""


@dataclass(frozen=True)
class Experiment:
    """What is put to the test.

    Attributes:
        z: the data point of the conditional path, or None for the marginal path.
        diffusive: Fokker-Planck with the scene's sigma_t; otherwise the continuity equation.
        law: the dynamics, true or broken.
    """

    z: tuple[float, float] | None = None
    diffusive: bool = True
    law: TermFactors = field(default_factory=TermFactors)

    @property
    def point(self) -> Tensor | None:
        """z as a tensor, (2,)."""
        return None if self.z is None else torch.tensor(self.z)

    def noise(self, sigma: Sigma) -> Sigma:
        """The diffusion coefficient: that of the scene, or none."""
        return sigma if self.diffusive else sigmas.get("zero")

    def motion(self, path: ProbabilityPath, times: Tensor) -> MovingMixture:
        """The moving components at times where they have a velocity."""
        if self.point is None:
            return conservation.moving_marginal(path, times)
        return conservation.moving_conditional(path, self.point, times)


@dataclass(frozen=True, eq=False)
class Solution:
    """Density and terms of the true dynamics at the frames of a clip.

    Attributes:
        grid: the grid.
        known: at which frames the terms have values, (T,) booleans; K of them.
        log_density: (T, N), -inf where there is no density.
        terms: the terms at the known frames, each (K, N).
    """

    grid: Grid
    known: Tensor
    log_density: Tensor
    terms: Terms


@dataclass(frozen=True, eq=False)
class Maps:
    """The terms on the cells of a grid at the frames of a clip.

    Attributes:
        experiment: what they are terms of.
        grid: the grid.
        log_density: (T, N), -inf where there is no density.
        values: name of each map to its values, (T, N), NaN where there are none.
        largest: largest absolute value of each map at each frame, (T,).
        integrals: integral of the absolute value over the view, (T,).
    """

    experiment: Experiment
    grid: Grid
    log_density: Tensor
    values: dict[str, Tensor]
    largest: dict[str, NDArray[np.float64]]
    integrals: dict[str, NDArray[np.float64]]

    @property
    def worst(self) -> float:
        """Largest residual over all frames, each relative to the largest term of its frame."""
        scale = np.stack([self.largest[name] for name in self.largest if name != "residual"]).max(axis=0)
        return float(np.nanmax(self.largest["residual"] / scale))


@dataclass(frozen=True, eq=False)
class BoxNumbers:
    """A box at the frames of a clip; NaN where there is no velocity.

    Attributes:
        mass: probability inside, (T,).
        rate: its derivative in t, in closed form, (T,).
        flux: outward flux of the dynamics through the left, right, bottom and top side by quadrature, (T, 4).
    """

    mass: NDArray[np.float64]
    rate: NDArray[np.float64]
    flux: NDArray[np.float64]

    @property
    def inflow(self) -> NDArray[np.float64]:
        """Minus the net flux, (T,): what the dynamics say that the rate is."""
        inflow: NDArray[np.float64] = -self.flux.sum(axis=-1)
        return inflow

    @property
    def mismatch(self) -> float:
        """Largest difference between the rate and the inflow over all frames."""
        return float(np.nanmax(np.abs(self.rate - self.inflow)))


@torch.inference_mode()
def solution(path: ProbabilityPath, sigma: Sigma, experiment: Experiment, grid: Grid) -> Solution:
    """What a map shows whatever the law: the costly part."""
    times = grid.times().double()
    known = conservation.solvable(path, times, experiment.point)
    x = grid.points(grid.cells)
    terms = conservation.terms(
        experiment.motion(path, times[known]), x, _half_square(experiment.noise(sigma), times[known])
    )
    log_density = torch.full((len(times), len(x)), -torch.inf, dtype=torch.float64)
    log_density[known] = terms.density.log()
    if experiment.z is None and not bool(known.all()):
        log_density[~known] = path.log_density(x.double()[None], times[~known, None])
    return Solution(grid, known, log_density, terms)


@torch.inference_mode()
def maps(found: Solution, experiment: Experiment) -> Maps:
    """All terms, their sum and the residual. Without diffusion the two terms that it brings are left out.

    `found` is the solution for `experiment`, or for one that differs in the law alone.
    """
    named = _named(found.terms.with_factors(experiment.law), experiment)
    values = {name: _filled(term, found.known) for name, term in named.items()}
    grid, log_density = found.grid, found.log_density
    extent = grid.extent
    cell = (extent.x1 - extent.x0) * (extent.y1 - extent.y0) / log_density.shape[1]
    sizes = {name: value.abs() for name, value in values.items()}
    largest = {name: size.amax(1).numpy() for name, size in sizes.items()}
    integrals = {name: (cell * size.sum(1)).numpy() for name, size in sizes.items()}
    return Maps(experiment, grid, log_density, values, largest, integrals)


def _named(found: Terms, experiment: Experiment) -> dict[str, Tensor]:
    if not experiment.diffusive:
        return {"rate": found.rate, "transport": found.transport, "residual": found.residual}
    return {
        "rate": found.rate,
        "total": found.total,
        "residual": found.residual,
        "transport": found.transport,
        "diffusion": found.diffusion,
        "score_transport": found.score_transport,
    }


def _half_square(sigma: Sigma, times: Tensor) -> Tensor:
    return 0.5 * torch.as_tensor(sigma(times), dtype=torch.float64).expand(times.shape).square()


def _filled(values: Tensor, known: Tensor) -> Tensor:
    """Values (K, ...) at the K known frames among NaN at the others."""
    if len(values) == len(known):
        return values
    full = values.new_full((len(known), *values.shape[1:]), torch.nan)
    full[known] = values
    return full


def term_panels(found: Maps) -> tuple[PlanePanel, ...]:
    """One panel for each map, all on one colour scale; a frame in which every term is 0 takes the middle scale of the others."""
    sizes = np.stack(list(found.largest.values())).max(axis=0)
    shown = np.isfinite(sizes) & (sizes > 0.0)
    middle = float(np.median(sizes[shown])) if shown.any() else 1.0
    limits = np.where(shown, sizes, middle).astype(np.float32)
    limit = float(min(sizes[shown].max(), HEADROOM * middle)) if shown.any() else middle
    cells = found.grid.cells
    return tuple(
        PlanePanel(name, "", found.grid.extent, (Signed("terms", as_array(v.view(-1, cells, cells)), limit, limits),))
        for name, v in found.values.items()
    )


@torch.inference_mode()
def density_panel(path: ProbabilityPath, sigma: Sigma, found: Maps, starts: Starts) -> PlanePanel:
    """The exact density with the particles of the experiment's dynamics, and z where there is one."""
    experiment = found.experiment
    times, x0, noise = found.grid.times(), starts.points(path.p_init), experiment.noise(sigma)
    marks: tuple[Layer, ...] = ()
    if experiment.point is None:
        moved = marginal_particles(path, noise, experiment.law, x0, times, starts.noise())
    else:
        moved = conditional_particles(path, noise, experiment.law, experiment.point, x0, times, starts.noise())
        marks = (Markers("z", "data", as_array(experiment.point[None]), label="z", drag="z"),)
    role: Role = "sde" if experiment.diffusive else "ode"
    peaks = found.log_density.amax(1)
    top = min(float(peaks.max()), float(peaks[peaks.isfinite()].median()) + float(np.log(HEADROOM)))
    ground = LawDensity("density", "marginal" if experiment.point is None else "conditional", top)
    layers = (ground, Contours("contours"), Particles(role, role, as_array(moved), size=PARTICLE_SIZE), *marks)
    return PlanePanel("density", "", found.grid.extent, layers)


@torch.inference_mode()
def box_numbers(
    path: ProbabilityPath, sigma: Sigma, experiment: Experiment, sides: boxes.Box, times: Tensor
) -> BoxNumbers:
    """Mass, rate and flux of a box at given times (T,), float64."""
    times = times.double()
    known = conservation.solvable(path, times, experiment.point)
    motion, half = experiment.motion(path, times[known]), _half_square(experiment.noise(sigma), times[known])
    found = (
        boxes.mass(motion, sides),
        boxes.mass_rate(motion, sides),
        boxes.fluxes(motion, sides, half, experiment.law).total,
    )
    return BoxNumbers(*(_filled(values, known).numpy() for values in found))


def clip(found: Maps, density: PlanePanel, sides: boxes.Box, numbers: BoxNumbers, law: Law) -> Clip:
    """The density of `law` with the box, the maps beside it, and the box's numbers beside the clock."""
    extent = found.grid.extent
    box = Box(
        "box",
        "data",
        sides.x0,
        sides.x1,
        sides.y0,
        sides.y1,
        numbers.mass.astype(np.float32),
        numbers.flux.astype(np.float32),
        FLUX_SCALE * (extent.x1 - extent.x0),
        drag="box",
    )
    first = PlanePanel(density.name, density.title, extent, (*density.layers, box))
    shown = {"P": numbers.mass, "dP/dt": numbers.rate, "−Φ": numbers.inflow}
    readouts = tuple(Readout(label, _floats(values)) for label, values in shown.items())
    return Clip(as_array(found.grid.times()), (first, *term_panels(found)), readouts, law=law)


def _floats(values: NDArray[np.float64]) -> Floats:
    return values.astype(np.float32)
