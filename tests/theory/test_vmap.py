"""`torch.func.vmap` over points, times, z and schedules says what the calls say one by one."""

import pytest
import torch
from torch.func import vmap

from fmviz.errors import ParameterError
from fmviz.theory import schedulers
from fmviz.theory import sigmas as sigma_kinds
from tests.theory.fields import FIELDS, LINEAR, PATH, T, X

MAPPED = [name for name in FIELDS if name not in ("converted", "dialect")]  # these have three points of their own


@pytest.mark.parametrize("name", MAPPED)
def test_vmap_over_times(name):
    """As many calls as there are times, at the same points; three of each, which one axis less would confuse."""
    field = FIELDS[name]
    exact = torch.stack([field(X, float(t)) for t in T])
    torch.testing.assert_close(vmap(lambda t: field(X, t))(T), exact, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", MAPPED)
def test_vmap_over_points_and_times_together(name):
    field = FIELDS[name]
    torch.testing.assert_close(vmap(field)(X, T), field(X, T), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(vmap(lambda x: field(x, 0.5))(X), field(X, 0.5), rtol=1e-9, atol=1e-9)


def test_vmap_within_vmap_and_over_another_axis():
    exact = PATH.marginal_velocity(X[None], T[:, None])
    found = vmap(lambda t: vmap(lambda x: PATH.marginal_velocity(x, t))(X))(T)
    torch.testing.assert_close(found, exact)
    columns = vmap(lambda x: PATH.marginal_velocity(x, T), in_dims=1)(exact)
    torch.testing.assert_close(columns, torch.stack([PATH.marginal_velocity(exact[:, i], T) for i in range(3)]))


def test_vmap_over_z_and_over_schedules():
    z = torch.tensor([[0.0, 0.0], [1.0, -1.0], [0.5, 0.5], [2.0, 0.0]], dtype=X.dtype)
    exact = torch.stack([PATH.conditional_velocity(X, 0.5, one) for one in z])
    torch.testing.assert_close(vmap(lambda one: PATH.conditional_velocity(X, 0.5, one))(z), exact)
    for scheduler in (LINEAR, schedulers.custom("t", "sqrt(1 - t)"), schedulers.get("vp")):
        torch.testing.assert_close(vmap(scheduler.d_beta)(T), scheduler.d_beta(T))
        reversal = sigma_kinds.get("reversal", scheduler=scheduler)
        torch.testing.assert_close(vmap(reversal)(T), reversal(T))


def test_vmap_refuses_what_the_call_refuses():
    with pytest.raises(ParameterError, match="a time in"):
        vmap(lambda t: PATH.marginal_velocity(X, t))(T + 0.5)


def test_derivatives_flow_through_vmap():
    x = X.clone().requires_grad_()
    (found,) = torch.autograd.grad(vmap(lambda t: PATH.log_density(x, t))(T).sum(), x)
    torch.testing.assert_close(found, PATH.marginal_score(X[None], T[:, None]).sum(0))
