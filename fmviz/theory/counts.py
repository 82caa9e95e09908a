"""Counts: how many steps, draws or directions."""

__all__ = ["as_count"]

import operator
from typing import Any

from fmviz.errors import ParameterError


def as_count(name: str, value: Any, least: int = 0, most: int | None = None) -> int:
    """A whole number within bounds, as an int.

    Args:
        name: of the parameter.
        value: an int, or an integer of NumPy or torch without axes; True and False are no counts, nor is 2.0.
        least, most: the bounds, both allowed; None for no upper bound.

    Raises:
        ParameterError: the value is no whole number, or outside the bounds.

    Example:
        >>> as_count("steps", 2.5, 1)
        Traceback (most recent call last):
        ...
        fmviz.errors.ParameterError: steps: expected a count (a whole number) of at least 1, got 2.5
    """
    if type(value) is int and value >= least and (most is None or value <= most):
        return value
    bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
    allowed = f"a count (a whole number) {bounds}"
    if isinstance(value, bool) or str(getattr(value, "dtype", "")).endswith("bool"):
        raise ParameterError(name, allowed, value, key="count")
    try:
        count = operator.index(value)
    except (TypeError, ValueError, RuntimeError):
        raise ParameterError(name, allowed, value, key="count") from None
    if count < least or (most is not None and count > most):
        raise ParameterError(name, allowed, count, key="count")
    return count
