r"""What a probability path is at given times: the tables from which everything exact is evaluated.

A `PathAtTimes` holds, for T times and the C = J K pairs of components, the moments of :math:`X_t` and the affine maps of
`fmviz.theory.path`. It is built in float64 by a few products with the stacked parameters of both mixtures, since
:math:`m_{jk}`, :math:`C_{jk}`, :math:`D_{jk}` and the drifts are all linear in them. Slices at float times are
remembered.
"""

__all__ = ["PathAtTimes", "PathTimesCache"]

import contextlib
import dataclasses
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from fmviz.errors import SingularTimeError
from fmviz.theory import gaussians
from fmviz.theory.gaussians import ComponentTable, DtypeCache, matrices, planes
from fmviz.theory.mixture import GaussianMixture
from fmviz.theory.products import ProductTable
from fmviz.theory.reprs import one_line
from fmviz.theory.schedulers import Scheduler, ScheduleValues

REMEMBERED_BYTES = 64 * 2**20
"""What all paths of a process may remember together: the 61 frames of a clip at 2880 pairs."""
BYTES_A_PAIR = 360
"""What one pair of components takes at one time, with the maps of velocity and score and their copies in float32."""
BYTES_A_SLICE = 11_000
"""What the objects of one time take, be there as few pairs as may be."""

# Exponentials saved that are worth the calls of the other form.
_WORTH_A_PRODUCT = 100_000


@dataclass(frozen=True, eq=False)
class _Pairs:
    """The parameters of all C = J K pairs of components, j-major, float64.

    Attributes:
        log_weights: (C,).
        means: of p_data over those of p_init, (2, 2, C).
        covariances: of p_data over those of p_init, (2, 3, C) as from `gaussians.planes`.
        centred: whether all means are zero, for p_data and for p_init.
        counts: J and K.
        alike: whether all covariances are one, for p_data as for p_init, and there are several of each.
    """

    log_weights: Tensor
    means: Tensor
    covariances: Tensor
    centred: tuple[bool, bool]
    counts: tuple[int, int]
    alike: bool

    @classmethod
    def of(cls, p_init: GaussianMixture, p_data: GaussianMixture) -> "_Pairs":
        j, k = p_init.n_components, p_data.n_components
        log_weights = p_init.weights.double().log()[:, None] + p_data.weights.double().log()
        data_means, init_means = p_data.means.double().mT, p_init.means.double().mT
        data_covariances, init_covariances = planes(p_data.covariances.double()), planes(p_init.covariances.double())
        means = torch.stack((data_means.repeat(1, j), init_means.repeat_interleave(k, 1)))
        covariances = torch.stack((data_covariances.repeat(1, j), init_covariances.repeat_interleave(k, 1)))
        centred = (not bool(p_data.means.any()), not bool(p_init.means.any()))
        alike = min(j, k) > 1 and bool((covariances == covariances[..., :1]).all())
        return cls(log_weights.flatten(), means, covariances, centred, (j, k), alike)

    @classmethod
    def of_noise(cls, p_init: GaussianMixture) -> "_Pairs":
        """Those of a point mass at the origin in place of p_data."""
        means, covariances = p_init.means.double().mT, planes(p_init.covariances.double())
        return cls(
            p_init.weights.double().log(),
            torch.stack((torch.zeros_like(means), means)),
            torch.stack((torch.zeros_like(covariances), covariances)),
            (True, not bool(p_init.means.any())),
            (p_init.n_components, 1),
            False,
        )

    def mix(self, data_factor: Tensor, init_factor: Tensor, of: Tensor) -> Tensor:
        """data_factor times the data half of a stacked parameter plus init_factor times the other, (T, ..., C)."""
        factors = torch.stack((data_factor, init_factor), dim=-1)
        return (factors @ of.flatten(1)).reshape(-1, *of.shape[1:])


