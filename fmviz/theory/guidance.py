r"""Guidance by a class label: the guided field, the law that it is said to sample, and the weights between them (T35 to T39, T48, T49).

With the path to all data (velocity :math:`u_t(x)`, score :math:`s_t(x)`) and the path from the same source to the data of
one label (:math:`u_t(x|y)`, :math:`s_t(x|y)`),

.. math::
    u^w = (1-w) u_t(x) + w u_t(x|y), \qquad s^w = (1-w) s_t(x) + w s_t(x|y).

The law :math:`q_t^w \propto p_t(x) p_t(y|x)^w` has the score :math:`s^w`, yet neither :math:`dX = u^w dt` nor the SDE with
drift :math:`u^w + \frac{\sigma^2}{2} s^w` carries it: particles sample it only with the weights

.. math::
    d \log W = w (w-1) \big(u_t(X|y) - u_t(X)\big) \cdot \big(s_t(X|y) - s_t(X)\big) dt .

Guidance on an interval (T51) has the scale w inside it and 1 outside. At an end :math:`t \in (0, 1)` of the interval the law
:math:`q` itself jumps from one scale to the other, and the weights jump with it, by :math:`p_t(y|X)` to the power of the
change.
"""

__all__ = ["Guidance", "LabelledModel", "WeightedRun", "simulate_weighted"]

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite, log

import torch
from torch import Tensor

from fmviz.errors import FmvizError, ParameterError
from fmviz.theory.arrays import Points, Time, arraylike, one_time, pointwise
from fmviz.theory.counts import as_count
from fmviz.theory.guided_fields import LabelledModel, Side, combined, exact_side, learned_side
from fmviz.theory.path import ProbabilityPath
from fmviz.theory.reprs import one_line
from fmviz.theory.sigmas import Sigma
from fmviz.theory.solvers import Drift, solve_ode, solve_sde
from fmviz.theory.weights import effective_sample_size, systematic_resample

MOST_PROPOSALS = 2**22
"""How many proposals `Guidance.sample_tilted` makes at most."""
_BATCH = 2**16


