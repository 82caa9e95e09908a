"""The conventions of the literature against `diffusers`, autodiff and each other."""

import math

import diffusers
import numpy as np
import pytest
import torch
from diffusers.schedulers.deprecated.scheduling_sde_vp import ScoreSdeVpScheduler
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.theory import dialects
from fmviz.theory.dialects import Dialect
from tests.theory.conventions import ALL, each, normal, times_inside


@pytest.mark.parametrize(
    ("betas", "theirs"),
    [
        ("linear", {"beta_schedule": "linear"}),
        ("scaled-linear", {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}),
        ("cosine", {"beta_schedule": "squaredcos_cap_v2"}),
    ],
)
@pytest.mark.parametrize("steps", [20, 1000])
def test_ddpm_has_the_alphas_of_diffusers(betas, theirs, steps):
    reference = diffusers.DDPMScheduler(num_train_timesteps=steps, **theirs).alphas_cumprod.double()
    found = dialects.get("ddpm", steps=steps, betas=betas).alpha(torch.arange(1.0, steps + 1, dtype=torch.float64))
    assert torch.allclose(found.square(), reference, rtol=0.0, atol=1e-6)


def test_ddpm_has_the_betas_of_diffusers_also_where_they_are_cut():
    for betas, theirs in (("linear", {}), ("cosine", {"beta_schedule": "squaredcos_cap_v2"})):
        reference = diffusers.DDPMScheduler(num_train_timesteps=50, **theirs).betas.double()
        assert torch.allclose(dialects.Ddpm(50, betas).step_betas, reference, rtol=1e-5)


def test_ddpm_adds_noise_at_a_constant_rate_during_each_step():
    ddpm, s = dialects.Ddpm(20), torch.tensor([0.0, 0.25, 1.0, 1.5, 2.0, 19.75, 20.0], dtype=torch.float64)
    levels = np.concatenate(([0.0], np.log(1.0 - ddpm.step_betas.numpy()).cumsum()))
    wanted = torch.from_numpy(np.interp(s.numpy(), np.arange(21.0), levels))
    v = ddpm.evaluate(s)
    assert torch.allclose(2.0 * v.alpha.log(), wanted, rtol=1e-12)
    assert torch.allclose(v.alpha.square() + v.beta.square(), torch.ones_like(s), rtol=1e-12)
    step = torch.tensor([0, 0, 0, 1, 1, 19, 19])  # the one that led there
    assert torch.allclose(2.0 * v.d_alpha / v.alpha, (1.0 - ddpm.step_betas).log()[step], rtol=1e-12)
    assert torch.allclose(ddpm.time(ddpm.log_snr(s)), s, rtol=1e-9)


def test_stochastic_differential_equations_have_the_defaults_of_diffusers():
    """The VP-SDE's alpha is exp of minus half the integral of its rate; the VE-SDE's noise levels are theirs."""
    vp, theirs = dialects.get("vp"), ScoreSdeVpScheduler()
    rate = np.linspace(theirs.config.beta_min, theirs.config.beta_max, 2001)
    kept = np.concatenate(([0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1]) / 2000)))
    s = torch.linspace(0.0, 1.0, 2001, dtype=torch.float64)
    assert torch.allclose(vp.alpha(s), torch.from_numpy(np.exp(-0.5 * kept)), rtol=1e-9)
    assert torch.allclose(vp.beta(s).square(), torch.from_numpy(-np.expm1(-kept)), rtol=1e-9)
    levels = diffusers.ScoreSdeVeScheduler()
    levels.set_sigmas(11, sigma_max=50.0)  # of Song et al. for images of 32 pixels; theirs is for 1024
    found = dialects.get("ve").beta(torch.linspace(0.0, 1.0, 11, dtype=torch.float64))
    assert torch.allclose(found, levels.discrete_sigmas.double(), rtol=1e-5)


def test_edm_has_the_defaults_of_diffusers():
    theirs = diffusers.EDMEulerScheduler()
    theirs.set_timesteps(18)
    edm = dialects.Edm()
    assert torch.allclose(edm.sigmas(18), theirs.sigmas.double(), rtol=1e-6)
    visited = edm.sampling_times(torch.linspace(0.0, 1.0, 18, dtype=torch.float64))
    assert torch.allclose(visited, edm.sigmas(18)[:-1], rtol=1e-12)
    assert len(edm.sigmas(2)) == 3