@dataclass(frozen=True, eq=False)
class PathAtTimes:
    """A path at T times.

    Attributes:
        pairs: parameters of the pairs of components.
        schedule: the six functions of the scheduler at these times, (6, T).
        noise: gamma^2 and gamma gamma' at these times, (T, 2); None without noise in between.
        mean: m_jk, (T, 2, C).
        covariance: C_jk, (T, 3, C) as from `gaussians.planes`.
        table: the same, factorised.
    """

    pairs: _Pairs
    schedule: Tensor
    noise: Tensor | None
    mean: Tensor
    covariance: Tensor
    table: ComponentTable

    __repr__ = one_line

    @classmethod
    def build(cls, pairs: _Pairs, values: ScheduleValues, noise: Tensor | None = None) -> "PathAtTimes":
        mean = pairs.mix(values.alpha, values.beta, pairs.means)
        covariance = pairs.mix(values.alpha.square(), values.beta.square(), pairs.covariances)
        if noise is not None:
            covariance = covariance + _isotropic(noise[:, 0])
        schedule = torch.stack([getattr(values, of.name) for of in dataclasses.fields(values)])
        return cls(pairs, schedule, noise, mean, covariance, ComponentTable.build(pairs.log_weights, mean, covariance))

    @cached_property
    def values(self) -> ScheduleValues:
        """The scheduler at these times, each (T,)."""
        return ScheduleValues(*self.schedule.unbind())

    def log_density(self, points: Tensor) -> Tensor:
        """log p_t, (T, N), at points (2, 1 or T, 1, N) from `gaussians.to_grid`."""
        product = self._product_for(points)
        return gaussians.log_density(self.table, points) if product is None else product.log_density(points)

    def averages(self, points: Tensor, maps: DtypeCache) -> Tensor:
        """Posterior averages of M maps (T, 2 M, N), at points (2, 1 or T, 1, N) from `gaussians.to_grid`."""
        product = self._product_for(points)
        if product is None:
            return gaussians.posterior_averages(self.table, points, maps)
        return product.posterior_averages(points, maps.exact)

    def _product_for(self, points: Tensor) -> ProductTable | None:
        """The form that needs J + K exponentials a point, where it is exact and cheaper."""
        if not self.pairs.alike:
            return None
        j, k = self.pairs.counts
        saved = (j * k - 3 * (j + k)) * points.shape[-1] * len(self.mean)
        return self._product if saved >= _WORTH_A_PRODUCT and self._product.fits(points) else None

    @cached_property
    def _product(self) -> ProductTable:
        j, k = self.pairs.counts
        weights = self.pairs.log_weights.reshape(j, k)
        data, init = (of.reshape(2, j, k).permute(1, 2, 0) for of in self.pairs.means)
        alpha, beta = self.values.alpha.reshape(-1, 1, 1), self.values.beta.reshape(-1, 1, 1)
        return ProductTable.build(
            (weights.logsumexp(dim=1), weights.logsumexp(dim=0)),
            (beta * init[:, 0], alpha * data[0]),
            matrices(self.covariance[..., :1]).squeeze(1),
        )

    @cached_property
    def velocity_map(self) -> DtypeCache:
        """For `gaussians.posterior_averages`: E[X'_t | x] of each pair.

        Raises:
            SingularTimeError: an infinite derivative multiplies a mean other than zero.
        """
        return DtypeCache(self._velocity())

    @cached_property
    def score_map(self) -> DtypeCache:
        """For `gaussians.posterior_averages`: the score of each pair."""
        return DtypeCache(self._score())

    @cached_property
    def velocity_and_score_map(self) -> DtypeCache:
        """For `gaussians.posterior_averages`: both of the above; raises as the first does."""
        return DtypeCache(torch.cat((self._velocity(), self._score()), dim=1))

    @cached_property
    def posterior_mean_map(self) -> DtypeCache:
        """For `gaussians.posterior_averages`: E[z | x] of each pair."""
        alpha = self.values.alpha
        matrix = self.pairs.mix(alpha, torch.zeros_like(alpha), self.pairs.covariances)
        return DtypeCache(self.table.affine(self.pairs.means[0], matrix))

    def _velocity(self) -> Tensor:
        v = self.values
        d_alpha = _finite("alpha", v.d_alpha, self.pairs.centred[0], "singular_data")
        d_beta = _finite("beta", v.d_beta, self.pairs.centred[1], "singular_source")
        drift = self.pairs.mix(d_alpha, d_beta, self.pairs.means)
        return self.table.affine(drift, self._cross_covariance())

    def _cross_covariance(self) -> Tensor:
        """D_jk = Cov(X', X) within each pair, (T, 3, C)."""
        v = self.values
        matrix = self.pairs.mix(v.alpha_d_alpha, v.beta_d_beta, self.pairs.covariances)
        return matrix if self.noise is None else matrix + _isotropic(self.noise[:, 1])

    def _score(self) -> Tensor:
        return self.table.affine(self.mean.new_zeros(2, 1), None)

    @cached_property
    def target_covariance_trace(self) -> Tensor:
        """Trace of Cov[X'_t | x] within each pair, (T, C).

        Raises:
            SingularTimeError: a derivative is infinite.
        """
        v = self.values
        if self.noise is not None:
            return self._noisy_target_covariance_trace()
        wronskian = _finite("alpha", v.d_alpha, False) * v.beta - v.alpha * _finite("beta", v.d_beta, False)
        data, init = matrices(self.pairs.covariances)
        return wronskian.square().unsqueeze(-1) * torch.einsum(
            "cij,tcjk,cki->tc", data, matrices(self.table.precision), init
        )

    def _noisy_target_covariance_trace(self) -> Tensor:
        """The same with noise in between: tr(Cov(X') - D C^-1 D), where the derivative of gamma is finite."""
        if self.noise is None or bool((self.noise[:, 0] == 0).any()):
            raise SingularTimeError("the derivative of gamma is infinite at t = 0 and t = 1")
        v = self.values
        slopes = (_finite("alpha", v.d_alpha, False).square(), _finite("beta", v.d_beta, False).square())
        own = self.pairs.mix(*slopes, self.pairs.covariances)
        own = own + _isotropic(self.noise[:, 1].square() / self.noise[:, 0])
        cross = matrices(self._cross_covariance())
        explained = torch.einsum("tcij,tcjk,tcki->tc", cross, matrices(self.table.precision), cross)
        return own[:, 0] + own[:, 2] - explained

    def split(self, dtype: torch.dtype) -> list["PathAtTimes"]:
        """One slice for each of the T times, with maps ready for points of a dtype where the velocity has a value."""
        self.table.exponents.to(dtype)
        prepared = {}
        with contextlib.suppress(SingularTimeError):
            both = self.velocity_and_score_map
            both.to(dtype)
            prepared = {"velocity_map": both.narrow(1, 8), "velocity_and_score_map": both}
        columns = {name: maps.split(0) for name, maps in prepared.items()}
        schedules, covariances = (of.split(1, dim) for of, dim in ((self.schedule, 1), (self.covariance, 0)))  # type: ignore[no-untyped-call]
        parts = []
        for i, (schedule, covariance, table) in enumerate(zip(schedules, covariances, self.table.split(), strict=True)):
            noise = None if self.noise is None else self.noise[i : i + 1]
            part = PathAtTimes(self.pairs, schedule, noise, table.mean, covariance, table)
            part.__dict__.update({name: column[i] for name, column in columns.items()})
            parts.append(part)
        return parts


