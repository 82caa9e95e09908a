"""Chains, their samplers and the variational bound (T24, T40, T58, T59), against `diffusers` and each other."""

import math

import diffusers
import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, kl_divergence

from fmviz.errors import ParameterError
from fmviz.theory import GaussianMixture, ProbabilityPath, dialects, presets, schedulers
from fmviz.theory.convergence import measured_order
from fmviz.theory.dialect_path import DialectPath
from fmviz.theory.discrete import Chain, ancestral, ddim, exact_denoiser
from fmviz.theory.metrics import sliced_wasserstein
from fmviz.theory.solvers import solve_ode, solve_sde
from fmviz.theory.variational_bound import variational_bound

DDPM = dialects.Ddpm()
EDM = dialects.Edm()


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def data() -> GaussianMixture:
    return presets.get("ring5").to(torch.float64)


def in_sigma(low: float, steps: int) -> Chain:
    """A chain of EDM between fixed noise levels, with the spacing of Karras et al.; chains of N and 2N steps are nested."""
    roots = torch.linspace(low ** (1 / 7), 80.0 ** (1 / 7), steps + 1, dtype=torch.float64)
    return Chain.of(EDM, roots.pow(7).clamp(max=80.0))


@pytest.mark.parametrize("k", [2, 500, 1000])
def test_an_ancestral_step_is_that_of_diffusers(k):
    theirs = diffusers.DDPMScheduler(clip_sample=False, variance_type="fixed_small")
    # In float32, as they are, 1 - abar has three digits at the data: compare the step, not the rounding.
    theirs.alphas_cumprod = (1.0 - DDPM.step_betas).cumprod(0)
    x, eps = normal(6, 2), normal(6, 2, seed=1)
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    expected = theirs.step(eps, k - 1, x, generator=torch.Generator().manual_seed(5)).prev_sample
    law = Chain.of(DDPM, 1000).posterior(k, x, DDPM.convert(eps, x, float(k), predicts="noise", to="data"))
    assert torch.allclose(law.mean + law.variance.sqrt() * noise, expected, rtol=0.0, atol=1e-9)


def test_ddim_is_that_of_diffusers():
    theirs = diffusers.DDIMScheduler(clip_sample=False)
    theirs.set_timesteps(20)
    times = [0.0, *(float(t) + 1.0 for t in reversed(theirs.timesteps.tolist()))]
    path, x = DialectPath(data(), DDPM), normal(6, 2)
    chain = Chain.of(DDPM, times)
    found, expected = ddim(chain, exact_denoiser(path.p_data, DDPM, chain), x), x
    for i, t in enumerate(theirs.timesteps.tolist()):
        expected = theirs.step(path.noise(expected, t + 1.0), t, expected).prev_sample
        assert torch.allclose(found[i + 1], expected, atol=1e-5)


def test_euler_steps_of_rectified_flow_are_those_of_diffusers():
    flow = dialects.get("rectified-flow", shift=3.0)
    theirs = diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0)
    theirs.set_timesteps(10)
    chain = Chain.of(flow, flow.time(-2.0 * (theirs.sigmas.double() / (1.0 - theirs.sigmas.double())).log()).flip(0))
    path, expected = DialectPath(data(), flow), normal(6, 2)
    found = ddim(chain, exact_denoiser(path.p_data, flow, chain), expected)  # the same as Euler for straight paths
    for i, t in enumerate(theirs.timesteps):
        s = float(chain.times[10 - i])
        velocity = path.noise(expected, s) - path.posterior_mean(expected, s)
        expected = theirs.step(velocity, t, expected).prev_sample
        assert torch.allclose(found[i + 1], expected, atol=1e-5)


