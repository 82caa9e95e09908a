r"""A zoo of vector fields and their flows (T1 to T3).

A field :math:`u_t(x)` moves points by :math:`\dot X_t = u_t(X_t)`. Its flow :math:`\psi_{t \leftarrow s}` maps the position
of a point at time s to its position at time t; :math:`\psi_t = \psi_{t \leftarrow 0}`. Flows compose,
:math:`\psi_{t \leftarrow r} \circ \psi_{r \leftarrow s} = \psi_{t \leftarrow s}` (with :math:`\psi_{t+s} = \psi_s \circ
\psi_t` where the field does not depend on t), so the inverse of :math:`\psi_{t \leftarrow s}` is
:math:`\psi_{s \leftarrow t}`. Known in closed form are, with :math:`J x = (-x_2, x_1)` and :math:`R_\phi` the turn by
the angle :math:`\phi`,

=========  ===========================================  =================================================
linear     :math:`u = -\theta x`                        :math:`e^{-\theta (t - s)} x` (T3)
rotation   :math:`u = \omega J x`                       :math:`R_{\omega (t - s)} x`
saddle     :math:`u = \lambda (x_1, -x_2)`              :math:`(e^{\lambda (t - s)} x_1, e^{-\lambda (t - s)} x_2)`
shear      :math:`u = k (x_2, 0)`                       :math:`(x_1 + k (t - s) x_2, x_2)`
vortex     :math:`u = 2 a t e^{-|x|^2/2} J x`           :math:`R_\phi x, \phi = a (t^2 - s^2) e^{-|x|^2/2}`
=========  ===========================================  =================================================

The vortex depends on time and is not linear; the circles are invariant, which is why its flow is known. The
marginal field of a probability path has none of these forms and is integrated.
"""

__all__ = [
    "ANALYTIC",
    "AnalyticField",
    "Field",
    "Linear",
    "Marginal",
    "Rotation",
    "Saddle",
    "Shear",
    "Vortex",
    "analytic",
    "exact_flow",
    "jacobian_determinant",
    "volume_factor",
]

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.theory.arrays import Points, Time, arraylike, one_time, pointwise
from fmviz.theory.checks import divergence
from fmviz.theory.path import ProbabilityPath
from fmviz.theory.reprs import one_line
from fmviz.theory.solvers import solve_ode

# Points of the Gauss-Legendre rule of `volume_factor`: exact for polynomials of degree 127.
_NODES = 64
# Steps of RK4 that are differentiated where the flow is not known in closed form.
_STEPS = 200


class Field(ABC):
    """A vector field u_t(x) on the plane (T1)."""

    @abstractmethod
    def velocity(self, x: Tensor, t: Time) -> Tensor:
        """u_t(x).

        Args:
            x: (..., 2).
            t: a float or a tensor broadcastable to ``x.shape[:-1]``, within [0, 1].

        Returns:
            (..., 2), the batch axes of x and t broadcast.
        """

    def prepare(self, times: Iterable[float]) -> None:  # noqa: B027 - most fields have nothing to prepare
        """Announce the times at which the field comes to be evaluated, with float64 points; changes no result."""


class AnalyticField(Field):
    """A field whose flow is known in closed form."""

    @abstractmethod
    def flow(self, x: Tensor, t: Time, start: Time = 0.0) -> Tensor:
        """Positions at time t of the points that are at x at time `start`; with t before `start`, the inverse.

        Args:
            x: (..., 2).
            t, start: floats or tensors broadcastable to ``x.shape[:-1]``.

        Returns:
            (..., 2), the batch axes of x and the times broadcast.
        """


@dataclass(frozen=True)
class Linear(AnalyticField):
    r"""u = -theta x (T3): all speeds proportional to the distance from the origin.

    Args:
        theta: rate of the decay; a negative one is growth.
    """

    theta: float

    @pointwise
    def velocity(self, x: Points, t: Time) -> Tensor:
        return -self.theta * _spread(x, t)

    @pointwise
    def flow(self, x: Points, t: Time, start: Time = 0.0) -> Tensor:
        return _growth(-self.theta, t, start, x).unsqueeze(-1) * x


@dataclass(frozen=True)
class Rotation(AnalyticField):
    """u = omega J x: every point on its circle, all with the same angular velocity.

    Args:
        omega: the angular velocity, counterclockwise.
    """

    omega: float

    @pointwise
    def velocity(self, x: Points, t: Time) -> Tensor:
        return self.omega * _quarter_turn(_spread(x, t))

    @pointwise
    def flow(self, x: Points, t: Time, start: Time = 0.0) -> Tensor:
        return _turn(x, self.omega * _elapsed(t, start, x))


