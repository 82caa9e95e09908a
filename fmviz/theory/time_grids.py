r"""Where a solver puts its steps on [0, 1].

``uniform``: :math:`t_i = i/n` (T4). ``refined``: :math:`t_i = 1 - (1 - i/n)^2`, steps that shrink linearly to a last
one of :math:`1/n^2`: near t = 1 the score contracts at a rate like :math:`1/\beta_t^2` for narrow data, which uniform steps
overshoot ("Delicate numbers").
"""

__all__ = ["KINDS", "time_grid"]

from fmviz.errors import ParameterError
from fmviz.theory.counts import as_count

KINDS = ("uniform", "refined")
"""Kinds that `time_grid` accepts."""


def time_grid(kind: str, steps: int) -> list[float]:
    """The times of `steps` steps from 0 to 1, both included.

    Args:
        kind: one of `KINDS`.
        steps: number of steps, at least 1.

    Returns:
        steps + 1 times.

    Raises:
        ParameterError: unknown kind, or no step.
    """
    steps = as_count("steps", steps, 1)
    if kind == "uniform":
        return [i / steps for i in range(steps + 1)]
    if kind == "refined":
        return [1.0 - (1.0 - i / steps) ** 2 for i in range(steps + 1)]
    raise ParameterError("kind", f"one of {', '.join(KINDS)}", kind)
