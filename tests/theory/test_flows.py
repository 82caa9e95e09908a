"""Flows in closed form against an independent integrator, as a group of maps, and by Liouville; orders of the solvers."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.theory import ProbabilityPath, flows, presets, schedulers
from fmviz.theory.convergence import COUNTS, ORDERS, Convergence, convergence
from fmviz.theory.flows import AnalyticField, Field, Marginal
from tests.theory import builders

ZOO = [
    flows.analytic(name, rate)
    for name, rate in (
        ("linear", 1.5),
        ("linear", -0.8),
        ("rotation", 3.0),
        ("saddle", 1.2),
        ("shear", -2.0),
        ("vortex", 3.0),
        ("vortex", -1.0),
    )
]
NAMES = [f"{type(field).__name__}({next(iter(vars(field).values()))})" for field in ZOO]
zoo = pytest.mark.parametrize("field", ZOO, ids=NAMES)
TIMES = (0.0, 0.2, 1 / 3, 0.7, 1.0)


def points() -> Tensor:
    return builders.points(6, 0, scale=1.2)


def marginal(name: str = "ring8") -> Marginal:
    return Marginal(ProbabilityPath(builders.standard(), presets.get(name).to(torch.float64), schedulers.get("linear")))


def by_scipy(field: Field, x0: Tensor, times: tuple[float, ...], tolerance: float = 3e-14) -> Tensor:
    """DOP853 by scipy, each point on its own: no code is shared with the library."""

    def one(start: Tensor) -> Tensor:
        found = solve_ivp(
            lambda t, x: field.velocity(torch.from_numpy(x)[None], float(t))[0].numpy(),
            (times[0], times[-1]),
            start.numpy(),
            "DOP853",
            times,
            rtol=tolerance,
            atol=0.1 * tolerance,
        )
        return torch.from_numpy(np.ascontiguousarray(found.y.T))

    return torch.stack([one(start) for start in x0], dim=1)


@zoo
def test_closed_forms_match_an_independent_integrator(field: AnalyticField) -> None:
    found = flows.exact_flow(field, points(), TIMES)
    assert found.dtype == torch.float64
    assert float((found - by_scipy(field, points(), TIMES)).abs().max()) < 1e-10


def test_the_marginal_field_is_integrated_tightly() -> None:
    field = marginal()
    found = flows.exact_flow(field, points(), TIMES)
    reference = by_scipy(field, points()[:2], TIMES, tolerance=1e-11)
    assert float((found[:, :2] - reference).abs().max()) < 1e-7
    back = flows.exact_flow(field, found[-1], (1.0, 0.0))[-1]
    assert float((back - points()).abs().max()) < 1e-6


@zoo
def test_flows_compose_and_are_undone_by_running_backwards(field: AnalyticField) -> None:
    x = points()
    for s, t in ((0.3, 1.0), (0.9, 0.4), (0.5, 0.5)):
        middle = field.flow(x, s)
        assert torch.allclose(field.flow(middle, t, start=s), field.flow(x, t), rtol=1e-12, atol=1e-13)
        assert torch.allclose(field.flow(middle, 0.0, start=s), x, rtol=1e-12, atol=1e-13)
    assert torch.equal(field.flow(x, 0.0), x)


@zoo
def test_the_derivative_of_the_flow_is_the_velocity(field: AnalyticField) -> None:
    t = torch.tensor(0.37, dtype=torch.float64, requires_grad=True)
    place = field.flow(points(), t)
    speed = torch.stack([torch.autograd.grad(value, t, retain_graph=True)[0] for value in place.flatten()]).reshape_as(
        place
    )
    assert torch.allclose(speed, field.velocity(place.detach(), 0.37), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("field", [*ZOO, marginal()], ids=[*NAMES, "Marginal"])
def test_times_may_be_tensors(field: Field) -> None:
    times = torch.tensor([0.1, 0.8], dtype=torch.float64)
    found = field.velocity(points(), times[:, None])
    one_by_one = torch.stack([field.velocity(points(), float(t)) for t in times])
    assert found.shape == (2, 6, 2)
    assert torch.allclose(found, one_by_one, rtol=1e-12, atol=1e-14)


def test_the_fields_are_those_of_their_table() -> None:
    """The velocities of the module's docstring, written out at a point and a time."""
    x, y, t = 0.6, -1.1, 0.7
    bell = math.exp(-(x * x + y * y) / 2)
    expected = {
        "linear": (-1.5 * x, -1.5 * y),
        "rotation": (-1.5 * y, 1.5 * x),
        "saddle": (1.5 * x, -1.5 * y),
        "shear": (1.5 * y, 0.0),
        "vortex": (-2 * 1.5 * t * bell * y, 2 * 1.5 * t * bell * x),
    }
    assert expected.keys() == flows.ANALYTIC.keys()
    for name, wanted in expected.items():
        found = flows.analytic(name, 1.5).velocity(torch.tensor([x, y], dtype=torch.float64), t)
        assert found.tolist() == pytest.approx(wanted, rel=1e-12), name