@dataclass(frozen=True)
class Saddle(AnalyticField):
    """u = rate (x_1, -x_2): stretches one direction, shrinks the other and preserves areas.

    Args:
        rate: of the stretching.
    """

    rate: float

    @pointwise
    def velocity(self, x: Points, t: Time) -> Tensor:
        return x.new_tensor([self.rate, -self.rate]) * _spread(x, t)

    @pointwise
    def flow(self, x: Points, t: Time, start: Time = 0.0) -> Tensor:
        factors = (_growth(self.rate, t, start, x), _growth(-self.rate, t, start, x))
        return torch.stack(factors, dim=-1) * x


@dataclass(frozen=True)
class Shear(AnalyticField):
    """u = rate (x_2, 0): layers slide over one another. Its square is zero, so one Euler step of any length is exact.

    Args:
        rate: speed of the layer at height 1.
    """

    rate: float

    @pointwise
    def velocity(self, x: Points, t: Time) -> Tensor:
        wide = _spread(x, t)
        return torch.stack((self.rate * wide[..., 1], torch.zeros_like(wide[..., 0])), dim=-1)

    @pointwise
    def flow(self, x: Points, t: Time, start: Time = 0.0) -> Tensor:
        shift = self.rate * _elapsed(t, start, x) * x[..., 1]
        return torch.stack((x[..., 0] + shift, x[..., 1].expand_as(shift)), dim=-1)


@dataclass(frozen=True)
class Vortex(AnalyticField):
    r"""u = 2 turn t exp(-|x|^2 / 2) J x: a vortex that spins up from rest, fast in the middle and slow outside.

    Args:
        turn: the angle by which the middle has turned at t = 1, in radians, counterclockwise.
    """

    turn: float

    @pointwise
    def velocity(self, x: Points, t: Time) -> Tensor:
        rate = 2.0 * self.turn * torch.as_tensor(t, dtype=x.dtype, device=x.device) * _bell(x)
        return rate.unsqueeze(-1) * _quarter_turn(x)

    @pointwise
    def flow(self, x: Points, t: Time, start: Time = 0.0) -> Tensor:
        here, before = (torch.as_tensor(end, dtype=x.dtype, device=x.device) for end in (t, start))
        return _turn(x, self.turn * (here.square() - before.square()) * _bell(x))


@dataclass(frozen=True, eq=False)
class Marginal(Field):
    """The marginal velocity of a probability path (T16), which carries p_init to p_data.

    Args:
        path: the path.
    """

    path: ProbabilityPath

    __repr__ = one_line

    @property
    def dtype(self) -> torch.dtype:
        """Floating type of the path."""
        return self.path.dtype

    @property
    def device(self) -> torch.device:
        """Device of the path."""
        return self.path.device

    @pointwise
    def velocity(self, x: Points, t: Time) -> Tensor:
        return self.path.marginal_velocity(x, t)

    def prepare(self, times: Iterable[float]) -> None:
        self.path.prepare(times, torch.float64)


ANALYTIC: dict[str, type[Linear] | type[Rotation] | type[Saddle] | type[Shear] | type[Vortex]] = {
    "linear": Linear,
    "rotation": Rotation,
    "saddle": Saddle,
    "shear": Shear,
    "vortex": Vortex,
}
"""The fields with a flow in closed form, each made from one number."""


def analytic(name: str, rate: float) -> AnalyticField:
    """A field of the zoo.

    Args:
        name: a key of `ANALYTIC`.
        rate: its parameter: theta, omega, rate or turn.

    Raises:
        ParameterError: unknown name.
    """
    kind = ANALYTIC.get(name)
    if kind is None:
        raise ParameterError("name", f"one of {', '.join(ANALYTIC)}", name)
    return kind(rate)


