"""Couplings against closed forms, scipy's assignment, and what transport theory says of them."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.theory import GaussianMixture, ProbabilityPath, couplings, presets, schedulers
from fmviz.theory.couplings import gaussian_map, minibatch_pairs, reflow_pairs, straightness, transport_cost
from tests.theory import builders


def gaussian(seed: int) -> GaussianMixture:
    return builders.random_mixture(1, seed=seed)


def draws(n: int, seed: int) -> tuple[Tensor, Tensor]:
    g = builders.seeded(seed)
    return presets.get("ring8").sample(n, generator=g), presets.get("moons").sample(n, generator=g)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_gaussian_map_is_a_symmetric_positive_map_of_one_gaussian_onto_the_other(seed: int) -> None:
    p, q = gaussian(seed), gaussian(seed + 10)
    found = gaussian_map(p, q)
    assert torch.equal(found.matrix, found.matrix.mT)
    assert bool((torch.linalg.eigvalsh(found.matrix) > 0).all())
    # A S0 A = S1 holds exactly; so does the cost of the map, E|T(x) - x|^2, against its closed form.
    assert torch.allclose(found.matrix @ p.covariances[0] @ found.matrix, q.covariances[0], atol=1e-12)
    apart, change = p.means[0] - q.means[0], found.matrix - torch.eye(2).double()
    cost = apart @ apart + torch.trace(change @ p.covariances[0] @ change)
    assert found.cost == pytest.approx(float(cost), abs=1e-9)
    n = 40_000
    moved = found(p.sample(n, generator=builders.seeded(seed)))
    error = moved.std(dim=0) / math.sqrt(n)
    assert bool(((moved.mean(dim=0) - q.mean).abs() < 5.0 * error).all())
    centred = moved - q.mean
    products = centred[:, :, None] * centred[:, None, :]
    spread = products.std(dim=0) / math.sqrt(n)
    assert bool(((products.mean(dim=0) - q.covariance).abs() < 5.0 * spread).all())


def test_the_field_of_the_gaussian_map_moves_every_point_straight_to_its_end() -> None:
    p, q = gaussian(0), gaussian(10)
    found = gaussian_map(p, q)
    x0 = p.sample(50, generator=builders.seeded(0))
    end = found(x0)
    for t in (0.0, 0.3, 1.0):
        torch.testing.assert_close(found.velocity(torch.lerp(x0, end, t), t), end - x0, atol=1e-10, rtol=0.0)


def test_the_exact_pairs_are_the_best_assignment() -> None:
    x0, z = draws(100, seed=1)
    index = minibatch_pairs(x0, z)
    costs = np.square(np.linalg.norm(x0.numpy()[:, None] - z.numpy()[None], axis=-1))
    rows, columns = linear_sum_assignment(costs)
    assert float(transport_cost(x0, z[index])) == pytest.approx(costs[rows, columns].mean(), rel=1e-6)


@pytest.mark.parametrize("method", couplings.METHODS)
@pytest.mark.parametrize("n", [1, 2, 130])
def test_pairs_are_a_permutation(method: couplings.Method, n: int) -> None:
    x0, z = draws(n, seed=2)
    index = minibatch_pairs(x0, z, method, generator=builders.seeded(0))
    assert torch.equal(index.sort().values, torch.arange(n))
    again = minibatch_pairs(x0, z, method, generator=builders.seeded(0))
    assert torch.equal(index, again)


def costs(n: int, method: couplings.Method, regularisation: float = 0.1, batches: int = 12) -> tuple[float, float]:
    """The mean cost over batches, and its standard error."""
    found = []
    for seed in range(batches):
        x0, z = draws(n, seed)
        index = minibatch_pairs(x0, z, method, regularisation=regularisation, generator=builders.seeded(seed))
        found.append(float(transport_cost(x0, z[index])))
    return float(np.mean(found)), float(np.std(found, ddof=1) / math.sqrt(batches))


def test_the_cost_falls_with_the_batch_and_with_the_care_of_the_pairing() -> None:
    by_size = [costs(n, "exact", batches=b) for n, b in ((4, 60), (16, 40), (64, 20), (256, 10))]
    for (larger, e1), (smaller, e2) in itertools.pairwise(by_size):
        assert smaller < larger + 2.0 * math.hypot(e1, e2)
    assert by_size[-1][0] < by_size[0][0] - 4.0 * by_size[0][1]
    exact, entropic, loose, independent = (
        costs(128, "exact"),
        costs(128, "sinkhorn", 0.1),
        costs(128, "sinkhorn", 1.0),
        costs(128, "independent"),
    )
    for (less, e1), (more, e2) in ((exact, entropic), (entropic, loose), (loose, independent)):
        assert less < more + 2.0 * math.hypot(e1, e2)


def test_entropic_pairs_cost_what_the_entropic_plan_costs() -> None:
    import ot

    x0, z = (of.double() for of in draws(256, seed=3))
    matrix = torch.cdist(x0, z).square()
    mass = torch.full((256,), 1 / 256, dtype=torch.float64)
    plan = ot.sinkhorn(mass, mass, matrix, float(0.1 * matrix.mean()), method="sinkhorn_log")
    found = [
        float(transport_cost(x0, z[minibatch_pairs(x0, z, "sinkhorn", generator=builders.seeded(i))]))
        for i in range(10)
    ]
    assert np.mean(found) == pytest.approx(float((plan * matrix).sum()), rel=0.03)


def test_pairs_blind_to_labels_tie_the_source_to_the_label_and_pairs_within_labels_do_not() -> None:
    g = builders.seeded(5)
    two = presets.get("two_modes")
    x0 = torch.randn(512, 2, generator=g)
    z, labels = two.sample_labelled(512, generator=g)
    first = int(labels[0])

    def shift(index: Tensor) -> float:
        """How far the mean of the x0 paired with one label is from 0, in standard errors."""
        own = x0[labels[index] == first]
        return float(own.mean(dim=0).norm()) * math.sqrt(len(own))

    within = minibatch_pairs(x0, z, labels=labels, generator=g)
    assert torch.equal(within.sort().values, torch.arange(512))
    assert shift(minibatch_pairs(x0, z)) > 10.0
    assert shift(within) < 4.0
    assert float(transport_cost(x0, z[within])) > float(transport_cost(x0, z[minibatch_pairs(x0, z)]))


def test_pairs_within_three_labels_are_those_of_each_label_alone() -> None:
    g = builders.seeded(6)
    x0, z = torch.randn(90, 2, generator=g), torch.randn(90, 2, generator=g)
    labels = torch.randint(3, (90,), generator=g)
    index = minibatch_pairs(x0, z, labels=labels, generator=g)
    assert torch.equal(index.sort().values, torch.arange(90))
    for label in range(3):
        own = labels[index] == label
        starts, ends = x0[own], z[index][own]
        cheapest = ends[minibatch_pairs(starts, ends)]
        assert float(transport_cost(starts, ends)) == pytest.approx(float(transport_cost(starts, cheapest)), rel=1e-12)


def test_straightness_of_a_shear_and_of_a_rotation() -> None:
    """X' = (k y, 0) moves straight at constant speed; X' = w J x turns, and its chord is known."""
    x0 = builders.points(20, seed=0)
    shear = lambda x, t: torch.stack((2.0 * x[..., 1], torch.zeros_like(x[..., 0])), dim=-1)  # noqa: E731
    assert float(straightness(shear, x0, steps=1).max()) < 1e-20
    w = 1.5
    turn = lambda x, t: w * torch.stack((-x[..., 1], x[..., 0]), dim=-1)  # noqa: E731
    # |chord - u|^2 averaged over time is E|u|^2 - |chord|^2, and |chord| = 2 sin(w/2) |x0|.
    wanted = (w**2 - (2.0 * math.sin(w / 2)) ** 2) * x0.square().sum(dim=-1)
    assert torch.allclose(straightness(turn, x0, steps=400), wanted, rtol=1e-4)


def test_reflow_of_the_exact_flow_costs_no_more_than_independent_pairs() -> None:
    source, data = presets.get("ring8"), presets.get("moons")
    path = ProbabilityPath(source, data, schedulers.get("linear"))
    start = source.sample(500, generator=builders.seeded(0))
    x0, end = reflow_pairs(path.marginal_velocity, start, steps=50)
    assert torch.equal(x0, start)
    other = data.sample(500, generator=builders.seeded(1))
    assert float(transport_cost(x0, end)) < float(transport_cost(x0, other))


def test_what_cannot_be_paired_is_refused() -> None:
    x0, z = draws(8, seed=0)
    for refused in (
        lambda: minibatch_pairs(x0, z[:5]),
        lambda: minibatch_pairs(x0, z, "best"),  # type: ignore[arg-type]
        lambda: minibatch_pairs(x0, z, "sinkhorn", regularisation=0.0),
        lambda: minibatch_pairs(x0, z, labels=torch.zeros(3, dtype=torch.int64)),
        lambda: gaussian_map(gaussian(0), presets.get("ring8")),
        lambda: straightness(lambda x, t: x, x0, steps=0),
        lambda: reflow_pairs(lambda x, t: x, x0, steps=0),
    ):
        with pytest.raises(ParameterError):
            refused()
    many = torch.zeros(couplings.MAX_PAIRS + 1, 2)
    with pytest.raises(ParameterError, match=str(couplings.MAX_PAIRS)):
        minibatch_pairs(many, many)


@pytest.mark.parametrize("regularisation", [0.02, 0.1, 1.0])
def test_sinkhorn_pairs_alike_with_and_without_logarithms(
    regularisation: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    x0, z = draws(96, 5)

    def pairs() -> Tensor:
        return minibatch_pairs(x0, z, "sinkhorn", regularisation=regularisation, generator=builders.seeded(6))

    plain = pairs()
    monkeypatch.setattr(couplings, "PLAIN_COSTS", 0.0)
    assert torch.equal(pairs(), plain)


@pytest.mark.parametrize("far", [0.0, 1e6])
def test_sinkhorn_pairs_points_that_are_all_the_same_or_very_far_apart(far: float) -> None:
    x0 = torch.zeros(8, 2)
    z = torch.zeros(8, 2)
    z[0, 0] = far
    index = minibatch_pairs(x0, z, "sinkhorn", regularisation=1e-3, generator=builders.seeded(0))
    assert sorted(index.tolist()) == list(range(8))
