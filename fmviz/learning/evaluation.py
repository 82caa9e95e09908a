r"""How wrong a model is, against the exact field, and how the two losses of T27 stand to each other.

All is measured on one fixed set of draws (t, z, eps), t stratified, so that reports along a run can be compared. The
exact answers on it are worked out once, in float64.

Relative error of a quantity q: :math:`E|q_\theta - q|^2 / E|q|^2`, for the score with both means weighted by beta².
Losses are those of the network's own quantity. With :math:`\tau` the conditional target,

.. math:: E|q_\theta - q|^2 = E|q_\theta - \tau|^2 - E\, \mathrm{tr}\, \mathrm{Cov}[\tau | x],

and the last term is known exactly at every draw of x. Given x the pair (z, eps) has one degree of freedom a dimension, so
all conditional covariances are multiples of that of the velocity: with
:math:`\Delta = \dot\alpha\beta - \alpha\dot\beta`, :math:`\mathrm{Cov}[z|x] = (\beta/\Delta)^2 \mathrm{Cov}[u|x]` and
:math:`\mathrm{Cov}[\epsilon|x] = (\alpha/\Delta)^2 \mathrm{Cov}[u|x]`.
"""

__all__ = ["Curve", "Evaluation", "Report"]

from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.learning.conversions import coefficients
from fmviz.learning.draws import draw_times
from fmviz.learning.model import LearnedModel
from fmviz.learning.objectives import SINGULAR_MARGIN, Quantity
from fmviz.theory import ProbabilityPath

QUANTITIES: tuple[Quantity, ...] = ("velocity", "score", "noise", "data")
MAX_POINTS = 65_536


@dataclass(frozen=True)
class Curve:
    """A mean, over all t and in each bin of t.

    Attributes:
        total: over all draws.
        by_t: in each bin, first to last.
    """

    total: float
    by_t: tuple[float, ...]


@dataclass(frozen=True)
class Report:
    """What a model does on the draws of an `Evaluation`.

    Attributes:
        t: centres of the bins.
        predicts: the network's own quantity.
        velocity, score, noise, data: relative errors; None where the path has no conversion (T33). Conversions may be huge
            near an end of time.
        marginal_loss: E|q - exact q|² of the network's own quantity (L_FM for a velocity; beta² weighted for a score).
        conditional_loss: the same against the conditional target (L_CFM).
        irreducible: E tr Cov of the conditional target given x: conditional minus marginal loss, exactly (T27, T29).
        gap: marginal minus conditional loss, by Monte Carlo: tends to -irreducible.total.
        gap_error: standard error of gap + irreducible.total.
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

    @property
    def own(self) -> Curve:
        """Relative error of the network's own quantity."""
        curve: Curve | None = getattr(self, self.predicts)
        assert curve is not None
        return curve


