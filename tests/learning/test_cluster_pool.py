"""Runs in a real dask cluster: the numbers of the pool, and what becomes of them when the cluster is lost or was never there."""

from __future__ import annotations

import dataclasses
import logging
import socket
import threading
from collections.abc import Iterator

import pytest
import torch
from distributed import Client, LocalCluster

from fmviz.learning import Evaluation, RunStatus, TrainingDivergedError, TrainingPool, TrainSpec, cluster_pool
from fmviz.learning.cluster_pool import ClusterPool
from fmviz.learning.pool import PoolFullError, UnknownRunError
from fmviz.theory import ProbabilityPath
from tests.waiting import until

SPEC = TrainSpec(hidden=(8,), batch_size=20, steps=60, device="cpu")
LONG = dataclasses.replace(SPEC, steps=200_000)
LOCAL = {
    "protocol": "tcp",  # in one process tasks and results would not be written down and read again
    "processes": False,
    "threads_per_worker": 1,
    "dashboard_address": None,
    "silence_logs": "CRITICAL",
}


@pytest.fixture
def here() -> Iterator[TrainingPool]:
    with TrainingPool(owner_timeout=600.0) as pool:
        yield pool


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(n_workers=2, **LOCAL) as made:
        yield made


@pytest.fixture
def connected(cluster: LocalCluster, here: TrainingPool) -> Iterator[ClusterPool]:
    pool = ClusterPool(cluster.scheduler_address, here)
    until(lambda: pool.state != "connecting")
    yield pool
    pool.close()


def ended(pool: ClusterPool | TrainingPool, run: int) -> RunStatus:
    until(lambda: not pool.status(run).alive)
    return pool.status(run)


def nobody() -> str:
    """An address at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{free.getsockname()[1]}"


def test_a_run_in_the_cluster_is_that_of_the_pool(connected: ClusterPool, here: TrainingPool, ring8: ProbabilityPath):
    evaluation = Evaluation(ring8, points=100)
    assert (connected.state, connected.threads) == ("connected", 2)
    heard = threading.Event()
    run = connected.submit(ring8, SPEC, evaluation=evaluation, notify=heard.set)
    assert heard.wait(60.0)
    there = connected.status(run)
    assert not here._runs, "the cluster has done it"
    alone = ended(here, here.submit(ring8, SPEC, evaluation=evaluation))
    assert there.state == "finished"
    assert torch.equal(there.losses, alone.losses)
    assert there.model is not None
    assert alone.model is not None
    assert torch.equal(there.model.network.weights, alone.model.network.weights)
    assert [(kept.step, kept.report) for kept in there.kept] == [(kept.step, kept.report) for kept in alone.kept]


def test_two_equal_runs_are_two_tasks(connected: ClusterPool, ring8: ProbabilityPath):
    first, second = connected.submit(ring8, SPEC), connected.submit(ring8, SPEC)
    tasks = [connected._get(run).task for run in (first, second)]
    assert tasks[0].key != tasks[1].key
    connected.forget(first)
    assert ended(connected, second).state == "finished"


def test_a_run_that_diverges_there_brings_its_reason(connected: ClusterPool, ring8: ProbabilityPath):
    run = connected.submit(ring8, dataclasses.replace(SPEC, optimizer="sgd", learning_rate=1000.0))
    status = ended(connected, run)
    assert status.state == "failed"
    assert isinstance(status.failure, TrainingDivergedError)
    assert connected.state == "connected", "no fault of the cluster"
    connected.pause(run)
    connected.heartbeat(run)
    connected.forget(run)
    connected.forget(run)
    with pytest.raises(UnknownRunError):
        connected.status(run)


def test_what_a_lost_cluster_had_in_hand_is_trained_here(
    here: TrainingPool, ring8: ProbabilityPath, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(cluster_pool, "LOOK_EVERY", 0.05)
    with LocalCluster(n_workers=1, **LOCAL) as lost:
        pool = ClusterPool(lost.scheduler_address, here)
        until(lambda: pool.state != "connecting")
        waiting = [pool.submit(ring8, dataclasses.replace(SPEC, steps=3000, seed=seed)) for seed in range(3)]
        gone = pool.submit(ring8, LONG)
        pool.forget(gone)
        with caplog.at_level(logging.WARNING, "fmviz"):
            lost.scale(0)
            until(lambda: pool.state == "away")
    assert [record.name for record in caplog.records if "fmviz" in record.name] == [cluster_pool.__name__], "one line"
    pool.pause(waiting[2])
    assert pool.status(waiting[2]).state in ("paused", "finished")
    pool.resume(waiting[2])
    for seed, run in enumerate(waiting):
        status = ended(pool, run)
        assert (status.id, status.state, status.spec.seed) == (run, "finished", seed)
    pool.close()


def test_a_busy_scheduler_is_waited_for_and_a_silent_one_is_not(
    cluster: LocalCluster, here: TrainingPool, ring8: ProbabilityPath, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(cluster_pool, "LOOK_EVERY", 0.01)
    pool = ClusterPool(cluster.scheduler_address, here)
    until(lambda: pool.state != "connecting")
    asked = threading.Event()

    def busy(*_: object, **__: object) -> dict[str, int]:
        asked.set()
        raise TimeoutError("timed out")

    monkeypatch.setattr(Client, "nthreads", busy)
    assert asked.wait(30.0)
    run = pool.submit(ring8, SPEC)
    assert ended(pool, run).state == "finished"
    assert (pool.state, len(here._runs)) == ("connected", 0)
    monkeypatch.setattr(cluster_pool, "SILENCE", 0.0)
    until(lambda: pool.state == "away")
    assert ended(pool, run).state == "finished", "what has been done stays"
    pool.close()


@pytest.mark.parametrize("address", ["nobody", "not an address", "tcp://127.0.0.1:99999999"])
def test_an_address_that_does_not_answer_is_told_once_and_the_pool_trains(
    address: str,
    here: TrainingPool,
    ring8: ProbabilityPath,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    monkeypatch.setattr(cluster_pool, "PATIENCE", 0.3)
    address = nobody() if address == "nobody" else address
    with caplog.at_level(logging.WARNING, "fmviz"):
        pool = ClusterPool(address, here)
        if pool.state == "connecting":
            with pytest.raises(PoolFullError):
                pool.submit(ring8, SPEC)
        until(lambda: pool.state == "away")
    (line,) = [record.getMessage() for record in caplog.records if "fmviz" in record.name]
    assert address in line
    assert "this machine trains" in line
    assert pool.threads == 0
    run = pool.submit(ring8, SPEC)
    assert ended(pool, run).state == "finished"
    assert len(here._runs) == 1
    pool.forget(run)
    assert not here._runs
    pool.connect()
    assert pool.state == "away", "it was asked just now"
    monkeypatch.setattr(cluster_pool, "TRY_AGAIN", 0.0)
    pool.connect()
    assert pool.state == "connecting"
    until(lambda: pool.state == "away")