class PathTimesCache:
    """Slices of one path; those at float times are kept, so that calling again costs only the evaluation.

    All paths together keep `REMEMBERED_BYTES` at most. Where there is no more room the other paths forget first.

    Args:
        p_init, p_data, scheduler, gamma: as of `fmviz.theory.path.ProbabilityPath`; with None for p_data, the law of what
            is added to alpha z.
    """

    _all: ClassVar["weakref.WeakSet[PathTimesCache]"] = weakref.WeakSet()

    def __init__(
        self, p_init: GaussianMixture, p_data: GaussianMixture | None, scheduler: Scheduler, gamma: float = 0.0
    ) -> None:
        self._pairs = _Pairs.of(p_init, p_data) if p_data is not None else _Pairs.of_noise(p_init)
        self._scheduler = scheduler
        self._gamma = gamma
        # Tensors made in inference mode are of no use to autograd, so what is kept is kept for either mode.
        self._kept: dict[tuple[float, bool], PathAtTimes] = {}
        self._all.add(self)

    def at(self, t: float | Tensor) -> PathAtTimes:
        """The slice at one time or at the times of a tensor, flattened."""
        if isinstance(t, Tensor):
            return self._build(t.reshape(-1).to(self._pairs.means.device, torch.float64))
        found = self._kept.get((t, torch.is_inference_mode_enabled()))
        if found is None:
            found = self._build(torch.tensor([t], dtype=torch.float64, device=self._pairs.means.device))
            self._keep({t: found})
        return found

    def prepare(self, times: Sequence[float], dtype: torch.dtype) -> None:
        """Build and keep the slices of many times at once, as many as there is room for."""
        missing = [t for t in dict.fromkeys(times) if (t, torch.is_inference_mode_enabled()) not in self._kept]
        missing = missing[: REMEMBERED_BYTES // self._slice_bytes]
        if missing:
            together = self._build(torch.tensor(missing, dtype=torch.float64, device=self._pairs.means.device))
            self._keep(dict(zip(missing, together.split(dtype), strict=True)))

    def _build(self, times: Tensor) -> PathAtTimes:
        noise = None
        if self._gamma > 0.0:
            g2 = self._gamma**2
            noise = torch.stack((g2 * times * (1.0 - times), 0.5 * g2 * (1.0 - 2.0 * times)), dim=-1)
        return PathAtTimes.build(self._pairs, self._scheduler.evaluate(times), noise)

    @property
    def _slice_bytes(self) -> int:
        return BYTES_A_SLICE + BYTES_A_PAIR * len(self._pairs.log_weights)

    @property
    def _bytes(self) -> int:
        return self._slice_bytes * len(self._kept)

    def _keep(self, built: dict[float, PathAtTimes]) -> None:
        # Forgetting everything is enough, and needs no lock: other threads hold on to what they already have.
        coming = self._slice_bytes * len(built)
        if sum(cache._bytes for cache in list(self._all)) + coming > REMEMBERED_BYTES:
            for cache in list(self._all):
                if cache is not self:
                    cache._kept = {}
            if self._bytes + coming > REMEMBERED_BYTES:
                self._kept = {}
        mode = torch.is_inference_mode_enabled()
        self._kept.update({(t, mode): part for t, part in built.items()})


def _isotropic(variance: Tensor) -> Tensor:
    """variance times the identity, (T, 3, 1) as from `gaussians.planes`, of (T,)."""
    return torch.stack((variance, torch.zeros_like(variance), variance), dim=-1).unsqueeze(-1)


def _finite(name: str, derivative: Tensor, vanishes: bool, key: str = "singular_time") -> Tensor:
    """The derivative, with zero for an infinite one that only ever multiplies zero means."""
    infinite = ~derivative.isfinite()
    if not bool(infinite.any()):
        return derivative
    if vanishes:
        return derivative.masked_fill(infinite, 0.0)
    raise SingularTimeError(f"the derivative of {name} is infinite at this time, and so is the velocity", key)
