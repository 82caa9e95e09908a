"""A learned model: one network, and every quantity that follows from its prediction by T23.

`velocity`, `score`, `noise` and `posterior_mean` are exact conversions of the network's own prediction; where the path has none
they raise, saying why. `sampling_velocity`, `sampling_score` and `drift` are what solvers should use: the same conversions
with their coefficients held where they would grow without bound, so that they stay finite on the closed interval.
"""

__all__ = ["LearnedModel", "model_of"]

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fmviz.errors import FmvizError, SingularTimeError
from fmviz.learning.networks import MLP
from fmviz.learning.objectives import Quantity, predicts
from fmviz.learning.prediction_gains import Coefficients, coefficients, finite_range
from fmviz.learning.spec import TrainSpec
from fmviz.theory.arrays import Points, Time, arraylike, one_time, pointwise
from fmviz.theory.reprs import one_line
from fmviz.theory.schedulers import Scheduler

_PHRASES: dict[Quantity, str] = {
    "velocity": "velocity u_t(x)",
    "score": "score s_t(x)",
    "noise": "noise E[eps|x]",
    "data": "data prediction E[z|x]",
    "label": "probability of a label",
}


@dataclass(frozen=True, eq=False)
class LearnedModel:
    """A network and what is needed to interpret its output.

    In every method x is (..., 2), floating, on the network's device; t a float or a tensor broadcastable to
    ``x.shape[:-1]``, in [0, 1]. Results have the dtype of x and carry gradients to x. A network that was trained with labels
    answers for a label where one is given, else for all data (T35, T37).

    Attributes:
        network: the MLP.
        predicts: what its output means.
        scheduler: alpha and beta of the path it was trained on.
        gaussian_source: whether p_init is N(0, I), without which there is no score (T33).
        coupled: whether it learned coupled pairs (T53).
        gamma: g of the noise in between that it learned (T52).
    """

    network: MLP
    predicts: Quantity
    scheduler: Scheduler
    gaussian_source: bool
    coupled: bool = False
    gamma: float = 0.0

    __repr__ = one_line

    @property
    def own_only(self) -> bool:
        """Whether there is nothing but its own prediction: T23 holds for independent pairs without noise in between."""
        return self.coupled or self.gamma > 0.0

    @property
    def dtype(self) -> torch.dtype:
        """Floating type of the weights."""
        return self.network.weights.dtype

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return self.network.weights.device

    @property
    def labels(self) -> tuple[int, ...]:
        """The labels that may be given; none for a network that was trained without them."""
        return self.network.architecture.labels

    def given(self, label: int | None) -> "LearnedModel":
        """The model of the path to the data of one label; for None, of that to all data.

        Raises:
            ParameterError: a label that the network does not know.
        """
        return replace(self, network=self.network.given(label))

    @pointwise
    def velocity(self, x: Points, t: Time, label: int | None = None) -> Tensor:
        """Marginal velocity, (..., 2).

        Raises:
            ParameterError: a label that the network does not know.
            SingularTimeError: a network of another quantity, at a time where the conversion divides by zero (T23).
        """
        return self.given(label).predict("velocity", x, t)

    @pointwise
    def score(self, x: Points, t: Time, label: int | None = None) -> Tensor:
        """Score of p_t, (..., 2).

        Raises:
            ParameterError: a label that the network does not know.
            FmvizError: p_init is not N(0, I).
            SingularTimeError: the conversion divides by zero at t (beta = 0, but for the square root and VP schedulers
                with a velocity network).
        """
        return self.given(label).predict("score", x, t)

    @pointwise
    def noise(self, x: Points, t: Time) -> Tensor:
        """E[eps | X_t = x], (..., 2); for a source other than N(0, I), E[x_0 | X_t = x].

        Raises:
            SingularTimeError: the conversion divides by zero at t.
        """
        return self.predict("noise", x, t)

    @pointwise
    def posterior_mean(self, x: Points, t: Time) -> Tensor:
        """E[z | X_t = x], (..., 2).

        Raises:
            SingularTimeError: the conversion divides by zero at t (alpha = 0, for a noise or score network).
        """
        return self.predict("data", x, t)

    @pointwise
    def log_probability(self, x: Points, t: Time) -> Tensor:
        """log p_t(y|x) of the label of a classifier (T36), (...). Its gradient in x is that of classifier guidance.

        Raises:
            FmvizError: the network is not a classifier.
        """
        self.require("label")
        return self.network(x, t).log_softmax(dim=-1)[..., 0]

    @pointwise
    def predict(self, wanted: Quantity, x: Points, t: Time) -> Tensor:
        """Any of the four by name; see `velocity`, `score`, `noise`, `posterior_mean` ("data")."""
        self.require(wanted)
        c = self._coefficients(wanted, t)
        if not bool((c.x.isfinite() & c.q.isfinite()).all()):
            raise SingularTimeError(
                f"the {_PHRASES[wanted]} has no value at this time: a network that predicts the "
                f"{_PHRASES[self.predicts]} is converted by dividing by alpha or beta, which is 0 here (T23)"
            )
        return self._combine(c, x, t, wanted)

    def require(self, wanted: Quantity) -> None:
        """Raise unless the network and the path allow the conversion.

        Raises:
            FmvizError: anything else of a classifier, or a probability of a network that is none.
            FmvizError: the score, or a conversion from it, for a p_init other than N(0, I).
            FmvizError: anything but its own prediction of a network that learned coupled pairs or noise in between.
        """
        if self.own_only and wanted != self.predicts:
            raise FmvizError(
                f"a network that learned coupled pairs, or noise in between, has no {_PHRASES[wanted]}: T23 holds for "
                "independent pairs without noise in between"
            )
        if "label" in (wanted, self.predicts) and wanted != self.predicts:
            raise FmvizError(f"a network that predicts the {_PHRASES[self.predicts]} has no {_PHRASES[wanted]}")
        if self.gaussian_source or wanted == self.predicts or "score" not in (wanted, self.predicts):
            return
        raise FmvizError(
            f"cannot turn the {_PHRASES[self.predicts]} into the {_PHRASES[wanted]}: T23 holds for p_init = N(0, I) only, "
            "and this path starts from another law (T33)"
        )

    @pointwise
    def error_gain(self, wanted: Quantity, t: Time) -> Tensor:
        """|c_q| at t: by how much an error of the network grows when its prediction is converted to `wanted`; may be inf."""
        return self._coefficients(wanted, t).q.abs()

    # -------------------------------------------------------------- sampling

    @pointwise
    def sampling_velocity(self, x: Points, t: Time) -> Tensor:
        """The velocity for an ODE solver, finite on all of [0, 1], (..., 2).

        Equal to `velocity` wherever the conversion's coefficients are below `conversions.MAX_GAIN`; beyond that they, and
        the network's time, are held at the last such t. The prediction of a velocity network is used as it is.
        """
        return self._held("velocity", x, t)

    @pointwise
    def sampling_score(self, x: Points, t: Time) -> Tensor:
        """The score for an SDE solver, finite on all of [0, 1], (..., 2); see `sampling_velocity`.

        Raises:
            FmvizError: p_init is not N(0, I).
        """
        return self._held("score", x, t)

    def drift(self, sigma: Callable[[float], Tensor]) -> Callable[[Tensor, float], Tensor]:
        """u + (sigma_t² / 2) s of the SDE (T21; from a score network T32), for ``solve_sde``; finite on all of [0, 1].

        Args:
            sigma: the diffusion coefficient.

        Raises:
            FmvizError: p_init is not N(0, I).
        """
        self.require("score")

        @arraylike
        def drift(x: Points, t: Time) -> Tensor:
            t = one_time("t", t)
            half = 0.5 * float(sigma(t)) ** 2
            if half == 0.0:
                return self.sampling_velocity(x, t)
            if self._held_time("velocity", t) != t or self._held_time("score", t) != t:
                return self.sampling_velocity(x, t) + half * self.sampling_score(x, t)
            prediction = self.network(x, t)  # one pass serves both
            velocity, score = (self._read(self._coefficients(name, t), x, prediction) for name in ("velocity", "score"))
            return velocity + half * score

        return drift

    def to(self, target: torch.device | torch.dtype | str) -> "LearnedModel":
        """The same model in another floating type or on another device."""
        return replace(self, network=self.network.to(target))

    # ------------------------------------------------------------- internals

    def _held(self, wanted: Quantity, x: Tensor, t: Time) -> Tensor:
        self.require(wanted)
        if wanted == self.predicts:
            return self.network(x, t)
        held = self._held_time(wanted, t)
        return self._combine(self._coefficients(wanted, held), x, held, wanted)

    def _held_time(self, wanted: Quantity, t: Time) -> Time:
        if wanted == self.predicts:
            return t
        low, high = finite_range(self.predicts, wanted, self.scheduler)
        return t.clamp(low, high) if isinstance(t, Tensor) else min(max(float(t), low), high)

    def _coefficients(self, wanted: Quantity, t: Time) -> Coefficients:
        # mps has no float64.
        here = t.cpu() if isinstance(t, Tensor) and t.device.type == "mps" else t
        times = torch.as_tensor(here, dtype=torch.float64)
        return coefficients(self.predicts, wanted, self.scheduler.evaluate(times))

    def _combine(self, c: Coefficients, x: Tensor, t: Time, wanted: Quantity) -> Tensor:
        prediction = self.network(x, t)
        return prediction if wanted == self.predicts else self._read(c, x, prediction)

    @staticmethod
    def _read(c: Coefficients, x: Tensor, prediction: Tensor) -> Tensor:
        c_x, c_q = (part.to(x.dtype).to(x.device).unsqueeze(-1) for part in (c.x, c.q))
        return c_x * x + c_q * prediction


def model_of(network: MLP, spec: TrainSpec, scheduler: Scheduler, gaussian_source: bool) -> LearnedModel:
    """What a network that was trained with these settings stands for."""
    return LearnedModel(network, predicts(spec), scheduler, gaussian_source, spec.coupled, spec.gamma)
