"""Many pairs of components, cut into blocks: narrow ones, far points, both ends of time, both dtypes, all gradients."""

import math

import pytest
import torch
from torch import Tensor

from fmviz.theory import GaussianMixture, ProbabilityPath, schedulers
from tests.theory import builders, plain

TIMES = (0.0, 1e-6, 0.5, 1 - 1e-6, 1.0)
LAWS = ["wide", "narrow"]


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that 77 points among 48 pairs take several blocks, the last of them narrower."""
    monkeypatch.setattr("fmviz.theory.gaussians._BLOCK_BYTES", 8 * 48 * 40)


def many(law: str) -> ProbabilityPath:
    """6 x 8 components; the narrow data have variances of about 1e-6."""
    data = builders.random_mixture(8, 2)
    if law == "narrow":
        data = GaussianMixture(data.means, 2e-6 * data.covariances, data.weights)
    return ProbabilityPath(builders.random_mixture(6, 1), data, schedulers.get("trig"))


def near_and_far(path: ProbabilityPath, t: float) -> Tensor:
    """Draws of p_t, normal points, and points 1000 away; (77, 2)."""
    far = builders.points(10, 7)
    far = 1e3 * far / far.norm(dim=-1, keepdim=True)
    return torch.cat((path.sample(40, t, generator=builders.seeded(5)), builders.points(27, 6), far))


def close(ours: Tensor, theirs: Tensor, tolerance: float | Tensor) -> bool:
    """Relative to each answer's size, and to 1 where that is smaller."""
    size = theirs.abs() if theirs.ndim == 1 else theirs.norm(dim=-1)
    error = (ours.double() - theirs).abs() if theirs.ndim == 1 else (ours.double() - theirs).norm(dim=-1)
    return bool((error <= tolerance * size.clamp(min=1.0)).all())


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("t", TIMES)
def test_equals_the_loop_over_pairs_in_float64(law: str, t: float) -> None:
    """To 1e-9, or, far from all narrow components, to the rounding of exponents of 1e12 (in either implementation)."""
    path = many(law)
    x = near_and_far(path, t)
    wanted = plain.evaluate(path, x, torch.tensor(t, dtype=torch.float64))
    tolerance = 1e-9 + 8.0 * 2.0**-53 * wanted.log_density.abs()
    assert float(tolerance[:67].max()) < 1e-8
    with torch.inference_mode():
        velocity, score = path.velocity_and_score(x, t)
        assert close(path.log_density(x, t), wanted.log_density, 1e-9)
        assert close(velocity, wanted.velocity, tolerance)
        assert close(score, wanted.score, tolerance)
        assert close(path.marginal_velocity(x, t), wanted.velocity, tolerance)
        assert close(path.posterior_mean(x, t), wanted.posterior_mean, tolerance)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("t", TIMES)
def test_float32_loses_no_more_than_rounding_the_means(law: str, t: float) -> None:
    """Means of size 3 are known to 2^-23, some share of the standard deviation; so are distances from them in units of it."""
    path = many(law)
    x = near_and_far(path, t).float()
    wanted = plain.evaluate(path, x.double(), torch.tensor(t, dtype=torch.float64))
    share = 2.0**-23 * math.sqrt(float(path.stiffness(t)))
    distance = (2.0 * (wanted.log_density.max() - wanted.log_density)).clamp(min=0.0).sqrt() + 3.0
    error = 1e-6 + 2.0**-21 * wanted.log_density.abs() + share * distance
    velocity, score = path.velocity_and_score(x, t)
    assert bool(((path.log_density(x, t).double() - wanted.log_density).abs() <= error).all())
    assert bool((velocity.isfinite() & score.isfinite()).all())
    if law == "wide":
        assert close(velocity[:67], wanted.velocity[:67], 10.0 * error[:67])
        assert close(score[:67], wanted.score[:67], 10.0 * error[:67])


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("t", [1e-6, 0.5, 1 - 1e-6])
@pytest.mark.parametrize("name", ["log_density", "marginal_velocity"])
def test_gradients_are_those_of_the_loop_over_pairs(law: str, t: float, name: str) -> None:
    path = many(law)
    points = near_and_far(path, t)[:67]
    found = []
    for ours in (True, False):
        x = points.clone().requires_grad_()
        s = torch.tensor(t, dtype=torch.float64, requires_grad=True)
        value = (
            getattr(path, name)(x, s) if ours else getattr(plain.evaluate(path, x, s), name.removeprefix("marginal_"))
        )
        weights = torch.cos(torch.arange(value.numel(), dtype=torch.float64)).reshape(value.shape)
        found.append(torch.autograd.grad((weights * value).sum(), (x, s)))
    (of_x, of_t), (wanted_of_x, wanted_of_t) = found
    assert close(of_x, wanted_of_x, 1e-7)
    assert torch.allclose(of_t, wanted_of_t, rtol=1e-7)
