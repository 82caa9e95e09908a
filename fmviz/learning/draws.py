"""Batches, drawn many steps at a time.

The random numbers of up to `CHUNK` points come from five calls to the generator, whatever the number of steps or of
components: times, components and noise of z, components and noise of eps (and, with labels, which of them are left out; with
gamma, the noise in between). Coupled pairs need some more (`fmviz.learning.pairing`).
Everything is laid out (step, coordinate, point), which is what `fmviz.learning.backprop` multiplies.
"""

__all__ = ["Batches", "Chunk", "draw_times", "steps_together"]

from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.learning.networks import Architecture
from fmviz.learning.objectives import regression, time_range
from fmviz.learning.pairing import Simulated, source_of
from fmviz.learning.spec import TrainSpec
from fmviz.learning.targets import MarginalTarget
from fmviz.theory import ProbabilityPath
from fmviz.theory.reprs import one_line

CHUNK = 1 << 15
"""Points drawn together, at least one batch."""
CHUNK_PAIRS = 1 << 21
"""Points times pairs of components drawn together where the target is a sum over all pairs: some 40 ms."""


@dataclass(frozen=True, eq=False)
class Chunk:
    """The data of S steps.

    Attributes:
        inputs: features of (x, t), those of the labels and a row of ones, (S, F + L + 1, B).
        factor: one number or (S, 1, B).
        target: (S, 2, B); of a classifier 1 for what each point is, the label or another, else 0.
    """

    inputs: Tensor
    factor: Tensor | float
    target: Tensor

    __repr__ = one_line

    def factor_at(self, step: int) -> Tensor | float:
        """The factor of one step."""
        return self.factor[step] if isinstance(self.factor, Tensor) else self.factor

    def loss_of_zero(self) -> float:
        """The loss of predicting zero: the median over the steps."""
        return float(self.target.square().sum(dim=1).mean(dim=1).median())


@dataclass(frozen=True, eq=False)
class _Between:
    """gamma_t xi and its derivative in t, (S, 2, B) each."""

    moved: Tensor
    moving: Tensor


def steps_together(path: ProbabilityPath, spec: TrainSpec) -> int:
    """Steps in a `Chunk`."""
    pairs = path.n_pairs if spec.objective == "fm" else 1
    return max(1, min(CHUNK, CHUNK_PAIRS // pairs) // spec.batch_size)


def draw_times(how: str, shape: tuple[int, int], limits: tuple[float, float], generator: torch.Generator) -> Tensor:
    """Times of S steps of B points.

    Args:
        how: one of `fmviz.learning.spec.T_SAMPLINGS`.
        shape: (S, B).
        limits: the interval in which t lies.
        generator: source of randomness; the times are on its device.

    Returns:
        (S, B), float32.
    """
    device = generator.device
    if how == "logit_normal":
        t = torch.randn(shape, generator=generator, device=device).sigmoid()
    else:
        t = torch.rand(shape, generator=generator, device=device)
    if how == "stratified":
        t = (torch.arange(shape[1], device=device) + t) / shape[1]
    low, high = limits
    return low + (high - low) * t


class Batches:
    """An endless supply of batches of one run.

    Args:
        path: float32, on the CPU.
        spec: the settings.
        architecture: says what the features are.
        generator: source of randomness; its device becomes the batches'.
        simulated: the pairs of a reflow.
    """

    def __init__(
        self,
        path: ProbabilityPath,
        spec: TrainSpec,
        architecture: Architecture,
        generator: torch.Generator,
        simulated: Simulated | None = None,
    ) -> None:
        self._spec, self._architecture, self._generator = spec, architecture, generator
        self._scheduler = path.scheduler
        self._limits = time_range(path, spec)
        self._pairs = simulated or source_of(path, spec, generator.device)
        self._exact = MarginalTarget(path, generator.device)
        classes = torch.tensor(path.p_data.classes)
        self._classified = (
            path.p_data.labels.eq(-1 if spec.classify is None else spec.classify).float().to(generator.device)
        )
        self._places = torch.searchsorted(classes, path.p_data.labels.cpu()).to(generator.device)
        self.steps = steps_together(path, spec)
        """Steps in a chunk."""

    def draw(self) -> Chunk:
        """The next `steps` batches."""
        shape = (self.steps, self._spec.batch_size)
        t = draw_times(self._spec.t_sampling, shape, self._limits, self._generator)
        z, component, eps = self._pairs(shape, self._generator)
        v = self._scheduler.evaluate(t)
        x = v.alpha.unsqueeze(1) * z + v.beta.unsqueeze(1) * eps
        between = self._between(t)
        if between is not None:
            x = x + between.moved
        features = self._architecture.features(x[:, 0], x[:, 1], t)
        inputs = torch.stack([*features, *self._labels(component), torch.ones_like(t)], dim=1)
        if self._spec.classify is not None:
            own = self._classified[component]
            return Chunk(inputs, 1.0, torch.stack((own, 1.0 - own), dim=1))
        found = regression(self._spec, v, z, eps, x, self._exact)
        target = found.target if between is None else found.target + between.moving
        return Chunk(inputs, found.factor, target)

    def _between(self, t: Tensor) -> "_Between | None":
        """The noise in between at times (S, B) (T52); none without gamma."""
        gamma = self._spec.gamma
        if gamma == 0.0:
            return None
        xi = torch.randn(len(t), 2, t.shape[1], generator=self._generator, device=t.device)
        spread = (t * (1.0 - t)).sqrt()
        level, slope = gamma * spread, 0.5 * gamma * (1.0 - 2.0 * t) / spread
        return _Between(level.unsqueeze(1) * xi, slope.unsqueeze(1) * xi)

    def _labels(self, component: Tensor) -> list[Tensor]:
        """The inputs of the labels, each left out with the probability of the settings (T38); none without labels."""
        dropout = self._spec.label_dropout
        if dropout is None:
            return []
        uniform = torch.rand(component.shape, generator=self._generator, device=component.device)
        places = self._places[component].masked_fill(uniform < dropout, -1)
        return self._architecture.label_features(places)
