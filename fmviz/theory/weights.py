r"""Weighted particles: how many they are worth, and how to draw unweighted ones from them."""

__all__ = ["effective_sample_size", "systematic_resample"]

import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.theory.arrays import Numbers, arraylike
from fmviz.theory.counts import as_count


@arraylike
def effective_sample_size(log_weights: Numbers) -> Tensor:
    r"""Kish's effective sample size :math:`(\sum W)^2 / \sum W^2`: N for equal weights, 1 if one outweighs all others.

    Args:
        log_weights: (..., N), up to a constant.

    Returns:
        (...), float64, between 1 and N; nan where a logarithm is nan or plus infinity, or all weights are zero.
    """
    exact = log_weights.double()
    return (2.0 * exact.logsumexp(dim=-1) - (2.0 * exact).logsumexp(dim=-1)).exp()


@arraylike
def systematic_resample(
    log_weights: Numbers, n: int | None = None, *, generator: torch.Generator | None = None
) -> Tensor:
    """Indices of particles drawn by their weights, evenly: each is drawn n W times, rounded up or down.

    One uniform number places a comb of n even teeth on the cumulated weights.

    Args:
        log_weights: (N,), up to a constant.
        n: how many to draw; by default N.
        generator: source of randomness, on the device of the weights.

    Returns:
        (n,) indices, in increasing order.

    Raises:
        ParameterError: a weight is nan or infinite, or all are zero.
    """
    weights = torch.softmax(log_weights.double(), dim=-1)
    if not bool(weights.isfinite().all()):
        raise ParameterError("log_weights", "logarithms of finite weights, not all zero", "others", key="weights")
    count = len(weights) if n is None else as_count("n", n, 1)
    start = torch.rand((), generator=generator, dtype=torch.float64, device=weights.device)
    teeth = (torch.arange(count, dtype=torch.float64, device=weights.device) + start) / count
    return torch.searchsorted(weights.cumsum(0), teeth).clamp(max=len(weights) - 1)
