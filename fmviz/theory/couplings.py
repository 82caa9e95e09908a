r"""Couplings of a source and data: who is paired with whom (T45, T53 to T55).

A coupling :math:`\pi(x_0, z)` with the marginals p_init and p_data gives the path :math:`X_t = (1-t) x_0 + t z` and the
field :math:`u_t(x) = E[z - x_0 | X_t = x]`. Mini-batch optimal transport draws n of each and pairs them so that
:math:`\sum |z - x_0|^2` is least (Tong et al. 2024); between two Gaussians the optimal pairs of :math:`n \to \infty` lie on a
linear map, known in closed form.
"""

__all__ = [
    "MAX_PAIRS",
    "METHODS",
    "BatchSizeError",
    "GaussianMap",
    "Method",
    "gaussian_map",
    "minibatch_pairs",
    "pair_costs",
    "reflow_pairs",
    "straightness",
    "transport_cost",
]

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.theory.arrays import Points, Time, arraylike, one_time, pointwise
from fmviz.theory.counts import as_count
from fmviz.theory.mixture import GaussianMixture
from fmviz.theory.reprs import one_line
from fmviz.theory.solvers import Velocity, solve_ode

Method = Literal["independent", "exact", "sinkhorn"]
METHODS: tuple[Method, ...] = get_args(Method)

MAX_PAIRS = 4096
"""The largest batch: the costs of all its pairs take 128 MiB."""
LEAST_UNIFORM = 1e-300
"""A uniform draw may be 0, whose logarithm is infinite."""
SINKHORN_ITERATIONS = 1000
SINKHORN_TOLERANCE = 1e-6
PLAIN_COSTS = 500.0
"""Up to costs of so many times the regularisation exp(-cost) is a number in float64, and the iteration needs no logarithms: they
would take four to ten times as long."""


class BatchSizeError(ParameterError):
    """A batch is empty, or larger than `MAX_PAIRS`."""

    @property
    def values(self) -> Mapping[str, object]:
        """The bound."""
        return {"most": MAX_PAIRS}


@dataclass(frozen=True, eq=False)
class GaussianMap:
    """The optimal map T(x) = m_1 + A (x - m_0) from one Gaussian to another (T54); call it with points (..., 2).

    Attributes:
        matrix: A, symmetric positive definite, (2, 2), float64.
        source, target: m_0 and m_1, (2,), float64.
        cost: W_2^2 of the two Gaussians.
    """

    matrix: Tensor
    source: Tensor
    target: Tensor
    cost: float

    __repr__ = one_line

    @pointwise
    def __call__(self, x: Points) -> Tensor:
        return (self.target + (x.double() - self.source) @ self.matrix).to(x.dtype)

    @arraylike
    def velocity(self, x: Points, t: Time) -> Tensor:
        """The field that moves every x0 to T(x0) straight and at constant speed, (..., 2): u_t(x) = T(x0) - x0 (T53).

        x0 is found from x = (1 - t) x0 + t T(x0), which is one to one for every t in [0, 1].
        """
        t = one_time("t", t)
        identity = torch.eye(2, dtype=self.matrix.dtype, device=self.matrix.device)
        between = torch.lerp(identity, self.matrix, t)
        apart = torch.linalg.solve(between, (x.double() - torch.lerp(self.source, self.target, t)).unsqueeze(-1))
        moved: Tensor = self.target - self.source + apart.squeeze(-1) @ (self.matrix - identity)
        return moved.to(x.dtype)


def gaussian_map(p: GaussianMixture, q: GaussianMixture) -> GaussianMap:
    """The optimal map from p to q for the cost |z - x|^2, and that cost (T54).

    Args:
        p, q: mixtures of one component each.

    Raises:
        ParameterError: one of them has several components.

    Example:
        >>> wide = GaussianMixture(torch.tensor([[3.0, 0.0]]), 4.0 * torch.eye(2)[None], torch.ones(1))
        >>> found = gaussian_map(GaussianMixture.standard(), wide)
        >>> found(torch.tensor([1.0, 1.0])), found.cost
        (tensor([5., 2.]), 11.0)
    """
    for name, mixture in (("p", p), ("q", q)):
        if mixture.n_components != 1:
            raise ParameterError(name, "one Gaussian", f"{mixture.n_components} components", key="one_gaussian")
    (m0, m1), (s0, s1) = ([x[0].double() for x in of] for of in ((p.means, q.means), (p.covariances, q.covariances)))
    root = _square_root(s0)
    inverse = torch.linalg.inv(root)
    middle = _square_root(root @ s1 @ root)
    matrix = inverse @ middle @ inverse
    cost = (m0 - m1).square().sum() + torch.trace(s0 + s1 - 2.0 * middle)
    return GaussianMap(0.5 * (matrix + matrix.mT), m0, m1, float(cost))


