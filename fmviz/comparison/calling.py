"""How a network of somebody else is called: torch or NumPy, and the shape in which it wants the time.

Training code writes ``net(x, t)`` with t of shape (N,), of shape (N, 1) or a number. Each way is tried on a few points, and the first
whose answer has the shape (N, 2) and does not depend on the other points of the batch is kept.
"""

from __future__ import annotations

__all__ = ["Caller", "Function", "find_caller"]

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from fmviz.errors import ParameterError

Function = Callable[[Any, Any], Any]
"""What the user hands over: called with x (N, 2) and t."""
Shape = Literal["(N,)", "(N, 1)", "a number"]

PROBES = 5
"""Points of a trial: not 2, with which a time of shape (N,) would be broadcast along the coordinates unnoticed."""
MOST_ROWS = 16_384
"""Points of one call."""
SAME = 1e-3
"""Answers that differ by less, relative to their size, are the same one in float32."""


@dataclass(frozen=True)
class Caller:
    """A function and the way it is called.

    Attributes:
        function: of x (N, 2) and t, giving (N, 2).
        library: "torch" or "numpy".
        times: the shape in which it takes the time.
        dtype, device: of what it is given.
        mixes: whether its answer for one point depends on the others of the batch.
        varies: whether the same call gives another answer each time.
    """

    function: Function
    library: Literal["torch", "numpy"]
    times: Shape
    dtype: torch.dtype
    device: torch.device
    mixes: bool = False
    varies: bool = False

    def __call__(self, x: Tensor, t: Tensor) -> Tensor:
        """The answers (N, 2), float64 on the device of x, at x (N, 2) and t (N,). Gradients flow to x where the function is torch's.

        Raises:
            ParameterError: the function raised, or its answer has another shape.
        """
        parts = []
        for rows, when in zip(x.split(MOST_ROWS), t.split(MOST_ROWS), strict=True):  # type: ignore[no-untyped-call]
            try:
                parts.append(self._answer(rows, when))
            except Exception as error:
                at = f"t = {float(when.min()):.3g} to {float(when.max()):.3g}"
                raise _refused(f"{_said(error)} at {at}") from error
        return torch.cat(parts)

    def _answer(self, x: Tensor, t: Tensor) -> Tensor:
        if self.times != "a number":
            return self._call(x, t if self.times == "(N,)" else t[:, None])
        moments, where = torch.unique(t, return_inverse=True)
        if len(moments) == 1:
            return self._call(x, float(moments[0]))
        answer = torch.zeros(len(x), 2, dtype=torch.float64, device=x.device)
        for i, moment in enumerate(moments.tolist()):
            chosen = where == i
            answer[chosen] = self._call(x[chosen], moment)
        return answer

    def _call(self, x: Tensor, t: Tensor | float) -> Tensor:
        # A copy: whoever writes into x must not change the points of the next question.
        given = x.to(self.device, self.dtype, copy=True)
        when = t.to(self.device, self.dtype) if isinstance(t, Tensor) else t
        if self.library == "numpy":
            found = self.function(
                given.detach().cpu().numpy(), when.cpu().numpy() if isinstance(when, Tensor) else when
            )
        else:
            found = self.function(given, when)
        if not isinstance(found, Tensor):
            found = torch.as_tensor(np.asarray(found))
        if found.shape != x.shape:
            raise ValueError(f"an answer of shape {tuple(found.shape)} to x of shape {tuple(x.shape)}")
        if found.is_complex():
            raise ValueError("complex numbers")
        return found.to(x.device, torch.float64)


def find_caller(function: Function, x: Tensor, t: Tensor) -> Caller:
    """The way in which `function` is called.

    Args:
        function: of x and t.
        x: at least `PROBES` points of the plane, (N, 2).
        t: times in the units of the function, (N,).

    Raises:
        ParameterError: it is no function, or no way gives one answer (N, 2).
    """
    if not callable(function):
        raise ParameterError("velocity", "a callable velocity(x, t)", function)
    x, t = x[:PROBES].double(), t[:PROBES].double()
    complaints: list[tuple[str, Exception]] = []
    mixing: Caller | None = None
    for caller in _ways(function, x.device):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                first, again = caller._answer(x, t).detach(), caller._answer(x, t).detach()
                varies = not _same(first, again)
                some = caller._answer(x[2:4], t[2:4]).detach()
        except Exception as error:
            complaints.append((_said(error), error))
            continue
        caller = Caller(function, caller.library, caller.times, caller.dtype, caller.device, varies=varies)
        if varies or _same(some, first[2:4]):
            return caller
        mixing = mixing or Caller(function, caller.library, caller.times, caller.dtype, caller.device, mixes=True)
    if mixing is not None:
        return mixing
    said, reason = next((c for c in complaints if c[0].startswith("an answer of shape")), complaints[0])
    raise _refused(said) from reason


def _ways(function: Function, device: torch.device) -> list[Caller]:
    shapes: tuple[Shape, ...] = ("(N,)", "(N, 1)", "a number")
    dtypes = [torch.float64, torch.float32]
    if isinstance(function, torch.nn.Module):
        own = next((p for p in function.parameters() if p.is_floating_point()), None)
        if own is not None:
            return [Caller(function, "torch", shape, own.dtype, own.device) for shape in shapes]
    torches = [Caller(function, "torch", shape, dtype, device) for dtype in dtypes for shape in shapes]
    return torches + [Caller(function, "numpy", shape, torch.float64, device) for shape in shapes]


def _same(a: Tensor, b: Tensor) -> bool:
    size = 1.0 + float(torch.nan_to_num(b, posinf=0.0, neginf=0.0).abs().max())
    return torch.allclose(a, b, rtol=SAME, atol=SAME * size, equal_nan=True)


def _said(error: Exception) -> str:
    text = str(error).strip().split("\n")[0][:150]
    return text if isinstance(error, ValueError) and text.startswith("an answer") else f"{type(error).__name__}: {text}"


def _refused(said: str) -> ParameterError:
    return ParameterError("velocity", "a callable velocity(x, t) that answers (N, 2) to x of shape (N, 2)", said)
