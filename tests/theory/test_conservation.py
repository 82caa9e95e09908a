"""Each term of the conservation laws against automatic differentiation, and boxes against scipy and the divergence theorem."""

import math
from itertools import product

import pytest
import torch
from scipy.stats import multivariate_normal
from torch import Tensor

from fmviz.errors import ParameterError, SingularTimeError
from fmviz.theory import GaussianMixture, ProbabilityPath, boxes, checks, conservation, schedulers
from fmviz.theory.boxes import Box
from fmviz.theory.conservation import TermFactors
from tests.theory import builders

SCHEDULERS = ("linear", "sqrt", "trig", "polynomial", "vp")
INITS = {"standard": builders.standard(), "mixture": builders.random_mixture(3, 8)}
X = builders.points(80, 0)
TIMES = torch.tensor([0.001, 0.2, 0.5, 0.83, 0.99], dtype=torch.float64)
SIGMAS = torch.tensor([0.0, 0.7, 1.0, 2.5, 5.0], dtype=torch.float64)
HALF = 0.5 * SIGMAS.square()
Z = torch.tensor([1.3, -0.4], dtype=torch.float64)


def a_path(scheduler: str = "linear", init: str = "standard", seed: int = 1) -> ProbabilityPath:
    return ProbabilityPath(INITS[init], builders.random_mixture(4, seed), schedulers.get(scheduler))


def motion_of(path: ProbabilityPath, times: Tensor, kind: str) -> conservation.MovingMixture:
    if kind == "marginal":
        return conservation.moving_marginal(path, times)
    return conservation.moving_conditional(path, Z, times)


def by_autodiff(path: ProbabilityPath, kind: str, t: float, half: float) -> dict[str, Tensor]:
    """All terms at X from the log density, the velocity and the score of the path, by derivatives of p itself."""
    x = X.clone().requires_grad_()
    times = torch.full((len(X),), t, dtype=torch.float64, requires_grad=True)
    if kind == "marginal":
        rate_of = path.log_density(x.detach(), times).exp()
        density, velocity, score = path.log_density(x, t).exp(), *path.velocity_and_score(x, t)
    else:
        z = Z.expand(len(X), 2)
        rate_of = path.conditional_log_density(x.detach(), times, z).exp()
        density = path.conditional_log_density(x, t, z).exp()
        velocity, score = path.conditional_velocity(x, t, z), path.conditional_score(x, t, z)
    (rate,) = torch.autograd.grad(rate_of.sum(), times)
    (gradient,) = torch.autograd.grad(density.sum(), x, create_graph=True)
    return {
        "density": density,
        "rate": rate,
        "transport": -checks.divergence(density.unsqueeze(-1) * velocity, x),
        "diffusion": half * checks.divergence(gradient, x),
        "score_transport": -half * checks.divergence(density.unsqueeze(-1) * score, x),
    }


@pytest.mark.parametrize("kind", ["marginal", "conditional"])
@pytest.mark.parametrize(("scheduler", "init"), [*product(SCHEDULERS, ["standard"]), ("trig", "mixture")])
def test_every_term_is_what_autodiff_finds(kind: str, scheduler: str, init: str) -> None:
    path = a_path(scheduler, init)
    found = conservation.terms(motion_of(path, TIMES, kind), X, HALF)
    for i, (t, half) in enumerate(zip(TIMES.tolist(), HALF.tolist(), strict=True)):
        for name, wanted in by_autodiff(path, kind, t, half).items():
            largest = float(wanted.detach().abs().max())
            assert float((getattr(found, name)[i] - wanted.detach()).abs().max()) <= 1e-9 * largest, (name, t)


@pytest.mark.parametrize("kind", ["marginal", "conditional"])
def test_residual_vanishes_on_a_grid_and_a_broken_law_is_seen(kind: str) -> None:
    side = torch.linspace(-4, 4, 40, dtype=torch.float64)
    grid = torch.cartesian_prod(side, side)
    for seed in range(4):
        path = a_path(SCHEDULERS[seed], seed=seed)
        exact = conservation.terms(motion_of(path, TIMES, kind), grid, HALF)
        parts = (exact.rate, exact.transport, exact.diffusion, exact.score_transport)
        largest = torch.stack([part.abs().amax(1) for part in parts]).amax(0)
        assert bool((exact.residual.abs().amax(1) < 1e-10 * largest).all())
        assert not torch.equal(exact.rate, exact.transport)  # two computations, not one array twice
        fast = exact.with_factors(TermFactors(velocity=1.1))
        torch.testing.assert_close(fast.residual, -0.1 * exact.transport, atol=1e-10 * float(largest.max()), rtol=0)
        torch.testing.assert_close(fast.total, 1.1 * exact.transport + exact.diffusion + exact.score_transport)
        bare = exact.with_factors(TermFactors(score=0.0))
        torch.testing.assert_close(bare.residual, exact.score_transport, atol=1e-10 * float(largest.max()), rtol=0)