@each
def test_products_are_those_of_their_factors(dialect):
    share = torch.tensor([0.2, 0.55, 0.9], dtype=torch.float64)
    v = dialect.evaluate(dialect.data_time + share * (dialect.noise_time - dialect.data_time))
    assert torch.allclose(v.alpha_d_alpha, v.alpha * v.d_alpha, rtol=1e-9, atol=1e-15)
    assert torch.allclose(v.beta_d_beta, v.beta * v.d_beta, rtol=1e-9, atol=1e-15)


@each
def test_sampling_goes_from_the_noise_to_the_data(dialect):
    times = dialect.sampling_times(torch.tensor([0.0, 0.25, 1.0], dtype=torch.float64)).tolist()
    assert times[0] == dialect.noise_time
    if dialect.name != "edm":
        assert times[1:] == [0.75 * dialect.noise_time + 0.25 * dialect.data_time, dialect.data_time]


@pytest.mark.parametrize("rho", [1.0, 7.0])
def test_edm_has_the_noise_levels_of_diffusers(rho):
    theirs = diffusers.EDMEulerScheduler(sigma_min=0.002, sigma_max=80.0, rho=rho)
    theirs.set_timesteps(18)
    assert np.allclose(dialects.Edm().sigmas(18, rho=rho).numpy(), theirs.sigmas.double().numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_rectified_flow_has_the_noise_levels_of_diffusers(shift):
    theirs = diffusers.FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=shift)
    own = dialects.get("rectified-flow", shift=shift)
    found = own.beta(torch.arange(1000, 0, -1, dtype=torch.float64) / 1000)
    assert torch.allclose(found, theirs.sigmas.double(), rtol=0.0, atol=1e-6)


@each
def test_time_inverts_the_log_signal_to_noise_ratio(dialect):
    ratio = torch.linspace(-5.0, 9.0, 20, dtype=torch.float64)
    assert torch.allclose(dialect.log_snr(dialect.time(ratio)), ratio, rtol=0.0, atol=1e-10)


@each
def test_derivatives_agree_with_autodiff(dialect):
    s = times_inside(dialect).requires_grad_()
    v = dialect.evaluate(s)
    for value, slope in ((v.alpha, v.d_alpha), (v.beta, v.d_beta), (0.5 * v.beta.square(), v.beta_d_beta)):
        wanted = (
            torch.autograd.grad(value.sum(), s, retain_graph=True, allow_unused=True)[0]
            if value.requires_grad
            else None
        )
        assert torch.allclose(slope, torch.zeros_like(s) if wanted is None else wanted, rtol=1e-9, atol=1e-12)
    (slope,) = torch.autograd.grad(dialect.log_snr(s).sum(), s)
    assert torch.allclose(dialect.d_log_snr(s), slope, rtol=1e-9)


@each
def test_the_ends_are_the_data_and_the_noise(dialect):
    low, high = dialect.log_snr_range
    assert low < -5.0
    assert high > 9.0
    sides = torch.tensor([dialect.data_time, dialect.noise_time], dtype=torch.float64)
    assert bool(dialect.evaluate(sides).alpha.isfinite().all())


def test_loss_weights_are_those_of_the_literature():
    """Table 1 of Kingma and Gao 2023: e^(-lambda/2) for flow matching, sech(lambda/2) for the cosine schedule, EDM's bump."""
    ratio = torch.linspace(-6.0, 6.0, 25, dtype=torch.float64)

    def shape(dialect: Dialect) -> Tensor:
        weight = dialect.loss_weight(dialect.time(ratio))
        return weight / weight.sum()

    def normalised(weight: Tensor) -> Tensor:
        return weight / weight.sum()

    assert torch.allclose(shape(dialects.get("flow-matching")), normalised((-0.5 * ratio).exp()), rtol=1e-9)
    bump = (-0.5 * ((ratio - 2.4) / 2.4).square()).exp() * ((-ratio).exp() + 0.25)
    assert torch.allclose(shape(dialects.get("edm")), normalised(bump), rtol=1e-9)
    cosine = dialects.get("ddpm", steps=10_000, betas="cosine")
    assert torch.allclose(shape(cosine), normalised(1.0 / (0.5 * ratio).cosh()), rtol=0.05)


