"""Rounds of rectified flow: what each starts from, and that they straighten a flow without raising its cost (T55)."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.learning import LearnedModel, RunStatus, Trainer, TrainSpec, train, training_script
from fmviz.learning.pool import TrainingPool
from fmviz.learning.process_pool import ProcessPool
from fmviz.learning.reflow import PIECE, Simulation, next_round
from fmviz.learning.spec import Reflow
from fmviz.learning.training import initial_model
from fmviz.theory import ProbabilityPath, presets, schedulers
from fmviz.theory.couplings import straightness
from fmviz.theory.metrics import sliced_wasserstein
from fmviz.theory.solvers import solve_ode

SPEC = TrainSpec(hidden=(16,), batch_size=64, steps=200, device="cpu")
ROUND = dataclasses.replace(SPEC, reflow=Reflow(pairs=2 * PIECE + 10, steps=5))


@pytest.fixture(scope="module")
def moons() -> ProbabilityPath:
    return ProbabilityPath(presets.get("ring8"), presets.get("moons"), schedulers.get("linear"))


@pytest.fixture(scope="module")
def teacher(moons: ProbabilityPath) -> LearnedModel:
    return last(moons, SPEC)


def last(path: ProbabilityPath, spec: TrainSpec, teacher: LearnedModel | None = None) -> LearnedModel:
    (snapshot,) = train(path, spec, every=spec.steps, teacher=teacher)
    return snapshot.model


def wait(pool: TrainingPool | ProcessPool, run: int, until: Callable[[RunStatus], bool]) -> RunStatus:
    deadline = time.monotonic() + 60.0
    while time.monotonic() < deadline:
        pool.heartbeat(run)
        if until(status := pool.status(run)):
            return status
        time.sleep(0.01)
    raise AssertionError(f"still {pool.status(run)}")


def test_the_pairs_are_ends_of_the_teachers_flow(moons: ProbabilityPath, teacher: LearnedModel) -> None:
    simulation = Simulation(moons, ROUND, teacher)
    pieces = 0
    while not simulation.finished:
        with pytest.raises(ParameterError, match="all"):
            simulation.pairs(torch.device("cpu"))
        simulation.advance()
        pieces += 1
    assert pieces == 3
    z, _, x0 = simulation.pairs(torch.device("cpu"))((1, 300), torch.Generator().manual_seed(0))
    ends = solve_ode(teacher.velocity, x0[0].mT, steps=5, method="heun")[0][-1]
    assert torch.allclose(z[0].mT, ends, atol=1e-5)
    backwards = dataclasses.replace(ROUND, reflow=dataclasses.replace(ROUND.reflow, reversed=True))  # type: ignore[type-var]
    other = Simulation(moons, backwards, teacher)
    other.finish()
    start, _, end = other.pairs(torch.device("cpu"))((1, 300), torch.Generator().manual_seed(0))
    assert torch.equal(torch.cat((start, end)), torch.cat((x0, z)))


def test_a_round_begins_with_the_network_of_the_round_before(moons: ProbabilityPath, teacher: LearnedModel) -> None:
    simulation = Simulation(moons, ROUND, teacher)
    simulation.finish()
    trainer = Trainer(moons, ROUND, simulation=simulation)
    assert torch.equal(trainer.snapshot().model.network.weights, teacher.network.weights)
    trainer.advance(3)
    assert not torch.equal(trainer.snapshot().model.network.weights, teacher.network.weights)
    # The teacher is not what is trained.
    assert torch.equal(simulation.weights, teacher.network.weights)


def test_what_is_missing_or_does_not_fit_is_refused(moons: ProbabilityPath, teacher: LearnedModel) -> None:
    wider = initial_model(moons, dataclasses.replace(SPEC, hidden=(17,)))
    noise = initial_model(moons, dataclasses.replace(SPEC, objective="noise"))
    for spec, given in ((ROUND, None), (SPEC, teacher), (ROUND, wider), (ROUND, noise)):
        with pytest.raises(ParameterError, match="teacher"):
            train(moons, spec, teacher=given)
    with pytest.raises(ParameterError, match="simulation"):
        Trainer(moons, ROUND)
    with pytest.raises(ParameterError, match="reflow"):
        training_script(moons, ROUND)
    broken = initial_model(moons, SPEC)
    broken.network.weights.fill_(float("nan"))
    with pytest.raises(ParameterError, match="finite"):
        train(moons, ROUND, teacher=broken)


def test_there_are_three_rounds() -> None:
    spec = dataclasses.replace(SPEC, coupling="exact")
    rounds = [spec := next_round(spec) for _ in range(3)]
    assert [(of.coupling, of.reflow and of.reflow.round) for of in rounds] == [("independent", n) for n in (1, 2, 3)]
    with pytest.raises(ParameterError, match="at most 3"):
        next_round(spec)
    few = next_round(SPEC, Reflow(pairs=7))
    assert next_round(few).reflow == Reflow(round=2, pairs=7)


def test_the_pools_give_the_network_of_a_lone_run(moons: ProbabilityPath, teacher: LearnedModel) -> None:
    alone = last(moons, ROUND, teacher).network.weights
    with TrainingPool(slice_seconds=0.001) as pool:  # shorter than a piece
        status = wait(pool, pool.submit(moons, ROUND, teacher=teacher), lambda s: not s.alive)
        assert (status.state, status.step) == ("finished", ROUND.steps)
        assert status.model is not None
        assert torch.equal(status.model.network.weights, alone)
        with pytest.raises(ParameterError, match="teacher"):
            pool.submit(moons, ROUND)
    with ProcessPool(owner_timeout=600.0) as processes:
        with pytest.raises(ParameterError, match="teacher"):
            processes.submit(moons, ROUND)
        status = wait(processes, processes.submit(moons, ROUND, teacher=teacher), lambda s: not s.alive)
        assert status.model is not None
        assert torch.equal(status.model.network.weights, alone)


def test_a_round_is_cancelled_while_its_pairs_are_simulated(
    moons: ProbabilityPath, teacher: LearnedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = []
    advance = Simulation.advance
    monkeypatch.setattr(Simulation, "advance", lambda self: (advance(self), pieces.append(self.done)))
    endless = dataclasses.replace(SPEC, reflow=Reflow(pairs=65_536, steps=1000))
    with TrainingPool() as pool:
        run = pool.submit(moons, endless, teacher=teacher)
        wait(pool, run, lambda _: len(pieces) > 0)
        assert pool.status(run).state == "queued"
        pool.cancel(run)
        assert pool.status(run).state == "cancelled"
    assert len(pieces) < 65_536 // PIECE  # the worker, which has been joined, did not go on


@dataclass(frozen=True, eq=False)
class _Measured:
    cost: Tensor
    straightness: Tensor
    distances: dict[int, float]


def measured(model: LearnedModel, path: ProbabilityPath) -> _Measured:
    """Of a flow: |X_1 - X_0|^2 and straightness of each trajectory, and by steps of Euler the mean distance to the data."""
    generator = torch.Generator().manual_seed(3)
    x0, exact = path.p_init.sample(2000, generator=generator), path.p_data.sample(2000, generator=generator)

    def ends(steps: int, method: str = "euler") -> Tensor:
        return solve_ode(model.sampling_velocity, x0, steps=steps, method=method)[0][-1]

    with torch.no_grad():
        cost = (ends(40, "heun") - x0).square().sum(dim=1)
        bend = straightness(model.sampling_velocity, x0, steps=40)
        return _Measured(cost, bend, {n: float(sliced_wasserstein(ends(n), exact)) for n in (1, 4)})


def test_reflow_straightens_a_flow_and_does_not_raise_its_cost(moons: ProbabilityPath) -> None:
    spec = TrainSpec(hidden=(48, 48, 48), batch_size=200, steps=500, ema=0.95, device="cpu")
    model = last(moons, spec)
    rounds = [measured(model, moons)]
    for _ in range(2):
        spec = next_round(spec, Reflow(pairs=6000, steps=20))
        model = last(moons, spec, model)
        rounds.append(measured(model, moons))
    first, one, two = rounds
    for before, after in ((first, one), (one, two)):
        rise = after.cost - before.cost  # from the same starting points
        assert float(rise.mean()) <= 2.0 * float(rise.std()) / len(rise) ** 0.5
    assert float(one.straightness.mean()) < float(first.straightness.mean()) / 3.0
    assert two.distances[1] < first.distances[4]
