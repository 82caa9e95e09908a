"""The same quantities by other means: numpy and scipy in float64, one point and one pair of components at a time.

Bayes is applied to each pair by integrating z out of p_t(x | z) p_data(z): the posterior of z within a pair is found
from precisions (information form), never from the regression on C_jk that the library uses, and velocity and score are
the conditional ones of T15 and T18 averaged over it, with T15 in its alpha' z + beta' eps form.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import multivariate_normal

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Schedule:
    """alpha, beta and their derivatives at one time."""

    alpha: float
    beta: float
    d_alpha: float
    d_beta: float


def schedule(name: str, t: float) -> Schedule:
    """T14, written again."""
    if name == "linear":
        return Schedule(t, 1 - t, 1.0, -1.0)
    if name == "sqrt":
        return Schedule(t, math.sqrt(1 - t), 1.0, -0.5 / math.sqrt(1 - t) if t < 1 else -math.inf)
    if name == "trig":
        beta = math.cos(math.pi * t / 2) if t < 1 else 0.0
        return Schedule(math.sin(math.pi * t / 2), beta, math.pi / 2 * beta, -math.pi / 2 * math.sin(math.pi * t / 2))
    raise ValueError(name)


@dataclass(frozen=True)
class Mixture:
    """Weights, means and covariances as numpy arrays."""

    weights: Array
    means: Array
    covariances: Array


@dataclass(frozen=True)
class Answer:
    """Everything at one point and time."""

    log_density: float
    velocity: Array
    score: Array
    posterior: Array
    posterior_mean: Array
    variance: float


def evaluate(init: Mixture, data: Mixture, name: str, x: Array, t: float) -> Answer:
    """Sum over pairs; every Gaussian integral done for its pair alone."""
    s = schedule(name, t)
    log_weights, velocities, scores, means, owners, variances = [], [], [], [], [], []
    for j in range(len(init.weights)):
        for k in range(len(data.weights)):
            marginal = multivariate_normal(
                s.alpha * data.means[k] + s.beta * init.means[j],
                s.alpha**2 * data.covariances[k] + s.beta**2 * init.covariances[j],
            )
            log_weights.append(math.log(init.weights[j] * data.weights[k]) + marginal.logpdf(x))
            z, x0, covariance = posterior_of_pair(init, data, s, j, k, x)
            # d/dt (alpha z + beta eps); where beta' is infinite (square root, t = 1) beta' E[eps] is beta beta' times
            # -score.
            score = -np.linalg.solve(marginal.cov_object.covariance, x - marginal.mean)
            if math.isfinite(s.d_beta):
                velocity = s.d_alpha * z + s.d_beta * x0
                jacobian = np.hstack((s.d_alpha * np.eye(2), s.d_beta * np.eye(2)))
                variances.append(float(np.trace(jacobian @ covariance @ jacobian.T)))
            else:
                velocity = s.d_alpha * z + 0.5 * init.covariances[j] @ score
                variances.append(math.inf)
            velocities.append(velocity)
            scores.append(score)
            means.append(z)
            owners.append(k)
    shift = max(log_weights)
    raw = np.array([math.exp(v - shift) for v in log_weights])
    weights = raw / raw.sum()
    velocity = sum(w * v for w, v in zip(weights, velocities, strict=True))
    spread = [
        w * (c + float((v - velocity) @ (v - velocity))) for w, c, v in zip(weights, variances, velocities, strict=True)
    ]
    return Answer(
        shift + math.log(raw.sum()),
        velocity,
        sum(w * v for w, v in zip(weights, scores, strict=True)),
        np.array([sum(w for w, o in zip(weights, owners, strict=True) if o == k) for k in range(len(data.weights))]),
        sum(w * v for w, v in zip(weights, means, strict=True)),
        sum(spread),
    )


def posterior_of_pair(
    init: Mixture, data: Mixture, s: Schedule, j: int, k: int, x: Array
) -> tuple[Array, Array, Array]:
    """Mean of z and of eps given alpha z + beta eps = x, and the covariance of (z, eps), eliminating the variable with the smaller factor."""
    data_precision, init_precision = np.linalg.inv(data.covariances[k]), np.linalg.inv(init.covariances[j])
    if s.beta >= s.alpha:  # eps = (x - alpha z) / beta: a Gaussian likelihood for z
        ratio = s.alpha / s.beta
        cov = np.linalg.inv(data_precision + ratio**2 * init_precision)
        seen = x / s.beta - init.means[j]
        z = cov @ (data_precision @ data.means[k] + ratio * init_precision @ seen)
        lift = np.vstack((np.eye(2), -ratio * np.eye(2)))
        return z, (x - s.alpha * z) / s.beta, lift @ cov @ lift.T
    ratio = s.beta / s.alpha
    cov = np.linalg.inv(init_precision + ratio**2 * data_precision)
    seen = x / s.alpha - data.means[k]
    x0 = cov @ (init_precision @ init.means[j] + ratio * data_precision @ seen)
    lift = np.vstack((-ratio * np.eye(2), np.eye(2)))
    return (x - s.beta * x0) / s.alpha, x0, lift @ cov @ lift.T