class Evaluation:
    """Fixed draws of a path with the exact answers on them.

    Args:
        path: the truth.
        points: number of draws.
        bins: equal parts of [0, 1] for errors by t.
        generator: source of the draws, on the path's device; a fixed one if left out.
        t_range: interval of t; kept `SINGULAR_MARGIN` from ends at which a conditional velocity is infinite if left out.

    Raises:
        ParameterError: points not between bins and 65 536, or bins below 1.
    """

    def __init__(
        self,
        path: ProbabilityPath,
        *,
        points: int = 4096,
        bins: int = 16,
        generator: torch.Generator | None = None,
        t_range: tuple[float, float] | None = None,
    ) -> None:
        if not 1 <= bins <= points <= MAX_POINTS:
            raise ParameterError("points, bins", f"1 <= bins <= points <= {MAX_POINTS}", (points, bins))
        exact = path.to(torch.float64)
        device = exact.p_data.device
        if generator is None:
            generator = torch.Generator(device).manual_seed(0)
        if t_range is None:
            ends = path.scheduler.evaluate(torch.tensor([0.0, 1.0], dtype=torch.float64))
            low, high = (ends.d_alpha.isfinite() & ends.d_beta.isfinite()).tolist()
            t_range = (0.0 if low else SINGULAR_MARGIN, 1.0 if high else 1.0 - SINGULAR_MARGIN)
        low, high = t_range
        # Strictly inside: at the ends themselves some conversions have no value.
        unit = (
            draw_times("stratified", (1, points), (0.0, 1.0), generator)[0]
            .double()
            .clamp(0.25 / points, 1.0 - 0.25 / points)
        )
        self.times = low + (high - low) * unit
        """When, (points,) float64."""
        z, eps = exact.sample_pairs(points, generator=generator)
        v = self._v = path.scheduler.evaluate(self.times)
        alpha, beta = v.alpha.unsqueeze(-1), v.beta.unsqueeze(-1)
        x = alpha * z + beta * eps
        velocity, score = exact.velocity_and_score(x, self.times)
        data = exact.posterior_mean(x, self.times)
        delta = v.d_alpha * v.beta - v.alpha * v.d_beta
        spread = exact.conditional_variance(x, self.times)
        self._standard = path.p_init.is_standard
        c = coefficients("velocity", "noise", v)
        noise = -beta * score if self._standard else c.x.unsqueeze(-1) * x + c.q.unsqueeze(-1) * velocity
        noise_spread = (v.alpha / delta).square() * spread
        self.points = x
        """Where X_t was drawn, (points, 2) float64."""
        # In the score's rows everything is multiplied by beta.
        self._exact = {"velocity": velocity, "score": -noise, "noise": noise, "data": data}
        targets = v.d_alpha.unsqueeze(-1) * z + v.d_beta.unsqueeze(-1) * eps
        self._targets = {"velocity": targets, "score": -eps, "noise": eps, "data": z}
        self._spreads = {
            "velocity": spread,
            "score": noise_spread,
            "noise": noise_spread,
            "data": (v.beta / delta).square() * spread,
        }
        self._bin = ((unit * bins).long()).clamp(max=bins - 1)
        self._counts = torch.bincount(self._bin, minlength=bins)
        self.velocity = velocity
        """The exact velocity at the draws, (points, 2) float64."""
        self.t = tuple((low + (high - low) * (torch.arange(bins, dtype=torch.float64) + 0.5) / bins).tolist())
        """Centres of the bins."""
        self.t_range = t_range
        """The interval of t."""

    @torch.no_grad()
    def report(self, model: LearnedModel) -> Report:
        """Measure a model of this path; one pass through its network."""
        here = model.to(self.points.device)
        own = here.network(self.points.float(), self.times.float()).double()
        relative = {wanted: self._relative(here, own, wanted) for wanted in QUANTITIES}
        mine = self._weighted(own, here.predicts)
        marginal = (mine - self._exact[here.predicts]).square().sum(-1)
        conditional = (mine - self._targets[here.predicts]).square().sum(-1)
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
            irreducible=self._curve(spread),
            gap=float((marginal - conditional).mean()),
            gap_error=float(miss.std() / len(miss) ** 0.5),
        )

    # ------------------------------------------------------------- internals

    def _weighted(self, values: Tensor, quantity: Quantity) -> Tensor:
        return values * self._v.beta.unsqueeze(-1) if quantity == "score" else values

    def _relative(self, model: LearnedModel, own: Tensor, wanted: Quantity) -> Curve | None:
        if "score" in (wanted, model.predicts) and wanted != model.predicts and not self._standard:
            return None
        c = coefficients(model.predicts, wanted, self._v)
        values = c.x.unsqueeze(-1) * self.points + c.q.unsqueeze(-1) * own if wanted != model.predicts else own
        error = (self._weighted(values, wanted) - self._exact[wanted]).square().sum(-1)
        size = self._exact[wanted].square().sum(-1)
        ratios = self._sums(error) / self._sums(size)
        return Curve(float(error.sum() / size.sum()), tuple(ratios.tolist()))

    def _curve(self, values: Tensor) -> Curve:
        return Curve(float(values.mean()), tuple((self._sums(values) / self._counts).tolist()))

    def _sums(self, values: Tensor) -> Tensor:
        return torch.zeros(len(self._counts), dtype=values.dtype, device=values.device).index_add_(0, self._bin, values)
