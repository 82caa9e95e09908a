r"""The objectives, each a weighted regression of the network's output on something that is drawn (T25 to T31).

With :math:`x = \alpha z + \beta \epsilon` every objective is the mean of :math:`|f\, q_\theta(x, t) - y|^2`:

========  ==========  ===============  =====================================  ===============================
name      q predicts  f                y                                      minimised by
========  ==========  ===============  =====================================  ===============================
cfm       velocity    1                :math:`\dot\alpha z + \dot\beta\epsilon`  :math:`u_t(x)`  (T26)
fm        velocity    1                :math:`u_t(x)`                         :math:`u_t(x)`  (T25)
noise     noise       1                :math:`\epsilon`                       :math:`E[\epsilon | x]`  (T31)
data      data        1                z                                      :math:`E[z | x]`
score     score       :math:`\beta`    :math:`-\epsilon`                      :math:`s_t(x)`  (T30 times beta²)
score     score       1                :math:`-\epsilon / \beta`              :math:`s_t(x)`  (T30, "plain")
========  ==========  ===============  =====================================  ===============================

The target of "cfm" is formed from z and eps, never from x by :math:`\dot\beta / \beta`: near t = 1 that loses all digits
("Delicate numbers" in theory.md). "plain" score matching has infinite mean as beta tends to 0; with the factor beta it is
noise prediction for :math:`\epsilon_\theta = -\beta s_\theta`.
"""

__all__ = ["SINGULAR_MARGIN", "Quantity", "architecture", "predicts", "regression", "require_trainable", "time_range"]

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.learning.networks import Architecture
from fmviz.learning.spec import Objective, TrainSpec
from fmviz.learning.targets import MarginalTarget
from fmviz.theory import ProbabilityPath
from fmviz.theory.reprs import one_line
from fmviz.theory.schedulers import ScheduleValues

Quantity = Literal["velocity", "score", "noise", "data", "label"]
"""What a network can predict: u_t(x), s_t(x), E[eps|x], E[z|x]; or, as a classifier, the logits of a label and of all others."""

SINGULAR_MARGIN = 1e-4
"""How far t is kept from an end at which a target is infinite (square root and VP schedulers at t = 1, gamma at both ends).

The mean loss grows like log of one over the margin, single draws like its inverse.
"""

_PREDICTS: dict[Objective, Quantity] = {
    "cfm": "velocity",
    "fm": "velocity",
    "score": "score",
    "noise": "noise",
    "data": "data",
}


@dataclass(frozen=True, eq=False)
class Regression:
    """One batch, or several, as the regression |f q - y|².

    Attributes:
        factor: f, one number or (..., 1, B).
        target: y, (..., 2, B).
    """

    factor: Tensor | float
    target: Tensor

    __repr__ = one_line


def predicts(spec: TrainSpec) -> Quantity:
    """The quantity that a network trained with these settings predicts."""
    return "label" if spec.classify is not None else _PREDICTS[spec.objective]


def require_trainable(path: ProbabilityPath, spec: TrainSpec) -> None:
    """Refuse an objective that the path does not have.

    Raises:
        ParameterError: score matching from a source other than N(0, I), whose conditional score is not -eps / beta (T18); or
            labels with the exact marginal target, which is not that of a label; or a path with noise in between other than
            that of the settings (T52).
    """
    if path.gamma not in (0.0, spec.gamma):
        allowed = f"0 or that of the settings, {spec.gamma:g}"
        raise ParameterError("gamma", allowed, path.gamma, key="gamma_zero" if spec.gamma == 0.0 else "parameter")
    if spec.objective == "fm" and spec.label_dropout is not None:
        raise ParameterError(
            "objective", "cfm, score, noise or data: the target of fm is the field of all data, not of a label", "fm"
        )
    if spec.classify is not None:
        if spec.classify not in path.p_data.classes:
            raise ParameterError("classify", f"one of the labels {path.p_data.classes}", spec.classify, key="label")
        return
    if spec.objective == "score" and not path.p_init.is_standard:
        raise ParameterError(
            "objective",
            "cfm, fm, noise or data: score matching regresses on -eps/beta, the conditional score of a standard Gaussian "
            "p_init (T18), and this path starts from another law",
            spec.objective,
        )


