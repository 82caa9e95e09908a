"""Gaussian mixtures against scipy, autodiff and their own moments."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal, norm

from fmviz.errors import ParameterError
from fmviz.theory import GaussianMixture
from tests.theory import builders


def test_log_density_and_responsibilities_agree_with_scipy() -> None:
    mixture, x = builders.random_mixture(5, 0), builders.points(20, 1)
    m = builders.to_reference(mixture)
    parts = np.array(
        [
            w * multivariate_normal(mu, c).pdf(x.numpy())
            for w, mu, c in zip(m.weights, m.means, m.covariances, strict=True)
        ]
    )
    assert np.allclose(mixture.log_density(x).numpy(), np.log(parts.sum(0)), rtol=1e-11)
    assert np.allclose(mixture.responsibilities(x).numpy(), (parts / parts.sum(0)).T, rtol=1e-10)


def test_score_is_the_gradient() -> None:
    mixture = builders.random_mixture(5, 0)
    x = builders.points(20, 1).requires_grad_()
    (gradient,) = torch.autograd.grad(mixture.log_density(x).sum(), x)
    assert torch.allclose(mixture.score(x.detach()), gradient, rtol=1e-11)


def test_density_integrates_to_one() -> None:
    ticks = torch.linspace(-9, 9, 361, dtype=torch.float64)
    grid = torch.cartesian_prod(ticks, ticks)
    mass = builders.random_mixture(5, 0).log_density(grid).exp().sum() * 0.05**2
    assert float(mass) == pytest.approx(1.0, abs=1e-9)


def test_samples_have_the_stated_moments_and_labels() -> None:
    mixture, n = builders.random_mixture(3, 2), 200_000
    x, labels = mixture.sample_labelled(n, generator=builders.seeded(0))
    assert bool(((x.mean(0) - mixture.mean).abs() < 5 * x.std(0) / math.sqrt(n)).all())
    assert torch.allclose(torch.cov(x.T), mixture.covariance, rtol=0.03, atol=0.03)
    for k in range(3):
        own = x[labels == k]
        assert len(own) / n == pytest.approx(float(mixture.weights[k]), abs=5 / math.sqrt(n))
        assert torch.allclose(own.mean(0), mixture.means[k], atol=5 / math.sqrt(len(own)))
        assert torch.allclose(torch.cov(own.T), mixture.covariances[k], atol=0.03)
    assert mixture.sample(0, generator=builders.seeded(0)).shape == (0, 2)


def test_sampling_is_reproducible_and_leaves_the_global_seed_alone() -> None:
    mixture = builders.random_mixture(3, 2)
    before = torch.get_rng_state()
    assert torch.equal(mixture.sample(9, generator=builders.seeded(1)), mixture.sample(9, generator=builders.seeded(1)))
    assert torch.equal(before, torch.get_rng_state())


def test_weights_are_normalised_and_labels_default_to_the_component() -> None:
    mixture = GaussianMixture(torch.zeros(2, 2), torch.eye(2).expand(2, 2, 2), torch.tensor([1.0, 3.0]))
    assert mixture.weights.tolist() == [0.25, 0.75]
    assert mixture.labels.tolist() == [0, 1]
    assert GaussianMixture.standard().is_standard
    assert not mixture.is_standard


def test_to_changes_the_dtype_and_keeps_the_labels() -> None:
    mixture = GaussianMixture(torch.zeros(1, 2), torch.eye(2)[None], torch.ones(1), torch.tensor([4]))
    double = mixture.to(torch.float64)
    assert double.dtype == torch.float64
    assert double.labels.tolist() == [4]
    assert double.log_density(torch.zeros(3, 2)).dtype == torch.float32


GOOD = {"means": torch.zeros(2, 2), "covariances": torch.eye(2).expand(2, 2, 2), "weights": torch.ones(2)}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("means", torch.zeros(2, 3)),
        ("means", torch.zeros(0, 2)),
        ("means", torch.tensor([[0.0, math.nan], [0.0, 0.0]])),
        ("covariances", torch.eye(2)),
        ("covariances", torch.tensor([[1.0, 2.0], [2.0, 1.0]]).expand(2, 2, 2)),
        ("covariances", torch.tensor([[1.0, 0.5], [0.0, 1.0]]).expand(2, 2, 2)),
        ("covariances", torch.zeros(2, 2, 2)),
        ("weights", torch.ones(3)),
        ("weights", torch.tensor([1.0, 0.0])),
        ("weights", torch.tensor([1.0, -1.0])),
        ("weights", torch.tensor([1.0, math.inf])),
        ("labels", torch.zeros(2)),
        ("labels", torch.zeros(3, dtype=torch.int64)),
    ],
)
def test_wrong_parameters_are_named(name: str, value: torch.Tensor) -> None:
    with pytest.raises(ParameterError) as caught:
        GaussianMixture(**{**GOOD, name: value})
    assert caught.value.name == name


@pytest.mark.parametrize(
    ("xx", "xy", "yy", "fits"),
    [
        (1.0, 1.99, 4.0, True),
        (1.0, -1.99, 4.0, True),
        (4.0, 1.99, 1.0, True),
        (1.0, 2.0, 4.0, False),
        (1.0, 2.01, 4.0, False),
        (4.0, -2.01, 1.0, False),
        (1.0, 1.5, 1.0, False),
        (1e-8, 0.0, 1e-8, True),
        (0.0, 0.0, 1.0, False),
        (-1.0, 0.0, -1.0, False),
    ],
)
def test_covariances_are_positive_definite(xx: float, xy: float, yy: float, fits: bool) -> None:
    """By Sylvester: xx > 0 and xx yy > xy²."""
    covariance = torch.tensor([[[xx, xy], [xy, yy]]], dtype=torch.float64)
    if fits:
        GaussianMixture(torch.zeros(1, 2), covariance, torch.ones(1))
    else:
        with pytest.raises(ParameterError, match="covariances"):
            GaussianMixture(torch.zeros(1, 2), covariance, torch.ones(1))


def test_wrong_counts_are_named() -> None:
    with pytest.raises(ParameterError, match="n: "):
        builders.standard().sample(-1)


def test_mixtures_are_compared_by_identity() -> None:
    """As tensors are: two with the same numbers are two keys of a cache."""
    one, other = builders.standard(), builders.standard()
    assert one == one
    assert one != other
    assert len({one, other}) == 2


def test_uniform_numbers_become_points_of_the_mixture() -> None:
    """Component by the running sum of the weights, place by scipy's normal quantiles and numpy's Cholesky factor."""
    mixture = builders.random_mixture(4, 3)
    uniform = torch.rand(200, 3, generator=builders.seeded(4), dtype=torch.float64)
    found = mixture.inverse_transform(uniform)
    assert found.shape == (200, 2)
    weights = mixture.weights.double().numpy()
    component = np.searchsorted(np.cumsum(weights / weights.sum()), uniform[:, 0].numpy())
    assert set(component) == {0, 1, 2, 3}
    factors = np.linalg.cholesky(mixture.covariances.double().numpy())
    expected = mixture.means.double().numpy()[component] + np.einsum(
        "nij,nj->ni", factors[component], norm.ppf(uniform[:, 1:].numpy())
    )
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
