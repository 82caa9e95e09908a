r"""Guidance with learned networks beside the exact one: classifier-free, by a classifier, and autoguidance (T36, T37, T51).

Exactly, classifier guidance and classifier-free guidance are one field. Learned, they are not: the first takes its direction from
the gradient of one network, the second from the difference of two predictions of another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from fmviz.clips.clip import Floats
from fmviz.clips.paths import as_array
from fmviz.learning import LearnedModel, TrainSpec
from fmviz.theory.conversions import coefficients
from fmviz.theory.guidance import Guidance
from fmviz.theory.metrics import sliced_wasserstein
from fmviz.theory.schedulers import Scheduler
from fmviz.theory.solvers import Velocity, solve_ode

__all__ = ["HELD", "STEPS", "Comparison", "Networks", "by_classifier", "classifier_spec", "compare", "network_spec"]

COUNT = 600
STEPS = 40
HELD = 0.05
"""Below this time b_t of classifier guidance is held: it grows without bound towards t = 0."""
SHOWN = 250
START_SEED = 6_000_011


def network_spec(seed: int) -> TrainSpec:
    """The network of all data and of every label: fewer and smaller steps than by default, so that a class need not wait."""
    return TrainSpec(steps=1800, batch_size=300, learning_rate=0.015, label_dropout=0.2, seed=seed, device="cpu")


def classifier_spec(label: int, seed: int) -> TrainSpec:
    """The classifier of one label against all others."""
    return TrainSpec(hidden=(48, 48), steps=1200, batch_size=400, classify=label, seed=seed, device="cpu")


@dataclass(frozen=True)
class Networks:
    """What was trained for one scene and label; equal if they are the same steps of the same runs.

    Attributes:
        stamp: identifies them.
        network: of all data and of every label.
        weak: the same network early in its training, None before there is one.
        classifier: of the label.
    """

    stamp: tuple[int, int]
    network: LearnedModel = field(compare=False, repr=False)
    weak: LearnedModel | None = field(compare=False, repr=False)
    classifier: LearnedModel = field(compare=False, repr=False)


def by_classifier(networks: Networks, scheduler: Scheduler, scale: float) -> Velocity:
    """The field u(x) + w b_t grad log p(y|x) of classifier guidance (T36), of the two networks."""
    plain = networks.network.given(None)

    def velocity(x: Tensor, t: float) -> Tensor:
        at = x.detach().requires_grad_()
        with torch.enable_grad():
            gradient = torch.autograd.grad(networks.classifier.log_probability(at, t).sum(), at)[0]
        b = float(coefficients(scheduler, max(t, HELD)).b)
        return plain.sampling_velocity(x, t).detach() + scale * b * gradient

    return velocity


@dataclass(frozen=True)
class Comparison:
    """End points of the guided ODE, exact and learned.

    Attributes:
        exact, free, classifier, auto: a part of the end points, (N, 2); auto is None without a weak network.
        distances: of free, classifier and auto (NaN without one) to the exact ones, sliced Wasserstein-2.
        floor: of two exact sets.
        apart: root mean square difference of the two learned guided fields over the size of the exact one, at draws of p_t.
        count: end points of each.
    """

    exact: Floats
    free: Floats
    classifier: Floats
    auto: Floats | None
    distances: tuple[float, float, float]
    floor: float
    apart: float
    count: int


def compare(exact: Guidance, networks: Networks) -> Comparison:
    """Exact and learned guidance from the same starting points, to another set of exact end points."""
    path, generator = exact.path, torch.Generator().manual_seed(START_SEED)
    x0, other = (path.p_init.sample(COUNT, generator=generator) for _ in range(2))
    free = Guidance(networks.network, exact.label, exact.scale, exact.interval)
    inside = _on_interval(exact, by_classifier(networks, path.scheduler, exact.scale), free)
    fields: list[Velocity | None] = [free.velocity, inside, None]
    if networks.weak is not None:
        fields[2] = Guidance(networks.network, exact.label, exact.scale, exact.interval, weak=networks.weak).velocity
    exact.prepare([i / STEPS for i in range(STEPS + 1)])
    with torch.no_grad():
        true, reference = (solve_ode(exact.velocity, start, STEPS)[0][-1] for start in (x0, other))
        found = [None if velocity is None else solve_ode(velocity, x0, STEPS)[0][-1] for velocity in fields]
    distances = tuple(math.nan if ends is None else _distance(ends, reference) for ends in found)
    shown = [None if ends is None else as_array(ends[:SHOWN]) for ends in found]
    assert shown[0] is not None
    assert shown[1] is not None
    return Comparison(
        as_array(true[:SHOWN]),
        shown[0],
        shown[1],
        shown[2],
        distances,  # type: ignore[arg-type]
        _distance(true, reference),
        _apart(exact, free.velocity, inside),
        COUNT,
    )


def _on_interval(exact: Guidance, guided: Velocity, free: Guidance) -> Velocity:
    """Outside the interval of guidance the plain field of the label."""

    def velocity(x: Tensor, t: float) -> Tensor:
        return free.velocity(x, t) if exact.scale_at(t) != exact.scale else guided(x, t)

    return velocity


def _distance(one: Tensor, other: Tensor) -> float:
    if not bool(one.isfinite().all()):
        return math.inf
    return float(sliced_wasserstein(one, other, directions=24))


def _apart(exact: Guidance, free: Velocity, by_label: Velocity) -> float:
    gap, size = 0.0, 0.0
    for t in (0.2, 0.4, 0.6, 0.8):
        x = exact.path.sample(200, t, generator=torch.Generator().manual_seed(START_SEED))
        with torch.no_grad():
            gap += float((free(x, t) - by_label(x, t)).square().sum())
            size += float(exact.velocity(x, t).square().sum())
    return math.sqrt(gap / size)
