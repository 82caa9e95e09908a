"""Where the pairs (x0, z) of a run come from: drawn apart, coupled by optimal transport, or simulated (T53, T55).

Optimal transport takes far longer than a step of training. So that it does not become the price of one, the coupled pairs of a
chunk of steps are `USES` times fewer than its points. Each is used that often, in an order and at times of its own: the law of
a point is that of a fresh pair, and the next chunk has fresh ones.
"""

__all__ = ["USES", "Pairs", "Simulated", "groups_in", "source_of"]

from collections.abc import Callable

import torch
from torch import Tensor

from fmviz.learning.mixture_draws import MixtureDraws
from fmviz.learning.spec import TrainSpec
from fmviz.theory import ProbabilityPath
from fmviz.theory.couplings import minibatch_pairs

Pairs = Callable[[tuple[int, int], torch.Generator], tuple[Tensor, Tensor, Tensor]]
"""From (S, B) to z (S, 2, B), the component that each is of (S, B), and x0 (S, 2, B)."""

USES = 16
"""How often a coupled pair is used. From ring 8 to moons, 600 steps of 256 with n = 64 are off the field of long runs by 6.1 to 6.9 %
with fresh pairs, and by 6.2 to 7.3 % so (three seeds)."""


def source_of(path: ProbabilityPath, spec: TrainSpec, device: torch.device) -> Pairs:
    """The pairs of a run that is no reflow.

    Args:
        path: float32, on the CPU.
        spec: the settings.
        device: that of the pairs.
    """
    z, x0 = (MixtureDraws(law, device) for law in (path.p_data, path.p_init))
    if spec.coupling == "independent":
        return _Apart(z, x0)
    labels = path.p_data.labels.to(device) if spec.label_dropout is not None else None
    return _Coupled(z, x0, spec, labels)


def groups_in(shape: tuple[int, int], spec: TrainSpec) -> int:
    """The mini-batches that are paired for (S, B) points."""
    steps, batch = shape
    return -(-steps * batch // (USES * spec.coupling_batch))


class _Apart:
    """z and x0, each drawn by itself."""

    def __init__(self, z: MixtureDraws, x0: MixtureDraws) -> None:
        self._z, self._x0 = z, x0

    def __call__(self, shape: tuple[int, int], generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        return (*self._z.labelled(shape, generator), self._x0(shape, generator))


class _Coupled:
    """Mini-batches that are paired by optimal transport; with labels, those of the components, within each label."""

    def __init__(self, z: MixtureDraws, x0: MixtureDraws, spec: TrainSpec, labels: Tensor | None) -> None:
        self._z, self._x0, self._labels = z, x0, labels
        self._spec, self._batch = spec, spec.coupling_batch

    def __call__(self, shape: tuple[int, int], generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        groups = groups_in(shape, self._spec)
        z, component = self._z.labelled((groups, self._batch), generator)
        x0 = self._x0((groups, self._batch), generator)
        chance = _on_the_cpu(generator)
        partner = torch.stack([self._paired(*group, chance) for group in zip(x0, z, component, strict=True)])
        z = z.gather(2, partner.unsqueeze(1).expand_as(z)).movedim(1, 0).reshape(2, -1)
        component, x0 = component.gather(1, partner).reshape(-1), x0.movedim(1, 0).reshape(2, -1)
        return _laid_out(shape, _in_turn(x0.shape[1], shape, generator), z, component, x0)

    def _paired(self, x0: Tensor, z: Tensor, component: Tensor, generator: torch.Generator) -> Tensor:
        labels = None if self._labels is None else self._labels[component].cpu()
        how, regularisation = self._spec.coupling, self._spec.coupling_regularisation
        starts, ends = x0.mT.cpu(), z.mT.cpu()
        index = minibatch_pairs(starts, ends, how, regularisation=regularisation, labels=labels, generator=generator)
        return index.to(z.device)


class Simulated:
    """Pairs that are there already, each as often as any other.

    Args:
        x0, z: (M, 2) each, on the device of the training.
    """

    def __init__(self, x0: Tensor, z: Tensor) -> None:
        self._x0, self._z = x0.mT.contiguous(), z.mT.contiguous()
        self._component = torch.zeros(len(x0), dtype=torch.int64, device=x0.device)

    def __call__(self, shape: tuple[int, int], generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        count = len(self._component)
        index = torch.randint(count, shape, generator=generator, device=self._x0.device)
        return _laid_out(shape, index, self._z, self._component, self._x0)


def _on_the_cpu(generator: torch.Generator) -> torch.Generator:
    """Chance on the CPU, where pairs are found: POT works there, and in float64, which not every device has."""
    if generator.device.type == "cpu":
        return generator
    seed = torch.randint(2**31, (1,), generator=generator, device=generator.device)
    return torch.Generator().manual_seed(int(seed))


def _in_turn(count: int, shape: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Places (S, B) of `count` pairs: all of them in a random order, then again in another."""
    steps, batch = shape
    rounds = -(-steps * batch // count)
    orders = [torch.randperm(count, generator=generator, device=generator.device) for _ in range(rounds)]
    return torch.cat(orders)[: steps * batch].reshape(shape)


def _laid_out(
    shape: tuple[int, int], index: Tensor, z: Tensor, component: Tensor, x0: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    return z[:, index].movedim(0, 1), component[index], x0[:, index].movedim(0, 1)
