r"""Probability paths between two Gaussian mixtures, exactly (T12 to T21).

For independent :math:`z \sim p_{data} = \sum_k w_k N(\mu_k, \Sigma_k)` and
:math:`\epsilon \sim p_{init} = \sum_j v_j N(m_j, S_j)` let :math:`X_t = \alpha_t z + \beta_t \epsilon`. Given the pair
:math:`(j, k)` of components, :math:`(z, \epsilon, X_t, \dot X_t)` is jointly normal, with

.. math::
    m_{jk} = \alpha \mu_k + \beta m_j, \quad C_{jk} = \alpha^2 \Sigma_k + \beta^2 S_j, \quad
    D_{jk} = \mathrm{Cov}(\dot X, X) = \alpha\dot\alpha \Sigma_k + \beta\dot\beta S_j,

so every conditional expectation given :math:`X_t = x` is the regression line of the pair, averaged with the posterior
weights :math:`r_{jk}(x)` of the pairs:

.. math::
    u_t(x) &= \sum r_{jk} [\dot\alpha \mu_k + \dot\beta m_j + D_{jk} C_{jk}^{-1} (x - m_{jk})] \\
    s_t(x) &= -\sum r_{jk} C_{jk}^{-1} (x - m_{jk}) \\
    E[z | x] &= \sum r_{jk} [\mu_k + \alpha \Sigma_k C_{jk}^{-1} (x - m_{jk})].

Only the products :math:`\alpha\dot\alpha`, :math:`\beta\dot\beta` occur, nothing is divided by alpha or beta, and
:math:`C_{jk}` is never singular, so these are finite and exact on the closed interval [0, 1]. What the course derives
for :math:`p_{init} = N(0, I)` is the case of one j.

Truly singular, and raised as `SingularTimeError`: conditional quantities where beta = 0 (t = 1, a point mass at z);
velocities at a time where :math:`\dot\alpha` or :math:`\dot\beta` is infinite, unless all the means it multiplies are
zero.

A stochastic interpolant (T52) adds noise in between, :math:`X_t = \alpha_t z + \beta_t \epsilon + \gamma_t \xi` with
:math:`\gamma_t = g \sqrt{t (1 - t)}`: then :math:`C_{jk} + \gamma^2 I` and :math:`D_{jk} + \gamma\dot\gamma I`, where
:math:`\gamma\dot\gamma = g^2 (1 - 2 t) / 2`, take the places of :math:`C_{jk}` and :math:`D_{jk}`.
"""

__all__ = ["ProbabilityPath", "SdeDrift"]

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from fmviz.errors import SingularTimeError
from fmviz.theory import gaussians
from fmviz.theory.arrays import Points, Time, arraylike, pointwise
from fmviz.theory.counts import as_count
from fmviz.theory.given_data import LawsGivenData
from fmviz.theory.mixture import GaussianMixture
from fmviz.theory.path_tables import single
from fmviz.theory.reprs import one_line, picture


