"""A sweep on a real cluster of two dask workers, one of which is killed on the way."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
import torch
from distributed import Client, LocalCluster

from fmviz.learning import TrainSpec, sweep
from fmviz.theory import ProbabilityPath

SMALL = TrainSpec(hidden=(16, 16), batch_size=64, steps=200, device="cpu")
AXES = {"hidden": [(16, 16), (8,), (12,), (4,), (20,), (6, 6)], "learning_rate": [1e-3, 1e-2]}


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs="CRITICAL") as cluster,
        Client(cluster) as client,
    ):
        yield client


def test_a_cluster_gives_the_same_cells_though_a_worker_is_killed(client: Client, ring8: ProbabilityPath) -> None:
    here = {(cell.index, cell.step): cell for cell in sweep(ring8, SMALL, AXES, reports=3)}
    victim, *_ = client.run(os.getpid).values()
    there = {}
    for cell in sweep(ring8, SMALL, AXES, reports=3, executor=client):
        if not there:
            os.kill(victim, signal.SIGKILL)
        there[cell.index, cell.step] = cell
    assert here.keys() == there.keys()
    for place, cell in here.items():
        torch.testing.assert_close(there[place].model.network.weights, cell.model.network.weights, rtol=1e-5, atol=1e-6)
    client.wait_for_workers(2, timeout=60)  # the one that was killed has another in its place
    assert victim not in client.run(os.getpid).values()
