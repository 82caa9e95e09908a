"""T23 and T32: the four predictions, turned into each other, are those of the exact path."""

import math

import pytest
import torch

from fmviz.errors import SingularTimeError
from fmviz.theory import ProbabilityPath, conversions, schedulers
from tests.theory import builders

NAMES = ("velocity", "score", "noise", "posterior_mean")
X = builders.points(12, 0)


def exact(name: str, t: float) -> dict[str, torch.Tensor]:
    path = ProbabilityPath(builders.standard(), builders.random_mixture(4, 1), schedulers.get(name))
    score = path.marginal_score(X, t)
    return {
        "velocity": path.marginal_velocity(X, t),
        "score": score,
        "noise": -path.scheduler.beta(t) * score,
        "posterior_mean": path.posterior_mean(X, t),
    }


@pytest.mark.parametrize("scheduler", schedulers.NAMES)
@pytest.mark.parametrize("t", [0.05, 0.5, 0.9])
def test_every_conversion_gives_the_exact_quantity(scheduler: str, t: float) -> None:
    wanted = exact(scheduler, t)
    done = 0
    for target in NAMES:
        for source in NAMES:
            convert = getattr(conversions, f"{target}_from_{source}", None)
            if convert is not None:
                found = convert(X, t, wanted[source], schedulers.get(scheduler))
                assert torch.allclose(found, wanted[target], rtol=1e-8, atol=1e-8), (target, source)
                done += 1
    assert done == 10


@pytest.mark.parametrize("scheduler", schedulers.NAMES)
def test_round_trips(scheduler: str) -> None:
    s = schedulers.get(scheduler)
    t = torch.linspace(0.05, 0.95, 12, dtype=torch.float64)
    anything = builders.points(12, 9)
    for name in ("score", "noise", "posterior_mean"):
        there = getattr(conversions, f"{name}_from_velocity")(X, t, anything, s)
        assert torch.allclose(getattr(conversions, f"velocity_from_{name}")(X, t, there, s), anything, rtol=1e-9)
        there = getattr(conversions, f"velocity_from_{name}")(X, t, anything, s)
        assert torch.allclose(getattr(conversions, f"{name}_from_velocity")(X, t, there, s), anything, rtol=1e-9)


def test_ends_that_have_a_value() -> None:
    linear, root = schedulers.get("linear"), schedulers.get("sqrt")
    at0, at1 = exact("linear", 0.0), exact("linear", 1.0)
    assert torch.allclose(conversions.score_from_velocity(X, 0.0, at0["velocity"], linear), at0["score"])
    assert torch.allclose(
        conversions.posterior_mean_from_velocity(X, 0.0, at0["velocity"], linear), at0["posterior_mean"]
    )
    assert torch.allclose(conversions.posterior_mean_from_score(X, 1.0, at1["score"], linear), X)
    assert torch.allclose(conversions.velocity_from_score(X, 1.0, at1["score"], linear), at1["velocity"])
    root1 = exact("sqrt", 1.0)
    assert torch.allclose(conversions.score_from_velocity(X, 1.0, root1["velocity"], root), root1["score"])
    assert torch.allclose(conversions.posterior_mean_from_velocity(X, 1.0, root1["velocity"], root), X)
    assert not bool(conversions.noise_from_velocity(X, 1.0, root1["velocity"], root).any())


@pytest.mark.parametrize(
    ("function", "scheduler", "t"),
    [
        ("velocity_from_score", "linear", 0.0),
        ("posterior_mean_from_score", "linear", 0.0),
        ("velocity_from_noise", "linear", 0.0),
        ("velocity_from_noise", "sqrt", 1.0),
        ("score_from_velocity", "linear", 1.0),
        ("score_from_velocity", "polynomial", 0.0),
        ("score_from_noise", "linear", 1.0),
        ("score_from_posterior_mean", "trig", 1.0),
        ("velocity_from_posterior_mean", "sqrt", 1.0),
    ],
)
def test_singular_ends_raise(function: str, scheduler: str, t: float) -> None:
    with pytest.raises(SingularTimeError):
        getattr(conversions, function)(X, t, X, schedulers.get(scheduler))


def test_dtype_is_kept_and_small_times_stay_accurate() -> None:
    s, t = schedulers.get("linear"), 1 - 1e-6
    x = X.float()
    noise = builders.points(12, 3).float()
    velocity = conversions.velocity_from_noise(x, t, noise, s)
    assert velocity.dtype == torch.float32
    wanted = conversions.velocity_from_noise(x.double(), t, noise.double(), s)
    assert float((velocity - wanted).abs().max()) < 1e-5
    assert math.isclose(float(conversions.coefficients(s, 0.25).a), 4.0)
