r"""A safe reader of formulas in t.

A schedule typed by a user, ``sin(pi*t/2)``, is read with `ast`, never with `eval`: only the node types, operators,
functions and names listed here exist, every number becomes a float tensor (so that ``9**9**9`` overflows at once
instead of computing a number of 369 million digits), the text is short and powers are bounded. What is left can
neither reach anything else nor run without end. Values are torch tensors, so autograd differentiates whatever was typed.
"""

__all__ = ["MAX_LENGTH", "MAX_POWER", "Expression", "Tree", "parse"]

import ast
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from fmviz.errors import ScheduleError
from fmviz.theory.arrays import Times, arraylike

MAX_LENGTH = 200
"""Longest text, in characters."""
MAX_POWER = 100.0
"""Largest exponent in absolute value."""

Tree = float | str | tuple[Any, ...]
"""A formula as plain data: a number, ``"t"``, or a tuple of an operator or function and its one or two arguments."""

_CONSTANTS = {"pi": math.pi, "e": math.e}
_UNARY: dict[type[ast.unaryop], Callable[[Tensor], Tensor]] = {ast.UAdd: torch.Tensor.clone, ast.USub: torch.neg}
_BINARY: dict[type[ast.operator], Callable[[Tensor, Tensor], Tensor]] = {
    ast.Add: torch.add,
    ast.Sub: torch.sub,
    ast.Mult: torch.mul,
    ast.Div: torch.div,
}
_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "asin": torch.asin,
    "acos": torch.acos,
    "atan": torch.atan,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "tanh": torch.tanh,
    "exp": torch.exp,
    "log": torch.log,
    "sqrt": torch.sqrt,
    "abs": torch.abs,
}
_PAIRED: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"min": torch.minimum, "max": torch.maximum}
_KNOWN = ", ".join(("t", *_CONSTANTS, *_FUNCTIONS, *_PAIRED))


@dataclass(frozen=True)
class Expression:
    """A formula in t that has been parsed and checked.

    Attributes:
        text: what was typed.
    """

    text: str
    _tree: ast.expr

    @arraylike
    def __call__(self, t: Times) -> Tensor:
        """Values at t, in its shape and dtype; division by zero and the like give inf or nan, as torch does."""
        return _evaluate(self._tree, t) + 0.0 * t

    def as_data(self) -> Tree:
        """The formula as plain data, to be evaluated elsewhere; ``"neg"`` is the minus before a term.

        Example:
            >>> parse("sin(pi*t) - 1").as_data()
            ('-', ('sin', ('*', 3.141592653589793, 't')), 1.0)
        """
        return _as_data(self._tree)


def parse(text: str) -> Expression:
    """Read a formula.

    Args:
        text: numbers, ``t``, ``pi``, ``e``, ``+ - * / **``, parentheses and the functions sin, cos, tan, asin, acos,
            atan, sinh, cosh, tanh, exp, log, sqrt, abs, min, max; at most `MAX_LENGTH` characters.

    Raises:
        ScheduleError: with the reason ``empty``, ``too_long``, ``syntax`` or ``forbidden``.
    """
    if len(text) > MAX_LENGTH:
        raise ScheduleError(
            "too_long", f"{len(text)} characters, at most {MAX_LENGTH} are read", f"{len(text)} > {MAX_LENGTH}"
        )
    if not text.strip():
        raise ScheduleError("empty", "nothing was typed; try t")
    too_deep = "cannot read this: it is nested too deeply or holds a character that is no text"
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ScheduleError("syntax", f"cannot read {text.strip()!r}: {error.msg}") from None
    except (MemoryError, RecursionError, ValueError):
        raise ScheduleError("syntax", too_deep) from None
    try:
        _check(tree)
    except RecursionError:
        raise ScheduleError("syntax", too_deep) from None
    return Expression(text, tree)


def _check(node: ast.expr) -> None:
    """Raise unless the tree is made of listed parts only."""
    match node:
        case ast.Constant(value=bool() | None):
            raise ScheduleError("forbidden", f"{ast.unparse(node)} is not a number", ast.unparse(node))
        case ast.Constant(value=int() | float() as value):
            if not abs(value) <= torch.finfo(torch.float64).max:
                raise ScheduleError("forbidden", "a number is too large")
        case ast.Name(id=name):
            if name != "t" and name not in _CONSTANTS:
                raise ScheduleError("forbidden", f"unknown name {name!r}; known are {_KNOWN}", name)
        case ast.UnaryOp(op=unary, operand=operand) if type(unary) in _UNARY:
            _check(operand)
        case ast.BinOp(left=left, op=binary, right=right) if type(binary) in _BINARY or isinstance(binary, ast.Pow):
            _check(left)
            _check(right)
        case ast.BinOp(op=ast.BitXor()):
            raise ScheduleError("forbidden", "^ is not a power here; write t**2", "^ → **")
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            expected = 1 if name in _FUNCTIONS else 2 if name in _PAIRED else None
            if expected is None:
                raise ScheduleError("forbidden", f"unknown function {name!r}; known are {_KNOWN}", f"{name}()")
            if len(arguments) != expected:
                detail = f"{name} takes {expected} argument(s), got {len(arguments)}"
                raise ScheduleError("forbidden", detail, f"{name}(): {len(arguments)} ≠ {expected}")
            for argument in arguments:
                _check(argument)
        case _:
            raise ScheduleError("forbidden", f"{type(node).__name__} is not part of a formula in t; known are {_KNOWN}")


def _evaluate(node: ast.expr, t: Tensor) -> Tensor:
    match node:
        case ast.Constant(value=int() | float() as value):
            return t.new_tensor(float(value))
        case ast.Name(id=name):
            return t if name == "t" else t.new_tensor(_CONSTANTS[name])
        case ast.UnaryOp(op=unary, operand=operand):
            return _UNARY[type(unary)](_evaluate(operand, t))
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_evaluate(left, t), _evaluate(right, t))
        case ast.BinOp(left=left, op=binary, right=right):
            return _BINARY[type(binary)](_evaluate(left, t), _evaluate(right, t))
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return _FUNCTIONS[name](_evaluate(argument, t))
        case ast.Call(func=ast.Name(id=name), args=[first, second]):
            return _PAIRED[name](_evaluate(first, t), _evaluate(second, t))
        case _:  # pragma: no cover - `parse` lets nothing else through
            raise ScheduleError("forbidden", type(node).__name__)


_SYMBOLS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}


def _as_data(node: ast.expr) -> Tree:
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.Name(id=name):
            return name if name == "t" else _CONSTANTS[name]
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _as_data(operand)
        case ast.UnaryOp(operand=operand):
            return ("neg", _as_data(operand))
        case ast.BinOp(left=left, op=binary, right=right):
            return (_SYMBOLS[type(binary)], _as_data(left), _as_data(right))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return (name, *map(_as_data, arguments))
        case _:  # pragma: no cover - `parse` lets nothing else through
            raise ScheduleError("forbidden", type(node).__name__)


def _power(base: Tensor, exponent: Tensor) -> Tensor:
    largest = float(exponent.detach().abs().max()) if exponent.numel() else 0.0
    if not largest <= MAX_POWER:
        detail = f"an exponent of {largest:g} is too large, at most {MAX_POWER:g} is allowed"
        raise ScheduleError("forbidden", detail, f"{largest:g} > {MAX_POWER:g}")
    # A plain number as exponent lets autograd use p * base**(p - 1) without the log(base) that is nan at base 0.
    return base ** float(exponent) if exponent.ndim == 0 and not exponent.requires_grad else base**exponent
