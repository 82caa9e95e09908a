"""Diffusion coefficients: their shapes, and the time reversal against T24."""

import math

import pytest
import torch

from fmviz.errors import ParameterError, SingularTimeError
from fmviz.theory import conversions, schedulers, sigmas

T = torch.linspace(0, 1, 11, dtype=torch.float64)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("zero", 0 * T),
        ("constant", 2.0 + 0 * T),
        ("beta", 2.0 * (1 - T)),
        ("decay", 2.0 * (1 - T)),
        ("rise", 2.0 * T),
        ("bump", 2.0 * torch.sin(math.pi * T)),
    ],
)
def test_shapes(kind: str, wanted: torch.Tensor) -> None:
    sigma = sigmas.get(kind, 2.0, schedulers.get("linear"))
    assert torch.allclose(sigma(T), wanted, atol=1e-15)
    assert float(sigma(0.3)) == pytest.approx(float(wanted[3]), abs=1e-15)


def test_a_bump_is_zero_at_both_ends_exactly() -> None:
    """Where the sine of pi in floating point is not, so that an SDE ends without noise."""
    for t in (torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0], dtype=torch.float64)):
        assert sigmas.get("bump", 3.0)(t).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("name", schedulers.NAMES)
def test_reversal_is_twice_b_and_finite_when_capped(name: str) -> None:
    scheduler = schedulers.get(name)
    exact, capped = sigmas.get("reversal", 1.0, scheduler, cap=None), sigmas.get("reversal", 1.0, scheduler)
    inner = T[1:]
    b = conversions.coefficients(scheduler, inner).b
    assert torch.allclose(exact(inner).square(), 2 * b, rtol=1e-12, atol=1e-12)
    assert torch.allclose(capped(inner), exact(inner).clamp(max=sigmas.REVERSAL_CAP))
    assert bool((capped(T) <= sigmas.REVERSAL_CAP).all())
    if name == "vp":
        # The forward process of VP: noise at the rate b1 at its end (and alpha_0 is not 0).
        assert float(exact(0.0) ** 2) == pytest.approx(20.0)
        assert float(exact(1.0) ** 2) == pytest.approx(0.1)
    else:
        assert float(capped(0.0)) == sigmas.REVERSAL_CAP
        with pytest.raises(SingularTimeError):
            exact(0.0)
    assert float(sigmas.get("reversal", 0.0, scheduler)(0.0)) == 0.0


def test_square_root_reversal_has_a_value_at_the_end() -> None:
    assert float(sigmas.get("reversal", 1.0, schedulers.get("sqrt"))(1.0)) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("kind", ("wiggle",)),
        ("amplitude", ("constant", -1.0)),
        ("amplitude", ("constant", 5.1)),
        ("amplitude", ("constant", math.nan)),
        ("scheduler", ("beta",)),
        ("scheduler", ("reversal",)),
    ],
)
def test_wrong_parameters_are_named(name: str, arguments: tuple[str, ...]) -> None:
    with pytest.raises(ParameterError) as caught:
        sigmas.get(*arguments)
    assert caught.value.name == name
    for cap in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ParameterError, match="cap"):
            sigmas.get("constant", cap=cap)


@pytest.mark.parametrize("cap", [1e-3, 7.0])
def test_the_reversal_stays_below_any_cap(cap: float) -> None:
    sigma = sigmas.get("reversal", 1.0, schedulers.get("linear"), cap=cap)
    assert float(sigma(0.0)) == cap
    assert float(sigma(1e-6)) == cap
