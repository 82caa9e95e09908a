"""What a comparison measures: the error over t and over x, particles of both fields with their distances, and likelihood."""

from __future__ import annotations

__all__ = [
    "Distance",
    "ErrorMap",
    "ErrorOverTime",
    "Likelihood",
    "Runs",
    "distances",
    "error_map",
    "error_over_time",
    "likelihood",
    "runs",
]

import math
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor

from fmviz.clips.clip import Extent, Floats
from fmviz.clips.extents import extent_of
from fmviz.clips.paths import as_array
from fmviz.clips.scales import cell_centres
from fmviz.comparison.field import OwnField
from fmviz.comparison.readings import Exact
from fmviz.errors import ParameterError, SingularTimeError
from fmviz.learning.objectives import SINGULAR_MARGIN
from fmviz.theory import GaussianMixture, ProbabilityPath
from fmviz.theory.likelihood import flow_likelihood
from fmviz.theory.metrics import energy_distance, sliced_wasserstein
from fmviz.theory.solvers import Velocity, solve_ode

MAP_TIMES = (0.1, 0.3, 0.5, 0.7, 0.9)
MAP_CELLS = 32
MAP_DRAWS = 60
PAIRS = 4
"""Exact samples that a distance is averaged over, and pairs of them that its floor is."""
LIKELIHOOD_POINTS, LIKELIHOOD_STEPS = 256, 24


@dataclass(frozen=True, eq=False)
class ErrorOverTime:
    """The error of the velocity, :math:`(E|u_\\theta - u|^2)^{1/2}` over x ~ p_t, and the same over the exact speed.

    Attributes:
        total: over all t, as a fraction of the root mean square speed over all t.
        t: (T,) middles of equal parts of [0, 1].
        relative: (T,) at each, as a fraction of the same speed, so that the square of `total` is the mean of their squares; no number
            where no answer is finite.
        absolute: (T,) the root mean square of the difference itself.
        lost: the share of the answers that are not finite.
    """

    total: float
    t: Floats
    relative: Floats
    absolute: Floats
    lost: float

    @property
    def worst(self) -> tuple[float, float]:
        """The time at which `relative` is largest, and how large."""
        at = max(range(len(self.t)), key=lambda i: -1.0 if math.isnan(self.relative[i]) else float(self.relative[i]))
        return float(self.t[at]), float(self.relative[at])


@dataclass(frozen=True, eq=False)
class ErrorMap:
    """The error over x at M times.

    Attributes:
        extent: what the cells cover.
        times: (M,).
        values: |u_theta(x) - u_t(x)| over the root mean square speed of p_t, (M, C, C), row 0 at the lowest y.
        draws: of p_t, which say where an error matters, (M, N, 2).
    """

    extent: Extent
    times: tuple[float, ...]
    values: Floats
    draws: Floats


@dataclass(frozen=True, eq=False)
class Runs:
    """Particles from common starting points, by the same solver: along the exact field and along the network's, (S + 1, N, 2) each."""

    times: Floats
    exact: Tensor
    own: Tensor

    @property
    def lost(self) -> float:
        """The share of the network's particles that have left the range of numbers."""
        return float((~self.own[-1].isfinite().all(-1)).double().mean())


@dataclass(frozen=True)
class Distance:
    """One distance to p_data.

    Attributes:
        name: "sliced_wasserstein" or "energy".
        own: of the network's particles; infinite if one of them has left the range of numbers.
        exact: of the particles along the exact field: what the solver alone does.
        floor: of exact samples of the same size.
    """

    name: str
    own: float
    exact: float
    floor: float


@dataclass(frozen=True)
class Likelihood:
    """Mean log density, in nats, of exact data under the flow of the network, and under p_data itself."""

    own: float
    exact: float


def error_over_time(field: OwnField, exact: Exact) -> ErrorOverTime:
    """The error of a field on the draws of `exact`."""
    velocity = exact.values["velocity"]
    found = field(exact.x, exact.t[:, None]).detach()
    known = found.isfinite().all(-1, keepdim=True)
    absolute = (torch.where(known, found - velocity, 0.0).square().sum((-1, -2)) / known.sum((-1, -2))).sqrt()
    relative = absolute / velocity.square().sum(-1).mean().sqrt()
    return ErrorOverTime(
        total=float(relative[relative.isfinite()].square().mean().sqrt()),
        t=as_array(exact.t),
        relative=as_array(relative),
        absolute=as_array(absolute),
        lost=float((~known).double().mean()),
    )


