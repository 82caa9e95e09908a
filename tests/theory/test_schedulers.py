"""Schedulers: values, derivatives and products against numbers found otherwise, and what typed schedules are refused for."""

import contextlib
import math
import time

import numpy as np
import pytest
import torch

from fmviz.errors import ParameterError, ScheduleError
from fmviz.theory import GaussianMixture, ProbabilityPath, expressions, schedulers
from tests.theory import builders

ALL = [schedulers.get(name) for name in schedulers.NAMES] + [
    schedulers.get("polynomial", exponent=1.0),
    schedulers.get("polynomial", exponent=3.5),
    schedulers.custom("sin(pi*t/2)", "cos(pi*t/2)"),
    schedulers.custom("t", "sqrt(1-t)"),
]


@pytest.mark.parametrize("scheduler", ALL, ids=str)
def test_ends_and_monotony(scheduler: schedulers.Scheduler) -> None:
    t = torch.linspace(0, 1, 1001, dtype=torch.float64)
    v = scheduler.evaluate(t)
    start = 0.0066 if isinstance(scheduler, schedulers.VariancePreserving) else 0.0
    assert float(v.alpha[0]) == pytest.approx(start, abs=1e-4 if start else 0)
    assert float(v.beta[0]) == pytest.approx(1.0, abs=1e-4 if start else 0)
    assert float(v.alpha[-1]) == 1.0
    assert float(v.beta[-1]) == 0.0
    assert bool((v.alpha.diff() > 0).all())
    assert bool((v.beta.diff() < 0).all())
    assert bool((v.alpha_d_alpha.isfinite() & v.beta_d_beta.isfinite()).all())


@pytest.mark.parametrize("scheduler", ALL, ids=str)
def test_derivatives_and_products(scheduler: schedulers.Scheduler) -> None:
    t = torch.linspace(0.01, 0.99, 99, dtype=torch.float64, requires_grad=True)
    v = scheduler.evaluate(t)
    for value, slope, product in ((v.alpha, v.d_alpha, v.alpha_d_alpha), (v.beta, v.d_beta, v.beta_d_beta)):
        (autodiff,) = torch.autograd.grad(value.sum(), t, retain_graph=True)
        assert torch.allclose(slope, autodiff, rtol=1e-10)
        assert torch.allclose(product, value * autodiff, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("scheduler", ALL, ids=str)
def test_products_at_the_ends_are_one_sided_slopes_of_half_the_square(scheduler: schedulers.Scheduler) -> None:
    h = 1e-6
    for curve, product in ((scheduler.alpha, scheduler.alpha_d_alpha), (scheduler.beta, scheduler.beta_d_beta)):
        start = float(curve(h) ** 2 - curve(0.0) ** 2) / (2 * h)
        end = float(curve(1.0) ** 2 - curve(1.0 - h) ** 2) / (2 * h)
        assert float(product(0.0)) == pytest.approx(start, abs=2e-4)
        assert float(product(1.0)) == pytest.approx(end, abs=2e-4)


def test_infinite_derivatives_are_infinite() -> None:
    for name in ("sqrt", "vp"):
        assert float(schedulers.get(name).d_beta(1.0)) == -math.inf
    assert float(schedulers.custom("t", "sqrt(1-t)").d_beta(1.0)) == -math.inf
    assert float(schedulers.get("sqrt").beta_d_beta(1.0)) == -0.5


def test_dtype_and_shape_follow_t() -> None:
    for scheduler in ALL:
        t = torch.rand(3, 1, generator=builders.seeded(0))
        assert scheduler.alpha(t).dtype == torch.float32
        assert scheduler.beta_d_beta(t).shape == (3, 1)
        assert scheduler.alpha(0.5).dtype == torch.float64


def test_wrong_names_and_exponents() -> None:
    with pytest.raises(ParameterError, match="linear"):
        schedulers.get("cosine")
    for exponent in (0.5, 11.0, math.nan):
        with pytest.raises(ParameterError, match="exponent"):
            schedulers.get("polynomial", exponent=exponent)


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        (("t", "1-t"), "linear"),
        (("t", "sqrt(1-t)"), "sqrt"),
        (("t", "(1-t)**0.5"), "sqrt"),
        (("sin(pi*t/2)", "cos(pi*t/2)"), "trig"),
        (("sin(pi*t/2)", "sqrt(1-sin(pi*t/2)**2)"), "trig"),
        (("t**2", "1-t**2"), "polynomial"),
        (("t*t", "(1-t)*(1+t)"), "polynomial"),
        (("sqrt(t)*sqrt(t)", "exp(0.5*log(1-t))"), "sqrt"),
    ],
)
def test_typed_schedules_give_the_same_path_as_named_ones(typed: tuple[str, str], named: str) -> None:
    data = builders.random_mixture(3, 0)
    custom = ProbabilityPath(builders.standard(), data, schedulers.custom(*typed))
    known = ProbabilityPath(builders.standard(), data, schedulers.get(named))
    x = builders.points(10, 0)
    for t in (0.0, 0.001, 0.5, 0.999, 1.0):
        for method in ("marginal_velocity", "marginal_score", "log_density"):
            assert torch.allclose(getattr(custom, method)(x, t), getattr(known, method)(x, t), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("alpha", "beta"),
    [
        ("1-(1-t)**2", "1 - t"),
        ("t**1.5", "(1-t)**1.5"),
        ("sqrt(t)", "sqrt(1-t)"),
        ("tanh(3*t)/tanh(3)", "(e**(1-t)-1)/(e-1)"),
        ("(exp(t)-1)/(e-1)", "max(1-t, 0)"),
        ("min(t, 1)", "log(e - (e-1)*t)"),
        ("3*t**2-2*t**3", "1-(3*t**2-2*t**3)"),
        (" abs(t) ", "+1 + -t"),
        ("2*atan(t)*2/pi", "cos(pi*t/2)**2"),
        ("sqrt(t*(2-t))", "1-t"),
        ("min(1, 2*t)", "max(0, 1-2*t)"),
    ],
)
def test_good_schedules_are_accepted_and_finite(alpha: str, beta: str) -> None:
    scheduler = schedulers.custom(alpha, beta)
    v = scheduler.evaluate(torch.linspace(0, 1, 101, dtype=torch.float64))
    assert bool((v.alpha.isfinite() & v.beta.isfinite()).all())
    assert bool((v.alpha_d_alpha.isfinite() & v.beta_d_beta.isfinite()).all())


