"""From one convention to another, one prediction to another, and forwards in time (T56 to T58)."""

import itertools
import math

import pytest
import torch

from fmviz.errors import SingularTimeError
from fmviz.theory import GaussianMixture, ProbabilityPath, conversions, dialects, schedulers
from fmviz.theory.dialects import PREDICTIONS
from fmviz.theory.solvers import solve_sde
from tests.theory.conventions import ALL, each, normal, times_inside

pairs = pytest.mark.parametrize(
    ("source", "target"),
    itertools.permutations(ALL.values(), 2),
    ids=(f"{a}, {b}" for a, b in itertools.permutations(ALL, 2)),
)


@pairs
def test_one_path_in_two_dialects(source, target):
    """T56: the law of x / alpha at equal log signal-to-noise ratio, and the way there and back."""
    z, eps, s = normal(20, 2), normal(20, 2, seed=1), times_inside(source)
    x = source.alpha(s)[:, None] * z + source.beta(s)[:, None] * eps
    moved, time = dialects.translate(x, s, source, target)
    wanted = target.alpha(time)[:, None] * z + target.beta(time)[:, None] * eps
    assert float(((moved - wanted) / target.alpha(time)[:, None]).abs().max()) < 1e-10
    back, again = dialects.translate(moved, time, target, source)
    assert float(((back - x) / source.alpha(s)[:, None]).abs().max()) < 1e-10
    assert torch.allclose(again, s, rtol=1e-10, atol=1e-10)


@each
def test_every_prediction_gives_every_other(dialect):
    """T57, against the definitions at a known z and noise."""
    z, eps, s = normal(20, 2), normal(20, 2, seed=1), times_inside(dialect)
    v = dialect.evaluate(s)
    alpha, beta, d_alpha, d_beta = (c[:, None] for c in (v.alpha, v.beta, v.d_alpha, v.d_beta))
    x = alpha * z + beta * eps
    truth = {
        "data": z,
        "noise": eps,
        "score": -eps / beta,
        "velocity": d_alpha * z + d_beta * eps,
        "v": alpha * eps - beta * z,
    }
    for known, wanted in itertools.product(PREDICTIONS, repeat=2):
        found = dialect.convert(truth[known], x, s, predicts=known, to=wanted)
        # relative to what the conversion magnifies
        size = (
            truth[wanted].abs() + dialect.error_gain(s, predicts=known, to=wanted)[:, None] * truth[known].abs() + 1.0
        )
        assert float(((found - truth[wanted]) / size).abs().max()) < 1e-10, (known, wanted)


@each
def test_errors_grow_as_the_conversion_says(dialect):
    """T57: the gain against converting twice, and against lambda' beta / 2 for the velocity."""
    x, value, error, s = normal(20, 2), normal(20, 2, seed=1), normal(20, 2, seed=2), times_inside(dialect)
    for known, wanted in itertools.product(PREDICTIONS, repeat=2):
        moved = dialect.convert(value + error, x, s, predicts=known, to=wanted)
        moved = moved - dialect.convert(value, x, s, predicts=known, to=wanted)
        gain = dialect.error_gain(s, predicts=known, to=wanted)
        assert torch.allclose(moved.norm(dim=-1) / error.norm(dim=-1), gain, rtol=1e-6), (known, wanted)
    half = 0.5 * dialect.d_log_snr(s).abs()
    v = dialect.evaluate(s)
    for known, factor in (("data", half * v.alpha), ("noise", half * v.beta), ("score", half * v.beta.square())):
        assert torch.allclose(dialect.error_gain(s, predicts=known, to="velocity"), factor, rtol=1e-9)


def test_conversions_agree_with_those_of_a_scheduler():
    x, value, t = normal(9, 2), normal(9, 2, seed=1), torch.linspace(0.05, 0.95, 9, dtype=torch.float64)
    for name in schedulers.NAMES:
        scheduler = schedulers.get(name)
        own = dialects.OwnTime(scheduler)
        found = own.convert(value, x, t, predicts="score", to="velocity")
        assert torch.allclose(found, conversions.velocity_from_score(x, t, value, scheduler), rtol=1e-10)
        found = own.convert(value, x, t, predicts="velocity", to="data")
        assert torch.allclose(found, conversions.posterior_mean_from_velocity(x, t, value, scheduler), rtol=1e-10)