@pytest.mark.parametrize(("radius", "size"), [(0.01, 1.0), (3.0, 3.0 * math.e), (20.0, 20.0 * math.e)])
def test_errors_below_the_rounding_of_the_largest_coordinate_are_left_out(radius: float, size: float) -> None:
    """Of dx/dt = x, which takes the points to e times as far; near the origin the size counted is 1."""
    x0 = torch.tensor([[radius, 0.0]], dtype=torch.float64)
    (grown,) = convergence(flows.Linear(-1.0), x0, ("rk4",), (1, 2))
    (shrunk,) = convergence(flows.Linear(1.0), x0, ("rk4",), (1, 2))
    assert grown.floor == pytest.approx(1e-12 * max(1.0, size))
    assert shrunk.floor == pytest.approx(1e-12 * max(1.0, radius))
    (integrated,) = convergence(marginal(), points()[:1], ("euler",), (1, 2))
    assert integrated.floor >= 5e-9


def test_t3_and_known_properties_of_the_other_fields() -> None:
    x = points()
    half = flows.Linear(2.0).flow(x, 0.5)
    assert torch.allclose(half, math.exp(-1.0) * x)
    assert torch.allclose(flows.Rotation(2 * math.pi).flow(x, 1.0), x, atol=1e-14)
    assert torch.allclose(flows.Vortex(8.0).flow(x, 0.5), flows.Vortex(2.0).flow(x, 1.0), atol=1e-14)
    assert torch.allclose(flows.Vortex(2.0).flow(x, 1.0).norm(dim=-1), x.norm(dim=-1), atol=1e-14)


@pytest.mark.parametrize("field", [*ZOO, marginal()], ids=[*NAMES, "Marginal"])
def test_the_jacobian_is_positive_and_obeys_liouville(field: Field) -> None:
    x = points()
    with torch.inference_mode():  # as the app calls it
        determinant, factor = flows.jacobian_determinant(field, x, 0.9), flows.volume_factor(field, x, 0.9)
    assert bool((determinant > 0).all())
    assert torch.allclose(determinant, factor, rtol=2e-5 if isinstance(field, Marginal) else 1e-11)


@pytest.mark.parametrize("field", [*ZOO, marginal()], ids=[*NAMES, "Marginal"])
def test_measured_orders_are_those_of_the_theory(field: Field) -> None:
    counts = (8, 16, 32, 64, 128, 256)
    for found in convergence(field, points(), counts=counts):
        if isinstance(field, flows.Shear):
            assert found.measured is None
            assert max(found.errors) < 1e-13
        else:
            assert found.measured == pytest.approx(ORDERS[found.method], abs=0.15), found
        assert found.counts == counts


def test_the_error_is_the_root_mean_square_of_a_distance() -> None:
    """Of dx/dt = -theta x, n steps of Euler multiply a point by (1 - theta/n)^n, and the flow by exp(-theta)."""
    theta, x0, counts = 0.7, points(), (1, 10)
    (found,) = convergence(flows.Linear(theta), x0, ("euler",), counts)
    size = math.sqrt(sum(math.hypot(*point) ** 2 for point in x0.tolist()) / len(x0))
    wanted = [(math.exp(-theta) - (1.0 - theta / n) ** n) * size for n in counts]
    assert found.errors == pytest.approx(wanted, rel=1e-9)


def test_by_default_each_number_of_steps_is_twice_the_last() -> None:
    assert list(COUNTS) == [4 * 2**k for k in range(7)]


def test_the_fit_uses_the_finest_errors_that_mean_something() -> None:
    errors = (math.inf, 9.0, 2.0**-6, 2.0**-8, 2.0**-10, 1e-16)
    found = Convergence("heun", 2, (2, 4, 8, 16, 32, 64), errors, floor=1e-12)
    assert found.meaningful[0] == (4, 9.0)
    assert found.measured == pytest.approx(2.0)
    assert Convergence("heun", 2, (2, 4, 8), (1.0, math.nan, 0.0), floor=1e-12).measured is None


def test_unknown_fields_and_grids_that_are_not_monotone_are_refused() -> None:
    with pytest.raises(ParameterError):
        flows.analytic("whirl", 1.0)
    for times in ((0.0,), (0.0, 0.5, 0.4), (0.2, 0.2)):
        with pytest.raises(ParameterError):
            flows.exact_flow(flows.Linear(1.0), points(), times)
