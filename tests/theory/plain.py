"""The closed forms of a path as in theory.md, by loops over pairs of components in float64; autograd goes through them.

Written from the formulas of "Everything is closed form when the data are a Gaussian mixture", with matrix inverses and
logsumexp, and nothing of the library but the mixtures' parameters and the scheduler's values.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.theory import ProbabilityPath


@dataclass(frozen=True)
class Answer:
    """At N points and one time."""

    log_density: Tensor
    velocity: Tensor
    score: Tensor
    posterior_mean: Tensor


def evaluate(path: ProbabilityPath, x: Tensor, t: Tensor) -> Answer:
    """All of them at points (N, 2), float64, at a scalar t."""
    v = path.scheduler.evaluate(t)
    init, data = path.p_init.to(torch.float64), path.p_data.to(torch.float64)
    logs, velocities, scores, means = [], [], [], []
    for weight_j, mean_j, covariance_j in zip(init.weights, init.means, init.covariances, strict=True):
        for weight_k, mean_k, covariance_k in zip(data.weights, data.means, data.covariances, strict=True):
            covariance = v.alpha**2 * covariance_k + v.beta**2 * covariance_j
            apart = x - v.alpha * mean_k - v.beta * mean_j
            score = -apart @ torch.linalg.inv(covariance).mT
            form = 0.5 * (apart * score).sum(-1)
            logs.append((weight_j * weight_k).log() - (2 * torch.pi * torch.linalg.det(covariance).sqrt()).log() + form)
            slope = v.alpha_d_alpha * covariance_k + v.beta_d_beta * covariance_j
            velocities.append(v.d_alpha * mean_k + v.d_beta * mean_j - score @ slope.mT)
            scores.append(score)
            means.append(mean_k - v.alpha * score @ covariance_k.mT)
    log_weights = torch.stack(logs)
    weights = torch.softmax(log_weights, dim=0).unsqueeze(-1)
    averages = ((weights * torch.stack(of)).sum(0) for of in (velocities, scores, means))
    return Answer(torch.logsumexp(log_weights, dim=0), *averages)
