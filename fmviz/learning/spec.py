"""All settings of a training run, in one frozen, hashable, bounded value.

Together with the path a `TrainSpec` fixes a run: same path, same spec, same machine, same loss curve to the bit (on the CPU).
"""

__all__ = [
    "MAX_ROUNDS",
    "OBJECTIVES",
    "Coupling",
    "Objective",
    "Reflow",
    "TrainSpec",
    "is_count",
    "is_learning_rate",
]

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

from fmviz.errors import ParameterError
from fmviz.learning.networks import ACTIVATIONS, TIME_FEATURES

Objective = Literal["cfm", "fm", "score", "noise", "data"]

Coupling = Literal["independent", "exact", "sinkhorn"]

OBJECTIVES: tuple[Objective, ...] = get_args(Objective)
COUPLINGS: tuple[Coupling, ...] = get_args(Coupling)
SCHEDULES = ("constant", "cosine")
OPTIMIZERS = ("adam", "adamw", "sgd")
T_SAMPLINGS = ("uniform", "stratified", "logit_normal")
SCORE_WEIGHTINGS = ("beta_squared", "plain")
SCALINGS = ("none", "path")
DEVICES = ("auto", "cpu", "cuda", "mps")

MAX_STEPS = 200_000
MAX_WIDTH = 512
MAX_DEPTH = 8
MAX_BATCH = 16_384
MAX_LEARNING_RATE = 1000.0
"""Far beyond what works, so that a learning rate that is too high can be tried."""
MAX_COUPLING_BATCH = 4096
"""That of `fmviz.theory.couplings.minibatch_pairs`."""
MAX_GAMMA = 10.0
MAX_ROUNDS = 3
MAX_REFLOW_PAIRS = 65_536
MAX_REFLOW_STEPS = 1000
REFLOW_METHODS = ("euler", "midpoint", "heun")
_MAX_SEED = 2**63 - 1


@dataclass(frozen=True)
class Reflow:
    """A round of rectified flow (T55): a run that goes on from another run's network and learns from its simulated pairs.

    Attributes:
        round: 1 for the first, at most `MAX_ROUNDS`.
        pairs: (x0, psi_1(x0)) that are simulated, once, before the first step; up to `MAX_REFLOW_PAIRS`. Too few of
            them take the flow away from the data.
        steps: equal steps of the solver that simulates them, up to `MAX_REFLOW_STEPS`; its error is learned with the pairs.
        method: "euler", "midpoint" or "heun".
        reversed: takes each pair the wrong way round, which leads from the data to the source: a mistake to look at.

    Raises:
        ParameterError: a value lies outside what is allowed.
    """

    round: int = 1
    pairs: int = 16_384
    steps: int = 40
    method: str = "heun"
    reversed: bool = False

    def __post_init__(self) -> None:
        for name, most in (("round", MAX_ROUNDS), ("pairs", MAX_REFLOW_PAIRS), ("steps", MAX_REFLOW_STEPS)):
            value = getattr(self, name)
            _require(f"reflow.{name}", value, is_count(value, 1, most), f"an integer from 1 to {most}")
        known = self.method in REFLOW_METHODS
        _require("reflow.method", self.method, known, f"one of {', '.join(REFLOW_METHODS)}")
        _require("reflow.reversed", self.reversed, isinstance(self.reversed, bool), "true or false")


