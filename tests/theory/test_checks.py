"""The equations hold on the exact path, and the checks notice when they do not."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from fmviz.errors import SingularTimeError
from fmviz.theory import ProbabilityPath, checks, schedulers, sigmas
from tests.theory import builders

INITS = {"standard": builders.standard(), "mixture": builders.random_mixture(2, 8)}
X = builders.points(60, 0)


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("scheduler", ["linear", "sqrt", "trig", "polynomial", "vp"])
@pytest.mark.parametrize("t", [0.0, 0.001, 0.3, 0.7, 0.999])
def test_equations_hold(init: str, scheduler: str, t: float) -> None:
    path = ProbabilityPath(INITS[init], builders.random_mixture(4, 1), schedulers.get(scheduler))
    continuity = checks.continuity_residual(path, X, t)
    assert continuity.largest < 1e-6
    assert continuity.largest < 1e-9 * max(1.0, float(continuity.density_rate.abs().max()))
    assert checks.score_residual(path, X, t).largest < 1e-9
    for sigma in (0.0, 1.3, sigmas.get("bump", 2.0)):
        assert checks.fokker_planck_residual(path, X, t, sigma).largest < 1e-6


def test_at_the_end_where_the_derivatives_are_finite() -> None:
    data = builders.random_mixture(4, 1)
    path = ProbabilityPath(builders.standard(), data, schedulers.get("linear"))
    assert checks.continuity_residual(path, X, 1.0).largest < 1e-6
    assert checks.fokker_planck_residual(path, X, 1.0, 1.0).largest < 1e-6
    with pytest.raises(SingularTimeError):
        checks.continuity_residual(ProbabilityPath(builders.standard(), data, schedulers.get("sqrt")), X, 1.0)
    assert (
        checks.score_residual(ProbabilityPath(builders.standard(), data, schedulers.get("sqrt")), X, 1.0).largest < 1e-9
    )


def test_density_rate_is_the_difference_quotient() -> None:
    path = ProbabilityPath(builders.standard(), builders.random_mixture(4, 1), schedulers.get("trig"))
    h = 1e-5
    quotient = (path.log_density(X, 0.4 + h).exp() - path.log_density(X, 0.4 - h).exp()) / (2 * h)
    found = checks.continuity_residual(path, X, 0.4).density_rate
    assert torch.allclose(found, quotient, rtol=1e-6, atol=1e-10)


def test_diffusion_is_half_sigma_squared_times_the_laplacian() -> None:
    """From N(0, I) to itself p_t is N(0, v I) with v = t² + (1 - t)², and Laplace p = p (|x|² / v² - 2 / v)."""
    path = ProbabilityPath(builders.standard(), builders.standard(), schedulers.get("linear"))
    v, r = 0.3**2 + 0.7**2, X.square().sum(-1)
    density = (-0.5 * r / v).exp() / (2 * torch.pi * v)
    found = checks.fokker_planck_residual(path, X, 0.3, 1.3)
    assert torch.allclose(found.diffusion, 0.5 * 1.3**2 * density * (r / v**2 - 2 / v), rtol=1e-9, atol=1e-14)
    still = checks.fokker_planck_residual(path, X, 0.3, 0.0)
    change = found.flux_divergence - still.flux_divergence
    assert torch.allclose(change, found.diffusion, rtol=1e-9, atol=1e-14)


def test_batched_times() -> None:
    path = ProbabilityPath(builders.standard(), builders.random_mixture(4, 1), schedulers.get("linear"))
    times = torch.tensor([[0.2], [0.8]])
    together = checks.continuity_residual(path, X, times)
    assert together.residual.shape == (2, 60)
    alone = checks.continuity_residual(path, X, float(times[1, 0]))
    assert torch.allclose(together.flux_divergence[1], alone.flux_divergence)
    assert checks.fokker_planck_residual(path, X, times, sigmas.get("rise", 1.0)).largest < 1e-6
    assert checks.score_residual(path, X.float(), times).residual.shape == (2, 60)


@dataclass(frozen=True, eq=False)
class WrongPath(ProbabilityPath):
    """A path whose velocity is off by one part in a thousand."""

    def marginal_velocity(self, x: Tensor, t: float | Tensor) -> Tensor:
        return 1.001 * super().marginal_velocity(x, t)

    def velocity_and_score(self, x: Tensor, t: float | Tensor) -> tuple[Tensor, Tensor]:
        velocity, score = super().velocity_and_score(x, t)
        return velocity, 1.001 * score

    def marginal_score(self, x: Tensor, t: float | Tensor) -> Tensor:
        return 1.001 * super().marginal_score(x, t)


def test_wrong_fields_are_noticed() -> None:
    path = WrongPath(builders.standard(), builders.random_mixture(4, 1), schedulers.get("linear"))
    assert checks.continuity_residual(path, X, 0.5).largest > 1e-6
    assert checks.fokker_planck_residual(path, X, 0.5, 1.0).largest > 1e-6
    assert checks.score_residual(path, X, 0.5).largest > 1e-4


def test_the_largest_residual_is_that_of_the_worst_point() -> None:
    """Here 5, the length of (3, -4), and in the equations the absolute value of -5."""
    zero, terms = torch.zeros(3, 2), torch.tensor([1.0, -5.0, 2.0])
    score = checks.ScoreResidual(torch.tensor([[0.0, 1.0], [3.0, -4.0], [2.0, 0.0]]), zero)
    assert score.largest == pytest.approx(5.0)
    assert checks.ContinuityResidual(terms, zero[:, 0]).largest == pytest.approx(5.0)
    assert checks.FokkerPlanckResidual(zero[:, 0], terms, zero[:, 0]).largest == pytest.approx(5.0)
    assert checks.FokkerPlanckResidual(terms, terms, terms).largest == pytest.approx(5.0), "1 + 1 - 1"


def test_divergence_of_a_known_field() -> None:
    x = X.clone().requires_grad_()
    field = torch.stack((x[:, 0] ** 2 * x[:, 1], torch.sin(x[:, 1])), dim=-1)
    wanted = 2 * x[:, 0] * x[:, 1] + torch.cos(x[:, 1])
    assert torch.allclose(checks.divergence(field, x), wanted)
