r"""The numbers of the page Noise: moments against their laws, errors of Euler-Maruyama, and how Langevin mixes (T6 to T11).

Every measured number comes with the Monte Carlo error of its sample: two standard errors, which about one in twenty
exceeds. For a variance of n normal draws the standard error is :math:`v \sqrt{2 / (n - 1)}`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor

from fmviz.clips.clip import Floats
from fmviz.clips.paths import Starts, as_array
from fmviz.errors import ParameterError
from fmviz.lessons.noise.compute.runs import (
    PACES,
    Run,
    brownian_paths,
    langevin_run,
    langevin_starts,
    ou_run,
    time_rescaled,
)
from fmviz.theory import GaussianMixture
from fmviz.theory.euler_maruyama_errors import Errors, GeometricBrownianMotion, OUEquation, measure_errors
from fmviz.theory.metrics import energy_distance
from fmviz.theory.processes import Langevin, OrnsteinUhlenbeck
from fmviz.theory.solvers import solve_ode, solve_sde

__all__ = [
    "DistanceOverTime",
    "Histogram",
    "Identities",
    "LongRun",
    "MomentCurve",
    "Row",
    "Shares",
    "Variation",
    "brownian_variance",
    "distance_over_time",
    "identities",
    "increments",
    "long_run",
    "mode_shares",
    "orders",
    "ou_moments",
    "ou_rows",
    "same_stationary_variance",
    "variation",
]

BINS = 29
EDGE = 3.625
"""The histogram of increments ends here, in standard deviations."""
MOMENTS = 10_000_019
"""Seed of exact samples, far from those that a user types."""
PAIRS = 6
CHECKED = 20_000
"""Paths of the rows that check T9."""
PATHS = 8000
STEPS = (8, 16, 32, 64, 128)
MEASURED = 500
"""Particles whose distance to the law is taken: the cost grows with the square."""
LOOKS = 13
"""Times at which the distance of Langevin to its law is taken."""


@dataclass(frozen=True, eq=False)
class MomentCurve:
    """A moment over time, each (T,): as measured, its exact value, and two standard errors around that."""

    times: Floats
    measured: Floats
    exact: Floats
    error: Floats


@dataclass(frozen=True, eq=False)
class Histogram:
    """Increments in units of the square root of their time: centres (B,), densities (B,), the normal one, two errors."""

    centres: Floats
    density: Floats
    normal: Floats
    error: Floats
    count: int


@dataclass(frozen=True)
class Row:
    """Moments at one time: as measured, exact, and two standard errors."""

    t: float
    mean: float
    mean_exact: float
    mean_error: float
    variance: float
    variance_exact: float
    variance_error: float


@dataclass(frozen=True)
class Variation:
    """Over [0, 1] on one grid: the sum of squared increments, which settles at 1, and of their sizes, which does not.

    Attributes:
        steps: of the grid.
        quadratic, quadratic_error: the first, averaged over the paths, and two standard errors.
        length, length_exact: the second, and its expectation, the square root of 2 n / pi.
    """

    steps: int
    quadratic: float
    quadratic_error: float
    length: float
    length_exact: float


@dataclass(frozen=True, eq=False)
class Shares:
    """Shares (T, C) of the particles in each class of a law at the times (T,), and the weights (C,) of the classes."""

    times: Floats
    shares: Floats
    weights: Floats


@dataclass(frozen=True)
class DistanceOverTime:
    """The energy distance of a run to its law at some times, and the floor: what two exact samples have on average.

    `count`: how many particles were measured, the first ones of the run.
    """

    times: tuple[float, ...]
    distance: tuple[float, ...]
    floor: float
    count: int


@dataclass(frozen=True)
class Identities:
    """What must vanish.

    Attributes:
        ode: largest difference between Euler-Maruyama with sigma 0 and Euler, on the scene: exactly 0 (T7).
        langevin: largest difference of the drifts of T11, relative.
        collapse: largest distance between two same_stationary_variance at equal sigma² t, simulated each by itself (T9).
    """

    ode: float
    langevin: float
    collapse: float


@dataclass(frozen=True)
class LongRun:
    """Langevin at long time against its law: energy distance, and the floor (issue 4, criterion 3)."""

    start: str
    time: float
    steps: int
    distance: float
    floor: float


def brownian_variance(starts: Starts) -> MomentCurve:
    """The sample variance of W_t over both coordinates of all particles, against t (T6)."""
    paths = brownian_paths(starts)
    times = torch.linspace(0.0, 1.0, len(paths))
    values = paths.flatten(1)
    error = 2.0 * times * math.sqrt(2.0 / (values.shape[1] - 1))
    return MomentCurve(*map(as_array, (times, values.var(1), times, error)))


def increments(starts: Starts, steps: int) -> Histogram:
    """All increments of the path in 2, 4, … or 128 steps over the square root of a step, against N(0, 1) (T6)."""
    paths = brownian_paths(starts)
    stride = (len(paths) - 1) // steps
    scaled = (paths[::stride].diff(dim=0) * math.sqrt(steps)).flatten().double()
    edges = torch.linspace(-EDGE, EDGE, BINS + 1, dtype=torch.float64)
    width = 2.0 * EDGE / BINS
    counts = torch.histc(scaled, bins=BINS, min=-EDGE, max=EDGE)
    chance = torch.special.ndtr(edges).diff()
    error = 2.0 * (chance * (1.0 - chance) / len(scaled)).sqrt() / width
    centres = 0.5 * (edges[1:] + edges[:-1])
    density = counts / (len(scaled) * width)
    return Histogram(as_array(centres), as_array(density), as_array(chance / width), as_array(error), len(scaled))


def variation(starts: Starts) -> tuple[Variation, ...]:
    """Quadratic variation and length of the same paths on finer and finer grids (T6)."""
    paths = brownian_paths(starts).double().flatten(1)
    rows = []
    for n in (2, 8, 32, 128):
        steps = paths[:: (len(paths) - 1) // n].diff(dim=0)
        error = 2.0 * math.sqrt(2.0 / (n * paths.shape[1]))
        rows.append(
            Variation(
                n,
                float(steps.square().sum(0).mean()),
                error,
                float(steps.abs().sum(0).mean()),
                math.sqrt(2.0 * n / math.pi),
            )
        )
    return tuple(rows)


def ou_moments(
    process: OrnsteinUhlenbeck, start: tuple[float, float], time: float, starts: Starts
) -> tuple[MomentCurve, MomentCurve]:
    """Mean of the first coordinate and variance of both, against T9."""
    times, driven = ou_run(process, start, time, starts)
    n, exact = starts.count, process.variance(times)
    first = driven.paths[..., 0]
    mean = MomentCurve(
        *map(
            as_array, (times, first.mean(1), process.mean(times.new_tensor(start[0]), times), 2.0 * (exact / n).sqrt())
        )
    )
    variance = driven.paths.var(1).mean(1)
    error = 2.0 * exact * math.sqrt(1.0 / (n - 1))  # two independent coordinates
    return mean, MomentCurve(*map(as_array, (times, variance, exact, error)))


def ou_rows(process: OrnsteinUhlenbeck, start: float, seed: int) -> tuple[Row, ...]:
    """Exact simulation against T9 at a quarter of, at one and at twelve relaxation times; the last is the stationary law."""
    times = [0.0, *(part / process.theta for part in (0.25, 1.0, 12.0))]
    x0 = torch.full((CHECKED,), start, dtype=torch.float64)
    paths = process.simulate(x0, times, generator=torch.Generator().manual_seed(seed)).paths
    at = torch.tensor(times, dtype=torch.float64)
    mean, variance = process.mean(at.new_tensor(start), at), process.variance(at)
    errors = 2.0 * (variance / CHECKED).sqrt(), 2.0 * variance * math.sqrt(2.0 / (CHECKED - 1))
    columns = (at, paths.mean(1), mean, errors[0], paths.var(1), variance, errors[1])
    return tuple(Row(*values) for values in torch.stack(columns, dim=1)[1:].tolist())


def same_stationary_variance(process: OrnsteinUhlenbeck) -> tuple[OrnsteinUhlenbeck, ...]:
    """The processes of the collapse: one D, three values of sigma². Raises ParameterError for sigma 0."""
    if process.sigma == 0.0:
        raise ParameterError("sigma", "a positive number for the time sigma² t", process.sigma, key="positive")
    return tuple(OrnsteinUhlenbeck(ratio * process.theta, math.sqrt(ratio) * process.sigma) for ratio in PACES)


def orders(seed: int, paths: int = PATHS) -> tuple[Errors, Errors]:
    """Strong and weak errors of Euler-Maruyama for additive and for multiplicative noise (T8)."""
    additive, multiplicative = (
        measure_errors(equation, generator=torch.Generator().manual_seed(seed), steps=STEPS, paths=paths)
        for equation in (OUEquation(), GeometricBrownianMotion())
    )
    return additive, multiplicative


def mode_shares(p: GaussianMixture, run: Run) -> Shares:
    """How many of the particles each class of p explains, over time.

    A class is what carries one label: a mode, or a whole stroke of a shape drawn with many components. Particles that
    have left the range of numbers belong to none.
    """
    finite = run.positions.isfinite().all(dim=-1)
    safe = torch.where(finite[..., None], run.positions, torch.zeros(()))
    explained = p.responsibilities(safe) * finite[..., None]
    onto = torch.nn.functional.one_hot(p.labels).to(explained)
    used = onto.any(0)
    classes = onto[:, used]
    return Shares(as_array(run.times), as_array(explained.mean(1) @ classes), as_array(p.weights.to(classes) @ classes))


def distance_over_time(p: GaussianMixture, run: Run) -> DistanceOverTime:
    """The energy distance to p over time, each against the same exact samples (T47)."""
    count = min(MEASURED, run.positions.shape[1])
    generator = torch.Generator().manual_seed(MOMENTS)
    exact = [p.sample(count, generator=generator) for _ in range(2)]
    frames = torch.linspace(0, len(run.times) - 1, LOOKS).round().long()
    found = tuple(_distance(run.positions[k, :count], exact) for k in frames.tolist())
    return DistanceOverTime(tuple(run.times[frames].tolist()), found, _floor(p, count), count)


def _distance(points: Tensor, exact: list[Tensor]) -> float:
    if not bool(points.isfinite().all()):
        return math.inf
    return fmean(float(energy_distance(points, other)) for other in exact)


def _floor(p: GaussianMixture, count: int) -> float:
    generator = torch.Generator().manual_seed(MOMENTS + 1)
    pairs = [(p.sample(count, generator=generator), p.sample(count, generator=generator)) for _ in range(PAIRS)]
    return fmean(float(energy_distance(a, b)) for a, b in pairs)


def long_run(p: GaussianMixture, start: str, *, time: float = 20.0, steps: int = 1000, count: int = 800) -> LongRun:
    """Langevin with sigma 1, long enough for modes at moderate separation to exchange their particles.

    Args:
        p: the law.
        start: as in `langevin_starts`. From the standard Gaussian symmetric modes are filled alike without any exchange.
        time, steps: of Euler-Maruyama.
        count: particles.
    """
    dynamics = Langevin(p, 1.0)
    x0 = langevin_starts(start, p, Starts(count, 0, 0))
    run = langevin_run(dynamics, x0, time, steps, torch.Generator().manual_seed(1))
    generator = torch.Generator().manual_seed(MOMENTS)
    exact = [p.sample(count, generator=generator) for _ in range(PAIRS)]
    return LongRun(start, time, steps, _distance(run.positions[-1], exact), _floor(p, count))


def identities(p: GaussianMixture, process: OrnsteinUhlenbeck) -> Identities:
    """T7, T11 and the collapse of T9 as differences that must vanish; T11 and T9 are left out (NaN) for sigma 0."""
    x0 = p.sample(200, generator=torch.Generator().manual_seed(0))
    drift = Langevin(p, 1.0).drift
    ode = solve_ode(drift, x0, 50, "euler")[0]
    sde = solve_sde(drift, lambda t: 0.0, x0, 50, generator=torch.Generator().manual_seed(1))[0]
    same = float((ode - sde).abs().max())
    if process.sigma == 0.0:
        return Identities(same, math.nan, math.nan)
    x = x0.double()
    one, other = process.drift(x, 0.0), process.langevin().drift(x, 0.0)
    return Identities(same, float((one - other).abs().max() / one.abs().max()), _collapse(process))


def _collapse(process: OrnsteinUhlenbeck) -> float:
    pace, common = time_rescaled(process, 2.0, 1.0, Starts())
    gaps = []
    for own in same_stationary_variance(process):
        times = (pace / own.sigma**2).tolist()
        paths = own.simulate(common[0], times, generator=Starts().noise()).paths
        gaps.append(float((paths - common).abs().max()))
    return max(gaps)
