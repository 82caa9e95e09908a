"""Training on the course's setting, on one thread, against the loop that one would write in a notebook.

Five modes on a circle of radius 10, std 1, square root scheduler; 64 x 4 SiLU, batch 1000. The two loops take turns in
short bursts, so that whatever else the machine does falls on both; what is compared is the seconds spent in the bursts.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, MultivariateNormal

from bench.report import Row, at_least, at_most, note
from fmviz.learning import TrainSpec, recommended
from fmviz.learning.evaluation import Evaluation
from fmviz.learning.pool import TrainingPool
from fmviz.learning.training import Trainer
from fmviz.theory import GaussianMixture, ProbabilityPath, schedulers

__all__ = ["rows"]

BATCH, RATE, BURST = 1000, 1e-3, 20
ACCURATE = 0.005
GIVE_UP = 6000


def course_path() -> ProbabilityPath:
    """The setting of the course's third lab."""
    angles = torch.arange(5) * (2 * math.pi / 5)
    means = 10.0 * torch.stack([angles.cos(), angles.sin()], dim=-1)
    p_data = GaussianMixture(means, torch.eye(2).expand(5, 2, 2), torch.ones(5))
    return ProbabilityPath(GaussianMixture.standard(), p_data, schedulers.get("sqrt"))


class Notebook:
    """The plain loop: components one by one, default Adam, `.item()` at every step."""

    def __init__(self, p_data: GaussianMixture, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.weights = Categorical(probs=p_data.weights)
        pairs = zip(p_data.means, p_data.covariances, strict=True)
        self.components = [MultivariateNormal(mean, covariance) for mean, covariance in pairs]
        layers: list[nn.Module] = [nn.Linear(3, 64), nn.SiLU()]
        for _ in range(3):
            layers += [nn.Linear(64, 64), nn.SiLU()]
        self.net = nn.Sequential(*layers, nn.Linear(64, 2))
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=RATE)
        self.losses: list[float] = []

    def velocity(self, x: Tensor, t: Tensor) -> Tensor:
        """The learned field at points (N, 2) and times (N,)."""
        out: Tensor = self.net(torch.cat([x, t[:, None]], dim=1))
        return out

    def sample_data(self, n: int) -> Tensor:
        """Draws of p_data."""
        which = self.weights.sample((n,))
        z = torch.empty(n, 2)
        for k, component in enumerate(self.components):
            chosen = which == k
            z[chosen] = component.sample((int(chosen.sum()),))
        return z

    def advance(self, steps: int) -> None:
        """Train."""
        for _ in range(steps):
            z = self.sample_data(BATCH)
            t = torch.rand(BATCH)
            eps = torch.randn(BATCH, 2)
            alpha, beta = t[:, None], (1 - t)[:, None].sqrt()
            x = alpha * z + beta * eps
            target = z - eps / (2 * beta + 1e-4)
            self.optimizer.zero_grad()
            loss = (self.velocity(x, t) - target).square().sum(dim=1).mean()
            loss.backward()
            self.optimizer.step()
            self.losses.append(loss.item())


class Stopwatch:
    """Advances a loop and adds up the seconds it takes."""

    def __init__(self, loop: Notebook | Trainer) -> None:
        self.loop, self.steps, self.seconds = loop, 0, 0.0

    def burst(self, steps: int = BURST) -> None:
        """Some steps, timed."""
        start = time.perf_counter()
        self.loop.advance(steps)
        self.seconds += time.perf_counter() - start
        self.steps += steps


def speed(path: ProbabilityPath, spec: TrainSpec, bursts: int = 25) -> tuple[float, float]:
    """Steps per second of the notebook's loop and of fmviz's."""
    both = Stopwatch(Notebook(path.p_data)), Stopwatch(Trainer(path, spec))
    for watch in both:
        watch.loop.advance(2 * BURST)
    for _ in range(bursts):
        for watch in both:
            watch.burst()
    return both[0].steps / both[0].seconds, both[1].steps / both[1].seconds


def rows() -> Iterator[Row]:
    """The rows of `make bench`."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield from _rows()
    finally:
        torch.set_num_threads(threads)


def _rows() -> Iterator[Row]:
    path = course_path()
    same = TrainSpec(batch_size=BATCH, learning_rate=RATE, time_features="raw", scaling="none", device="cpu")
    plain, ours = speed(path, same)
    yield note("steps per second, notebook loop", plain, "1/s")
    yield note("steps per second, fmviz, the same network and batch", ours, "1/s")
    yield at_least("speed over the notebook loop", ours / plain, "times", 1.7)

    truth = Evaluation(path, points=8000)
    x, t, u = truth.points, truth.times, truth.velocity
    notebook = Stopwatch(Notebook(path.p_data))
    quick = Stopwatch(Trainer(path, dataclasses.replace(recommended(), device="cpu")))
    errors = [math.inf, math.inf]
    while True:
        theirs_goes_on = errors[0] > ACCURATE and notebook.steps < GIVE_UP
        ours_goes_on = errors[1] > ACCURATE and not quick.loop.finished  # type: ignore[union-attr]
        if not theirs_goes_on and not ours_goes_on:
            break
        if theirs_goes_on:
            notebook.burst()
            with torch.no_grad():
                off = notebook.loop.velocity(x.float(), t.float()).double() - u  # type: ignore[union-attr]
            errors[0] = float(off.square().sum() / u.square().sum())
        if ours_goes_on:
            quick.burst()
            report = truth.report(quick.loop.snapshot().model)  # type: ignore[union-attr]
            errors[1] = report.velocity.total if report.velocity is not None else math.inf
    reached = notebook.seconds if errors[0] <= ACCURATE else math.nan
    yield note("notebook loop: time to a relative field error of 0.5 %", reached, "s")
    yield note("notebook loop: steps to 0.5 %", notebook.steps, "")
    mine = quick.seconds if errors[1] <= ACCURATE else math.nan
    yield note("fmviz, recommended settings: time to 0.5 %", mine, "s")
    yield note("fmviz, recommended settings: steps to 0.5 %", quick.steps, "")
    # A notebook loop that gave up needed at least what it spent.
    yield at_most("time to 0.5 % over the notebook loop's", mine / notebook.seconds, "times", 1 / 15)

    with TrainingPool() as pool:
        many = [pool.submit(path, TrainSpec(batch_size=BATCH, seed=i, device="cpu")) for i in range(30)]
        time.sleep(4.0)
        steps = [pool.status(run).step for run in many]
    yield at_least("30 runs in the pool: steps of the last after 4 s", min(steps), "", 1)
    yield note("30 runs in the pool: steps per second of all together", sum(steps) / 4.0, "1/s")
