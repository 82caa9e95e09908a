r"""Numerical integration of dX = u dt (T1, T4) and dX = u dt + sigma dW (T7, T8).

One step from :math:`t` to :math:`t + h`, with :math:`k_1 = u(x, t)`:

=========  =======================================================================  ============
Euler      :math:`x + h k_1`                                                        global O(h)
midpoint   :math:`x + h u(x + \tfrac h2 k_1, t + \tfrac h2)`                        O(h^2)
Heun       :math:`x + \tfrac h2 (k_1 + u(x + h k_1, t + h))`                        O(h^2)
RK4        the classical four evaluations                                           O(h^4)
dopri5     adaptive Dormand-Prince by torchdiffeq; the grid only says what is kept  tolerance
=========  =======================================================================  ============

A solver takes exactly as many steps as it is told: n steps use the times 0, h, …, 1 - h as starting points (T4).
"""

__all__ = ["METHODS", "Drift", "Velocity", "sde_grid", "solve_ode", "solve_sde"]

import importlib
import itertools
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.theory.arrays import Numbers, arraylike, as_numbers
from fmviz.theory.counts import as_count

Velocity = Callable[[Tensor, float], Tensor]
"""A field u(x, t): x is (N, 2), t a float."""
Drift = Velocity
"""The same, as the drift of an SDE."""

METHODS = ("euler", "midpoint", "heun", "rk4", "dopri5")
"""Methods that `solve_ode` accepts."""

# Relative and absolute tolerance of dopri5, as tight as the dtype can keep without vanishing steps.
_TOLERANCES = {torch.float64: (1e-9, 1e-10), torch.float32: (1e-5, 1e-6)}


@arraylike
def solve_ode(
    velocity: Velocity,
    x0: Numbers,
    steps: int = 50,
    method: str = "heun",
    times: Tensor | Sequence[float] | None = None,
) -> tuple[Tensor, Tensor]:
    """Integrate dX/dt = velocity(X, t) from x0.

    Args:
        velocity: field; called with a tensor like x0 and a float, returns a tensor or an array like x0.
        x0: starting points, (N, 2) or any floating shape.
        steps: number of equal steps on [0, 1]; ignored when times is given.
        method: one of `METHODS`.
        times: grid replacing the uniform one, at least two numbers, strictly increasing or strictly decreasing
            (integration backwards in time).

    Returns:
        Trajectory (steps + 1, *x0.shape), its first entry x0, and times (steps + 1,), in the dtype of x0.

    Raises:
        ParameterError: unknown method, steps below 1, a grid that is not strictly monotone, or a velocity of another shape.

    Example:
        >>> trajectory, times = solve_ode(lambda x, t: -x, torch.ones(1, 2, dtype=torch.float64), steps=100, method="rk4")
        >>> round(float(trajectory[-1, 0, 0]), 6)  # 1 / e
        0.367879
    """
    grid = _grid(steps, times, backwards=True)
    field = _tensors("velocity", velocity)
    if method == "dopri5":
        return _dopri5(field, x0, grid), x0.new_tensor(grid)
    step = _STEPS.get(method)
    if step is None:
        raise ParameterError("method", f"one of {', '.join(METHODS)}", method)
    kept = [x0]
    for start, end in itertools.pairwise(grid):
        kept.append(_like("velocity", x0, step(field, kept[-1], start, end)))
    return torch.stack(kept), x0.new_tensor(grid)


@arraylike
def solve_sde(
    drift: Drift,
    sigma: Callable[[float], Tensor | float],
    x0: Numbers,
    steps: int = 100,
    *,
    generator: torch.Generator | None = None,
    times: Tensor | Sequence[float] | None = None,
) -> tuple[Tensor, Tensor]:
    """Integrate dX = drift(X, t) dt + sigma(t) dW by Euler-Maruyama (T8): strong order 1/2, weak order 1.

    Args:
        drift: called with a tensor like x0 and a float, returns a tensor or an array like x0.
        sigma: diffusion coefficient at a float t, a number or a scalar tensor.
        x0: starting points, (N, 2) or any floating shape.
        steps: number of equal steps on [0, 1]; ignored when times is given.
        generator: source of the Brownian increments, on the device of x0; the same number is drawn whatever sigma is.
        times: grid replacing the uniform one, at least two numbers, strictly increasing.

    Returns:
        Trajectory (steps + 1, *x0.shape), its first entry x0, and times (steps + 1,), in the dtype of x0.

    Raises:
        ParameterError: steps below 1, a grid that is not strictly increasing, or a drift of another shape.
    """
    grid = _grid(steps, times, backwards=False)
    field = _tensors("drift", drift)
    kept = [x0]
    for start, end in itertools.pairwise(grid):
        x, h = kept[-1], end - start
        noise = torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
        moved = _like("drift", x0, torch.add(x, field(x, start), alpha=h))
        kept.append(moved.add_(noise, alpha=float(sigma(start)) * math.sqrt(h)))
    return torch.stack(kept), x0.new_tensor(grid)