BAD = [
    ("", "empty"),
    ("   ", "empty"),
    ("t" * 10_000, "too_long"),
    ("t + " * 2500, "too_long"),
    ("t +", "syntax"),
    ("t)", "syntax"),
    ("2t", "syntax"),
    ("(" * 199, "syntax"),
    ("(" * 99 + "t" + ")" * 99, None),
    ("-" * 198 + "t", None),
    ("t = 1", "syntax"),
    ("import os", "syntax"),
    ("t\x00", "syntax"),
    ("1/0", "not_finite"),
    ("1/t", "not_finite"),
    ("log(t)", "not_finite"),
    ("sqrt(t-1)", "not_finite"),
    ("t**1e9", "forbidden"),
    ("9**9**9", "forbidden"),
    ("9**9**9**t", "forbidden"),
    ("t**-1", "not_finite"),
    ("1e999*t", "forbidden"),
    ("__import__('os')", "forbidden"),
    ("__import__('os').system('true')", "forbidden"),
    ("().__class__", "forbidden"),
    ("t.real", "forbidden"),
    ("t[0]", "forbidden"),
    ("'t'", "forbidden"),
    ("f'{t}'", "forbidden"),
    ("b't'", "forbidden"),
    ("'a'*999999999", "forbidden"),
    ("1j*t", "forbidden"),
    ("True", "forbidden"),
    ("None", "forbidden"),
    ("[t for t in (1,)]", "forbidden"),
    ("lambda: t", "forbidden"),
    ("t if 1 else 2", "forbidden"),
    ("t and 1", "forbidden"),
    ("t < 1", "forbidden"),
    ("t // 1", "forbidden"),
    ("t % 2", "forbidden"),
    ("t << 5", "forbidden"),
    ("t^2", "forbidden"),
    ("(t := 1)", "forbidden"),
    ("x", "forbidden"),
    ("sin", "forbidden"),
    ("open(t)", "forbidden"),
    ("sin(t, t)", "forbidden"),
    ("sin(x=t)", "forbidden"),
    ("min(*t)", "forbidden"),
    ("t, t", "forbidden"),
    ("0.5", "endpoint"),
    ("t + 0.2", "endpoint"),
    ("2*t", "endpoint"),
    ("1-t", "endpoint"),
    ("t + 0.5*sin(2*pi*t)", "not_monotone"),
    ("t + 0.01*sin(60*pi*t)", "not_monotone"),
    ("1-(1-t)**0.25", "not_finite"),
]