@pytest.mark.parametrize("name", dialects.NAMES)
def test_posterior_is_bayes_rule(name):
    """q(x_k | x_{k-1}) q(x_{k-1} | z) = q(x_{k-1} | x_k, z) q(x_k | z) as densities at random points."""
    dialect = dialects.get(name)
    chain = Chain.of(dialect, dialect.time(torch.linspace(6.0, -5.0, 9, dtype=torch.float64)))
    before, after, z = normal(5, 2), normal(5, 2, seed=1), normal(5, 2, seed=2)

    def log_density(law, x: Tensor) -> Tensor:
        return -(x - law.mean).square().sum(-1) / (2.0 * law.variance) - (2.0 * math.pi * law.variance).log()

    for k in (1, 4, 8):
        joint = log_density(chain.transition(k, before), after) + log_density(chain.marginal(k - 1, z), before)
        other = log_density(chain.posterior(k, after, z), before) + log_density(chain.marginal(k, z), after)
        assert torch.allclose(joint, other, rtol=1e-9)


@pytest.mark.parametrize("name", dialects.NAMES)
def test_sde_step_of_every_amplitude(name):
    """Amplitude 0 is DDIM, 1 the posterior; any other keeps q(x | z), by the variance that it carries on."""
    dialect = dialects.get(name)
    chain = Chain.of(dialect, dialect.time(torch.linspace(6.0, -5.0, 9, dtype=torch.float64)))
    x, z, noise = normal(5, 2), normal(5, 2, seed=1), normal(5, 2, seed=2)
    law = chain.posterior(4, x, z)
    assert torch.allclose(chain.sde_step(4, x, z, noise), law.mean + law.variance.sqrt() * noise, rtol=1e-9)
    assert torch.equal(chain.sde_step(4, x, z, noise, 0.0), chain.ddim_step(4, x, z))
    zero, one = torch.zeros(1, 2).double(), torch.ones(1, 2).double()
    passed_on = chain.sde_step(4, chain.beta[4] * one, zero, zero, 1.7)
    added = chain.sde_step(4, zero, zero, one, 1.7)
    assert torch.allclose(passed_on.square() + added.square(), chain.beta[3].square() * one, rtol=1e-9)


@pytest.mark.parametrize("name", dialects.NAMES)
def test_sde_step_forgets_at_the_rate_of_its_amplitude(name):
    """The deviation from z is an Ornstein-Uhlenbeck process of rate amplitude^2 / 2 in the log signal-to-noise ratio.

    Its rate by autodiff of the reversed SDE's drift given z (T24, T21): f + (1 + amplitude^2) / 2 g^2 / beta^2, in s.
    """
    dialect, k, amplitude = dialects.get(name), 1, 1.7
    middle, near = dialect.time(2.0), dialect.time(2.0 + 1e-6)
    chain = Chain.of(dialect, torch.stack((near, middle)))
    one, zero = torch.ones(1, 2).double(), torch.zeros(1, 2).double()
    kept = float(chain.sde_step(k, one, zero, zero, amplitude)[0, 0])
    sde = dialect.forward_sde(middle)
    slope = float(0.5 * (1.0 + amplitude**2) * sde.g_squared / dialect.beta(middle).square() + sde.f)
    assert (1.0 - kept) / float((near - middle).abs()) == pytest.approx(slope, rel=1e-4)
    # and for a long step the exact decay
    far = Chain.of(dialect, dialect.time(torch.tensor([3.0, 0.5], dtype=torch.float64)))
    kept = float(far.sde_step(1, far.beta[1] * one, zero, zero, amplitude)[0, 0] / far.beta[0])
    assert kept == pytest.approx(math.exp(-0.5 * amplitude**2 * 2.5), rel=1e-9)


def test_noise_is_given_or_drawn_in_the_order_of_the_steps():
    chain, x = Chain.of(DDPM, 5), normal(4, 2)
    denoiser = exact_denoiser(data(), DDPM, chain)
    drawn = torch.Generator().manual_seed(3)
    noise = [torch.randn(4, 2, generator=drawn, dtype=torch.float64) for _ in range(5)]
    found = ancestral(chain, denoiser, x, generator=torch.Generator().manual_seed(3))
    assert torch.equal(found, ancestral(chain, denoiser, x, noise=noise))
    assert found.shape == (6, 4, 2)
    assert torch.allclose(found[-1], denoiser(found[-2], 1), rtol=1e-12)  # without noise, since beta_0 = 0
    assert ddim(chain, denoiser, x).shape == (6, 4, 2)