def sde_grid(
    sigma: Callable[[float], Tensor | float],
    stiffness: Callable[[float], Tensor | float],
    frames: Tensor | Sequence[float],
    *,
    step: float = 0.1,
    least: int = 1,
    most: int = 200,
) -> tuple[list[float], list[int]]:
    """A time grid through given frames, fine enough for Euler-Maruyama.

    The score term of T21 contracts at the rate (sigma^2 / 2) * stiffness; an explicit step h is accurate when h times
    that rate is small and diverges beyond 2. Each interval between frames is cut so that the product stays at most
    `step`.

    Args:
        sigma: diffusion coefficient.
        stiffness: largest eigenvalue of the inverse covariances, such as `ProbabilityPath.stiffness`.
        frames: times to be kept, strictly increasing.
        step: largest product of step and rate.
        least: fewest steps per interval.
        most: most steps per interval, a bound on the work; where it binds the result is less accurate.

    Returns:
        The grid, for `solve_sde(times=...)`, and the positions of the frames in it.
    """
    kept = _grid(1, frames, backwards=False)
    grid, index = [kept[0]], [0]
    rates = [0.5 * float(sigma(t)) ** 2 * float(stiffness(t)) for t in kept]
    for i, (start, end) in enumerate(itertools.pairwise(kept)):
        wanted = math.ceil((end - start) * max(rates[i], rates[i + 1]) / step)
        count = max(least, min(most, wanted))
        grid += [start + (end - start) * m / count for m in range(1, count)]
        grid.append(end)
        index.append(len(grid) - 1)
    return grid, index


def _tensors(name: str, field: Velocity) -> Velocity:
    """The field, with answers in NumPy or lists made tensors."""

    def asked(x: Tensor, t: float) -> Any:
        found: Any = field(x, t)
        return found if isinstance(found, Tensor | float | int) else as_numbers(name, found, x)

    return asked


def _like(name: str, x0: Tensor, moved: Tensor) -> Tensor:
    """What one step makes of the points, refused where a field of another shape has spread them out."""
    if moved.shape != x0.shape:
        raise ParameterError(name, f"vectors of shape {tuple(x0.shape)}, as x0", f"{tuple(moved.shape)} after one step")
    return moved


def _euler(u: Velocity, x: Tensor, start: float, end: float) -> Tensor:
    return torch.add(x, u(x, start), alpha=end - start)


def _midpoint(u: Velocity, x: Tensor, start: float, end: float) -> Tensor:
    half = 0.5 * (end - start)
    middle = torch.add(x, u(x, start), alpha=half)
    return torch.add(x, u(middle, start + half), alpha=end - start)


def _heun(u: Velocity, x: Tensor, start: float, end: float) -> Tensor:
    h = end - start
    first = u(x, start)
    second = u(torch.add(x, first, alpha=h), end)
    return torch.add(x, first + second, alpha=0.5 * h)


def _rk4(u: Velocity, x: Tensor, start: float, end: float) -> Tensor:
    h = end - start
    middle = start + 0.5 * h
    k1 = u(x, start)
    k2 = u(torch.add(x, k1, alpha=0.5 * h), middle)
    k3 = u(torch.add(x, k2, alpha=0.5 * h), middle)
    k4 = u(torch.add(x, k3, alpha=h), end)
    return torch.add(x, k1 + 2.0 * (k2 + k3) + k4, alpha=h / 6.0)


_STEPS: dict[str, Callable[[Velocity, Tensor, float, float], Tensor]] = {
    "euler": _euler,
    "midpoint": _midpoint,
    "heun": _heun,
    "rk4": _rk4,
}


@contextmanager
def _scipy_later() -> Iterator[None]:
    """While it lasts, who imports scipy's solver gets a function that imports it when it is called.

    torchdiffeq wraps that solver, which nobody here uses, and scipy would be 100 MiB of every process.
    """
    name = "scipy.integrate"
    if name in sys.modules:
        yield
        return
    stand_in = ModuleType(name)
    stand_in.solve_ivp = _solve_ivp  # type: ignore[attr-defined]
    sys.modules[name] = stand_in
    try:
        yield
    finally:
        del sys.modules[name]


def _solve_ivp(*args: Any, **options: Any) -> Any:
    return importlib.import_module("scipy.integrate").solve_ivp(*args, **options)


def _dopri5(velocity: Velocity, x0: Tensor, grid: list[float]) -> Tensor:
    # Imported here, since few callers need it. Tables that it made under inference mode could never be used by autograd.
    with torch.inference_mode(False), _scipy_later():
        import torchdiffeq  # type: ignore[import-untyped, unused-ignore]

    low, high = min(grid), max(grid)

    def field(t: Tensor, x: Tensor) -> Tensor:
        return velocity(x, min(max(float(t), low), high))

    times = torch.tensor(grid, dtype=torch.float64, device=x0.device)
    relative, absolute = _TOLERANCES.get(x0.dtype, _TOLERANCES[torch.float32])
    # step_t: stop exactly at the last time; by default the solver steps past it, where the field is not defined, and
    # interpolates.
    trajectory: Tensor = torchdiffeq.odeint(
        field, x0, times, rtol=relative, atol=absolute, method="dopri5", options={"step_t": times[-1:]}
    )
    return trajectory


def _grid(steps: int, times: Tensor | Sequence[float] | None, backwards: bool) -> list[float]:
    if times is None:
        steps = as_count("steps", steps, 1)
        return [i / steps for i in range(steps + 1)]
    grid = [float(t) for t in times]
    pairs = list(itertools.pairwise(grid))
    rising, falling = all(a < b for a, b in pairs), all(a > b for a, b in pairs)
    if not pairs or not all(map(math.isfinite, grid)) or not (rising or (falling and backwards)):
        kind = "strictly monotone" if backwards else "strictly increasing"
        raise ParameterError("times", f"at least two finite times, {kind}", grid)
    return grid