@pytest.mark.parametrize(("text", "reason"), BAD, ids=[text[:30] for text, _ in BAD])
def test_bad_schedules_are_refused_quickly_with_their_reason(text: str, reason: str | None) -> None:
    begun = time.process_time()
    if reason is None:  # harmless if deep: either is right, a crash or a hang is not
        with contextlib.suppress(ScheduleError):
            schedulers.custom(text, "1-t")
    else:
        with pytest.raises(ScheduleError) as caught:
            schedulers.custom(text, "1-t")
        assert caught.value.reason == reason
        assert caught.value.detail.startswith("alpha: ")
        assert len(caught.value.detail) < 400
    assert time.process_time() - begun < 0.5


def test_beta_is_checked_in_its_own_direction() -> None:
    with pytest.raises(ScheduleError, match="beta: must be 1 at t = 0"):
        schedulers.custom("t", "t")
    with pytest.raises(ScheduleError, match="beta: must never rise"):
        schedulers.custom("t", "1 - t + 0.4*sin(4*pi*t)")


@pytest.mark.parametrize("node", ["0.001", "0.002", "0.5", "0.998", "0.999"])
def test_every_derivative_inside_is_looked_at(node: str) -> None:
    """That of sqrt((t - c)^2), which torch finds to be 0 / 0 at c, the first and the last inner node of 1000 intervals."""
    bent = f"(t + 0.5*(sqrt((t-{node})**2) - {node})) / (1.5 - {node})"
    with pytest.raises(ScheduleError, match="derivative is not a finite number") as caught:
        schedulers.custom(bent, "1-t")
    assert caught.value.reason == "not_finite"


@pytest.mark.parametrize(("slope", "fits"), [("0", True), ("1e-10", True), ("1e-8", False), ("1e-4", False)])
def test_a_fall_is_taken_for_rounding_up_to_a_slope_of_a_billionth(slope: str, fits: bool) -> None:
    """Twice as steep as t at first and at last, and between them falling with a small slope."""
    formula = f"max(min(2*t, 0.5 - {slope}*(t - 0.25)), 2*t - 1)"
    if fits:
        assert float(schedulers.custom(formula, "1-t").alpha(0.5)) == pytest.approx(0.5, abs=1e-9)
    else:
        with pytest.raises(ScheduleError, match="never fall"):
            schedulers.custom(formula, "1-t")


def test_typed_schedulers_are_equal_if_their_texts_are() -> None:
    """They are keys of caches, and of equal ones only one is kept."""
    one, same, other = (schedulers.custom(alpha, "1-t") for alpha in ("t**2", "t**2", "t*t"))
    assert one == same != other
    assert hash(one) == hash(same)


@pytest.mark.parametrize("text", ["2**t - 1", "t**t", "(1+t)**t", "t**2", "t**0.5", "max(t, 0.3)**min(t, 0.7)"])
def test_powers_of_every_kind_are_those_of_python(text: str) -> None:
    t = torch.linspace(0.0, 1.0, 11, dtype=torch.float64)
    wanted = [eval(text, {"t": s, "max": max, "min": min}) for s in t.tolist()]
    assert expressions.parse(text)(t).tolist() == pytest.approx(wanted, rel=1e-14)


