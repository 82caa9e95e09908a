"""Tables of Gaussians at many times: which axes points and times share, and where a velocity has a value."""

import itertools

import pytest
import torch

from fmviz.errors import ParameterError, SingularTimeError
from fmviz.theory import GaussianMixture, ProbabilityPath, schedulers
from fmviz.theory.gaussians import matrices, planes
from tests.theory import builders

SHAPES = ((), (1,), (4,), (3, 1), (1, 4), (3, 4), (2, 1, 1), (2, 3, 1), (2, 1, 4), (2, 3, 4))


@pytest.mark.parametrize(("own", "times"), list(itertools.product(SHAPES, SHAPES)), ids=str)
def test_points_and_times_broadcast_as_numbers_do(own: tuple[int, ...], times: tuple[int, ...]) -> None:
    """Each point with its own time: as one by one, for all axes that the two may share, of either rank."""
    path = ProbabilityPath(builders.standard(), builders.random_mixture(3, 2), schedulers.get("trig"))
    x = torch.randn(*own, 2, generator=builders.seeded(0), dtype=torch.float64)
    t = torch.rand(times, generator=builders.seeded(1), dtype=torch.float64)
    batch = torch.broadcast_shapes(own, times)
    velocity, density = path.marginal_velocity(x, t), path.log_density(x, t)
    z = torch.tensor([1.0, -0.5], dtype=torch.float64)
    given = path.conditional_log_density(x, t, z)
    assert given.shape == batch
    assert torch.allclose(given, path.conditional_log_density(x, t, z.expand(*own, 2)), rtol=1e-12)
    assert velocity.shape == (*batch, 2)
    assert density.shape == batch
    each = zip(x.expand(*batch, 2).reshape(-1, 2), t.expand(batch).flatten(), strict=True)
    single = [(path.marginal_velocity(p, float(s)), path.log_density(p, float(s))) for p, s in each]
    torch.testing.assert_close(velocity.reshape(-1, 2), torch.stack([v for v, _ in single]), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(density.flatten(), torch.stack([d for _, d in single]), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("own", "times"), [((3,), (2,)), ((3, 4), (3,)), ((2, 3), (4, 1, 3, 3)), ((3, 4), (2, 4))])
def test_axes_of_different_lengths_are_refused(own: tuple[int, ...], times: tuple[int, ...]) -> None:
    path = ProbabilityPath(builders.standard(), builders.random_mixture(3, 2), schedulers.get("linear"))
    with pytest.raises(ParameterError, match="t: expected a shape broadcastable"):
        path.log_density(torch.zeros(*own, 2), torch.full(times, 0.5))


def test_the_three_entries_of_a_symmetric_matrix_are_all_of_it() -> None:
    covariances = builders.random_mixture(5, 0).covariances
    assert torch.equal(matrices(planes(covariances)), covariances)
    assert planes(covariances)[:, 2].tolist() == [covariances[2, 0, 0], covariances[2, 0, 1], covariances[2, 1, 1]]


def test_an_infinite_derivative_is_borne_by_means_of_zero_only() -> None:
    """alpha = sqrt t at t = 0, where alpha alpha' = 1/2: with centred data the velocity is (Sigma / 2 - I) x, as C = I."""
    scheduler = schedulers.custom("sqrt(t)", "1-t")
    covariance = torch.tensor([[[1.5, 0.4], [0.4, 0.7]]], dtype=torch.float64)
    x = builders.points(7, 0)

    def path(init: float, data: float) -> ProbabilityPath:
        laws = (torch.eye(2, dtype=torch.float64)[None], init), (covariance, data)
        return ProbabilityPath(
            *(GaussianMixture(torch.tensor([[mean, 0.0]]).double(), c, torch.ones(1)) for c, mean in laws), scheduler
        )

    found = path(0.0, 0.0).marginal_velocity(x, 0.0)
    torch.testing.assert_close(
        found, x @ (0.5 * covariance[0] - torch.eye(2, dtype=torch.float64)), rtol=1e-6, atol=1e-6
    )
    shifted = path(1.0, 0.0).marginal_velocity(x, 0.0)
    apart = x - torch.tensor([1.0, 0.0], dtype=torch.float64)
    wanted = apart @ (0.5 * covariance[0] - torch.eye(2, dtype=torch.float64)) - torch.tensor([1.0, 0.0]).double()
    torch.testing.assert_close(shifted, wanted, rtol=1e-6, atol=1e-6)
    with pytest.raises(SingularTimeError):
        path(0.0, 1.0).marginal_velocity(x, 0.0)
