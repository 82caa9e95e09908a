"""Schedules, loss weights and converted errors of two dialects, as arrays to be drawn (T56, T57)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.clips.clip import Floats
from fmviz.clips.paths import as_array
from fmviz.lessons.dictionary.compute.frames import Frames
from fmviz.theory import GaussianMixture
from fmviz.theory.dialects import PREDICTIONS, Dialect, Prediction

__all__ = ["LOG_SNR", "Weights", "converted_errors", "loss_weights", "times_at_equal_ratio"]

LOG_SNR = (-10.0, 10.0)
"""The log signal-to-noise ratios that curves are drawn over."""
POINTS = 161
ONE_PERCENT = 0.01


@dataclass(frozen=True, eq=False)
class Weights:
    """A loss weight over the log signal-to-noise ratio, (P,) each; the largest weight is 1."""

    log_snr: Floats
    weight: Floats


def loss_weights(dialect: Dialect) -> Weights:
    """How much the dialect's loss minds an error of the noise at each ratio that it reaches."""
    low, high = (max(LOG_SNR[0], dialect.log_snr_range[0]), min(LOG_SNR[1], dialect.log_snr_range[1]))
    ratio = torch.linspace(low, high, POINTS, dtype=torch.float64)
    weight = dialect.loss_weight(dialect.time(ratio))
    return Weights(as_array(ratio), as_array(weight / weight.max()))


def times_at_equal_ratio(a: Dialect, b: Dialect) -> tuple[Floats, Floats]:
    """The times of A and of B at the same log signal-to-noise ratios, where both reach them."""
    (low_a, high_a), (low_b, high_b) = a.log_snr_range, b.log_snr_range
    ratio = torch.linspace(max(low_a, low_b, -14.0), min(high_a, high_b, 14.0), POINTS, dtype=torch.float64)
    return as_array(a.time(ratio)), as_array(b.time(ratio))


def converted_errors(data: GaussianMixture, frames: Frames, target: Prediction) -> dict[Prediction, Floats]:
    """The relative error of `target` on the frames, (T,), when the network predicts something else with 1 % of error.

    Errors are relative to the root mean square of what is predicted, over z and the noise; NaN where that is 0 or infinite.
    """
    sizes = _sizes(data, frames)
    found = {}
    for name in PREDICTIONS:
        gain = frames.dialect.error_gain(frames.times, predicts=name, to=target)
        error = ONE_PERCENT * gain * sizes[name] / sizes[target]
        found[name] = as_array(torch.where(error.isfinite() & (error > 0.0), error, math.nan))
    return found


def _sizes(data: GaussianMixture, frames: Frames) -> dict[Prediction, Tensor]:
    """Root mean squares of what each network is trained on."""
    variances = data.covariances.diagonal(dim1=1, dim2=2).sum(-1)
    z = math.sqrt(float((data.weights * (data.means.square().sum(-1) + variances)).sum()))
    eps = math.sqrt(2.0)
    v = frames.dialect.evaluate(frames.times)
    return {
        "data": torch.full_like(v.alpha, z),
        "noise": torch.full_like(v.alpha, eps),
        "score": eps / v.beta,
        "velocity": torch.hypot(v.d_alpha * z, v.d_beta * eps),
        "v": torch.hypot(v.alpha * eps, v.beta * z),
    }