def test_a_formula_may_have_200_characters() -> None:
    longest = "t" + "+0" * 99 + " "
    assert float(expressions.parse(longest)(torch.tensor(0.25))) == 0.25
    with pytest.raises(ScheduleError, match="201 characters, at most 200") as caught:
        expressions.parse(longest + " ")
    assert caught.value.reason == "too_long"


def test_a_fall_within_the_last_interval_is_refused() -> None:
    """Of 1000 equal intervals: it rises to 1.0005 at t = 0.999, and from there falls to 1."""
    with pytest.raises(ScheduleError, match="alpha: must never fall, but does near t = 1"):
        schedulers.custom("min(1.0015*t, 4 - 3*t)", "1-t")


def test_a_steep_square_has_its_slope_at_the_end() -> None:
    """alpha^2 = tanh(100 t) / tanh 100, so that alpha alpha' = 50 at t = 0; the limit is known to a relative 1e-6 only."""
    scheduler = schedulers.custom("sqrt(tanh(100*t)/tanh(100))", "1-t")
    assert float(scheduler.alpha_d_alpha(0.0)) == pytest.approx(50.0, rel=1e-6)
    assert float(scheduler.d_alpha(0.0)) == math.inf


def test_custom_works_without_gradients_and_inside_derivatives() -> None:
    scheduler = schedulers.custom("sin(pi*t/2)", "cos(pi*t/2)")
    with torch.no_grad():
        assert float(scheduler.d_alpha(0.0)) == pytest.approx(math.pi / 2)
    with torch.inference_mode():
        assert float(scheduler.d_alpha(torch.tensor(0.0))) == pytest.approx(math.pi / 2)
    path = ProbabilityPath(GaussianMixture.standard(), builders.random_mixture(2, 0), scheduler)
    t = torch.full((3,), 0.4, dtype=torch.float64, requires_grad=True)
    x = builders.points(3, 0)
    (slope,) = torch.autograd.grad(path.marginal_velocity(x, t).sum(), t)
    h = 1e-5
    wanted = (path.marginal_velocity(x, 0.4 + h) - path.marginal_velocity(x, 0.4 - h)).sum(-1) / (2 * h)
    assert torch.allclose(slope, wanted, rtol=1e-6)


def test_the_schedulers_are_those_of_their_formulas() -> None:
    """T14 written out, with the numbers that hold unless others are given; VP by quadrature of its rate, linear in time."""
    t = np.linspace(0.0, 1.0, 41)
    rate = 0.1 + (20.0 - 0.1) * (1.0 - t)  # noising rate at the time t of the data
    nodes, weights = np.polynomial.legendre.leggauss(8)
    inner = t[:, None] + (1.0 - t[:, None]) * (nodes + 1.0) / 2.0
    noised = ((0.1 + 19.9 * (1.0 - inner)) @ weights) * (1.0 - t) / 2.0
    vp = np.exp(-0.5 * noised)
    expected = {
        schedulers.get("linear"): (t, 1.0 - t),
        schedulers.get("sqrt"): (t, np.sqrt(1.0 - t)),
        schedulers.get("trig"): (np.sin(np.pi * t / 2.0), np.cos(np.pi * t / 2.0)),
        schedulers.get("polynomial"): (t**2, 1.0 - t**2),
        schedulers.Polynomial(): (t**2, 1.0 - t**2),
        schedulers.get("polynomial", exponent=3.5): (t**3.5, 1.0 - t**3.5),
        schedulers.get("vp"): (vp, np.sqrt(1.0 - vp**2)),
    }
    for scheduler, (alpha, beta) in expected.items():
        v = scheduler.evaluate(torch.from_numpy(t))
        np.testing.assert_allclose(v.alpha, alpha, rtol=1e-12, atol=1e-15, err_msg=str(scheduler))
        np.testing.assert_allclose(v.beta, beta, rtol=1e-9, atol=1e-15, err_msg=str(scheduler))
    v = schedulers.get("vp").evaluate(torch.from_numpy(t))
    np.testing.assert_allclose(v.d_alpha, 0.5 * rate * vp, rtol=1e-12)