def test_loss_weights_from_the_definition_of_each_loss():
    """How often a time is drawn, per unit of log signal-to-noise ratio, times what the loss makes of an error of the noise."""
    ratio = torch.linspace(-6.0, 6.0, 25, dtype=torch.float64)
    logit, rate = -0.5 * ratio, lambda s: 0.1 + 19.9 * s
    wanted = {
        # noise with uniform s; d log(alpha^2) / ds = -rate, and d log(alpha^2) / d lambda = beta^2
        "vp": lambda s: (-ratio).sigmoid() / rate(s),
        # lambda is linear in s, and beta^2 times the score's squared error is the noise's
        "ve": torch.ones_like,
        # logit-normal noise levels b; the velocity's error is the noise's, divided by alpha; d lambda = 2 d logit b
        "rectified-flow": lambda s: (-0.5 * logit.square()).exp() / (0.5 * ratio).sigmoid().square(),
        # d lambda / ds = pi / (alpha beta), and the velocity's error is pi / 2 of the noise's, divided by alpha
        "interpolant": lambda s: (-0.5 * ratio).exp(),
    }
    for name, weight in wanted.items():
        dialect = dialects.get(name)
        s = dialect.time(ratio)
        quotient = dialect.loss_weight(s) / weight(s)
        assert torch.allclose(quotient, quotient[:1].expand(25), rtol=1e-9), name


def test_shift_moves_rectified_flow_along_the_log_snr():
    plain, shifted = dialects.get("rectified-flow"), dialects.get("rectified-flow", shift=3.0)
    s = torch.linspace(0.1, 0.9, 9, dtype=torch.float64)
    assert torch.allclose(shifted.log_snr(s), plain.log_snr(s) - 2.0 * math.log(3.0), rtol=1e-12)


def test_a_path_without_a_moment_of_noise_or_data_is_told_apart():
    """Noise levels of 0.01 at the data and 50 at the noise: T56 with alpha = 1."""
    assert dialects.get("ve").log_snr_range == pytest.approx((-2.0 * math.log(50.0), 2.0 * math.log(100.0)), rel=1e-12)
    assert dialects.get("flow-matching").log_snr_range == (-math.inf, math.inf)


@pytest.mark.parametrize("name", ["edm", "vp", "ddpm", "flow-matching"])
def test_rounding_beyond_the_ends_is_taken_for_the_ends(name):
    """Of times relative to the range, or to 1 if it is longer; of log signal-to-noise ratios relative to their size, or to 1."""
    dialect = dialects.get(name)
    start, end = sorted((dialect.data_time, dialect.noise_time))
    within = 5e-10 * max(1.0, end)
    assert torch.equal(dialect.beta(start - within), dialect.beta(start))
    assert torch.equal(dialect.beta(end + within), dialect.beta(end))
    for beyond in (start - 4.0 * within, end + 4.0 * within):
        with pytest.raises(ParameterError, match="s: expected a time"):
            dialect.beta(beyond)


def test_rounding_beyond_the_range_of_ratios_is_taken_for_its_ends():
    ve = dialects.get("ve")
    low, high = ve.log_snr_range
    assert [float(ve.time(low - 4e-9)), float(ve.time(high + 4e-9))] == pytest.approx([1.0, 0.0], abs=1e-12)
    for beyond in (low - 2e-8, high + 2e-8):
        with pytest.raises(ParameterError, match="log_snr"):
            ve.time(beyond)
    short = dialects.VarianceExploding(0.9, 1.1)  # its ratios are below 1
    ends = [float(short.time(ratio)) for ratio in (short.log_snr_range[0] - 5e-10, short.log_snr_range[1] + 5e-10)]
    assert ends == pytest.approx([1.0, 0.0], abs=1e-12)
    for beyond in (short.log_snr_range[0] - 2e-9, short.log_snr_range[1] + 2e-9):
        with pytest.raises(ParameterError, match="log_snr"):
            short.time(beyond)


