"""Networks of torchcfm, azula and flow_matching: the same samples through theirs and through ours, and exact answers in their conventions."""

from __future__ import annotations

from types import SimpleNamespace

import azula.denoise as azula_denoise
import azula.noise as azula_noise
import azula.sample as azula_sample
import pytest
import torch
import torchcfm.conditional_flow_matching as matchers
import torchcfm.models as torchcfm_models
from torch import Tensor
from torchdiffeq import odeint

import fmviz
from fmviz.comparison.adapters import from_azula, from_flow_matching, from_torchcfm
from fmviz.comparison.adapters.scheduled import ReadSchedule
from fmviz.errors import ParameterError
from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers
from fmviz.theory.dialect_path import DialectPath
from fmviz.theory.discrete import ancestral, ddim
from fmviz.theory.solvers import solve_ode

MATCHERS = {
    "linear": lambda: matchers.ConditionalFlowMatcher(sigma=0.0),
    "linear, noisy": lambda: matchers.ConditionalFlowMatcher(sigma=0.3),
    "target": lambda: matchers.TargetConditionalFlowMatcher(sigma=0.1),
    "trigonometric": lambda: matchers.VariancePreservingConditionalFlowMatcher(sigma=0.0),
    "trigonometric, noisy": lambda: matchers.VariancePreservingConditionalFlowMatcher(sigma=0.2),
}
SCHEDULES = {
    "vp": lambda: azula_noise.VPSchedule(),
    "ve": lambda: azula_noise.VESchedule(1e-2, 1e2),
    "cosine": lambda: azula_noise.CosineSchedule(),
    "rectified": lambda: azula_noise.RectifiedSchedule(),
    "decay": lambda: azula_noise.DecaySchedule(),
}
CHEAP = {"particles": 40, "steps": 6}


def path(name: str = "linear", init: str | None = None) -> ProbabilityPath:
    start = presets.get(init) if init else GaussianMixture.standard()
    return ProbabilityPath(start, presets.get("ring5"), schedulers.get(name)).to(torch.float64)