def test_ends_of_time() -> None:
    ends = torch.tensor([0.0, 1.0], dtype=torch.float64)
    half = torch.ones(2, dtype=torch.float64)
    for scheduler in SCHEDULERS:
        path = a_path(scheduler)  # a centred source: beta' beta is all that counts, even where beta' is infinite
        assert conservation.solvable(path, ends).tolist() == [True, True]
        found = conservation.terms(conservation.moving_marginal(path, ends), X, half)
        assert float(found.residual.abs().max()) < 1e-9 * float(found.rate.abs().max())
        # Given z the law at t = 1 is a point mass: no density, no velocity.
        assert conservation.solvable(path, ends, Z).tolist() == [True, False]
        with pytest.raises(SingularTimeError):
            conservation.moving_conditional(path, Z, ends)
    infinite = a_path("sqrt", "mixture")
    assert conservation.solvable(infinite, ends).tolist() == [True, False]
    with pytest.raises(SingularTimeError):
        conservation.moving_marginal(infinite, ends)


class Steep(schedulers.Scheduler):
    """alpha = sqrt(t), beta = 1 - t: the derivative of alpha is infinite at t = 0, alpha times it is 1/2."""

    def evaluate(self, t: Tensor) -> schedulers.ScheduleValues:
        one, alpha = torch.ones_like(t), t.sqrt()
        return schedulers.ScheduleValues(alpha, 1.0 - t, 0.5 / alpha, -one, 0.5 * one, t - 1.0)


@pytest.mark.parametrize("centred", [True, False])
def test_an_infinite_derivative_of_alpha_is_borne_by_centred_data_only(centred: bool) -> None:
    data = builders.random_mixture(1, 1)
    if centred:
        data = GaussianMixture(torch.zeros(1, 2, dtype=torch.float64), data.covariances, data.weights)
    path = ProbabilityPath(INITS["standard"], data, Steep())
    assert conservation.solvable(path, torch.tensor([0.0, 0.5], dtype=torch.float64)).tolist() == [centred, True]


def test_wrong_arguments_are_refused() -> None:
    path = a_path()
    with pytest.raises(ParameterError, match="times"):
        conservation.moving_marginal(path, torch.tensor([0.5, 1.5]))
    with pytest.raises(ParameterError, match="z"):
        conservation.moving_conditional(path, X, TIMES)
    with pytest.raises(ParameterError, match="x"):
        conservation.terms(conservation.moving_marginal(path, TIMES), torch.zeros(3), HALF)
    for sides in ((1.0, 0.0, 0.0, 1.0), (0.0, 0.0, 0.0, 1.0), (0.0, 1.0, 1.0, 1.0), (0.0, 1.0, 0.0, math.inf)):
        with pytest.raises(ParameterError, match="box"):
            Box(*sides)


def random_box(generator: torch.Generator) -> Box:
    x, y = (6.0 * torch.rand(2, 2, generator=generator, dtype=torch.float64) - 3.0).sort().values.tolist()
    return Box(x[0], x[1] + 0.1, y[0], y[1] + 0.1)


def test_box_mass_is_scipys() -> None:
    generator = builders.seeded(5)
    for seed in range(8):
        path, box = a_path(init="mixture", seed=seed), random_box(generator)
        t = torch.rand(1, generator=generator, dtype=torch.float64)
        law = path.marginal(float(t))
        wanted = 0.0
        for w, mean, cov in zip(law.weights, law.means.numpy(), law.covariances.numpy(), strict=True):
            normal = multivariate_normal(mean, cov, abseps=1e-13, releps=1e-13)
            wanted += float(w) * float(normal.cdf([box.x1, box.y1], lower_limit=[box.x0, box.y0]))
        found = boxes.mass(conservation.moving_marginal(path, t), box)
        assert float(found) == pytest.approx(wanted, abs=1e-11)


