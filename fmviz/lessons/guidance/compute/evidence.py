r"""What guidance does to samples, in numbers: distances, quality and diversity over the scale, weights over time, checks.

Distances are sliced Wasserstein-2 between samples of one size, beside those of two exact samples of that size (T47).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.clips.clip import Floats
from fmviz.clips.paths import as_array
from fmviz.errors import FmvizError, ParameterError, SingularTimeError
from fmviz.lessons.guidance.compute.clips import followed
from fmviz.theory import ProbabilityPath, schedulers
from fmviz.theory.conversions import coefficients
from fmviz.theory.guidance import Guidance, simulate_weighted
from fmviz.theory.metrics import sliced_wasserstein
from fmviz.theory.solvers import solve_ode

__all__ = [
    "SCALES",
    "Checks",
    "Moments",
    "OverScale",
    "PosteriorCurve",
    "checks",
    "ends",
    "moments",
    "over_scale",
    "posterior_along",
    "scheduler_gap",
]

SCALES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
COUNT = 1000
STEPS = 60
DIRECTIONS = 24
EXACT_SEED = 5_000_011
START_SEED = 5_000_021
CHECK_COUNT = 20_000
CHECK_STEPS = 50
POINTS = 200


@dataclass(frozen=True)
class OverScale:
    """End points of the guided ODE for each scale of `SCALES`; NaN where there are no exact draws.

    Attributes:
        scales: w.
        conditional, tilted: distance to p(. | y) and to the tilted distribution of that w.
        conditional_floor, tilted_floor: distance of two exact samples of each.
        outside: mean probability of another label at the end points; `outside_exact` at draws of p(. | y).
        spread: root mean square distance from the mean, over that of p(. | y).
        count: how many end points.
    """

    scales: tuple[float, ...]
    conditional: tuple[float, ...]
    tilted: tuple[float, ...]
    conditional_floor: float
    tilted_floor: tuple[float, ...]
    outside: tuple[float, ...]
    outside_exact: float
    spread: tuple[float, ...]
    count: int


@torch.inference_mode()
def ends(guidance: Guidance, scales: tuple[float, ...], x0: Tensor, steps: int = STEPS) -> Tensor:
    """End points of the guided ODE for several scales at once, from the same starts (N, 2): (W, N, 2)."""
    w = torch.tensor(scales, dtype=x0.dtype)[:, None, None]
    low, high = guidance.interval
    grid = [i / steps for i in range(steps + 1)]
    guidance.prepare(grid)

    def velocity(x: Tensor, t: float) -> Tensor:
        own = guidance.conditional.marginal_velocity(x, t)
        if not low <= t <= high:
            return own
        plain = guidance.path.marginal_velocity(x, t)
        return plain + w * (own - plain)

    return solve_ode(velocity, x0.expand(len(scales), -1, -1), times=grid)[0][-1]


def over_scale(path: ProbabilityPath, label: int, interval: tuple[float, float]) -> OverScale:
    """What guidance does to its end points, over the scale."""
    guidance = Guidance(path, label, 1.0, interval)
    generator = torch.Generator().manual_seed(EXACT_SEED)
    x0 = path.p_init.sample(COUNT, generator=torch.Generator().manual_seed(START_SEED))
    found = ends(guidance, SCALES, x0)
    own = [guidance.conditional.p_data.sample(COUNT, generator=generator) for _ in range(2)]
    distances, floors = [], []
    for w, sample in zip(SCALES, found, strict=True):
        exact = _tilted_pair(path, label, w, generator)
        distances.append(math.nan if exact is None else _distance(sample, exact[0]))
        floors.append(math.nan if exact is None else _distance(*exact))
    width = float(own[0].var(dim=0).sum().sqrt())
    return OverScale(
        SCALES,
        tuple(_distance(sample, own[0]) for sample in found),
        tuple(distances),
        _distance(*own),
        tuple(floors),
        tuple(_outside(guidance, sample) for sample in found),
        _outside(guidance, own[0]),
        tuple(float(sample.var(dim=0).sum().sqrt()) / width for sample in found),
        COUNT,
    )


def _tilted_pair(
    path: ProbabilityPath, label: int, scale: float, generator: torch.Generator
) -> tuple[Tensor, Tensor] | None:
    try:
        drawn = Guidance(path, label, scale).sample_tilted(2 * COUNT, generator=generator)
    except ParameterError:
        return None
    return drawn[:COUNT], drawn[COUNT:]


def _distance(one: Tensor, other: Tensor) -> float:
    if not bool(one.isfinite().all()):
        return math.nan
    return float(sliced_wasserstein(one, other, directions=DIRECTIONS))


def _outside(guidance: Guidance, points: Tensor) -> float:
    place = guidance.path.p_data.classes.index(guidance.label)
    return 1.0 - float(guidance.path.classifier(points, 1.0)[:, place].mean())


@dataclass(frozen=True)
class PosteriorCurve:
    """p_t(y|X_t) along a guided trajectory through a clicked point: times (M,) and values (M,)."""

    times: Floats
    values: Floats


def posterior_along(guidance: Guidance, click: tuple[float, float, float]) -> PosteriorCurve:
    """How certain the label is along the trajectory through a clicked (x, y, t)."""
    times, positions = followed(guidance, click)
    place = guidance.path.p_data.classes.index(guidance.label)
    return PosteriorCurve(as_array(times), as_array(guidance.path.classifier(positions, times)[:, place]))


@dataclass(frozen=True)
class Moments:
    """Mean and variance along each axis: of guided end points, the same weighted, and exact draws of the tilted distribution.

    Attributes:
        rows: for each of the four moments (unweighted, weighted, exact, standard error of the weighted one).
        effective: effective sample size at the end.
        count: particles.
    """

    rows: tuple[tuple[float, float, float, float], ...]
    effective: float
    count: int


def moments(guidance: Guidance) -> Moments:
    """The moments that prove the weights. Raises ParameterError where the tilted distribution has no exact draws."""
    whole = Guidance(guidance.path, guidance.label, guidance.scale)
    exact = whole.sample_tilted(4 * CHECK_COUNT, generator=torch.Generator().manual_seed(EXACT_SEED)).double()
    x0 = whole.path.p_init.sample(CHECK_COUNT, generator=torch.Generator().manual_seed(START_SEED))
    with torch.inference_mode():
        run = simulate_weighted(whole, x0, CHECK_STEPS)
    x, weights = run.positions[-1].double(), run.weights[-1]
    rows = []
    for values, truth in ((x, exact), (x.square(), exact.square())):
        mean = weights @ values
        error = (weights.square() @ (values - mean).square()).sqrt()
        for axis in range(2):
            column = (values[:, axis].mean(), mean[axis], truth[:, axis].mean(), error[axis])
            rows.append(tuple(float(v) for v in column))
    return Moments(tuple(rows), float(run.effective[-1]), CHECK_COUNT)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Checks:
    """Differences that must vanish; NaN where one does not apply.

    Attributes:
        classifier: classifier guidance, by the autodiff gradient of the classifier, against classifier-free guidance.
        score: the guided score against the autodiff gradient of log p + w log p(y|x).
        ends: zero and one: guided fields against the two exact ones.
        points: how many points and times were looked at.
    """

    classifier: float
    score: float
    ends: float
    points: int


def checks(guidance: Guidance) -> Checks:
    """The identities of guidance at draws of p_t."""
    path = guidance.path
    gaussian = path.p_init.is_standard
    classifier, score, bounds, looked = [], [], [], 0
    for t in (0.1, 0.3, 0.5, 0.7, 0.9):
        draws = path.sample(POINTS // 5, t, generator=torch.Generator().manual_seed(EXACT_SEED)).double()
        looked += len(draws)
        x = draws.clone().requires_grad_()
        whole = Guidance(path, guidance.label, guidance.scale)
        slope = torch.autograd.grad(whole.log_tilted(x, t).sum(), x)[0]
        score.append(_gap(whole.score(draws, t), slope))
        if gaussian:
            x = draws.clone().requires_grad_()
            gradient = torch.autograd.grad(whole.log_classifier(x, t).sum(), x)[0]
            b = coefficients(path.scheduler, t).b
            own = path.marginal_velocity(draws, t) + whole.scale * b * gradient
            classifier.append(_gap(whole.velocity(draws, t), own))
        for w, exact in ((0.0, path), (1.0, whole.conditional)):
            plain = Guidance(path, guidance.label, w).velocity(draws, t)
            bounds.append(float((plain - exact.marginal_velocity(draws, t)).abs().max()))
    return Checks(max(classifier, default=math.nan), max(score), max(bounds), looked)


def _gap(found: Tensor, wanted: Tensor) -> float:
    return float((found - wanted).abs().max() / wanted.abs().max())


def scheduler_gap(guidance: Guidance) -> float:
    """How far the end points of the guided flow move when the scheduler is another one (T50); NaN unless p_init = N(0, I)."""
    path = guidance.path
    if not path.p_init.is_standard:
        return math.nan
    x0 = path.p_init.sample(50, generator=torch.Generator().manual_seed(START_SEED)).double()
    found = []
    for name in ("linear", "trig"):
        other = ProbabilityPath(path.p_init, path.p_data, schedulers.get(name))
        guided = Guidance(other, guidance.label, guidance.scale)
        times = [i / 200 for i in range(201)]
        guided.prepare([i / 400 for i in range(401)], torch.float64)
        try:
            with torch.inference_mode():
                found.append(solve_ode(guided.velocity, x0, method="rk4", times=times)[0][-1])
        except (SingularTimeError, FmvizError):
            return math.nan
    return float((found[0] - found[1]).norm(dim=-1).max())