def test_chains_count_their_steps():
    one = Chain.of(EDM, 1)
    assert one.times.tolist() == [0.0, 80.0]
    assert one.steps == 1
    assert one.prior_std == pytest.approx(math.sqrt(1.0 + 80.0**2), rel=1e-12)
    both = Chain.of(dialects.get("vp"), 3), Chain.of(dialects.get("ve"), 3)
    for chain in both:
        assert chain.prior_std == pytest.approx(math.hypot(chain.alpha[-1], chain.beta[-1]), rel=1e-12)
    assert Chain.of(dialects.get("flow-matching"), 2).times.tolist() == [1.0, 0.5, 0.0]
    x = normal(1, 2)
    for k in (1, 3):
        chain = Chain.of(EDM, 3)
        for law in (chain.transition(k, x), chain.posterior(k, x, x), chain.marginal(k, x)):
            assert bool(law.mean.isfinite().all())
        assert bool(chain.ddim_step(k, x, x).isfinite().all())
        assert bool(chain.sde_step(k, x, x, x).isfinite().all())
    assert torch.equal(Chain.of(EDM, 3).marginal(0, x).mean, x)


@pytest.mark.parametrize("name", dialects.NAMES)
def test_ddim_is_euler_in_rescaled_coordinates(name):
    """T59 to machine precision: the same trajectory from `solve_ode` for x / alpha in sigma = beta / alpha."""
    dialect = dialects.get(name)
    chain = Chain.of(dialect, dialect.time(torch.linspace(8.0, -5.0, 21, dtype=torch.float64)))
    path = DialectPath(data(), dialect)
    denoiser, x = exact_denoiser(path.p_data, dialect, chain), chain.prior_std * normal(8, 2)
    sigma = (chain.beta / chain.alpha).flip(0)
    step = {float(s): chain.steps - i for i, s in enumerate(sigma)}

    def noise(y: Tensor, at: float) -> Tensor:
        k = step[at]
        scaled = chain.alpha[k] * y
        return (scaled - chain.alpha[k] * denoiser(scaled, k)) / chain.beta[k]

    euler, _ = solve_ode(noise, x / chain.alpha[-1], method="euler", times=sigma)
    found = ddim(chain, denoiser, x) / chain.alpha.flip(0)[:, None, None]
    assert float((found - euler).abs().max() / euler.abs().max()) < 1e-12