@dataclass(frozen=True)
class TrainSpec:
    """Settings of one training run.

    Attributes:
        objective: "cfm" conditional flow matching (T26), "fm" flow matching with the exact marginal target (T25),
            "score" denoising score matching (T30), "noise" noise prediction (T31), "data" prediction of z.
        hidden: width of each hidden layer, up to `MAX_DEPTH` layers of up to `MAX_WIDTH`.
        batch_size: draws of (t, z, eps) per step, up to `MAX_BATCH`.
        learning_rate: peak step size of the optimiser.
        steps: length of the run, up to `MAX_STEPS`.
        seed: of the weights and the draws.
        activation: "silu", "relu", "tanh" or "gelu".
        time_features: "raw" t, or "fourier".
        scaling: "path" centres and scales inputs and outputs by the moments of the path (see `objectives.architecture`);
            "none" feeds x as it is.
        schedule: "constant", or "cosine": from the peak down to 0 at the last step.
        warm_up: part of the run over which the learning rate climbs linearly from 0, in [0, 1).
        optimizer: "adam", "adamw" or "sgd" (momentum 0.9).
        weight_decay: of "adamw" alone.
        ema: decay of the average of the weights that snapshots show; 0 shows the weights themselves.
        t_sampling: "uniform" on [0, 1]; "stratified", one draw in each of batch_size equal parts; "logit_normal", the
            logistic of a standard normal, which weights the middle and so changes the loss.
        score_weighting: of "score" alone. "beta_squared": E|beta s + eps|², bounded. "plain": T30 as it stands,
            E beta^-2 |beta s + eps|², which blows up towards t = 1.
        gradient_clip: largest norm of the gradient, or None.
        device: "auto" takes cuda, then mps, then cpu.
        label_dropout: None trains one field for all data. A number from 0 to below 1 trains a field for each label of the data
            as well: each draw's label is fed to the network, and left out with this probability (T35, T38).
        classify: None, or a label of the data: the network becomes a classifier p_t(y|x) of that label against all others,
            trained by cross-entropy, whatever the objective (T36).
        coupling: who is paired with whom (T53). "independent": z and x0 are drawn apart. "exact", "sinkhorn": mini-batches of
            both are paired by optimal transport (`fmviz.theory.couplings.minibatch_pairs`), with labels within each label.
        coupling_batch: n of those mini-batches, up to `MAX_COUPLING_BATCH`.
        coupling_regularisation: of "sinkhorn", as a multiple of the mean cost, positive.
        gamma: g of the noise in between, gamma_t = g sqrt(t (1 - t)) (T52), up to `MAX_GAMMA`.
        reflow: None, or the round of rectified flow that this run is; the network that it goes on from is given beside it.

    Of coupled pairs and with noise in between only a velocity is learned, by "cfm": nothing else follows from it by T23.

    Raises:
        ParameterError: a value lies outside what is allowed.
    """

    objective: Objective = "cfm"
    hidden: tuple[int, ...] = (64, 64, 64, 64)
    batch_size: int = 1000
    learning_rate: float = 1e-2
    steps: int = 5000
    seed: int = 0
    activation: str = "silu"
    time_features: str = "fourier"
    scaling: str = "path"
    schedule: str = "cosine"
    warm_up: float = 0.02
    optimizer: str = "adam"
    weight_decay: float = 0.01
    ema: float = 0.0
    t_sampling: str = "stratified"
    score_weighting: str = "beta_squared"
    gradient_clip: float | None = None
    device: str = "auto"
    label_dropout: float | None = None
    classify: int | None = None
    coupling: Coupling = "independent"
    coupling_batch: int = 64
    coupling_regularisation: float = 0.1
    gamma: float = 0.0
    reflow: Reflow | None = None

    @property
    def coupled(self) -> bool:
        """Whether z and x0 are drawn together, so that the field has no closed form."""
        return self.coupling != "independent" or self.reflow is not None

    @property
    def own_quantity_only(self) -> bool:
        """Whether nothing but the velocity follows from what is learned."""
        return self.coupled or self.gamma > 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(self.hidden))
        for name, choices in _CHOICES.items():
            _require(name, getattr(self, name), getattr(self, name) in choices, f"one of {', '.join(choices)}")
        widths = len(self.hidden) <= MAX_DEPTH and all(is_count(width, 1, MAX_WIDTH) for width in self.hidden)
        _require("hidden", self.hidden, widths, f"at most {MAX_DEPTH} widths from 1 to {MAX_WIDTH}")
        for name, low, high in (
            ("batch_size", 1, MAX_BATCH),
            ("steps", 1, MAX_STEPS),
            ("seed", 0, _MAX_SEED),
            ("coupling_batch", 1, MAX_COUPLING_BATCH),
        ):
            _require(
                name, getattr(self, name), is_count(getattr(self, name), low, high), f"an integer from {low} to {high}"
            )
        rate = self.learning_rate
        _require("learning_rate", rate, is_learning_rate(rate), f"a number above 0, at most {MAX_LEARNING_RATE:g}")
        for name in ("warm_up", "ema"):
            value = getattr(self, name)
            _require(name, value, _is_number(value) and 0.0 <= value < 1.0, "a number from 0 to below 1")
        dropout = self.label_dropout
        fits = dropout is None or (_is_number(dropout) and 0.0 <= dropout < 1.0)
        _require("label_dropout", dropout, fits, "a number from 0 to below 1, or None")
        label = self.classify
        fits = label is None or (is_count(label, 0, _MAX_SEED) and dropout is None)
        _require("classify", label, fits, "None or a label, without label_dropout")
        decay, clip = self.weight_decay, self.gradient_clip
        _require("weight_decay", decay, _is_number(decay) and 0.0 <= decay <= 1.0, "a number from 0 to 1")
        fits = clip is None or (_is_number(clip) and 0.0 < clip < math.inf)
        _require("gradient_clip", clip, fits, "a positive number or None")
        self._require_bridge()

    def _require_bridge(self) -> None:
        """What coupling, gamma and reflow allow."""
        gamma, reflow, entropic = self.gamma, self.reflow, self.coupling_regularisation
        fits = _is_number(entropic) and entropic > 0.0
        _require("coupling_regularisation", entropic, fits, "a positive number")
        _require("gamma", gamma, _is_number(gamma) and 0.0 <= gamma <= MAX_GAMMA, f"a number from 0 to {MAX_GAMMA:g}")
        _require("reflow", reflow, reflow is None or isinstance(reflow, Reflow), "None or a Reflow")
        fits = reflow is None or self.coupling == "independent"
        _require("coupling", self.coupling, fits, "independent: the pairs of a reflow are simulated")
        if not self.own_quantity_only:
            return
        _require("objective", self.objective, self.objective == "cfm", "cfm: with coupling, gamma or reflow")
        _require("classify", self.classify, self.classify is None, "None: with coupling, gamma or reflow")
        fits = reflow is None or self.label_dropout is None
        _require("label_dropout", self.label_dropout, fits, "None: the pairs of a reflow have no labels")

    def to_json(self) -> str:
        """The settings as a JSON object."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "TrainSpec":
        """The settings of `to_json`.

        Raises:
            ParameterError: not such an object, an unknown setting, or a value that is not allowed.
        """
        try:
            values: Any = json.loads(text)
        except (ValueError, RecursionError):
            raise ParameterError("spec", "a JSON object", text) from None
        known = {entry.name for entry in dataclasses.fields(cls)}
        if not isinstance(values, dict) or not values.keys() <= known or not isinstance(values.get("hidden", []), list):
            raise ParameterError("spec", f"a JSON object with keys among {', '.join(sorted(known))}", text)
        reflow = values.get("reflow")
        if reflow is not None:
            parts = {entry.name for entry in dataclasses.fields(Reflow)}
            if not isinstance(reflow, dict) or not reflow.keys() <= parts:
                raise ParameterError("reflow", f"an object with keys among {', '.join(sorted(parts))}", reflow)
            values["reflow"] = Reflow(**reflow)
        return cls(**values)


_CHOICES: dict[str, tuple[str, ...]] = {
    "objective": OBJECTIVES,
    "activation": tuple(ACTIVATIONS),
    "time_features": TIME_FEATURES,
    "scaling": SCALINGS,
    "schedule": SCHEDULES,
    "optimizer": OPTIMIZERS,
    "t_sampling": T_SAMPLINGS,
    "score_weighting": SCORE_WEIGHTINGS,
    "device": DEVICES,
    "coupling": COUPLINGS,
}


def is_count(value: object, low: int, high: int) -> bool:
    """Whether value is an integer, not a bool, from low to high."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def is_learning_rate(value: object) -> bool:
    """Whether value may be a learning rate."""
    return _is_number(value) and 0.0 < value <= MAX_LEARNING_RATE  # type: ignore[operator]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _require(name: str, value: object, holds: bool, allowed: str) -> None:
    if not holds:
        raise ParameterError(name, allowed, value)