class Guidance:
    """The guided field for one label and one scale: of a path, exactly, or of a learned model.

    In every method x is (..., 2) and t a float or a tensor broadcastable to ``x.shape[:-1]``, as in `ProbabilityPath`.

    Args:
        path: from any source to the labelled data; or a model that was trained with labels. A model has fields, and with
            them weights, but no distributions.
        label: the class y.
        scale: w, any finite number: 0 is the path itself, 1 the path to the data of the label.
        interval: (t_lo, t_hi) within [0, 1]: times at which the scale is w; it is 1 at all others.
        weak: with a model, a smaller or less trained one, given the same label, in place of the model without a label:
            autoguidance (T51).

    Raises:
        ParameterError: no component has the label, the scale is not finite, the interval is none, or a path has a weak model.

    Example:
        >>> from fmviz.theory import GaussianMixture, presets, schedulers
        >>> path = ProbabilityPath(GaussianMixture.standard(), presets.get("two_modes"), schedulers.get("linear"))
        >>> x = torch.zeros(1, 2)
        >>> [round(float(Guidance(path, 1, w).velocity(x, 0.5)[0, 0]), 3) for w in (0.0, 1.0, 2.0)]  # the label on the right
        [0.0, 3.2, 6.4]
    """

    def __init__(
        self,
        path: ProbabilityPath | LabelledModel,
        label: int,
        scale: float = 1.0,
        interval: tuple[float, float] = (0.0, 1.0),
        weak: LabelledModel | None = None,
    ) -> None:
        low, high = (float(t) for t in interval)
        if not isfinite(scale):
            raise ParameterError("scale", "a finite number", scale, key="finite")
        if not 0.0 <= low < high <= 1.0:
            raise ParameterError("interval", "two times 0 <= t_lo < t_hi <= 1", interval, key="interval")
        self.label, self.scale, self.interval = label, float(scale), (low, high)
        self._exact = path if isinstance(path, ProbabilityPath) else None
        if not isinstance(path, ProbabilityPath):
            self._plain = learned_side(path.given(None) if weak is None else weak.given(label))
            self._own = learned_side(path.given(label))
            return
        if weak is not None:
            raise ParameterError("weak", "None with an exact path: autoguidance is for models", type(weak).__name__)
        self._plain, self._own = exact_side(path), exact_side(self.conditional)

    def __repr__(self) -> str:
        of = "a learned model" if self._exact is None else repr(self._exact)
        when = "" if self.interval == (0.0, 1.0) else f", interval={self.interval}"
        return f"<Guidance: label {self.label}, scale {self.scale:g}{when}, of {of}>"

    @property
    def dtype(self) -> torch.dtype | None:
        """The floating type of the exact path; None for a model."""
        return self._exact.dtype if self._exact is not None else None

    @property
    def device(self) -> torch.device | None:
        """The device of the exact path; None for a model."""
        return self._exact.device if self._exact is not None else None

    @property
    def path(self) -> ProbabilityPath:
        """The exact path. Raises FmvizError for a model."""
        if self._exact is None:
            raise FmvizError(
                "a learned model has fields but no distributions: use the Guidance of the exact path for them"
            )
        return self._exact

    @cached_property
    def conditional(self) -> ProbabilityPath:
        """The path from the same source to the data of the label, p_data(. | y) (T35). Raises FmvizError for a model."""
        return replace(self.path, p_data=self.path.p_data.given(self.label))

    @cached_property
    def log_share(self) -> float:
        """log p(y), the logarithm of the share of the label in the data."""
        p_data = self.path.p_data
        return float(p_data.weights.double()[p_data.labels == self.label].sum().log())

    def prepare(self, times: list[float], dtype: torch.dtype | None = None) -> None:
        """`ProbabilityPath.prepare` for both paths; nothing for a model."""
        if self._exact is not None:
            self.path.prepare(times, dtype)
            self.conditional.prepare(times, dtype)

    @arraylike
    def scale_at(self, t: Time) -> Time:
        """The scale in force at time t: w on the closed interval, else 1."""
        low, high = self.interval
        if isinstance(t, Tensor):
            return torch.where((t >= low) & (t <= high), self.scale, torch.ones_like(t, dtype=torch.float64))
        return self.scale if low <= t <= high else 1.0

    # ---------------------------------------------------------------- fields

    @pointwise
    def velocity(self, x: Points, t: Time) -> Tensor:
        """u^w = (1-w) u_t(x) + w u_t(x|y) (T37, T48), (..., 2); for w = 0 and w = 1 bit for bit the exact fields.

        Raises:
            SingularTimeError: where either velocity has no value.
        """
        return combined(
            self.scale_at(t),
            lambda: self._plain.velocity(x, t),
            lambda: self._own.velocity(x, t),
        )

    @pointwise
    def score(self, x: Points, t: Time) -> Tensor:
        """s^w = (1-w) s_t(x) + w s_t(x|y) (T37), (..., 2): the score of the tilted law q_t^w (T49)."""
        return combined(self.scale_at(t), lambda: self._plain.score(x, t), lambda: self._own.score(x, t))

    def sde_drift(self, sigma: Sigma) -> Drift:
        """The drift u^w + (sigma_t^2 / 2) s^w of the guided SDE (T37), for `fmviz.theory.solvers.solve_sde`."""

        @arraylike
        def drift(x: Points, t: Time) -> Tensor:
            t = one_time("t", t)

            def of(side: Side) -> Tensor:
                velocity, score = side.both(x, t)
                return velocity.add(score, alpha=0.5 * float(sigma(t)) ** 2)

            return combined(self.scale_at(t), lambda: of(self._plain), lambda: of(self._own))

        return drift

    @pointwise
    def difference(self, x: Points, t: Time) -> Tensor:
        """u_t(x|y) - u_t(x), (..., 2): what the scale multiplies; b_t grad log p_t(y|x) for p_init = N(0, I) (T48)."""
        return self._own.velocity(x, t) - self._plain.velocity(x, t)

    @pointwise
    def weight_rate(self, x: Points, t: Time) -> Tensor:
        """d log W / dt along the guided dynamics (T49), (...): 0 for w = 0 and w = 1."""
        return self.moved(x, t, self.scale_at(t), 0.0)[1]

    @pointwise
    def moved(self, x: Points, t: Time, scale: Time, sigma: float) -> tuple[Tensor, Tensor]:
        """Drift (..., 2) of the guided SDE, with sigma 0 the guided velocity, and weight rate (...), at any scale at once."""
        velocity, score = self._plain.both(x, t)
        more_velocity, more_score = (
            own - plain for own, plain in zip(self._own.both(x, t), (velocity, score), strict=True)
        )
        scale = scale.to(x) if isinstance(scale, Tensor) else scale
        rate = scale * (scale - 1.0) * (more_velocity * more_score).sum(dim=-1)
        w = scale.unsqueeze(-1) if isinstance(scale, Tensor) else scale
        drift = velocity + w * more_velocity
        return (drift if sigma == 0.0 else drift + (0.5 * sigma**2) * (score + w * more_score)), rate

    # ------------------------------------------------------- the tilted law

    @pointwise
    def log_classifier(self, x: Points, t: Time) -> Tensor:
        """log p_t(y|x) (T36), (...), accurate where the probability is far below rounding too."""
        return self.conditional.log_density(x, t) - self.path.log_density(x, t) + self.log_share

    @pointwise
    def log_tilted(self, x: Points, t: Time) -> Tensor:
        """log p_t(x) + w log p_t(y|x) (T49), (...): the log density of the tilted law up to a constant of each time."""
        plain = self.path.log_density(x, t)
        own = self.conditional.log_density(x, t) + self.log_share
        scale = self.scale_at(t)
        return plain + (scale.to(plain) if isinstance(scale, Tensor) else scale) * (own - plain)

    def sample_tilted(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Exact draws of the tilted law at the end, q_1^w (T49), by rejection.

        For w >= 1 a draw of p_data(. | y) is kept with probability p(y|z)^(w-1), for 0 <= w < 1 one of p_data with p(y|z)^w.

        Args:
            n: number of draws, at least 0.
            generator: source of randomness, on the path's device.

        Returns:
            (n, 2).

        Raises:
            ParameterError: the scale at t = 1 is negative, so that no bound on p(y|z)^w exists; n is negative; or fewer
                than n of `MOST_PROPOSALS` proposals were kept.
        """
        scale = float(self.scale_at(1.0))
        if scale < 0.0:
            raise ParameterError(
                "scale", "at least 0 for exact draws: for w < 0, p(y|z)^w is unbounded", scale, key="tilted_negative"
            )
        n = as_count("n", n)
        proposal, power = (self.conditional.p_data, scale - 1.0) if scale >= 1.0 else (self.path.p_data, scale)
        if power == 0.0:
            return proposal.sample(n, generator=generator)
        kept, missing, made = [proposal.means[:0]], n, 0
        while missing > 0:
            if made >= MOST_PROPOSALS:
                raise ParameterError("scale", f"one that keeps {n} of {made} proposals", scale, key="tilted_rare")
            points = proposal.sample(_BATCH if made else min(_BATCH, 4 * n), generator=generator)
            made += len(points)
            keep = torch.rand(len(points), generator=generator, dtype=torch.float64, device=points.device)
            points = points[keep.log() < power * self._log_label(points)][:missing]
            kept.append(points)
            missing -= len(points)
        return torch.cat(kept)

    def _log_label(self, z: Tensor) -> Tensor:
        """log p(y|z) at data points, float64, at most 0 up to rounding."""
        own, law = self.conditional.p_data, self.path.p_data
        z = z.double()
        return own.log_density(z) - law.log_density(z) + self.log_share


@dataclass(frozen=True, eq=False)
class WeightedRun:
    """Weighted particles at T times.

    Attributes:
        times: (T,), float64: those that were asked for, and the ends of the interval of guidance between them.
        positions: (T, N, 2), after any resampling at that time.
        log_weights: (T, N), float64, zero at first; equal for all particles after resampling, their sum unchanged.
        effective: effective sample size, (T,), float64, before any resampling at that time.
        parents: (T, N), for each particle its index at the time before; 0 … N-1 where there was no resampling.
        resampled: (T,), whether particles were resampled at that time.
    """

    times: Tensor
    positions: Tensor
    log_weights: Tensor
    effective: Tensor
    parents: Tensor
    resampled: Tensor

    __repr__ = one_line

    @property
    def weights(self) -> Tensor:
        """Normalised weights, (T, N), float64; each row sums to one."""
        return torch.softmax(self.log_weights, dim=-1)


@arraylike
def simulate_weighted(
    guidance: Guidance,
    x0: Points,
    steps: int = 100,
    *,
    sigma: Sigma | None = None,
    generator: torch.Generator | None = None,
    resample_below: float = 0.0,
    resampler: torch.Generator | None = None,
    method: str = "heun",
    times: Sequence[float] | None = None,
) -> WeightedRun:
    """Simulate guided particles with the weights that make them sample the tilted law q_t^w (T49).

    The ends of the interval of guidance are steps too, so that the scale is constant within each step; at an end inside
    (0, 1) each weight jumps by p_t(y|x) to the power of the change.

    Args:
        guidance: the guided field.
        x0: draws of p_init, (N, 2): q_0^w is p_init for every w.
        steps: number of equal steps on [0, 1]; ignored when times is given.
        sigma: the diffusion coefficient; ``None`` integrates the ODE, else the SDE by Euler-Maruyama.
        generator: source of the Brownian increments.
        resample_below: share of N; particles are resampled between steps whenever the effective sample size is below it.
            0 never does. The end keeps its weights.
        resampler: source of randomness of the resampling.
        method: of the ODE, one of `fmviz.theory.solvers.METHODS`.
        times: grid replacing the uniform one.

    Raises:
        ParameterError: resample_below outside [0, 1], or what the solvers refuse.
    """
    if not 0.0 <= resample_below <= 1.0:
        raise ParameterError("resample_below", "a share in [0, 1]", resample_below)
    steps = as_count("steps", steps)
    grid = [i / max(1, steps) for i in range(steps + 1)] if times is None else [float(t) for t in times]
    if len(grid) < 2:
        raise ParameterError("times", "at least two times", grid)
    grid = sorted({*grid, *(min(max(t, grid[0]), grid[-1]) for t in guidance.interval)})
    count = len(x0)
    x, log_weights = x0, x0.new_zeros(count, dtype=torch.float64)
    same = torch.arange(count, device=x0.device)
    positions, logs, effective, parents, resampled = [x], [log_weights], [float(count)], [same], [False]
    scales = [float(guidance.scale_at((a + b) / 2)) for a, b in itertools.pairwise(grid)]
    for i, (start, end) in enumerate(itertools.pairwise(grid)):
        if i and scales[i] != scales[i - 1]:
            log_weights = log_weights + _jump(guidance, x, start, scales[i] - scales[i - 1])
        if sigma is None:
            x, gain = _ode_step(guidance, x, start, end, scales[i], method)
        else:
            x, gain = _sde_step(guidance, x, start, end, scales[i], float(sigma(start)), generator)
        log_weights = log_weights + gain.double()
        effective.append(float(effective_sample_size(log_weights)))
        last = i == len(scales) - 1
        resampled.append(not last and effective[-1] < resample_below * count)
        parents.append(same)
        if resampled[-1]:
            parents[-1] = systematic_resample(log_weights, generator=resampler)
            x = x[parents[-1]]
            log_weights = (log_weights.logsumexp(dim=0) - log(count)).expand(count)
        positions.append(x)
        logs.append(log_weights)
    return WeightedRun(
        torch.tensor(grid, dtype=torch.float64),
        torch.stack(positions),
        torch.stack(logs),
        torch.tensor(effective, dtype=torch.float64),
        torch.stack(parents),
        torch.tensor(resampled),
    )


def _jump(guidance: Guidance, x: Tensor, t: float, change: float) -> Tensor:
    """What a change of the scale at time t adds to log W."""
    return change * guidance.log_classifier(x, t).double()


def _ode_step(
    guidance: Guidance, x: Tensor, start: float, end: float, scale: float, method: str
) -> tuple[Tensor, Tensor]:
    """One step of the ODE for (x, log W): the points, and what is added to log W, which no rate depends on."""

    def field(state: Tensor, t: float) -> Tensor:
        velocity, rate = guidance.moved(state[:, :2], t, scale, 0.0)
        return torch.cat((velocity, rate.unsqueeze(-1)), dim=-1)

    state = torch.cat((x, torch.zeros_like(x[:, :1])), dim=-1)
    after = solve_ode(field, state, method=method, times=(start, end))[0][-1]
    return after[:, :2], after[:, 2]


def _sde_step(
    guidance: Guidance,
    x: Tensor,
    start: float,
    end: float,
    scale: float,
    sigma: float,
    generator: torch.Generator | None,
) -> tuple[Tensor, Tensor]:
    """One step of Euler-Maruyama, and what is added to log W."""
    drift, rate = guidance.moved(x, start, scale, sigma)
    after = solve_sde(lambda *_: drift, lambda _: sigma, x, generator=generator, times=(start, end))[0][-1]
    return after, (end - start) * rate