def time_range(path: ProbabilityPath, spec: TrainSpec) -> tuple[float, float]:
    """The interval in which t is drawn: [0, 1], less `SINGULAR_MARGIN` at an end where the target is infinite.

    For "fm" it is that of "cfm", so that the two losses differ by a constant (T27). With noise in between the derivative of gamma
    is infinite at both ends (T52).
    """
    ends = path.scheduler.evaluate(torch.tensor([0.0, 1.0], dtype=torch.float64))
    finite = torch.ones(2, dtype=torch.bool)
    if spec.classify is not None:
        return (0.0, 1.0)
    if spec.gamma > 0.0:
        finite = ~finite
    elif spec.objective in ("cfm", "fm"):
        finite = ends.d_alpha.isfinite() & ends.d_beta.isfinite()
    elif spec.objective == "score" and spec.score_weighting == "plain":
        finite = ends.beta > 0
    return (0.0 if finite[0] else SINGULAR_MARGIN, 1.0 if finite[1] else 1.0 - SINGULAR_MARGIN)


def architecture(path: ProbabilityPath, spec: TrainSpec) -> Architecture:
    """The network's architecture; with ``scaling="path"`` scaled by the moments of the path.

    x is centred on the mean of X_t and divided by its standard deviation per axis, both averaged over t. The output is
    multiplied by the root mean square size of z - eps for a velocity, of z for data; noise and scores are left alone.
    """
    labels = () if spec.label_dropout is None else path.p_data.classes
    if spec.scaling == "none":
        return Architecture(spec.hidden, spec.activation, spec.time_features, labels=labels)
    t = torch.linspace(0.0, 1.0, 101, dtype=torch.float64)
    v = path.scheduler.evaluate(t)
    mean_z, mean_eps = path.p_data.mean.cpu().double(), path.p_init.mean.cpu().double()
    var_z, var_eps = (float(law.covariance.double().trace()) / 2.0 for law in (path.p_data, path.p_init))
    means = v.alpha[:, None] * mean_z + v.beta[:, None] * mean_eps
    centre = means.mean(dim=0)
    variance = (v.alpha.square() * var_z + v.beta.square() * var_eps + (means - centre).square().mean(dim=1)).mean()
    sizes: dict[Quantity, float] = {
        "velocity": math.sqrt(var_z + var_eps + float((mean_z - mean_eps).square().mean())),
        "data": math.sqrt(var_z + float(mean_z.square().mean())),
        "noise": 1.0,
        "score": 1.0,
        "label": 1.0,
    }
    return Architecture(
        spec.hidden,
        spec.activation,
        spec.time_features,
        centre=(float(centre[0]), float(centre[1])),
        input_scale=math.sqrt(float(variance)),
        output_scale=sizes[predicts(spec)],
        labels=labels,
    )


def regression(
    spec: TrainSpec, v: ScheduleValues, z: Tensor, eps: Tensor, x: Tensor, exact: MarginalTarget
) -> Regression:
    """Factor and target of an objective.

    Args:
        spec: names the objective.
        v: the scheduler at the times drawn, each (..., B).
        z: data points, (..., 2, B).
        eps: noise, (..., 2, B).
        x: alpha z + beta eps, (..., 2, B).
        exact: the marginal velocity, for "fm".
    """
    match spec.objective:
        case "cfm":
            return Regression(1.0, v.d_alpha.unsqueeze(-2) * z + v.d_beta.unsqueeze(-2) * eps)
        case "fm":
            return Regression(1.0, exact(x[..., 0, :], x[..., 1, :], v))
        case "noise":
            return Regression(1.0, eps)
        case "data":
            return Regression(1.0, z)
        case "score" if spec.score_weighting == "beta_squared":
            return Regression(v.beta.unsqueeze(-2), -eps)
        case "score":
            return Regression(1.0, -eps / v.beta.unsqueeze(-2))
