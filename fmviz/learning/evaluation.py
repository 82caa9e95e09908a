r"""The error of a model against the exact field, and the relation of the two losses of T27.

Everything is measured on one fixed set of points (t, z, eps), so that reports along a run can be compared. They are spread evenly
over all seven dimensions (nine with noise in between) by a scrambled Sobol sequence, which leaves a mean of a thousand about as uncertain as that of
ten thousand draws. The exact values at them are computed once, in float64.

Relative error of a quantity q: :math:`E|q_\theta - q|^2 / E|q|^2`, for the score with both means weighted by beta².
Losses are those of the network's own quantity. With :math:`\tau` the conditional target,

.. math:: E|q_\theta - q|^2 = E|q_\theta - \tau|^2 - E\, \mathrm{tr}\, \mathrm{Cov}[\tau | x],

and the last term is known exactly at every draw of x. Given x the pair (z, eps) has one degree of freedom a dimension, so
all conditional covariances are multiples of that of the velocity: with
:math:`\Delta = \dot\alpha\beta - \alpha\dot\beta`, :math:`\mathrm{Cov}[z|x] = (\beta/\Delta)^2 \mathrm{Cov}[u|x]` and
:math:`\mathrm{Cov}[\epsilon|x] = (\alpha/\Delta)^2 \mathrm{Cov}[u|x]`.
"""

__all__ = ["QUANTITIES", "Curve", "Evaluation", "Report"]

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.learning.model import LearnedModel
from fmviz.learning.objectives import SINGULAR_MARGIN, Quantity
from fmviz.learning.prediction_gains import coefficients
from fmviz.theory import ProbabilityPath
from fmviz.theory.counts import as_count
from fmviz.theory.reprs import one_line
from fmviz.theory.sobol import sobol, standard_normal

QUANTITIES: tuple[Quantity, ...] = ("velocity", "score", "noise", "data")
"""What is compared with the exact path."""
MAX_POINTS = 65_536
MOST_TABLES = 1 << 18
"""Largest number of times multiplied by that of pairs of components: a second or so. With many pairs, points share times."""
TABLES_AT_ONCE = 1 << 15
"""The same product, for the times that are computed together: a few dozen megabytes."""


@dataclass(frozen=True)
class Curve:
    """A mean, over all t and in each bin of t.

    Attributes:
        total: over all draws.
        by_t: in each bin, first to last.
    """

    total: float
    by_t: tuple[float, ...]

    __repr__ = one_line


@dataclass(frozen=True)
class Report:
    """The errors and losses of a model on the points of an `Evaluation`.

    Attributes:
        t: centres of the bins.
        predicts: the network's own quantity.
        velocity, score, noise, data: relative errors; None where the path has no conversion (T33, and with noise in between
            all but the velocity). Conversions may be huge near an end of time.
        marginal_loss: E|q - exact q|² of the network's own quantity (L_FM for a velocity; beta² weighted for a score).
        conditional_loss: the same against the conditional target (L_CFM).
        irreducible: E tr Cov of the conditional target given x: conditional minus marginal loss, exactly (T27, T29).
        gap: marginal minus conditional loss, by quasi-Monte Carlo: tends to -irreducible.total.
        gap_error: the standard error that gap + irreducible.total would have over as many independent draws; that of
            evenly spread points is smaller.
    """

    t: tuple[float, ...]
    predicts: Quantity
    velocity: Curve | None
    score: Curve | None
    noise: Curve | None
    data: Curve | None
    marginal_loss: Curve
    conditional_loss: Curve
    irreducible: Curve
    gap: float
    gap_error: float

    __repr__ = one_line

    @property
    def own(self) -> Curve:
        """Relative error of the network's own quantity."""
        curve: Curve | None = getattr(self, self.predicts)
        assert curve is not None
        return curve


@dataclass(frozen=True, eq=False)
class _Answers:
    """The exact values at the points, in the order of `Evaluation.points`."""

    velocity: Tensor
    score: Tensor
    data: Tensor
    spread: Tensor


@dataclass(frozen=True, eq=False)
class _Comparison:
    """What a network is compared with in one quantity, whatever its weights.

    Attributes:
        base, gain: base + gain q is the quantity, q what the network predicts, (points, 2) and (points, 1); None where it is q.
        sizes, size: of the exact values, squared, in each bin and over all points.
    """

    base: Tensor | None
    gain: Tensor | None
    sizes: Tensor
    size: Tensor


@dataclass(frozen=True, eq=False)
class _Prepared:
    """All that a report of networks that predict one quantity needs and that no weights change."""

    comparisons: dict[Quantity, _Comparison]
    irreducible: Curve