@dataclass(frozen=True, eq=False)
class ProbabilityPath(LawsGivenData):
    """The path X_t = alpha_t z + beta_t eps (+ gamma_t xi) with z ~ p_data, eps ~ p_init and xi ~ N(0, I) independent.

    In every method x is (..., 2), on the mixtures' device; t a float or a tensor broadcastable to ``x.shape[:-1]``, within
    [0, 1]. With x of shape (1, N, 2) and t of shape (T, 1) the answer has the batch shape (T, N), and costs far less than T
    calls. Arrays and lists are taken too, and all of this by the rules of `fmviz.theory.arrays`. Answers have the dtype of
    x. Gradients flow to x and to t by backward, and `torch.func.vmap` maps over either.

    Args:
        p_init: law of the noise, any mixture.
        p_data: law of the data, any mixture; its labels are the classes.
        scheduler: alpha and beta.
        gamma: g >= 0 of the noise in between, gamma_t = g sqrt(t (1 - t)) (T52), finite.

    Raises:
        ParameterError: gamma is negative or not finite; (all methods) t outside [0, 1], or shapes that do not fit.

    Example:
        >>> from fmviz.theory import presets, schedulers
        >>> path = ProbabilityPath(GaussianMixture.standard(), presets.get("ring8"), schedulers.get("linear"))
        >>> path.marginal_velocity(torch.zeros(1, 2), 0.5).round(decimals=6).abs()  # 0 by symmetry
        tensor([[0., 0.]])
        >>> path.marginal(0.25).n_components
        8
    """

    def __repr__(self) -> str:
        noise = f", gamma={self.gamma:.6g}" if self.gamma > 0.0 else ""
        return f"ProbabilityPath({self.p_init!r}, {self.p_data!r}, {self.scheduler!r}{noise})"

    _repr_html_ = picture

    def __reduce__(self) -> tuple[type["ProbabilityPath"], tuple[object, ...]]:
        # What is remembered is left behind: slices that share memory would each be written whole.
        return ProbabilityPath, (self.p_init, self.p_data, self.scheduler, self.gamma)

    def to(self, target: torch.device | torch.dtype | str) -> "ProbabilityPath":
        """The same path with both mixtures in another floating type or on another device."""
        return replace(self, p_init=self.p_init.to(target), p_data=self.p_data.to(target))

    # ------------------------------------------------------------------ laws

    @arraylike
    def marginal(self, t: Time) -> GaussianMixture:
        """The exact p_t at one time (T13): J K components, j-major, labelled as the data component of each pair."""
        at = self._slice(single(t))
        return GaussianMixture(
            at.mean[0].mT,
            gaussians.matrices(at.covariance[0]),
            self._pair_weights,
            self.p_data.labels.repeat(self.p_init.n_components),
        ).to(self.dtype)

    @pointwise
    def log_density(self, x: Points, t: Time) -> Tensor:
        """log p_t(x) (T13), (...)."""
        at, layout = self._at(x, t)
        return layout.from_grid(at.log_density(layout.points))

    @arraylike
    def sample(self, n: int, t: Time, *, generator: torch.Generator | None = None) -> Tensor:
        """Exact independent draws of p_t: z ~ p_data, then x ~ p_t(. | z) (T13).

        Args:
            n: number of draws.
            t: a float; or (n,), a time for each draw; or (T, 1) with T other than n, the same n pairs (z, eps), and xi, seen at
                T times.

        Returns:
            (n, 2), or (T, n, 2).
        """
        z, x0 = self.sample_pairs(n, generator=generator)
        if self.gamma == 0.0:
            return self.conditional_flow(x0, t, z)
        xi = torch.randn(len(z), 2, generator=generator, dtype=z.dtype, device=z.device)
        return self.interpolate(x0, t, z, xi)

    def sample_pairs(self, n: int, *, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Independent pairs z ~ p_data, x0 ~ p_init, each (n, 2), in the wider of the mixtures' dtypes."""
        z = self.p_data.sample(n, generator=generator).to(self.dtype)
        return z, self.p_init.sample(n, generator=generator).to(self.dtype)

    # -------------------------------------------------------------- marginal

    @pointwise
    def marginal_velocity(self, x: Points, t: Time) -> Tensor:
        """u_t(x) = E[u_t(x|z) | X_t = x] (T16), (..., 2).

        Raises:
            SingularTimeError: the derivative of beta is infinite at t and p_init has a mean other than 0, or
                the derivative of alpha is and p_data has.
        """
        at, layout = self._at(x, t)
        return layout.from_grid(at.averages(layout.points, at.velocity_map))

    @pointwise
    def marginal_score(self, x: Points, t: Time) -> Tensor:
        """s_t(x) = grad log p_t(x) (T19), (..., 2)."""
        at, layout = self._at(x, t)
        return layout.from_grid(at.averages(layout.points, at.score_map))

    @pointwise
    def velocity_and_score(self, x: Points, t: Time) -> tuple[Tensor, Tensor]:
        """`marginal_velocity` and `marginal_score` for little more than the price of one."""
        at, layout = self._at(x, t)
        both = at.averages(layout.points, at.velocity_and_score_map)
        return layout.from_grid(both[:, :2]), layout.from_grid(both[:, 2:])

    def sde_drift(self, sigma: Callable[[Any], Tensor]) -> "SdeDrift":
        """The drift u_t + (sigma_t^2 / 2) s_t of T21, for `fmviz.theory.solvers.solve_sde`."""
        return SdeDrift(self, sigma)

    @pointwise
    def posterior(self, x: Points, t: Time) -> Tensor:
        """Weight of each data component given X_t = x, (..., K); summed per label, the exact classifier p_t(y|x)."""
        at, layout = self._at(x, t)
        pairs = gaussians.posterior(at.table, layout.points)
        counts = (self.p_init.n_components, self.p_data.n_components)
        return layout.from_grid(pairs.reshape(len(pairs), *counts, pairs.shape[-1]).sum(dim=1))

    @pointwise
    def classifier(self, x: Points, t: Time) -> Tensor:
        """The exact classifier p_t(y|x) (T36), (..., L): one column for each of ``p_data.classes``, in that order."""
        members = torch.tensor(self.p_data.classes, device=x.device)[:, None] == self.p_data.labels
        return self.posterior(x, t) @ members.mT.to(x.dtype)

    @pointwise
    def posterior_mean(self, x: Points, t: Time) -> Tensor:
        """E[z | X_t = x], (..., 2); finite at t = 0, where it is the mean of p_data."""
        at, layout = self._at(x, t)
        return layout.from_grid(at.averages(layout.points, at.posterior_mean_map))

    @arraylike
    def sample_posterior(
        self, x: Points, t: Time, n: int, *, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        r"""Draws of the pair (z, x0) given X_t = alpha z + beta x0 (+ gamma xi) = x.

        A pair of components is drawn from the posterior, then :math:`(\tilde z, \tilde x_0)` from it, and both are
        moved along the regression by the miss :math:`x - \alpha \tilde z - \beta \tilde x_0`: exact, and finite on all
        of [0, 1].

        Args:
            x: (..., 2).
            t: time.
            n: draws for each point, at least 1.

        Returns:
            z and x0, each (n, ..., 2).
        """
        n = as_count("n", n, 1)
        at, layout = self._at(x, t)
        posterior = gaussians.posterior(at.table, layout.points).mT.flatten(0, 1)
        pick = torch.multinomial(posterior, n, replacement=True, generator=generator).T
        row = torch.arange(posterior.shape[0], device=x.device) // max(1, layout.points.shape[-1])
        j, k = pick // self.p_data.n_components, pick % self.p_data.n_components
        z, z_spread = _draw(self.p_data, k, generator)
        x0, x0_spread = _draw(self.p_init, j, generator)
        alpha, beta = at.values.alpha[row, None], at.values.beta[row, None]
        target = layout.points.squeeze(2).permute(1, 2, 0).expand(len(at.table.mean), -1, -1).reshape(-1, 2).double()
        miss = target - alpha * z - beta * x0
        if at.noise is not None:
            noise = torch.randn(miss.shape, generator=generator, dtype=miss.dtype, device=miss.device)
            miss = miss - at.noise[row, :1].sqrt() * noise
        residual = gaussians.matrices(at.table.precision)[row, pick] @ miss.unsqueeze(-1)
        z = z + alpha * (z_spread @ residual).squeeze(-1)
        x0 = x0 + beta * (x0_spread @ residual).squeeze(-1)
        shape = (n, *layout.times, *layout.inner, 2)
        return z.reshape(shape).to(x.dtype), x0.reshape(shape).to(x.dtype)

    # --------------------------------------------------------------- numbers

    @pointwise
    def stiffness(self, t: Time) -> Tensor:
        """Largest eigenvalue of any C_jk^-1, in the shape of t.

        The score term of the SDE (T21) contracts at this rate times sigma^2 / 2, which bounds the steps it can take.
        """
        p11, p12, p22 = self._slice(t).table.precision.unbind(1)
        largest = 0.5 * (p11 + p22) + torch.hypot(0.5 * (p11 - p22), p12)
        return largest.amax(dim=-1).reshape(t.shape if isinstance(t, Tensor) else ())

    @pointwise
    def target_covariance_trace(self, x: Points, t: Time) -> Tensor:
        r"""tr Cov[u_t(x|z) | X_t = x] (T27), (...): how far the targets of L_CFM scatter at x.

        Within a pair the covariance is :math:`(\dot\alpha\beta - \alpha\dot\beta)^2 \Sigma C^{-1} S`, which equals the
        form of theory.md without its cancellation. With gamma > 0 the target is
        :math:`\dot\alpha z + \dot\beta \epsilon + \dot\gamma \xi` (T52), and the covariance that of theory.md.

        Raises:
            SingularTimeError: a derivative is infinite at t; with gamma > 0 that of gamma is at t = 0 and t = 1.
        """
        at, layout = self._at(x, t)
        points = layout.points.double()
        weights = gaussians.posterior(at.table, points)
        along_x, along_y, constant, _ = at.velocity_map.exact.unsqueeze(-1).chunk(4, dim=1)
        x1, x2 = points.unsqueeze(-2)
        pair_velocity = constant + along_x * x1 + along_y * x2
        mean = (weights.unsqueeze(1) * pair_velocity).sum(dim=2, keepdim=True)
        between = (pair_velocity - mean).square().sum(dim=1)
        return layout.from_grid((weights * (between + at.target_covariance_trace.unsqueeze(-1))).sum(dim=1)).to(x.dtype)

    @arraylike
    def irreducible_loss(
        self,
        t: Time | None = None,
        *,
        n: int = 20_000,
        t_range: tuple[float, float] = (0.0, 1.0),
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """E tr Cov[u_t(x|z) | x] = L_CFM - L_FM (T27), the loss that no network can go below.

        The covariance is exact at each x; only the average over x ~ p_t (and t) is Monte Carlo.

        Args:
            t: the time; ``None`` averages over t uniform on t_range.
            n: draws of x; the standard error falls like n^-1/2.
            t_range: where t is uniform, within [0, 1].
            generator: source of randomness.

        Returns:
            Scalar tensor, float64.

        Raises:
            SingularTimeError: a derivative is infinite at t; or, with ``t=None``, at an end of t_range: for the square
                root scheduler the average up to t = 1 is infinite, growing like log 1/(1 - t_max) ("Delicate numbers").
        """
        n = as_count("n", n, 1)
        if t is None:
            low, high = t_range
            ends = self._values(torch.tensor(t_range, dtype=torch.float64))
            noise_has_slope = self.gamma == 0.0 or 0.0 < low <= high < 1.0
            if not (noise_has_slope and bool((ends.d_alpha.isfinite() & ends.d_beta.isfinite()).all())):
                raise SingularTimeError("the average is infinite up to this time: choose t_range away from it")
            uniform = torch.rand(n, generator=generator, dtype=torch.float64, device=self.p_data.device)
            t = low + (high - low) * uniform
        x = self.sample(n, t, generator=generator).double()
        return self.target_covariance_trace(x, t).mean()

    # ------------------------------------------------------------- internals

    @cached_property
    def _pair_weights(self) -> Tensor:
        return (self.p_init.weights.double()[:, None] * self.p_data.weights.double()).flatten()


@dataclass(frozen=True)
class SdeDrift:
    """u_t(x) + (sigma_t^2 / 2) s_t(x) (T21); call it with x and t, a tensor of times if sigma takes one too."""

    path: ProbabilityPath
    sigma: Callable[[Any], Tensor]

    __repr__ = one_line

    @property
    def dtype(self) -> torch.dtype:
        """Floating type of the path."""
        return self.path.dtype

    @property
    def device(self) -> torch.device:
        """Device of the path."""
        return self.path.device

    @pointwise
    def __call__(self, x: Points, t: Time) -> Tensor:
        velocity, score = self.path.velocity_and_score(x, t)
        if isinstance(t, Tensor):
            return velocity + 0.5 * torch.as_tensor(self.sigma(t)).to(score).square().unsqueeze(-1) * score
        return velocity.add_(score, alpha=0.5 * float(self.sigma(t)) ** 2)


def _draw(mixture: GaussianMixture, index: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
    """Draws of the given components, (..., 2), and the covariances of those components, in float64."""
    noise = torch.randn(*index.shape, 2, 1, generator=generator, dtype=torch.float64, device=mixture.device)
    factors = mixture.factors.double()[index]
    return mixture.means.double()[index] + (factors @ noise).squeeze(-1), mixture.covariances.double()[index]