@each
def test_shapes_and_types_are_those_of_the_times(dialect):
    s = times_inside(dialect, 6).reshape(3, 2)
    middle = float(s[1, 0])
    assert dialect.alpha(middle).shape == ()
    assert dialect.alpha(middle).dtype == torch.float64
    for times in (s, s.float()):
        for found in (dialect.beta(times), dialect.time(dialect.log_snr(times)), dialect.forward_sde(times).f):
            assert found.shape == (3, 2)
            assert found.dtype == times.dtype
    value, x = normal(3, 2, 2).float(), normal(3, 2, 2, seed=1).float()
    one = dialect.convert(value[1, 0], x[1, 0], middle, predicts="noise", to="data")
    together = dialect.convert(value, x, s, predicts="noise", to="data")
    assert together.dtype == torch.float32
    assert torch.allclose(together[1, 0], one, rtol=1e-5)


def test_defaults_and_ends_are_those_of_the_texts():
    assert dialects.get("ddpm") == dialects.Ddpm(1000, "linear")
    assert dialects.get("rectified-flow") == dialects.RectifiedFlow(1.0)
    ends = {name: (dialect.data_time, dialect.noise_time) for name, dialect in ALL.items()}
    assert ends == {
        **dict.fromkeys(("vp", "ve", "rectified-flow", "rectified-flow shift 3"), (0.0, 1.0)),
        **dict.fromkeys(("flow-matching", "interpolant", "own linear", "own sqrt"), (1.0, 0.0)),
        **dict.fromkeys(("ddpm", "ddpm scaled-linear"), (0.0, 1000.0)),
        "ddpm cosine": (0.0, 100.0),
        "edm": (0.0, 80.0),
    }


def test_the_limits_of_the_parameters_are_allowed():
    assert dialects.VariancePreserving(2.0, 2.0).noise_time == 1.0
    assert dialects.get("rectified-flow", shift=100.0).noise_time == 1.0
    assert dialects.get("ddpm", steps=2).noise_time == 2.0
    assert dialects.get("ddpm", steps=10_000).noise_time == 10_000.0


@pytest.mark.parametrize(
    ("make", "parameter"),
    [
        (lambda: dialects.VariancePreserving(0.0, 1.0), "b0, b1"),
        (lambda: dialects.VariancePreserving(2.0, 1.0), "b0, b1"),
        (lambda: dialects.VariancePreserving(2.0, math.inf), "b0, b1"),
        (lambda: dialects.VarianceExploding(0.0, 1.0), "low, high"),
        (lambda: dialects.VarianceExploding(1.0, 1.0), "low, high"),
        (lambda: dialects.VarianceExploding(1.0, math.inf), "low, high"),
        (lambda: dialects.Edm(0.0), "high"),
        (lambda: dialects.Edm(math.inf), "high"),
        (lambda: dialects.Edm().sigmas(18, low=0.0), "low, rho"),
        (lambda: dialects.Edm().sigmas(18, low=80.0), "low, rho"),
        (lambda: dialects.Edm().sigmas(18, rho=0.995), "low, rho"),
        (lambda: dialects.get("rectified-flow", shift=0.995), "shift"),
        (lambda: dialects.get("rectified-flow", shift=100.5), "shift"),
        (lambda: dialects.get("ddpm", steps=10_001), "steps"),
        (lambda: dialects.get("vp").time(math.nan), "log_snr"),
        (lambda: dialects.get("vp").convert(normal(2), normal(2), 0.5, predicts="data", to="eps"), "to"),
        (lambda: dialects.get("ddim"), "name"),
        (lambda: dialects.get("ddpm", steps=1), "steps"),
        (lambda: dialects.get("ddpm", betas="sigmoid"), "betas"),
        (lambda: dialects.get("rectified-flow", shift=0.0), "shift"),
        (lambda: dialects.get("vp").alpha(1.5), "s"),
        (lambda: dialects.get("vp").alpha(math.nan), "s"),
        (lambda: dialects.get("vp").time(-50.0), "log_snr"),
        (lambda: dialects.get("edm").sigmas(1), "steps"),
        (lambda: dialects.get("vp").convert(normal(2), normal(2), 0.5, predicts="eps", to="data"), "predicts"),
    ],
)
def test_wrong_parameters_are_named(make, parameter):
    with pytest.raises(ParameterError, match=parameter):
        make()
