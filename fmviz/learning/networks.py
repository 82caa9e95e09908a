r"""The network: a multilayer perceptron on (x, t), held as one flat vector of weights.

Layer :math:`l` is the matrix :math:`M_l = [W_l | b_l]` acting on :math:`(h, 1)`, so a whole network is one vector cut
into matrices. That makes a snapshot one copy, the optimiser one tensor, an average of weights one line, and a checkpoint
one array. A network is immutable: training works on a vector of its own and hands out copies.

Features of (x, t): x centred and divided by `Architecture.input_scale`, then t itself (``raw``) or t with
:math:`\sin \pi k t, \cos \pi k t`, k = 1 … 4 (``fourier``), which resolve quick changes in t better.

A network of labelled data has one more input for each label, 1 for the label that is given and 0 for all others; without a
label all are 0. What the first layer multiplies it by is the embedding of the label. With a label held fixed that is a part of
the first bias, so `MLP.given` is an ordinary network of (x, t).
"""

__all__ = ["ACTIVATIONS", "MLP", "TIME_FEATURES", "Activation", "Architecture"]

import abc
import itertools
import math
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.theory.arrays import Points, Time, arraylike

TIME_FEATURES = ("raw", "fourier")
"""Ways of feeding t to a network."""

FREQUENCIES = (1.0, 2.0, 3.0, 4.0)
"""Half turns per unit time of the Fourier features."""


class Activation(abc.ABC):
    """A function applied to each hidden number, with the derivative that the backward pass multiplies by."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    @abc.abstractmethod
    def __call__(self, a: Tensor) -> Tensor:
        """Values at a; differentiable."""

    @abc.abstractmethod
    def replace(self, a: Tensor, slope: Tensor) -> None:
        """Overwrite a with the values there, and `slope`, of its shape, with the derivatives: two arrays stay in the cache."""


@lru_cache
def _one(dtype: torch.dtype, device: torch.device) -> Tensor:
    """The number 1, never written to: a new one for each layer and step is a twentieth of a step at batch size 128."""
    return torch.ones((), dtype=dtype, device=device)


class SiLU(Activation):
    r"""a sigmoid(a). With s = sigmoid(a) and h = a s the derivative is s + h (1 - s), an interpolation from s to 1."""

    def __call__(self, a: Tensor) -> Tensor:
        return torch.nn.functional.silu(a)

    def replace(self, a: Tensor, slope: Tensor) -> None:
        torch.sigmoid(a, out=slope)
        a.mul_(slope)
        slope.lerp_(_one(slope.dtype, slope.device), a)


class ReLU(Activation):
    """max(a, 0)."""

    def __call__(self, a: Tensor) -> Tensor:
        return torch.relu(a)

    def replace(self, a: Tensor, slope: Tensor) -> None:
        torch.gt(a, 0.0, out=slope)
        a.clamp_(min=0.0)


class Tanh(Activation):
    """tanh a, with derivative 1 - tanh² a."""

    def __call__(self, a: Tensor) -> Tensor:
        return torch.tanh(a)

    def replace(self, a: Tensor, slope: Tensor) -> None:
        a.tanh_()
        torch.addcmul(_one(slope.dtype, slope.device), a, a, value=-1.0, out=slope)


class GELU(Activation):
    r"""a Phi(a) with the normal distribution function Phi (no approximation), derivative Phi(a) + a phi(a)."""

    def __call__(self, a: Tensor) -> Tensor:
        return torch.nn.functional.gelu(a)

    def replace(self, a: Tensor, slope: Tensor) -> None:
        torch.mul(a, math.sqrt(0.5), out=slope)
        slope.erf_().add_(1.0).mul_(0.5)
        weighted = a.square().mul_(-0.5).exp_().mul_(a)
        a.mul_(slope)
        slope.add_(weighted, alpha=1.0 / math.sqrt(2.0 * math.pi))


ACTIVATIONS: dict[str, Activation] = {"silu": SiLU(), "relu": ReLU(), "tanh": Tanh(), "gelu": GELU()}
"""Activations by name."""


@dataclass(frozen=True)
class Architecture:
    """Everything about a network but its weights.

    Attributes:
        hidden: width of each hidden layer; none gives an affine map of the features.
        activation: a key of `ACTIVATIONS`.
        time_features: one of `TIME_FEATURES`.
        centre: subtracted from x.
        input_scale: what x is divided by after that.
        output_scale: what the last layer is multiplied by.
        labels: the labels that it may be given, increasing; none for a network of (x, t) alone.

    Raises:
        ParameterError: an unknown name, or a scale that is not positive and finite.
    """

    hidden: tuple[int, ...]
    activation: str = "silu"
    time_features: str = "raw"
    centre: tuple[float, float] = (0.0, 0.0)
    input_scale: float = 1.0
    output_scale: float = 1.0
    labels: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise ParameterError("activation", f"one of {', '.join(ACTIVATIONS)}", self.activation)
        if self.time_features not in TIME_FEATURES:
            raise ParameterError("time_features", f"one of {', '.join(TIME_FEATURES)}", self.time_features)
        if not all(0.0 < scale < math.inf for scale in (self.input_scale, self.output_scale)):
            raise ParameterError("input_scale, output_scale", "positive numbers", (self.input_scale, self.output_scale))

    @property
    def n_features(self) -> int:
        """Number of features of (x, t)."""
        return 3 if self.time_features == "raw" else 3 + 2 * len(FREQUENCIES)

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Shape of each [W | b], first layer first; the columns of the labels follow those of the features."""
        widths = (self.n_features + len(self.labels), *self.hidden, 2)
        return tuple((after, before + 1) for before, after in itertools.pairwise(widths))

    @property
    def n_weights(self) -> int:
        """Length of the flat vector of weights."""
        return sum(rows * columns for rows, columns in self.shapes)

    def layers(self, weights: Tensor) -> tuple[Tensor, ...]:
        """Views [W | b] of a flat vector of weights."""
        pieces = torch.split(weights, [rows * columns for rows, columns in self.shapes])
        return tuple(piece.view(shape) for piece, shape in zip(pieces, self.shapes, strict=True))

    def features(self, x1: Tensor, x2: Tensor, t: Tensor) -> list[Tensor]:
        """The features, each in the common shape of the coordinates x1, x2 and the times t."""
        scaled = [(x - c) / self.input_scale for x, c in zip((x1, x2), self.centre, strict=True)]
        if self.time_features == "raw":
            return [*scaled, t]
        turns = [math.pi * k * t for k in FREQUENCIES]
        return [*scaled, t, *(turn.sin() for turn in turns), *(turn.cos() for turn in turns)]

    def label_features(self, places: Tensor) -> list[Tensor]:
        """The inputs of the labels.

        Args:
            places: for each point the place of its label in `labels`, -1 for none, (...) integers.

        Returns:
            One (...) for each label, float32.
        """
        return [(places == place).float() for place in range(len(self.labels))]

    def initial_weights(self, generator: torch.Generator) -> Tensor:
        r"""Fresh weights, (n_weights,) float32: uniform on :math:`\pm 1/\sqrt{\text{fan in}}`, as ``torch.nn.Linear`` has them.

        Args:
            generator: on the CPU, so that a seed gives the same network on every device.
        """
        drawn = [
            (2.0 * torch.rand(rows * columns, generator=generator) - 1.0) / math.sqrt(columns - 1)
            for rows, columns in self.shapes
        ]
        return torch.cat(drawn)


