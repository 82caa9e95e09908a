r"""Networks that were trained with a conditional flow matcher of torchcfm.

A matcher draws :math:`x_t = \mu_t(x_0, x_1) + \sigma_t \epsilon` and its networks learn the velocity. With independent pairs from N(0, I)
to the data that is a Gaussian path, with :math:`\alpha'` and :math:`\beta'^2 = b^2 + \sigma_t^2` for
:math:`\mu_t = \alpha' x_1 + b x_0`; where :math:`\sigma_t` is constant the noise has no velocity, and the mean of
:math:`\dot\mu_t` is still that of the path:

.. math:: E[\dot b x_0 | x, x_1] = \frac{b \dot b}{b^2 + \sigma^2} (x - \alpha' x_1) = \frac{\dot\beta'}{\beta'} (x - \alpha' x_1).
"""

from __future__ import annotations

__all__ = ["from_torchcfm"]

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from fmviz.comparison.adapters.scheduled import Levels, ReadSchedule, ScheduledNetwork, at_one_time
from fmviz.errors import ParameterError
from fmviz.theory import ProbabilityPath


def from_torchcfm(path: ProbabilityPath, model: Callable[..., Tensor], matcher: Any) -> ScheduledNetwork:
    """The velocity, on `path`, of a network that was trained with a matcher of torchcfm on the same data.

    Args:
        path: from N(0, I), or from any p_init for a matcher without noise of its own.
        model: called with points and times in one tensor (N, 3), as ``torchcfm.models.MLP`` is; or with a time () and points (N, 2), as
            their ``torch_wrapper`` and their U-Nets are. How many arguments it has tells which.
        matcher: whose pairs are independent: ``ConditionalFlowMatcher``, ``TargetConditionalFlowMatcher`` or
            ``VariancePreservingConditionalFlowMatcher``.

    Raises:
        ParameterError: the matcher is of another kind or pairs by optimal transport, whose field is another one; the path has noise in
            between, or does not start at N(0, I) where the matcher has noise.
    """
    if not callable(getattr(matcher, "compute_mu_t", None)) or not callable(getattr(matcher, "compute_sigma_t", None)):
        raise ParameterError("matcher", "a conditional flow matcher of torchcfm", type(matcher).__name__)
    if hasattr(matcher, "ot_sampler"):
        wanted = "one with independent pairs (the field of pairs by optimal transport is not that of the path)"
        raise ParameterError("matcher", wanted, type(matcher).__name__)
    if path.gamma > 0.0:
        raise ParameterError("path", "a path without noise in between", path)
    if _noisy(matcher) and not path.p_init.is_standard:
        raise ParameterError("path", "a path from N(0, I), as the matcher adds noise to each point", path)
    return ScheduledNetwork(path, ReadSchedule(_levels(matcher)), "velocity", _asked(model))


def _levels(matcher: Any) -> Levels:
    noisy = _noisy(matcher)

    def levels(t: Tensor) -> tuple[Tensor, Tensor]:
        one, zero = torch.ones_like(t)[:, None], torch.zeros_like(t)[:, None]
        alpha = matcher.compute_mu_t(zero, one, t)[:, 0]
        kept = matcher.compute_mu_t(one, zero, t)[:, 0]
        if not noisy:
            return alpha, kept
        # Not by hypot of both, which has no derivative where one of them is always 0 and the other becomes 0.
        noise = torch.as_tensor(matcher.compute_sigma_t(t), dtype=t.dtype).expand_as(t)
        return alpha, noise if bool((kept == 0).all()) else (kept.square() + noise.square()).sqrt()

    return levels


def _noisy(matcher: Any) -> bool:
    t = torch.linspace(0.0, 1.0, 9, dtype=torch.float64)
    return bool((torch.as_tensor(matcher.compute_sigma_t(t)) != 0).any())


def _asked(model: Callable[..., Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    called = model.forward if isinstance(model, torch.nn.Module) else model
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = [p for p in inspect.signature(called).parameters.values() if p.kind in positional]
    if sum(p.default is p.empty for p in parameters) < 2:
        return lambda x, t: model(torch.cat([x, t[:, None]], dim=-1))
    return at_one_time(lambda x, t: model(t, x))
