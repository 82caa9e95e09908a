"""Training on coupled pairs: what a step costs beside one on independent pairs, and rounds of reflow at the default settings.

From ring 8 to moons, one thread.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch
from torch import Tensor

from bench.report import Row, at_least, at_most, note
from fmviz.learning import LearnedModel, Trainer, TrainSpec, train
from fmviz.learning.draws import CHUNK
from fmviz.learning.reflow import next_round
from fmviz.theory import ProbabilityPath, presets, schedulers
from fmviz.theory.couplings import straightness
from fmviz.theory.metrics import sliced_wasserstein
from fmviz.theory.solvers import solve_ode

__all__ = ["rows"]

POINTS = 4000
CASES: dict[str, TrainSpec] = {
    "independent": TrainSpec(device="cpu"),
    "exact, n = 64": TrainSpec(coupling="exact", coupling_batch=64, device="cpu"),
    "exact, n = 256": TrainSpec(coupling="exact", coupling_batch=256, device="cpu"),
    "Sinkhorn, n = 64": TrainSpec(coupling="sinkhorn", coupling_batch=64, device="cpu"),
}
"""Batches of 1000, four hidden layers of 64."""


def rows() -> Iterator[Row]:
    """The rows of `make bench`."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        path = ProbabilityPath(presets.get("ring8"), presets.get("moons"), schedulers.get("linear"))
        yield from _steps(path)
        yield from _rounds(path)
    finally:
        torch.set_num_threads(threads)


def _steps(path: ProbabilityPath) -> Iterator[Row]:
    """Whole chunks of steps, in turn, so that whatever else the machine does falls on all alike."""
    trainers = {name: Trainer(path, spec) for name, spec in CASES.items()}
    seconds = dict.fromkeys(CASES, 0.0)
    steps = CHUNK // TrainSpec().batch_size
    for turn in range(5):
        for name, trainer in trainers.items():
            began = time.perf_counter()
            trainer.advance(steps)
            seconds[name] += (time.perf_counter() - began) * (turn > 0)
    for name in CASES:
        yield note(f"a step, {name}", 1e3 * seconds[name] / (4 * steps), "ms")
    yield at_most(
        "a step with exact pairs, n = 64, over an independent one",
        seconds["exact, n = 64"] / seconds["independent"],
        "times",
        1.5,
    )


def _rounds(path: ProbabilityPath) -> Iterator[Row]:
    generator = torch.Generator().manual_seed(3)
    x0, exact = path.p_init.sample(POINTS, generator=generator), path.p_data.sample(POINTS, generator=generator)

    def ends(model: LearnedModel, steps: int, method: str = "euler") -> Tensor:
        return solve_ode(model.sampling_velocity, x0, steps=steps, method=method)[0][-1]

    spec, model, costs, bends, models = TrainSpec(device="cpu"), None, [], [], []
    for number in range(3):
        began = time.perf_counter()
        if number:
            spec = next_round(spec)
        (snapshot,) = train(path, spec, every=spec.steps, teacher=model)
        model = snapshot.model
        yield note(f"round {number}: time", time.perf_counter() - began, "s")
        with torch.no_grad():
            costs.append((ends(model, 40, "heun") - x0).square().sum(dim=1))
            bends.append(float(straightness(model.sampling_velocity, x0, steps=40).mean()))
        models.append(model)
        yield note(f"round {number}: transport cost", float(costs[-1].mean()), "")
        yield note(f"round {number}: straightness", bends[-1], "")
    for number in (1, 2):
        rise = costs[number] - costs[number - 1]  # from the same starting points
        errors = float(rise.mean() / rise.std()) * POINTS**0.5
        yield at_most(f"round {number}: rise of the transport cost, in standard errors", errors, "", 2.0)
    yield at_least("straightness before the first round over that after it", bends[0] / bends[1], "times", 3.0)
    with torch.no_grad():
        one, four = (float(sliced_wasserstein(ends(models[i], n), exact)) for i, n in ((2, 1), (0, 4)))
    yield at_most("one step of round 2 over four of the first flow: distance to the data", one / four, "times", 1.0)