@dataclass(frozen=True, eq=False)
class MLP:
    """A network: an architecture and its weights; call it with x and t.

    Attributes:
        architecture: what the weights are for.
        weights: (n_weights,), floating; never written to.

    Raises:
        ParameterError: weights of another shape or of an integer type.
    """

    architecture: Architecture
    weights: Tensor

    @property
    def dtype(self) -> torch.dtype:
        """Floating type of the weights."""
        return self.weights.dtype

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return self.weights.device

    def __repr__(self) -> str:
        a = self.architecture
        hidden = "-".join(map(str, a.hidden)) or "no hidden layer"
        return f"<MLP: {hidden}, {a.activation}, {a.n_weights} weights, {str(self.dtype).removeprefix('torch.')}>"

    def __post_init__(self) -> None:
        if self.weights.shape != (self.architecture.n_weights,) or not self.weights.is_floating_point():
            wanted = f"a floating tensor of shape ({self.architecture.n_weights},)"
            raise ParameterError("weights", wanted, f"{self.weights.dtype} {tuple(self.weights.shape)}")

    @arraylike
    def __call__(self, x: Points, t: Time) -> Tensor:
        """The prediction at x and t; that of a network of labelled data without a label.

        Args:
            x: (..., 2), floating, on the device of the weights.
            t: a float, or a tensor broadcastable to ``x.shape[:-1]``.

        Returns:
            The broadcast batch shape and a last axis of 2, in the dtype of x. Gradients flow to x, t and the weights.

        Raises:
            ParameterError: x is not floating or not of shape (..., 2), or t does not broadcast to its batch axes.
        """
        if self.architecture.labels:
            return self.given(None)(x, t)
        times = torch.as_tensor(t, dtype=x.dtype, device=x.device)
        try:
            # Not `torch.broadcast_shapes`: its first call imports sympy, a quarter of a second.
            x1, x2, times = torch.broadcast_tensors(x[..., 0], x[..., 1], times)  # type: ignore[no-untyped-call]
        except RuntimeError:
            raise ParameterError("t", f"a shape broadcastable with {tuple(x.shape[:-1])}", tuple(times.shape)) from None
        h = torch.stack(self.architecture.features(x1, x2, times), dim=-1).reshape(-1, self.architecture.n_features)
        activation = ACTIVATIONS[self.architecture.activation]
        *hidden, last = self.architecture.layers(self.weights.to(x.dtype))
        for layer in hidden:
            h = activation(torch.addmm(layer[:, -1], h, layer[:, :-1].mT))
        out = torch.addmm(last[:, -1], h, last[:, :-1].mT)
        return (out * self.architecture.output_scale).reshape(*times.shape, 2)

    def given(self, label: int | None) -> "MLP":
        """The network of (x, t) that this one is for one label; for None, without a label. Gradients flow to the weights.

        Raises:
            ParameterError: a label that the network does not know.
        """
        labels = self.architecture.labels
        if label is not None and label not in labels:
            allowed = (
                f"one of {', '.join(map(str, labels))}" if labels else "None: the network was trained without labels"
            )
            raise ParameterError("label", allowed, label, key="label")
        if not labels:
            return self
        first, *others = self.architecture.layers(self.weights)
        features = self.architecture.n_features
        bias = first[:, -1:] if label is None else first[:, -1:] + first[:, features + labels.index(label), None]
        pieces = [torch.cat((first[:, :features], bias), dim=1), *others]
        return MLP(replace(self.architecture, labels=()), torch.cat([piece.reshape(-1) for piece in pieces]))

    def to(self, target: torch.device | torch.dtype | str) -> "MLP":
        """The same network in another floating type or on another device."""
        return MLP(self.architecture, self.weights.to(target))
