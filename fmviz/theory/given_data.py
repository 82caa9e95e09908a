r"""The laws and fields of a path given a data point z (T12 to T19), also with noise in between (T52).

Given z, :math:`X_t - \alpha_t z` is :math:`\beta_t \epsilon`, and with noise in between :math:`\beta_t \epsilon + \gamma_t \xi`: a mixture
with the covariances :math:`\beta^2 S_j + \gamma^2 I`, so that then every quantity given z is one of that mixture.
"""

__all__ = ["LawsGivenData"]

from functools import cached_property

import torch
from torch import Tensor

from fmviz.errors import ParameterError, SingularTimeError
from fmviz.theory import gaussians
from fmviz.theory.arrays import Points, Time, arraylike, pointwise
from fmviz.theory.mixture import GaussianMixture
from fmviz.theory.path_at_times import PathAtTimes, PathTimesCache
from fmviz.theory.path_tables import PathTables, checked, layout_of, single
from fmviz.theory.schedulers import ScheduleValues


class LawsGivenData(PathTables):
    """The methods of a path that are about one data point."""

    @arraylike
    def conditional(self, z: Points, t: Time) -> GaussianMixture:
        """The exact p_t(. | z) (T12, T14): p_init scaled by beta, moved by alpha z, blurred by gamma.

        Args:
            z: one data point, (2,).
            t: one time, at which beta > 0.

        Raises:
            SingularTimeError: beta = 0 (t = 1), where the law is a point mass.
        """
        if z.shape != (2,):
            raise ParameterError("z", "one data point of shape (2,)", tuple(z.shape))
        t = single(t)
        v = self._values(t)
        _require_noise(v, "p_t(. | z) is a point mass")
        means = v.alpha * z.double() + v.beta * self.p_init.means.double()
        covariances = v.beta.square() * self.p_init.covariances.double()
        if self.gamma > 0.0:
            covariances = covariances + self._noise_level(t).square() * torch.eye(2).to(covariances)
        return GaussianMixture(means, covariances, self.p_init.weights.double()).to(self.p_init.dtype)

    @pointwise
    def conditional_flow(self, x0: Points, t: Time, z: Points) -> Tensor:
        """psi_t(x0 | z) = alpha z + beta x0, (..., 2): exact, at every t in [0, 1].

        Raises:
            ParameterError: gamma > 0, where a point is not determined by z and x0; see `interpolate`.
        """
        if self.gamma > 0.0:
            raise ParameterError("gamma", "0, for a flow given z alone", self.gamma, key="gamma_zero")
        return self._between(x0, self._values(t), z)

    @pointwise
    def interpolate(self, x0: Points, t: Time, z: Points, xi: Points) -> Tensor:
        """X_t = alpha z + beta x0 + gamma xi (T52), (..., 2): exact, at every t in [0, 1].

        Args:
            x0, z, xi: (..., 2), a draw each of p_init, p_data and N(0, I).
            t: time.
        """
        between = self._between(x0, self._values(t), z)
        return between + self._noise_level(t).unsqueeze(-1).to(x0.dtype) * xi

    def _between(self, x0: Tensor, v: ScheduleValues, z: Tensor) -> Tensor:
        return v.alpha.unsqueeze(-1).to(x0.dtype) * z + v.beta.unsqueeze(-1).to(x0.dtype) * x0

    def _noise_level(self, t: Time) -> Tensor:
        """gamma_t, float64, in the shape of t."""
        times = torch.as_tensor(t, dtype=torch.float64, device=self.p_data.device)
        return self.gamma * (times * (1.0 - times)).sqrt()

    @pointwise
    def conditional_velocity(self, x: Points, t: Time, z: Points) -> Tensor:
        """alpha' z + beta' eps with eps = (x - alpha z) / beta (T15), (..., 2); z broadcastable to x.

        With gamma > 0 it is the mean of alpha' z + beta' eps + gamma' xi over eps and xi given x and z.

        Raises:
            SingularTimeError: beta = 0 (t = 1), or a derivative is infinite at t.
        """
        if self.gamma > 0.0:
            at, layout = self._added(x, t, z, "the conditional velocity has no value")
            d_alpha = self._values(t).d_alpha
            if not bool(d_alpha.isfinite().all()):
                raise SingularTimeError("the derivative of alpha is infinite at this time")
            mean = layout.from_grid(at.averages(layout.points, at.velocity_map))
            return (d_alpha.unsqueeze(-1) * z + mean).to(x.dtype)
        v, eps = self._noise(x, t, z, "the conditional velocity has no value")
        if not bool(v.d_alpha.isfinite().all()):
            raise SingularTimeError("the derivative of alpha is infinite at this time")
        return (v.d_alpha.unsqueeze(-1) * z + v.d_beta.unsqueeze(-1) * eps).to(x.dtype)

    @pointwise
    def conditional_score(self, x: Points, t: Time, z: Points) -> Tensor:
        """Gradient of log p_t(x|z), the score of p_init at eps over beta (T18: -eps / beta for N(0, I)), (..., 2).

        Raises:
            SingularTimeError: beta = 0 (t = 1).
        """
        if self.gamma > 0.0:
            at, layout = self._added(x, t, z, "the conditional score has no value")
            return layout.from_grid(at.averages(layout.points, at.score_map)).to(x.dtype)
        v, eps = self._noise(x, t, z, "the conditional score has no value")
        return (self.p_init.score(eps) / v.beta.unsqueeze(-1)).to(x.dtype)

    @pointwise
    def conditional_log_density(self, x: Points, t: Time, z: Points) -> Tensor:
        """log p_t(x|z) (T14), (...).

        Raises:
            SingularTimeError: beta = 0 (t = 1).
        """
        if self.gamma > 0.0:
            at, layout = self._added(x, t, z, "p_t(. | z) is a point mass")
            return layout.from_grid(at.log_density(layout.points)).to(x.dtype)
        if z.ndim == 1:  # one z: the law at each time is one mixture, evaluated at all times at once
            layout = layout_of(x, t)
            v = self._values(layout.repeated(t))
            _require_noise(v, "p_t(. | z) is a point mass")
            alpha, beta = v.alpha.reshape(-1, 1, 1), v.beta.reshape(-1, 1, 1)
            means = alpha * z.double() + beta * self.p_init.means.double()
            covariances = beta.square() * gaussians.planes(self.p_init.covariances.double())
            table = gaussians.ComponentTable.build(self.p_init.weights.double().log(), means.mT, covariances)
            return layout.from_grid(gaussians.log_density(table, layout.points))
        v, eps = self._noise(x, t, z, "p_t(. | z) is a point mass")
        return (self.p_init.log_density(eps) - 2.0 * v.beta.log()).to(x.dtype)

    # ------------------------------------------------------------- internals

    @cached_property
    def _added_cache(self) -> PathTimesCache:
        """The law of beta eps + gamma xi, which is added to alpha z."""
        return PathTimesCache(self.p_init, None, self.scheduler, self.gamma)

    def _added(self, x: Tensor, t: Time, z: Tensor, complaint: str) -> tuple[PathAtTimes, gaussians.Layout]:
        """The law of X_t - alpha z given z, and where x - alpha z lies in it, in float64."""
        v = self._values(t)
        _require_noise(v, complaint)
        layout = layout_of(x.double() - v.alpha.unsqueeze(-1) * z.double(), t)
        return self._added_cache.at(checked(layout.repeated(t))), layout

    def _noise(self, x: Tensor, t: Time, z: Tensor, complaint: str) -> tuple[ScheduleValues, Tensor]:
        """eps = (x - alpha z) / beta in float64: near t = 1 float32 would leave few digits of the difference."""
        v = self._values(t)
        _require_noise(v, complaint)
        return v, (x.double() - v.alpha.unsqueeze(-1) * z.double()) / v.beta.unsqueeze(-1)


def _require_noise(v: ScheduleValues, complaint: str) -> None:
    if bool((v.beta == 0).any()):
        raise SingularTimeError(f"{complaint} where beta = 0, that is at t = 1")