def start(seed: int = 0) -> Tensor:
    return torch.randn(64, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def draws(wanted: ProbabilityPath) -> tuple[Tensor, Tensor]:
    """Points of a path and their times."""
    t = torch.linspace(0.1, 0.95, 24).double()
    return wanted.sample(24, 0.5, generator=torch.Generator().manual_seed(1)), t


def joined(x: Tensor, t: Tensor) -> Tensor:
    return torch.cat([x, t[:, None]], dim=-1)


# ------------------------------------------------------------------ torchcfm


def network() -> torch.nn.Module:
    torch.manual_seed(3)
    return torchcfm_models.MLP(dim=2, time_varying=True).double()


@torch.no_grad()
def through_torchcfm(model: torch.nn.Module, x: Tensor, times: list[float], method: str) -> Tensor:
    """Sampling as their examples write it, with their wrapper's call."""

    def field(t: Tensor, x: Tensor) -> Tensor:
        return model(torch.cat([x, t.repeat(x.shape[0])[:, None]], 1))

    span = torch.tensor(times, dtype=torch.float64)
    return odeint(field, x, span, rtol=1e-9, atol=1e-9, method=method)[-1]


@pytest.mark.parametrize(("name", "schedule"), [("linear", "linear"), ("trigonometric", "trig")])
def test_a_network_of_torchcfm_gives_the_same_samples_through_both(name, schedule):
    times = [i / 20 for i in range(21)]
    ours = from_torchcfm(path(schedule), network(), MATCHERS[name]())
    with torch.no_grad():
        found = solve_ode(ours, start(), method="euler", times=times)[0][-1]
    assert torch.allclose(found, through_torchcfm(network(), start(), times, "euler"), rtol=1e-5, atol=1e-5)
    assert float((found - start()).norm(dim=-1).max()) > 0.1


@pytest.mark.parametrize("name", ["linear, noisy", "target", "trigonometric", "trigonometric, noisy"])
def test_on_another_path_the_samples_are_the_same_up_to_the_factor_between_the_paths(name):
    """To t = 0.7 of the linear path, and as far on the matcher's own, which is another time and another scale."""
    ours = from_torchcfm(path(), network(), MATCHERS[name]())
    ends = [torch.tensor(t, dtype=torch.float64) for t in (0.1, 0.7)]
    own = [ours.own_time(t, 1.0 - t) for t in ends]
    scales = [float(sum(ours.levels(at))) for at in own]  # of the linear path alpha + beta is 1
    with torch.no_grad():
        times = torch.linspace(0.1, 0.7, 21).tolist()
        found = solve_ode(ours, start(), method="rk4", times=times)[0][-1]
    theirs = through_torchcfm(network(), scales[0] * start(), [float(at) for at in own], "dopri5")
    assert torch.allclose(scales[1] * found, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", MATCHERS)
def test_the_schedule_that_is_read_is_the_one_that_a_matcher_draws_from(name):
    """E[u - u*(x)] g(x) = 0 for their draws x and targets u and every g, if u* is the exact velocity of their path."""
    torch.manual_seed(0)
    n, matcher = 20_000, MATCHERS[name]()
    generator = torch.Generator().manual_seed(1)
    data = path().p_data
    x0, x1 = torch.randn(n, 2, dtype=torch.float64), data.sample(n, generator=generator)
    t = torch.linspace(0.0, 0.99, 20).double().repeat_interleave(n // 20)
    _, x, u = matcher.sample_location_and_conditional_flow(x0, x1, t)
    ours = from_torchcfm(path(), lambda xt: xt[:, :2], matcher)
    exact = DialectPath(data, ours.schedule).velocity(x, t)
    for weight in (torch.ones_like(x), x, exact, x * t[:, None]):
        each = ((u - exact) * weight).sum(-1)
        assert abs(float(each.mean())) < 4.0 * float(each.std()) / n**0.5
    wrong = ((u - path("linear" if "trig" in name else "trig").marginal_velocity(x, t)) * exact).sum(-1)
    assert abs(float(wrong.mean())) > 8.0 * float(wrong.std()) / n**0.5


@pytest.mark.parametrize("schedule", ["linear", "trig", "vp"])
@pytest.mark.parametrize("name", MATCHERS)
def test_the_exact_field_of_a_matcher_is_the_exact_velocity_on_any_path(name, schedule):
    wanted, matcher = path(schedule), MATCHERS[name]()
    exact = DialectPath(wanted.p_data, from_torchcfm(wanted, lambda xt: xt[:, :2], matcher).schedule)
    x, t = draws(wanted)
    for model in (lambda xt: exact.velocity(xt[:, :2], xt[:, 2]), lambda t, x: exact.velocity(x, t)):
        ours = from_torchcfm(wanted, model, matcher)
        # Where the matcher's noise ends the path does not.
        reached = ours.own_time(wanted.scheduler.alpha(t), wanted.scheduler.beta(t)) < 1.0 - 1e-9
        assert int(reached.sum()) > 15
        found, right = ours(x, t)[reached], wanted.marginal_velocity(x, t)[reached]
        assert torch.allclose(found, right, rtol=1e-6, atol=1e-6)


def test_a_matcher_without_noise_starts_anywhere():
    theirs, wanted = path("trig", "two_modes"), path("linear", "two_modes")
    ours = from_torchcfm(wanted, lambda xt: theirs.marginal_velocity(xt[:, :2], xt[:, 2]), MATCHERS["trigonometric"]())
    x, t = draws(wanted)
    assert torch.allclose(ours(x, t), wanted.marginal_velocity(x, t), rtol=1e-6, atol=1e-6)
    with pytest.raises(ParameterError, match="adds noise"):
        from_torchcfm(wanted, network(), MATCHERS["linear, noisy"]())


@pytest.mark.parametrize(
    "matcher",
    [
        lambda: matchers.ExactOptimalTransportConditionalFlowMatcher(sigma=0.0),
        lambda: matchers.SchrodingerBridgeConditionalFlowMatcher(sigma=1.0),
        object,
    ],
)
def test_pairs_by_optimal_transport_are_refused(matcher):
    with pytest.raises(ParameterError, match="matcher: expected"):
        from_torchcfm(path(), network(), matcher())


# --------------------------------------------------------------------- azula


class Backbone(torch.nn.Module):
    """A small network of x and the log of the noise-to-signal ratio, as azula's denoisers hold one."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.layers = torch.nn.Sequential(torch.nn.Linear(4, 32), torch.nn.SiLU(), torch.nn.Linear(32, 2)).double()

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        phase = t.expand(len(x))[:, None]
        return self.layers(torch.cat([x, phase.sin(), phase.cos()], dim=-1))


@pytest.mark.parametrize("kind", ["SimpleDenoiser", "KarrasDenoiser"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_ddim_and_ddpm_of_azula_give_the_same_samples_with_one_seed(kind, name):
    denoiser = getattr(azula_denoise, kind)(Backbone(), SCHEDULES[name]())
    ours = from_azula(path(), denoiser)
    chain = ours.chain(16)
    x = chain.prior_std * start()
    options = {"steps": 16, "silent": True, "dtype": torch.float64}
    with torch.no_grad():
        found = ddim(chain, ours.denoiser(chain), x)[-1]
        drawn = ancestral(chain, ours.denoiser(chain), x, generator=torch.Generator().manual_seed(7))[-1]
    assert torch.allclose(found, azula_sample.DDIMSampler(denoiser, **options)(x), rtol=1e-5, atol=1e-5)
    torch.manual_seed(7)
    assert torch.allclose(drawn, azula_sample.DDPMSampler(denoiser, **options)(x), rtol=1e-5, atol=1e-5)
    assert not torch.allclose(drawn, found, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("schedule", ["linear", "trig", "vp"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_the_exact_denoiser_of_azula_is_the_exact_velocity_on_any_path(name, schedule):
    """A denoiser as their samplers call it, with one time for all points; its mean from the mixture that their kernel makes."""
    wanted, kernel = path(schedule), SCHEDULES[name]()
    data = wanted.p_data

    class Exact(azula_denoise.Denoiser):
        schedule = kernel

        def forward(self, x_t: Tensor, t: Tensor):
            assert t.ndim == 0
            alpha, sigma = (float(part) for part in kernel(t))
            law = GaussianMixture(
                alpha * data.means, alpha**2 * data.covariances + sigma**2 * torch.eye(2), data.weights
            )
            return azula_denoise.DiracPosterior(mean=(x_t + sigma**2 * law.score(x_t)) / alpha)

    x, t = draws(wanted)
    assert torch.allclose(from_azula(wanted, Exact())(x, t), wanted.marginal_velocity(x, t), rtol=1e-5, atol=1e-5)


def test_compare_takes_a_denoiser_of_azula():
    linear = path()
    denoiser = azula_denoise.KarrasDenoiser(Backbone(), SCHEDULES["cosine"]())
    report = fmviz.compare(linear, from_azula(linear, denoiser), **CHEAP)
    assert 0.3 < report.error < 10.0
    with pytest.raises(ParameterError, match="denoiser"):
        from_azula(linear, Backbone())
    with pytest.raises(ParameterError, match="path"):
        from_azula(path(init="two_modes"), denoiser)


# ------------------------------------------------------------- flow_matching


class Wrapped(torch.nn.Module):
    """The interface that flow_matching documents for its solvers, by keyword alone: forward(x, t, **extras), t of shape (N,) or ()."""

    def __init__(self, field: ProbabilityPath) -> None:
        super().__init__()
        self.field = field

    def forward(self, *, t: Tensor, x: Tensor, **extras: object) -> Tensor:
        assert extras == {"label": 1}
        return self.field.marginal_velocity(x, t.expand(x.shape[0]))


def cosine(t: Tensor) -> SimpleNamespace:
    """What their documentation says of the values of a scheduler."""
    quarter = 0.5 * torch.pi
    return SimpleNamespace(alpha_t=(quarter * t).sin(), sigma_t=(quarter * t).cos(), d_alpha_t=None, d_sigma_t=None)


@pytest.mark.parametrize("schedule", ["linear", "sqrt"])
def test_a_model_of_flow_matching_answers_on_its_own_path(schedule):
    wanted = path(schedule)
    ours = from_flow_matching(wanted, Wrapped(wanted), label=1)
    assert fmviz.compare(wanted, ours, **CHEAP).error < 1e-9
    x, times = start(), torch.linspace(0.0, 0.9, 11).double()
    for t, step in zip(times[:-1], times.diff(), strict=True):
        x = x + step * Wrapped(wanted)(x=x, t=t, label=1)
    found = solve_ode(ours, start(), method="euler", times=times.tolist())[0][-1]
    assert torch.allclose(found, x, rtol=1e-5, atol=1e-5)


def test_a_model_of_flow_matching_is_read_on_another_path_by_its_scheduler():
    wanted = path("linear", "two_modes")
    ours = from_flow_matching(wanted, Wrapped(path("trig", "two_modes")), cosine, label=1)
    x, t = draws(wanted)
    assert torch.allclose(ours(x, t), wanted.marginal_velocity(x, t), rtol=1e-6, atol=1e-6)
    assert torch.allclose(ours(x, 0.5), wanted.marginal_velocity(x, 0.5), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("scheduler", [3, lambda t: (t, 1 - t)])
def test_what_is_no_scheduler_of_flow_matching_is_refused(scheduler):
    with pytest.raises(ParameterError, match="scheduler"):
        from_flow_matching(path(), Wrapped(path()), scheduler)


@pytest.mark.parametrize("name", [*SCHEDULES, "square root"])
def test_the_time_of_a_ratio_is_found(name):
    levels = schedulers.get("sqrt").evaluate
    schedule = ReadSchedule(SCHEDULES[name]() if name in SCHEDULES else lambda t: (levels(t).alpha, levels(t).beta))
    log_snr = torch.linspace(-8.0, 8.0, 101).double().clamp(*schedule.log_snr_range)
    assert torch.allclose(schedule.log_snr(schedule.time(log_snr)), log_snr, rtol=1e-9, atol=1e-9)
    ends = schedule.time(torch.tensor(schedule.log_snr_range, dtype=torch.float64))
    assert ends.tolist() == pytest.approx([schedule.noise_time, schedule.data_time], abs=1e-6)


@pytest.mark.parametrize(
    "levels", [lambda t: (t, t), lambda t: ((t - 0.5).square(), 1.0 - t), lambda t: (-t, 1.0 - t), lambda t: (t, t / 0)]
)
def test_a_schedule_that_turns_back_is_refused(levels):
    with pytest.raises(ParameterError, match="rises or falls"):
        ReadSchedule(levels)