def test_conversions_at_the_ends_of_time():
    x, value = normal(3, 2), normal(3, 2, seed=1)
    flow, vp = dialects.get("flow-matching"), dialects.get("vp")
    assert torch.equal(flow.convert(value, x, 0.0, predicts="data", to="velocity"), value - x)
    assert torch.allclose(vp.convert(value, x, 0.0, predicts="score", to="data"), x)
    for known, wanted, s in (("noise", "data", 0.0), ("data", "noise", 1.0), ("noise", "score", 1.0)):
        with pytest.raises(SingularTimeError, match=wanted):
            flow.convert(value, x, s, predicts=known, to=wanted)


@each
def test_forward_process_has_the_law_of_the_path(dialect):
    """T58: for the linear SDE, mean and variance solve m' = f m and V' = 2 f V + g^2; both against alpha and beta."""
    s = times_inside(dialect)
    v, sde = dialect.evaluate(s), dialect.forward_sde(s)
    towards = math.copysign(1.0, dialect.noise_time - dialect.data_time)
    assert torch.allclose(towards * v.d_alpha, sde.f * v.alpha, rtol=1e-9)
    assert torch.allclose(
        towards * 2.0 * v.beta_d_beta, 2.0 * sde.f * v.beta.square() + sde.g_squared, rtol=1e-9, atol=1e-12
    )
    assert bool((sde.g_squared >= 0).all())


@pytest.mark.parametrize("name", ["ddpm", "vp", "flow-matching", "interpolant"])
def test_simulated_forward_process_has_the_law_given_z(name):
    """T58 by Euler-Maruyama from one z, within four standard errors and the bias of the steps."""
    dialect, z, n = dialects.get(name), torch.tensor([1.5, -1.0], dtype=torch.float64), 4000
    start, end = float(dialect.time(12.0)), float(dialect.time(-1.5))
    steps, span = 200, abs(end - start)

    def at(tau: float) -> float:
        return start + (end - start) * tau

    path, _ = solve_sde(
        lambda x, tau: span * dialect.forward_sde(at(tau)).f * x,
        lambda tau: (span * dialect.forward_sde(at(tau)).g_squared).sqrt(),
        (dialect.alpha(start) * z).expand(n, 2),
        steps,
        generator=torch.Generator().manual_seed(3),
    )
    alpha, beta = float(dialect.alpha(end)), float(dialect.beta(end))
    assert torch.allclose(path[-1].mean(0), alpha * z, atol=4.0 * beta / math.sqrt(n) + 0.01)
    assert torch.allclose(path[-1].var(0), torch.tensor(beta**2).double(), rtol=4.0 * math.sqrt(2.0 / n) + 0.02)


def test_to_and_from_this_projects_time():
    p_data = GaussianMixture(
        torch.tensor([[2.0, 0.0], [-1.0, 1.0]]).double(), 0.1 * torch.eye(2).expand(2, 2, 2), torch.ones(2)
    )
    path = ProbabilityPath(GaussianMixture.standard(dtype=torch.float64), p_data, schedulers.get("trig"))
    own, ddpm, x = dialects.OwnTime(path.scheduler), dialects.get("ddpm"), normal(7, 2)
    moved, t = dialects.translate(x, 300.0, ddpm, own)
    score = path.marginal_score(moved, float(t)) * (own.alpha(t) + own.beta(t)) / (ddpm.alpha(300.0) + ddpm.beta(300.0))
    found = ddpm.convert(score, x, 300.0, predicts="score", to="data")
    assert torch.allclose(found, path.posterior_mean(moved, float(t)), rtol=1e-9)


@pytest.mark.parametrize(("name", "other"), [("flow-matching", "interpolant"), ("rectified-flow", "flow-matching")])
def test_translation_at_pure_noise_and_at_the_data(name, other):
    source, target, x = dialects.get(name), dialects.get(other), normal(3, 2)
    for ours, theirs in ((source.noise_time, target.noise_time), (source.data_time, target.data_time)):
        moved, time = dialects.translate(x, ours, source, target)
        assert float(time) == pytest.approx(theirs, abs=1e-12)
        assert torch.allclose(moved, x, rtol=1e-12)  # one of the factors is 1 and the other 0 in both


def test_the_forward_process_at_the_ends():
    """Straight paths: f = -1 / alpha and g^2 = 2 beta / alpha; their data are forgotten in no time where alpha = 0."""
    flow = dialects.get("flow-matching")
    s = torch.tensor([1.0, 0.75, 0.5], dtype=torch.float64)
    found = flow.forward_sde(s)
    assert torch.allclose(found.f, -1.0 / s, rtol=1e-12)
    assert torch.allclose(found.g_squared, 2.0 * (1.0 - s) / s, rtol=1e-12, atol=0.0)
    with pytest.raises(SingularTimeError, match="forward process"):
        flow.forward_sde(0.0)
