"""Formulas as plain data, evaluated by a small interpreter of the test's own."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from fmviz.theory.expressions import parse

OPERATORS: dict[str, Callable[..., float]] = {
    "neg": lambda a: -a,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
    "min": min,
    "max": max,
    **{name: getattr(math, name) for name in ("sin", "cos", "tan", "exp", "log", "sqrt", "tanh")},
}


def value(tree: object, t: float) -> float:
    if isinstance(tree, tuple):
        return OPERATORS[tree[0]](*(value(part, t) for part in tree[1:]))
    return t if tree == "t" else float(tree)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["t", "-t**2 + 3*t", "sin(pi*t/2) - 1", "exp(-t)/(1 + t)", "+sqrt(t) * e", "min(t, 0.5)"]
)
def test_a_formula_as_data_has_the_values_of_the_formula(text: str) -> None:
    formula, times = parse(text), torch.tensor([0.1, 0.45, 0.9], dtype=torch.float64)
    assert [value(formula.as_data(), float(t)) for t in times] == pytest.approx(formula(times).tolist(), rel=1e-12)