def test_exact_predictions_of_a_dialect():
    """The score against autodiff of the marginal, and the rest against a path with the same scheduler."""
    vp = dialects.get("vp")
    path, x = DialectPath(data(), vp), normal(9, 2)
    reference = ProbabilityPath(GaussianMixture.standard(dtype=torch.float64), data(), schedulers.get("vp"))
    for s in (0.0, 0.1, 0.7, 1.0):
        y = x.clone().requires_grad_()
        (score,) = torch.autograd.grad(path.marginal(s).log_density(y).sum(), y)
        assert torch.allclose(path.score(x, s), score, rtol=1e-8, atol=1e-8)
        assert torch.allclose(path.posterior_mean(x, s), reference.posterior_mean(x, 1.0 - s), rtol=1e-8, atol=1e-8)
        assert torch.allclose(path.velocity(x, s), -reference.marginal_velocity(x, 1.0 - s), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", dialects.NAMES)
def test_posterior_variance_is_the_slope_of_the_posterior_mean(name):
    """Tweedie of second order: Cov[z | x] = beta^2 / alpha dE[z | x]/dx, by autodiff; at many times at once too."""
    dialect = dialects.get(name)
    path, x, s = (
        DialectPath(data(), dialect),
        normal(6, 2),
        dialects.get(name).time(torch.linspace(-2.0, 3.0, 6).double()),
    )
    y = x.clone().requires_grad_()
    mean = path.posterior_mean(y, s)
    divergence = sum(torch.autograd.grad(mean[:, axis].sum(), y, retain_graph=True)[0][:, axis] for axis in range(2))
    wanted = dialect.beta(s).square() / dialect.alpha(s) * divergence
    assert torch.allclose(path.posterior_variance(x, s), wanted, rtol=1e-7)
    for i in (0, 5):
        assert torch.allclose(path.posterior_variance(x[i], float(s[i])), wanted[i], rtol=1e-7)
        assert torch.allclose(path.noise(x, s)[i], -dialect.beta(s[i]) * path.score(x[i], float(s[i])), rtol=1e-9)


@pytest.mark.parametrize("name", ["ddpm", "vp", "flow-matching"])
def test_reversal_ends_in_the_data(name):
    """T24: the reversal of the forward process, by Euler-Maruyama, within twice what exact samples give."""
    dialect, n = dialects.get(name), 2000
    path = DialectPath(data(), dialect)
    # from lambda = -7 up to 7, evenly in lambda
    ratio = torch.linspace(-7.0, 7.0, 301, dtype=torch.float64)
    times = dialect.time(ratio)
    sde, rate = dialect.forward_sde(times), dialect.d_log_snr(times).abs().reciprocal()
    at = {float(r): i for i, r in enumerate(ratio)}

    def drift(x: Tensor, lam: float) -> Tensor:
        i = at[lam]
        return rate[i] * (sde.g_squared[i] * path.score(x, float(times[i])) - sde.f[i] * x)

    start = path.marginal(float(times[0])).sample(n, generator=torch.Generator().manual_seed(1))
    noise = torch.Generator().manual_seed(2)
    ends, _ = solve_sde(
        drift, lambda lam: (rate[at[lam]] * sde.g_squared[at[lam]]).sqrt(), start, generator=noise, times=ratio
    )
    end = path.posterior_mean(ends[-1], float(times[-1]))
    exact = [data().sample(n, generator=torch.Generator().manual_seed(seed)) for seed in range(10, 14)]
    floor = max(float(sliced_wasserstein(exact[0], other)) for other in exact[1:])
    assert float(sliced_wasserstein(end, exact[0])) < 2.0 * floor


def test_measured_orders_of_ddim_and_ancestral_sampling():
    """First order, T59: DDIM against the exact flow, ancestral against a fine chain on the same Brownian motion in the ratio S."""
    counts, finest, n = (32, 64, 128), 1024, 256
    path, x = DialectPath(data(), EDM), 80.0 * normal(n, 2)
    fine = in_sigma(0.02, finest)

    def end(steps: int, kind: str) -> Tensor:
        chain = in_sigma(0.02, steps)
        denoiser = exact_denoiser(path.p_data, EDM, chain)
        if kind == "ddim":
            return ddim(chain, denoiser, x)[-1]
        # W in S = 1 / sigma^2 by the increments of the finest chain, from noise to data
        snr = fine.beta.square().reciprocal().flip(0)
        motion = torch.cat(
            (torch.zeros(1, n, 2), (snr.diff().sqrt()[:, None, None] * normal(finest, n, 2, seed=7)).cumsum(0))
        )
        own = motion[:: finest // steps].diff(dim=0)
        noise = own / snr[:: finest // steps].diff().sqrt()[:, None, None]
        return ancestral(chain, denoiser, x, noise=list(noise))[-1]

    for kind in ("ddim", "ancestral"):
        reference = end(finest, kind)
        if kind == "ddim":
            sigma = in_sigma(0.02, 400).beta.flip(0)
            reference = solve_ode(lambda y, s: path.noise(y, s), x, method="rk4", times=sigma)[0][-1]
        # The median, since a few particles choose another mode.
        errors = [float((end(steps, kind) - reference).norm(dim=-1).median()) for steps in counts]
        order = measured_order(list(zip(counts, errors, strict=True)))
        assert order == pytest.approx(1.0, abs=0.1), kind


def test_the_bound_lies_above_the_exact_value_and_falls_like_one_over_steps():
    flow = dialects.get("flow-matching")
    draws = data().sample(200_000, generator=torch.Generator().manual_seed(0))
    surprise = -data().log_density(draws)
    exact, error = float(surprise.mean()), float(surprise.std()) / math.sqrt(len(draws))
    counts = (32, 64, 128)
    for variance in ("optimal", "large"):
        generator = torch.Generator().manual_seed(1)
        bounds = [
            variational_bound(data(), flow, Chain.of(flow, n), variance=variance, n=4000, generator=generator)
            for n in counts
        ]
        gaps = [bound.total - exact for bound in bounds]
        spread = [math.hypot(bound.error, error) for bound in bounds]
        assert all(gap > 3.0 * e for gap, e in zip(gaps, spread, strict=True))
        # standard error of the slope of log gap against log N over three equally spaced points
        slope_error = math.hypot(spread[0] / gaps[0], spread[2] / gaps[2]) / (2.0 * math.log(2.0))
        order = measured_order(list(zip(counts, gaps, strict=True)))
        assert order == pytest.approx(1.0, abs=0.1 + 2.0 * slope_error), variance


def test_small_variances_leave_a_gap_on_spread_data():
    """The variance given z is too small where the data are wider than the noise: N = 256 gains nothing over 64."""
    flow = dialects.get("flow-matching")
    totals = [
        variational_bound(
            data(), flow, Chain.of(flow, n), variance="small", generator=torch.Generator().manual_seed(1)
        ).total
        for n in (64, 256)
    ]
    assert abs(totals[0] - totals[1]) < 0.1
    optimal = variational_bound(data(), flow, Chain.of(flow, 256), generator=torch.Generator().manual_seed(1))
    assert totals[1] > optimal.total + 1.0


def test_the_standard_error_of_the_bound_is_that_of_its_draws():
    """The same draws again, with the variance of z given x by autodiff."""
    vp, n = dialects.get("vp"), 50
    chain, path = Chain.of(vp, 3), DialectPath(data(), vp)
    bound = variational_bound(data(), vp, chain, variance="large", n=n, generator=torch.Generator().manual_seed(4))
    again = torch.Generator().manual_seed(4)
    z = data().sample(n * 3, generator=again).reshape(3, n, 2)
    eps = torch.randn(3, n, 2, generator=again, dtype=torch.float64)
    for k in (1, 2, 3):
        x = (chain.alpha[k] * z[k - 1] + chain.beta[k] * eps[k - 1]).requires_grad_()
        mean = path.posterior_mean(x, float(chain.times[k]))
        slopes = [torch.autograd.grad(mean[:, i].sum(), x, retain_graph=True)[0][:, i] for i in range(2)]
        left = chain.beta[k].square() / chain.alpha[k] * (slopes[0] + slopes[1])
        variance = chain.transition(k, z[0]).variance
        terms = 0.5 * chain.data_weight(k).square() * left / variance
        assert float(bound.errors[k - 1]) == pytest.approx(float(terms.std()) / math.sqrt(n), rel=1e-6)
        if k > 1:
            ratio = float(chain.posterior(k, z[0], z[0]).variance / variance)
            wanted = ratio - 1.0 - math.log(ratio) + float(terms.mean())
            assert float(bound.steps[k - 2]) == pytest.approx(wanted, rel=1e-6)
        else:
            wanted = math.log(2.0 * math.pi * float(variance)) + float(terms.mean())
            assert bound.reconstruction == pytest.approx(wanted, rel=1e-6)
    assert bound.error == pytest.approx(float(bound.errors.norm()), rel=1e-12)


def test_small_variances_are_those_given_z_but_at_the_last_step():
    vp = dialects.get("vp")
    small, large = (
        variational_bound(data(), vp, Chain.of(vp, 3), variance=kind, n=50, generator=torch.Generator().manual_seed(4))
        for kind in ("small", "large")
    )
    chain = Chain.of(vp, 3)
    zero = torch.zeros(2).double()
    ratio = torch.stack([chain.transition(k, zero).variance / chain.posterior(k, zero, zero).variance for k in (2, 3)])
    assert small.reconstruction == large.reconstruction
    # with the variance given z, what is missed is all
    missed = (large.steps - (1.0 / ratio - 1.0 + ratio.log())) * ratio
    assert torch.allclose(small.steps, missed, rtol=1e-9)


def test_bound_of_one_gaussian_is_that_of_its_closed_form():
    """One component N(m, c I): everything is linear, E tr Cov[z | x] = 2 c beta^2 / (alpha^2 c + beta^2) at every x."""
    c, vp = 0.3, dialects.get("vp")
    one = GaussianMixture(torch.tensor([[1.0, 2.0]]).double(), c * torch.eye(2).double()[None], torch.ones(1))
    chain = Chain.of(vp, 50)
    bound = variational_bound(one, vp, chain, n=10, generator=torch.Generator().manual_seed(0))
    kl = 0.0
    for k in range(2, 51):
        alpha, beta = chain.alpha[k], chain.beta[k]
        missed = 2.0 * c * beta**2 / (alpha**2 * c + beta**2) * chain.data_weight(k) ** 2
        inner = float(chain.posterior(k, torch.zeros(2).double(), torch.zeros(2).double()).variance)
        # the best isotropic Gaussian is the true reverse law here, so only its entropy is paid
        kl += math.log((inner + 0.5 * float(missed)) / inner)
    assert float(bound.steps.sum()) == pytest.approx(kl, rel=1e-6)
    assert bound.error < 1e-6
    # every reverse law is exact, so what is left above the entropy is the prior's mismatch
    gap = bound.total - (1.0 + math.log(2.0 * math.pi * c))
    eye, last = torch.eye(2).double(), chain.alpha[-1].square() * c + chain.beta[-1].square()
    law = MultivariateNormal(chain.alpha[-1] * torch.tensor([1.0, 2.0]).double(), last * eye)
    prior = MultivariateNormal(torch.zeros(2).double(), chain.prior_std**2 * eye)
    assert gap == pytest.approx(float(kl_divergence(law, prior)), rel=1e-4)


def test_the_prior_term_is_the_average_divergence_given_z():
    """By Monte Carlo with `torch.distributions`, within four standard errors."""
    vp = dialects.VariancePreserving(0.1, 3.0)
    chain = Chain.of(vp, 2)
    z = data().sample(20_000, generator=torch.Generator().manual_seed(6))
    given = MultivariateNormal(chain.alpha[-1] * z, chain.beta[-1].square() * torch.eye(2).double())
    terms = kl_divergence(
        given, MultivariateNormal(torch.zeros(2).double(), chain.prior_std**2 * torch.eye(2).double())
    )
    found = variational_bound(data(), vp, chain, n=10, generator=torch.Generator().manual_seed(0)).prior
    assert abs(found - float(terms.mean())) < 4.0 * float(terms.std()) / math.sqrt(len(z))
    assert float(terms.std()) / math.sqrt(len(z)) < 0.005 * found


@pytest.mark.parametrize(
    ("make", "parameter"),
    [
        (lambda: Chain.of(DDPM, 0), "times"),
        (lambda: Chain.of(DDPM, [0.0]), "times"),
        (lambda: Chain.of(DDPM, [5.0, 3.0]), "times"),
        (lambda: Chain.of(DDPM, [3.0, 3.0]), "times"),
        (lambda: Chain.of(DDPM, torch.tensor([[1.0, 2.0]])), "times"),
        (lambda: Chain.of(dialects.get("flow-matching"), [0.2, 0.7]), "times"),
        (lambda: Chain.of(DDPM, 10).marginal(11, normal(2)), "k"),
        (lambda: Chain.of(DDPM, 10).marginal(-1, normal(2)), "k"),
        (lambda: Chain.of(DDPM, 10).transition(0, normal(2)), "k"),
        (lambda: Chain.of(DDPM, 10).ddim_step(0, normal(2), normal(2)), "k"),
        (lambda: Chain.of(DDPM, 10).sde_step(0, normal(2), normal(2), normal(2)), "k"),
        (lambda: Chain.of(DDPM, 10).posterior(0, normal(2), normal(2)), "k"),
        (lambda: Chain.of(DDPM, 10).transition(11, normal(2)), "k"),
        (lambda: variational_bound(data(), DDPM, Chain.of(DDPM, 4), variance="learned"), "variance"),
        (lambda: variational_bound(data(), DDPM, Chain.of(DDPM, [1.0, 2.0])), "chain"),
    ],
)
def test_wrong_parameters_are_named(make, parameter):
    with pytest.raises(ParameterError, match=parameter):
        make()