@arraylike
def minibatch_pairs(
    x0: Points,
    z: Points,
    method: Method = "exact",
    *,
    regularisation: float = 0.1,
    labels: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    r"""Which z each x0 is paired with: a permutation, so that both marginals are kept exactly (T53). By POT.

    - "independent": a random permutation.
    - "exact": least :math:`\sum |z - x_0|^2`.
    - "sinkhorn": a permutation drawn from the entropic plan P, as the best assignment for :math:`\log P_{ij} + G_{ij}` with
      independent Gumbel noise G (Mena et al. 2018). It tends to "exact" as the regularisation falls, and to "independent"
      as it grows.

    Optimal pairs of all classes together make x0 depend on the class: given a label, the paired x0 no longer follow p_init.
    With `labels` every class gets x0 chosen at random, as many as it has z, and pairs are found within each class.

    Args:
        x0, z: (n, 2) each, 1 <= n <= `MAX_PAIRS`.
        method: one of `METHODS`.
        regularisation: of "sinkhorn", as a multiple of the mean of all \|z - x_0\|^2, positive.
        labels: classes of the z, (n,) integers; None pairs without regard to classes.
        generator: source of randomness of all but "exact" without labels.

    Returns:
        (n,) indices: x0[i] is paired with z[index[i]].

    Raises:
        ParameterError: an argument is not as described.
    """
    if x0.ndim != 2 or x0.shape[-1] != 2 or x0.shape != z.shape:
        raise ParameterError("z", "points of shape (n, 2), as many as x0", f"{tuple(x0.shape)}, {tuple(z.shape)}")
    if not 1 <= len(x0) <= MAX_PAIRS:
        raise BatchSizeError("n", f"a batch of 1 to {MAX_PAIRS} pairs", len(x0), key="batch")
    if method not in METHODS:
        raise ParameterError("method", f"one of {', '.join(METHODS)}", method)
    if not (math.isfinite(regularisation) and regularisation > 0.0):
        raise ParameterError("regularisation", "a positive number", regularisation, key="positive")
    if labels is None:
        return _paired(x0.double(), z.double(), method, regularisation, generator)
    if labels.shape != (len(z),) or labels.is_floating_point():
        raise ParameterError("labels", f"integers of shape ({len(z)},)", f"{labels.dtype} {tuple(labels.shape)}")
    dealt = torch.randperm(len(z), generator=generator, device=z.device)
    index = torch.empty_like(dealt)
    for label in sorted(set(labels.tolist())):
        of_class = (labels == label).nonzero().squeeze(-1)
        starts, dealt = dealt[: len(of_class)], dealt[len(of_class) :]
        own = _paired(x0[starts].double(), z[of_class].double(), method, regularisation, generator)
        index[starts] = of_class[own]
    return index


@pointwise
def pair_costs(x0: Points, z: Points) -> Tensor:
    """|z - x0|^2 of each pair, (...), in float64; x0 and z (..., 2)."""
    return (z.double() - x0.double()).square().sum(dim=-1)


@arraylike
def transport_cost(x0: Points, z: Points) -> Tensor:
    """The mean of |z - x0|^2 over the pairs, a float64 scalar: no coupling of the two laws has less than W_2^2 (T54).

    Args:
        x0, z: (N, 2), paired row by row.
    """
    return pair_costs(x0, z).mean()


@arraylike
def straightness(velocity: Velocity, x0: Points, *, steps: int = 100, method: str = "heun") -> Tensor:
    r"""How far each trajectory of a flow is from the straight line at constant speed (T55).

    .. math:: \int_0^1 |(X_1 - X_0) - u_t(X_t)|^2 dt

    by the trapezium rule on the steps of the solver. The mean over :math:`x_0 \sim p_{init}` is the straightness S.

    Args:
        velocity: u(x, t).
        x0: starting points, (N, 2).
        steps: equal steps from t = 0 to t = 1, at least 1.
        method: the solver.

    Returns:
        (N,), float64, in the squared unit of length; 0 where one Euler step is exact.
    """
    steps = as_count("steps", steps, 1)
    times = [i / steps for i in range(steps + 1)]
    line = solve_ode(velocity, x0, method=method, times=times)[0]
    chord = (line[-1] - line[0]).double()
    misses = torch.stack([(chord - velocity(x, t).double()).square().sum(-1) for x, t in zip(line, times, strict=True)])
    return torch.trapezoid(misses, dx=1.0 / steps, dim=0)


@arraylike
def reflow_pairs(velocity: Velocity, x0: Points, *, steps: int = 100, method: str = "heun") -> tuple[Tensor, Tensor]:
    """The pairs (x0, psi_1(x0)) of a flow, on which the next round of rectified flow learns (T55).

    Args:
        velocity: u(x, t) of the flow just found.
        x0: draws of p_init, (N, 2).
        steps: equal steps of the solver; its error is learned with the pairs.
        method: the solver.

    Returns:
        x0 and psi_1(x0), each (N, 2).
    """
    steps = as_count("steps", steps, 1)
    times = [i / steps for i in range(steps + 1)]
    return x0, solve_ode(velocity, x0, method=method, times=times)[0][-1]


def _paired(x0: Tensor, z: Tensor, method: Method, regularisation: float, generator: torch.Generator | None) -> Tensor:
    n = len(x0)
    if method == "independent" or n == 1:
        return torch.randperm(n, generator=generator, device=z.device)
    import ot  # type: ignore[import-untyped, unused-ignore]  # here: importing POT is slow

    costs = torch.cdist(x0, z, compute_mode="donot_use_mm_for_euclid_dist").square()
    mass = torch.full((n,), 1.0 / n, dtype=torch.float64, device=z.device)
    if method == "sinkhorn":
        scale = regularisation * costs.mean().clamp(min=torch.finfo(torch.float64).tiny)
        log_u, log_v = _log_potentials(costs, float(scale))
        potential = costs / scale - log_u[:, None] - log_v
        uniform = torch.rand(n, n, generator=generator, dtype=torch.float64, device=z.device)
        costs = potential + (-uniform.clamp(min=LEAST_UNIFORM).log()).log()  # minus log P minus Gumbel noise
        costs = costs - costs.min()
    plan = ot.emd(mass, mass, costs, numItermax=1_000_000)
    index: Tensor = plan.argmax(dim=1)
    return index


def _log_potentials(costs: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Of the entropic plan P_ij = u_i v_j exp(-costs_ij / scale) with equal masses: log u and log v, (n,) each."""
    import ot  # type: ignore[import-untyped, unused-ignore]

    plain = bool(costs.max() <= PLAIN_COSTS * scale)
    mass = torch.full((len(costs),), 1.0 / len(costs), dtype=torch.float64).numpy()
    with np.errstate(over="ignore"):  # POT exponentiates the logarithms as well; nothing here reads those numbers
        found = ot.sinkhorn(  # with numpy: many small steps, each of which costs half of what it costs with torch
            mass,
            mass,
            costs.cpu().numpy(),
            scale,
            method="sinkhorn" if plain else "sinkhorn_log",
            numItermax=SINKHORN_ITERATIONS,
            stopThr=SINKHORN_TOLERANCE,
            warn=False,
            log=True,
        )[1]
    log_u, log_v = (
        (torch.from_numpy(found[name]).log() if plain else torch.from_numpy(found[f"log_{name}"])).to(costs.device)
        for name in ("u", "v")
    )
    return log_u, log_v


def _square_root(matrix: Tensor) -> Tensor:
    """Of a symmetric positive definite matrix."""
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = (vectors * values.sqrt()) @ vectors.mT
    return root
