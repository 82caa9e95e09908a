"""Training on: a run that begins with what another one has learned, in place of random weights."""

from __future__ import annotations

__all__ = ["continued"]

from dataclasses import replace

from fmviz.errors import ParameterError
from fmviz.learning import objectives
from fmviz.learning.model import LearnedModel
from fmviz.learning.networks import MLP
from fmviz.learning.spec import TrainSpec
from fmviz.learning.training import Saved, Trainer
from fmviz.theory import ProbabilityPath


def continued(path: ProbabilityPath, spec: TrainSpec, model: LearnedModel) -> Saved:
    """A run of `spec` before its first step, with the weights of `model`, for a `Trainer` or a pool to go on with.

    The optimiser, the average of the weights and the learning rate schedule begin anew.

    Args:
        path: what to learn.
        spec: how, for how many steps more.
        model: the network to begin with, of the shape that `path` and `spec` ask for.

    Raises:
        ParameterError: the network has another shape, or the objective is not defined on this path.
    """
    built = objectives.architecture(path, spec)
    if model.network.architecture != built:
        raise ParameterError("model", f"a network of the shape {built}", model.network.architecture)
    fresh = Trainer(path, replace(spec, device="cpu")).save()
    weights = model.network.weights.detach().float().cpu().clone()
    begun = replace(fresh.good.model, network=MLP(built, weights.clone()))
    average = None if fresh.average is None else weights.clone()
    good = replace(fresh.good, model=begun, raw=None if average is None else begun)
    return replace(fresh, weights=weights, average=average, good=good)