@arraylike
def exact_flow(field: Field, x0: Points, times: Tensor | Sequence[float]) -> Tensor:
    """The trajectories through given points: in closed form where there is one, otherwise by dopri5 with a small tolerance.

    Args:
        field: the field.
        x0: where the points are at the first of the times, (N, 2); computed in float64.
        times: at least two, strictly increasing or strictly decreasing, (T,).

    Returns:
        (T, N, 2), float64; its first entry x0.

    Raises:
        ParameterError: a grid that is not strictly monotone.
        SingularTimeError: the field has no value somewhere in between.
    """
    points = x0.double()
    if isinstance(field, AnalyticField):
        grid = torch.as_tensor(times, dtype=torch.float64, device=x0.device)
        steps = grid.diff()
        if grid.ndim != 1 or len(grid) < 2 or not bool((steps > 0).all() | (steps < 0).all()):
            raise ParameterError("times", "at least two finite times, strictly monotone", grid.tolist())
        return field.flow(points[None], grid[:, None], grid[0])
    return solve_ode(field.velocity, points, method="dopri5", times=times)[0]


@arraylike
def jacobian_determinant(field: Field, x: Points, t: Time) -> Tensor:
    """det of the derivative of psi_t at x, by automatic differentiation of the flow: never zero (T2).

    Args:
        field: the field.
        x: (N, 2); computed in float64.
        t: a time in (0, 1].

    Returns:
        (N,), float64.
    """
    t = one_time("t", t)
    with torch.inference_mode(False), torch.enable_grad():
        points = x.detach().double().clone().requires_grad_()
        if isinstance(field, AnalyticField):
            moved = field.flow(points, t)
        else:  # the steps of dopri5 depend on the points themselves, so its derivative is not that of the flow
            times = [t * i / _STEPS for i in range(_STEPS + 1)]
            field.prepare(times + [a + 0.5 * (b - a) for a, b in itertools.pairwise(times)])
            moved = solve_ode(field.velocity, points, method="rk4", times=times)[0][-1]
        rows = [torch.autograd.grad(moved[:, i].sum(), points, retain_graph=True)[0] for i in range(2)]
    determinant: Tensor = rows[0][:, 0] * rows[1][:, 1] - rows[0][:, 1] * rows[1][:, 0]
    return determinant


@arraylike
def volume_factor(field: Field, x: Points, t: Time) -> Tensor:
    r"""The same determinant by Liouville's formula: :math:`\exp \int_0^t \mathrm{div}\, u_s(\psi_s(x))\, ds`.

    The integral along the trajectory is taken by Gauss-Legendre quadrature; no derivative of the flow is used.

    Args:
        field: the field.
        x: (N, 2); computed in float64.
        t: a time in (0, 1].

    Returns:
        (N,), float64.
    """
    t = one_time("t", t)
    nodes, weights = _gauss_legendre(_NODES)
    times = [0.0, *(0.5 * t * (nodes + 1.0)).tolist()]
    along = exact_flow(field, x.detach(), times)[1:]
    with torch.inference_mode(False), torch.enable_grad():
        integral = along.new_zeros(len(x))
        for weight, time, here in zip(weights.tolist(), times[1:], along, strict=True):
            points = here.clone().requires_grad_()
            integral += 0.5 * t * weight * divergence(field.velocity(points, time), points).detach()
    return integral.exp()


def _gauss_legendre(count: int) -> tuple[Tensor, Tensor]:
    """Nodes and weights on [-1, 1], from the eigenvectors of the Jacobi matrix (Golub and Welsch 1969)."""
    k = torch.arange(1, count, dtype=torch.float64)
    beside = k / (4.0 * k.square() - 1.0).sqrt()
    nodes, vectors = torch.linalg.eigh(torch.diag(beside, 1) + torch.diag(beside, -1))
    return nodes, 2.0 * vectors[0].square()


def _spread(x: Tensor, t: Time) -> Tensor:
    """x, broadcast to the batch axes that it has in common with t."""
    if not isinstance(t, Tensor):
        return x
    return x.expand(*(x[..., 0] + t).shape, 2)


def _elapsed(t: Time, start: Time, x: Tensor) -> Tensor:
    """t - start, in the dtype of x."""
    return torch.as_tensor(t, dtype=x.dtype, device=x.device) - start


def _growth(rate: float, t: Time, start: Time, x: Tensor) -> Tensor:
    return (rate * _elapsed(t, start, x)).exp()


def _bell(x: Tensor) -> Tensor:
    return (-0.5 * x.square().sum(dim=-1)).exp()


def _quarter_turn(x: Tensor) -> Tensor:
    return torch.stack((-x[..., 1], x[..., 0]), dim=-1)


def _turn(x: Tensor, angle: Tensor) -> Tensor:
    return angle.cos().unsqueeze(-1) * x + angle.sin().unsqueeze(-1) * _quarter_turn(x)