def error_map(path: ProbabilityPath, field: OwnField) -> ErrorMap:
    """The error on cells that cover both mixtures."""
    extent = extent_of(path.p_data, path.p_init)
    points = cell_centres(extent, MAP_CELLS).to(path.p_data.device, torch.float64)
    times = torch.tensor(MAP_TIMES, dtype=torch.float64, device=points.device)
    exact = path.to(torch.float64)
    velocity = torch.stack([exact.marginal_velocity(points, t) for t in MAP_TIMES])
    drawn = exact.sample(512, times[:, None], generator=torch.Generator(points.device).manual_seed(0))
    moved = torch.stack([exact.marginal_velocity(x, t) for x, t in zip(drawn, MAP_TIMES, strict=True)])
    speed = moved.square().sum(-1).mean(-1).sqrt()
    gap = (field(points, times[:, None]).detach() - velocity).square().sum(-1).sqrt()
    values = (gap / speed[:, None]).reshape(-1, MAP_CELLS, MAP_CELLS)
    return ErrorMap(extent, MAP_TIMES, as_array(values), as_array(drawn[:, :MAP_DRAWS]))


def runs(path: ProbabilityPath, field: OwnField, particles: int, steps: int, method: str, seed: int) -> Runs:
    """Both flows from the same draws of p_init, over a uniform grid that stays off an end at which the exact velocity is infinite."""
    x0 = path.p_init.sample(particles, generator=torch.Generator(path.p_init.device).manual_seed(seed)).double()
    exact = path.to(torch.float64)
    low, high = (
        margin if _singular(exact, end) else 0.0 for end, margin in ((0.0, SINGULAR_MARGIN), (1.0, SINGULAR_MARGIN))
    )
    grid = torch.linspace(low, 1.0 - high, steps + 1, dtype=torch.float64).tolist()
    exact.prepare(grid)

    def own(x: Tensor, t: float) -> Tensor:
        return field(x, t).detach()

    def solve(velocity: Velocity) -> Tensor:
        return solve_ode(velocity, x0, method=method, times=grid)[0]

    return Runs(as_array(torch.tensor(grid)), solve(exact.marginal_velocity), solve(own))


def _singular(path: ProbabilityPath, t: float) -> bool:
    try:
        path.marginal_velocity(path.p_data.means[:1], t)
    except SingularTimeError:
        return True
    return False


def distances(p_data: GaussianMixture, found: Runs, seed: int) -> tuple[Distance, ...]:
    """How far the ends of both flows are from p_data, and how far exact samples are, by two distances (T47)."""
    generator = torch.Generator(p_data.device).manual_seed(seed + 7_000_003)
    count = found.own.shape[1]
    first, second = ([p_data.sample(count, generator=generator) for _ in range(PAIRS)] for _ in range(2))
    answers = []
    for name, distance in (("sliced_wasserstein", sliced_wasserstein), ("energy", energy_distance)):
        to_data = [
            fmean(float(distance(end, other)) for other in first) if bool(end.isfinite().all()) else math.inf
            for end in (found.own[-1], found.exact[-1])
        ]
        floor = fmean(float(distance(a, b)) for a, b in zip(first, second, strict=True))
        answers.append(Distance(name, to_data[0], to_data[1], floor))
    return tuple(answers)


def likelihood(path: ProbabilityPath, field: OwnField, seed: int) -> Likelihood | None:
    """The likelihood of draws of p_data (T46); None for a network that torch cannot differentiate, or one that leaves the numbers."""
    generator = torch.Generator(path.p_data.device).manual_seed(seed + 9_000_011)
    x = path.p_data.to(torch.float64).sample(LIKELIHOOD_POINTS, generator=generator)
    grid = [i / LIKELIHOOD_STEPS for i in range(LIKELIHOOD_STEPS + 1)]
    try:
        own = float(flow_likelihood(field, path.p_init, x, 1.0, times=grid).value.mean())
    except (RuntimeError, ParameterError):
        return None
    exact = float(path.p_data.to(torch.float64).log_density(x).mean())
    return Likelihood(own, exact) if math.isfinite(own) else None