class Evaluation:
    """Fixed points of a path, of independent pairs, with the exact answers on them; of a path with gamma, the velocity.

    Args:
        path: the exact path.
        points: the least number of points, best a power of two.
        bins: equal parts of [0, 1] for errors by t.

    Raises:
        ParameterError: points not between bins and 65 536, or bins below 1.
    """

    def __init__(self, path: ProbabilityPath, *, points: int = 4096, bins: int = 16) -> None:
        points, bins = as_count("points", points), as_count("bins", bins)
        if not 1 <= bins <= points <= MAX_POINTS:
            raise ParameterError("points, bins", f"1 <= bins <= points <= {MAX_POINTS}", (points, bins))
        exact = path.to(torch.float64)
        ends = path.scheduler.evaluate(torch.tensor([0.0, 1.0], dtype=torch.float64))
        first, last = (ends.d_alpha.isfinite() & ends.d_beta.isfinite()).tolist()
        if path.gamma > 0.0:
            first = last = False
        low, high = self.t_range = (0.0 if first else SINGULAR_MARGIN, 1.0 if last else 1.0 - SINGULAR_MARGIN)
        """The interval of t: kept `SINGULAR_MARGIN` from ends at which a conditional velocity is infinite."""
        self._shown = f"<Evaluation: {points} points, {bins} bins, of {path!r}>"
        unit, z, eps, xi = _spread(exact, points, bins)
        self.times = (low + (high - low) * unit).reshape(-1)
        """The time t of each point, (points,) float64."""
        v = self._v = path.scheduler.evaluate(self.times)
        alpha, beta = v.alpha.unsqueeze(-1), v.beta.unsqueeze(-1)
        x = alpha * z + beta * eps
        targets = v.d_alpha.unsqueeze(-1) * z + v.d_beta.unsqueeze(-1) * eps
        if path.gamma > 0.0:
            middle = (self.times * (1.0 - self.times)).sqrt().unsqueeze(-1)
            x = x + path.gamma * middle * xi
            targets = targets + path.gamma * (1.0 - 2.0 * self.times.unsqueeze(-1)) / (2.0 * middle) * xi
        known = _answers(exact, x, self.times, unit.shape[1])
        self._gamma = path.gamma
        delta = v.d_alpha * v.beta - v.alpha * v.d_beta
        self._standard = path.p_init.is_standard
        c = coefficients("velocity", "noise", v)
        noise = -beta * known.score if self._standard else c.x.unsqueeze(-1) * x + c.q.unsqueeze(-1) * known.velocity
        noise_spread = (v.alpha / delta).square() * known.spread
        self.points = x
        """The position X_t of each point, (points, 2) float64."""
        # In the score's rows everything is multiplied by beta.
        self._exact = {"velocity": known.velocity, "score": -noise, "noise": noise, "data": known.data}
        self._targets = {"velocity": targets, "score": -eps, "noise": eps, "data": z}
        self._spreads = {
            "velocity": known.spread,
            "score": noise_spread,
            "noise": noise_spread,
            "data": (v.beta / delta).square() * known.spread,
        }
        self._bin = (unit.reshape(-1) * bins).long().clamp(max=bins - 1)
        self._counts = torch.bincount(self._bin, minlength=bins)
        self.velocity = known.velocity
        """The exact velocity at the points, (points, 2) float64."""
        self._prepared: dict[tuple[Quantity, bool], _Prepared] = {}
        self.t = tuple((low + (high - low) * (torch.arange(bins, dtype=torch.float64) + 0.5) / bins).tolist())
        """Centres of the bins."""

    def __repr__(self) -> str:
        return self._shown

    def __getstate__(self) -> dict[str, Any]:
        # What is soon found again does not travel.
        return self.__dict__ | {"_prepared": {}}

    @torch.no_grad()
    def report(self, model: LearnedModel) -> Report:
        """Measure a model of this path; one pass through its network.

        Raises:
            ParameterError: the model has learned coupled pairs, whose field is not known exactly (T53), or other noise in
                between than that of the path (T52).
        """
        if model.coupled:
            raise ParameterError("model", "one of independent pairs: no other field is known exactly", "coupled pairs")
        if model.gamma != self._gamma:
            raise ParameterError("model", f"one that has learned gamma = {self._gamma:g}", model.gamma)
        here = model.to(self.points.device)
        own = here.network(self.points.float(), self.times.float()).double()
        prepared = self._prepare(here)
        relative = {wanted: self._relative(prepared, own, wanted) for wanted in QUANTITIES}
        mine = self._weighted(own, here.predicts)
        marginal = _squares(mine - self._exact[here.predicts])
        conditional = _squares(mine - self._targets[here.predicts])
        spread = self._spreads[here.predicts]
        miss = marginal - conditional + spread
        return Report(
            t=self.t,
            predicts=here.predicts,
            velocity=relative["velocity"],
            score=relative["score"],
            noise=relative["noise"],
            data=relative["data"],
            marginal_loss=self._curve(marginal),
            conditional_loss=self._curve(conditional),
            irreducible=prepared.irreducible,
            gap=float((marginal - conditional).mean()),
            gap_error=float(miss.std() / len(miss) ** 0.5),
        )

    # ------------------------------------------------------------- internals

    def _weighted(self, values: Tensor, quantity: Quantity) -> Tensor:
        return values * self._v.beta.unsqueeze(-1) if quantity == "score" else values

    def _prepare(self, model: LearnedModel) -> _Prepared:
        predicts, own_only = key = model.predicts, model.own_only
        found = self._prepared.get(key)
        if found is None:
            wanted = [one for one in QUANTITIES if self._converts(predicts, one, own_only)]
            found = _Prepared(
                {one: self._comparison(predicts, one) for one in wanted}, self._curve(self._spreads[predicts])
            )
            self._prepared[key] = found
        return found

    def _converts(self, predicts: Quantity, wanted: Quantity, own_only: bool) -> bool:
        """Whether what a network predicts can be turned into what is wanted."""
        return wanted == predicts or not (own_only or ("score" in (wanted, predicts) and not self._standard))

    def _comparison(self, predicts: Quantity, wanted: Quantity) -> _Comparison:
        size = _squares(self._exact[wanted])
        sizes, total = self._sums(size), size.sum()
        if wanted == predicts:
            return _Comparison(None, None, sizes, total)
        c = coefficients(predicts, wanted, self._v)
        return _Comparison(c.x.unsqueeze(-1) * self.points, c.q.unsqueeze(-1), sizes, total)

    def _relative(self, prepared: _Prepared, own: Tensor, wanted: Quantity) -> Curve | None:
        known = prepared.comparisons.get(wanted)
        if known is None:
            return None
        values = own if known.base is None or known.gain is None else known.base + known.gain * own
        error = _squares(self._weighted(values, wanted) - self._exact[wanted])
        return Curve(float(error.sum() / known.size), tuple((self._sums(error) / known.sizes).tolist()))

    def _curve(self, values: Tensor) -> Curve:
        return Curve(float(values.mean()), tuple((self._sums(values) / self._counts).tolist()))

    def _sums(self, values: Tensor) -> Tensor:
        return torch.zeros(len(self._counts), dtype=values.dtype, device=values.device).index_add_(0, self._bin, values)