@pytest.mark.parametrize("correlation", [-0.99999, -0.96, -0.9, 0.0, 0.5, 0.924, 0.926, 0.9999])
def test_bivariate_normal_cdf_by_quadrature(correlation: float) -> None:
    r"""Against a fine trapezoidal rule for :math:`\int_{-\infty}^h \phi(x) \Phi((k - r x) / \sqrt{1 - r^2}) dx`."""
    points = 3.0 * torch.randn(6, 2, generator=builders.seeded(3), dtype=torch.float64)
    points[0, 1] = points[0, 0] + 1e-3  # close to the diagonal, where the correlation matters most
    left = math.sqrt(1 - correlation**2)
    for h, k in points.tolist():
        x = torch.linspace(-10.0, h, 500_001, dtype=torch.float64)
        values = torch.exp(-0.5 * x * x) / math.sqrt(2 * math.pi) * torch.special.ndtr((k - correlation * x) / left)
        wanted = float(torch.trapezoid(values, x))
        both = (torch.tensor(v, dtype=torch.float64) for v in (h, k, correlation))
        assert float(boxes.bivariate_normal_cdf(*both)) == pytest.approx(wanted, abs=5e-11)


def test_the_whole_plane_holds_everything() -> None:
    everywhere = Box(-60.0, 60.0, -60.0, 60.0)
    motion = conservation.moving_marginal(a_path(), TIMES)
    torch.testing.assert_close(boxes.mass(motion, everywhere), torch.ones(5, dtype=torch.float64), atol=1e-13, rtol=0)
    assert float(boxes.fluxes(motion, everywhere, HALF).total.abs().max()) < 1e-13


def test_mass_rate_is_net_flux_for_fifty_boxes() -> None:
    """Criterion 1: 50 random boxes, times and scenes; the rate also by automatic differentiation of the mass."""
    generator = builders.seeded(11)
    for trial in range(50):
        scheduler, init = SCHEDULERS[trial % 5], ("standard", "mixture")[trial // 5 % 2]
        path, box = a_path(scheduler, init, seed=trial), random_box(generator)
        t = torch.rand(1, generator=generator, dtype=torch.float64)
        half = 2.0 * torch.rand(1, generator=generator, dtype=torch.float64)
        for kind in ("marginal", "conditional"):
            motion = motion_of(path, t, kind)
            rate, flux = boxes.mass_rate(motion, box), boxes.fluxes(motion, box, half)
            scale = max(1.0, float(rate.abs()))
            assert float((rate + flux.net).abs()) < 1e-9 * scale, (trial, kind)
            inner = t.clone().requires_grad_()
            (slope,) = torch.autograd.grad(boxes.mass(motion_of(path, inner, kind), box).sum(), inner)
            assert float(rate) == pytest.approx(float(slope), abs=1e-9 * scale), (trial, kind)


def test_flux_through_each_side_and_of_broken_laws() -> None:
    """Each side against a fine midpoint rule on the path's own density, velocity and score."""
    path, box, t, n = a_path("trig"), Box(-0.4, 1.5, -2.0, 0.3), 0.45, 4000
    motion = conservation.moving_marginal(path, torch.tensor([t], dtype=torch.float64))
    half = torch.tensor([0.8], dtype=torch.float64)
    found = boxes.fluxes(motion, box, half)
    middle = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    for side, (axis, at, outward) in enumerate(((0, box.x0, -1), (0, box.x1, 1), (1, box.y0, -1), (1, box.y1, 1))):
        low, high = (box.y0, box.y1) if axis == 0 else (box.x0, box.x1)
        along, across = low + (high - low) * middle, torch.full((n,), at, dtype=torch.float64)
        x = torch.stack((across, along) if axis == 0 else (along, across), dim=-1)
        density = path.log_density(x, t).exp()
        velocity, score = path.velocity_and_score(x, t)
        carried = outward * (high - low) * (density * velocity[:, axis]).mean()
        pulled = 0.8 * outward * (high - low) * (density * score[:, axis]).mean()
        assert float(found.transport[0, side]) == pytest.approx(float(carried), abs=1e-7)
        assert float(found.score_transport[0, side]) == pytest.approx(float(pulled), abs=1e-7)
        assert float(found.diffusion[0, side]) == pytest.approx(-float(pulled), abs=1e-7)
    fast = boxes.fluxes(motion, box, half, TermFactors(velocity=1.1))
    torch.testing.assert_close(fast.net, 1.1 * found.net)
    bare = boxes.fluxes(motion, box, half, TermFactors(score=0.0))
    torch.testing.assert_close(bare.net, found.net - found.score_transport.sum(-1))
