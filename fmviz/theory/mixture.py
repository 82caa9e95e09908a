r"""Gaussian mixtures in the plane: distributions for which everything in the course has a closed form.

.. math::
    p(x) = \sum_k w_k N(x; \mu_k, \Sigma_k), \qquad
    \nabla \log p(x) = -\sum_k r_k(x) \Sigma_k^{-1} (x - \mu_k), \qquad
    r_k(x) = \frac{w_k N(x; \mu_k, \Sigma_k)}{p(x)}.

Data sets are mixtures too (T34 and "Closed forms for Gaussian mixtures" in theory.md). Each component may carry a class label,
the :math:`y` of guidance (T35); without labels every component is its own class.
"""

__all__ = ["GaussianMixture"]

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.theory import gaussians
from fmviz.theory.arrays import Numbers, Points, arraylike, as_numbers, pointwise
from fmviz.theory.counts import as_count
from fmviz.theory.reprs import picture
from fmviz.theory.sobol import standard_normal

# Relative asymmetry of a covariance that is taken for rounding.
_SYMMETRY_TOLERANCE = 1e-5


@dataclass(frozen=True, eq=False, init=False)
class GaussianMixture:
    r"""Mixture of K Gaussians in the plane.

    Args:
        means: (K, 2), floating; its dtype and device become the mixture's.
        covariances: symmetric positive definite, (K, 2, 2).
        weights: positive, (K,); divided by their sum.
        labels: class of each component, (K,) integers; ``None`` gives 0 … K-1.

    Raises:
        ParameterError: a shape does not fit, a number is not finite, a covariance is not symmetric positive definite,
            a weight is not positive, or a label is not an integer.

    Example:
        >>> import torch
        >>> pair = GaussianMixture(torch.tensor([[-2.0, 0.0], [2.0, 0.0]]), torch.eye(2).expand(2, 2, 2), torch.ones(2))
        >>> pair.score(torch.zeros(2))  # halfway between two equal components
        tensor([0., 0.])
        >>> pair.sample(5, generator=torch.Generator().manual_seed(0)).shape
        torch.Size([5, 2])
    """

    means: Tensor
    covariances: Tensor
    weights: Tensor
    labels: Tensor

    def __init__(self, means: Numbers, covariances: Numbers, weights: Numbers, labels: Tensor | None = None) -> None:
        means = as_numbers("means", means)
        if means.ndim != 2 or means.shape[0] == 0 or means.shape[1] != 2:
            raise ParameterError("means", "shape (K, 2) with K >= 1", tuple(means.shape))
        count = means.shape[0]
        covariances = as_numbers("covariances", covariances, means).to(means)
        weights = as_numbers("weights", weights, means).to(means)
        labels = torch.arange(count) if labels is None else torch.as_tensor(labels)
        if covariances.shape != (count, 2, 2):
            raise ParameterError("covariances", f"shape ({count}, 2, 2)", tuple(covariances.shape))
        if weights.shape != (count,):
            raise ParameterError("weights", f"shape ({count},)", tuple(weights.shape))
        if labels.shape != (count,) or labels.is_floating_point() or labels.is_complex():
            raise ParameterError("labels", f"integers of shape ({count},)", f"{labels.dtype} {tuple(labels.shape)}")
        for name, values in (("means", means), ("covariances", covariances), ("weights", weights)):
            if not bool(values.isfinite().all()):
                raise ParameterError(name, "finite numbers", values.tolist())
        if not bool((weights > 0).all()):
            raise ParameterError("weights", "positive numbers", weights.tolist())
        if not bool(_are_spd(covariances).all()):
            raise ParameterError("covariances", "symmetric positive definite matrices", covariances.tolist())
        object.__setattr__(self, "means", means)
        object.__setattr__(self, "covariances", 0.5 * (covariances + covariances.mT))
        object.__setattr__(self, "weights", weights / weights.sum())
        object.__setattr__(self, "labels", labels.to(means.device, torch.int64))

    def __repr__(self) -> str:
        floating = "" if self.dtype == torch.float32 else f", {str(self.dtype).removeprefix('torch.')}"
        place = "" if self.device.type == "cpu" else f", {self.device}"
        if self.is_standard:
            return f"<GaussianMixture: N(0, I){floating}{place}>"
        count, classes = self.n_components, len(self.classes)
        labels = f" in {classes} {'class' if classes == 1 else 'classes'}" if classes < count else ""
        x, y = (round(m, 2) + 0.0 for m in self.mean.tolist())
        many = "1 component" if count == 1 else f"{count} components"
        return f"<GaussianMixture: {many}{labels}, mean ({x:g}, {y:g}){floating}{place}>"

    _repr_html_ = picture

    @classmethod
    def standard(
        cls, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None
    ) -> "GaussianMixture":
        """The standard normal distribution N(0, I), one component."""
        return cls(
            torch.zeros(1, 2, dtype=dtype, device=device),
            torch.eye(2, dtype=dtype, device=device).unsqueeze(0),
            torch.ones(1, dtype=dtype, device=device),
        )

    @property
    def n_components(self) -> int:
        """Number K of components."""
        return self.means.shape[0]

    @cached_property
    def classes(self) -> tuple[int, ...]:
        """The distinct labels, in increasing order."""
        return tuple(sorted(set(self.labels.tolist())))

    @property
    def dtype(self) -> torch.dtype:
        """Floating type of the parameters."""
        return self.means.dtype

    @property
    def device(self) -> torch.device:
        """Device of the parameters."""
        return self.means.device

    @property
    def is_standard(self) -> bool:
        """Whether this is N(0, I): one component, zero mean, unit covariance (as T23 requires of p_init)."""
        identity = torch.eye(2, dtype=self.dtype, device=self.device)
        return self.n_components == 1 and not bool(self.means.any()) and torch.equal(self.covariances[0], identity)

    @property
    def mean(self) -> Tensor:
        """Mean of the mixture, (2,)."""
        return self.weights @ self.means

    @property
    def covariance(self) -> Tensor:
        """Covariance of the mixture, (2, 2): mean of the covariances plus covariance of the means."""
        centred = self.means - self.mean
        spread = self.covariances + centred.unsqueeze(-1) * centred.unsqueeze(-2)
        return torch.einsum("k,kij->ij", self.weights, spread)

    @cached_property
    def _table(self) -> gaussians.ComponentTable:
        with torch.inference_mode(False):  # kept, so autograd must be able to use it later
            means, covariances = self.means.double().mT[None], gaussians.planes(self.covariances.double())[None]
            return gaussians.ComponentTable.build(self.weights.double().log(), means, covariances)

    @cached_property
    def _score_map(self) -> gaussians.DtypeCache:
        with torch.inference_mode(False):
            return gaussians.DtypeCache(self._table.affine(self._table.mean.new_zeros(2, 1), None))

    @pointwise
    def log_density(self, x: Points) -> Tensor:
        """Logarithm of the density.

        Args:
            x: (..., 2).

        Returns:
            (...), in the dtype of x.
        """
        layout = gaussians.to_grid(x)
        return layout.from_grid(gaussians.log_density(self._table, layout.points))

    @pointwise
    def score(self, x: Points) -> Tensor:
        """Gradient of the log density (the right-hand side of T10).

        Args:
            x: (..., 2).

        Returns:
            (..., 2), in the dtype of x.
        """
        layout = gaussians.to_grid(x)
        return layout.from_grid(gaussians.posterior_averages(self._table, layout.points, self._score_map))

    @pointwise
    def responsibilities(self, x: Points) -> Tensor:
        """Weight of each component given the point.

        Args:
            x: (..., 2).

        Returns:
            (..., K), summing to one along the last axis.
        """
        layout = gaussians.to_grid(x)
        return layout.from_grid(gaussians.posterior(self._table, layout.points))

    def sample_components(self, n: int, *, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Independent draws, each with the component that it came from.

        Args:
            n: number of draws, at least 0.
            generator: source of randomness, on the mixture's device.

        Returns:
            Points (n, 2) and component indices (n,).
        """
        n = as_count("n", n)
        noise = torch.randn(n, 2, generator=generator, dtype=self.dtype, device=self.device)
        if n == 0 or self.n_components == 1:
            index = torch.zeros(n, dtype=torch.int64, device=self.device)
        else:
            index = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        return self.means[index] + (self.factors[index] * noise.unsqueeze(-2)).sum(-1), index

    def sample_labelled(self, n: int, *, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Independent draws with their class: (z, y) ~ p_data(z, y) of T35.

        Returns:
            Points (n, 2) and labels (n,).
        """
        points, index = self.sample_components(n, generator=generator)
        return points, self.labels[index]

    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Independent draws, (n, 2)."""
        return self.sample_components(n, generator=generator)[0]

    @arraylike
    def inverse_transform(self, uniform: Numbers) -> Tensor:
        """Points of the mixture from uniform numbers: the first picks the component, the other two the place in it.

        Evenly spread numbers, such as those of a Sobol sequence, become points evenly spread over the mixture.

        Args:
            uniform: (n, 3) in [0, 1], float64.

        Returns:
            Points (n, 2).
        """
        edges = self.weights.double().cumsum(0)[:-1].contiguous()
        index = torch.searchsorted(edges, uniform[:, 0].contiguous())
        spread = (self.factors.double()[index] * standard_normal(uniform[:, 1:]).unsqueeze(-2)).sum(-1)
        points: Tensor = self.means.double()[index] + spread
        return points.to(self.dtype)

    def given(self, label: int) -> "GaussianMixture":
        """The mixture given the class, p(x|y) (T35): the components with that label, their weights renormalised.

        Args:
            label: one of `classes`.

        Raises:
            ParameterError: no component has the label.
        """
        chosen = self.labels == label
        if not bool(chosen.any()):
            raise ParameterError("label", f"one of {', '.join(map(str, self.classes))}", label, key="label")
        return GaussianMixture(self.means[chosen], self.covariances[chosen], self.weights[chosen], self.labels[chosen])

    def to(self, target: torch.device | torch.dtype | str) -> "GaussianMixture":
        """The same mixture in another floating type or on another device."""
        return GaussianMixture(self.means.to(target), self.covariances.to(target), self.weights.to(target), self.labels)

    @cached_property
    def factors(self) -> Tensor:
        """Lower Cholesky factors of the covariances, (K, 2, 2)."""
        exact = self.covariances.double()
        l11 = exact[:, 0, 0].sqrt()
        l21 = exact[:, 0, 1] / l11
        l22 = (exact[:, 1, 1] - l21 * l21).sqrt()
        return torch.stack((l11, torch.zeros_like(l11), l21, l22), dim=-1).reshape(-1, 2, 2).to(self.dtype)


def _are_spd(matrices: Tensor) -> Tensor:
    exact = matrices.double()
    a, b, c, d = exact[..., 0, 0], exact[..., 0, 1], exact[..., 1, 0], exact[..., 1, 1]
    symmetric = (b - c).abs() <= _SYMMETRY_TOLERANCE * (a.abs() + d.abs())
    return symmetric & (a > 0) & (a * d - (0.5 * (b + c)).square() > 0)