def _squares(vectors: Tensor) -> Tensor:
    """The square of the norm of each of the vectors (N, 2), (N,); `sum` is slow over so short an axis."""
    squares = vectors.square()
    return squares[:, 0] + squares[:, 1]


def _spread(path: ProbabilityPath, points: int, bins: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Times (T, N) in [0, 1], the same N in a row, and z, eps and xi, each (T N, 2); T N is at least `points`."""
    pairs = path.n_pairs
    times = max(bins, min(points, MOST_TABLES // pairs))
    each = -(-points // times)
    uniform = sobol(7 if path.gamma == 0.0 else 9, times * each, 0)
    uniform = uniform[uniform[:, 0].argsort()].to(path.p_data.device)
    # Strictly inside: at the ends themselves some conversions have no value.
    middle = uniform[each // 2 :: each, :1].clamp(0.25 / points, 1.0 - 0.25 / points)
    return (
        middle.expand(-1, each),
        path.p_data.inverse_transform(uniform[:, 1:4]),
        path.p_init.inverse_transform(uniform[:, 4:7]),
        standard_normal(uniform[:, 7:]),
    )


def _answers(path: ProbabilityPath, x: Tensor, t: Tensor, each: int) -> _Answers:
    """The exact answers at `x` (T N, 2) and `t` (T N,), where each N points share a time."""
    rows = max(1, TABLES_AT_ONCE // path.n_pairs)
    parts = []
    pieces = (part.split(rows) for part in (x.reshape(-1, each, 2), t.reshape(-1, each)[:, :1]))  # type: ignore[no-untyped-call]
    for some, when in zip(*pieces, strict=True):
        answers = (
            *path.velocity_and_score(some, when),
            path.posterior_mean(some, when),
            path.target_covariance_trace(some, when),
        )
        parts.append([answer.reshape(-1, *answer.shape[2:]) for answer in answers])
    return _Answers(*(torch.cat(column) for column in zip(*parts, strict=True)))
