r"""Loss and gradient of several networks of one architecture, one batched product a layer for all of them.

What is computed is what `fmviz.learning.backprop` computes, with one more axis in front. Batched products are handed on to the
library for products only where matrices have no gaps between them. So the weights lie layer by layer, all matrices of a layer
together and then all of its biases, rather than network by network.
"""

from __future__ import annotations

__all__ = ["StackedGradient", "StackedWeights"]

import torch
from torch import Tensor

from fmviz.learning.networks import ACTIVATIONS, Architecture


class StackedWeights:
    """One number for each weight of C networks: the weights themselves, or their gradient, or their average.

    Args:
        architecture: of all networks.
        count: C.
        device: where they lie.

    Attributes:
        flat: (C * W,), zero at first.
        matrices: of each layer, (C, rows, columns), views of `flat`.
        biases: of each layer, (C, rows, 1), views of `flat`.
        parts: all of these as (C, n).
    """

    def __init__(self, architecture: Architecture, count: int, device: torch.device | str = "cpu") -> None:
        sizes = [count * rows * width for rows, columns in architecture.shapes for width in (columns - 1, 1)]
        self.flat = torch.zeros(sum(sizes), device=device)
        self.parts = tuple(piece.view(count, -1) for piece in torch.split(self.flat, sizes))
        rows = [rows for rows, _ in architecture.shapes]
        self.matrices, self.biases = (
            tuple(part.view(count, n, -1) for part, n in zip(self.parts[first::2], rows, strict=True))
            for first in (0, 1)
        )

    def put(self, place: int, weights: Tensor) -> None:
        """Write those of one network, laid out as `Architecture.layers` has them, (W,)."""
        first = 0
        for matrix, bias in zip(self.matrices, self.biases, strict=True):
            rows, columns = matrix.shape[1:]
            layer = weights[first : first + rows * (columns + 1)].view(rows, columns + 1)
            matrix[place], bias[place] = layer[:, :-1], layer[:, -1:]
            first += layer.numel()

    def of(self, place: int) -> Tensor:
        """A copy of those of one network, laid out as `Architecture.layers` has them, (W,)."""
        layers = zip(self.matrices, self.biases, strict=True)
        return torch.cat([torch.cat((matrix[place], bias[place]), dim=1).reshape(-1) for matrix, bias in layers])

    def norms(self) -> Tensor:
        """The norm of each network's, (C, 1)."""
        squares = torch.stack([part.square().sum(dim=1) for part in self.parts])
        return squares.sum(dim=0).sqrt().unsqueeze(1)

    def scale(self, factors: Tensor) -> None:
        """Multiply each network's by its factor, (C, 1)."""
        for part in self.parts:
            part.mul_(factors)

    def add(self, others: StackedWeights, factors: Tensor) -> None:
        """Add the others, those of each network times its factor, (C, 1)."""
        for part, other in zip(self.parts, others.parts, strict=True):
            part.addcmul_(other, factors)

    def approach(self, others: StackedWeights, fractions: Tensor) -> None:
        """Go a fraction of the way to the others, one for each network, (C, 1)."""
        for part, other in zip(self.parts, others.parts, strict=True):
            part.lerp_(other, fractions)


class StackedGradient:
    """Loss and gradient of C networks of one architecture, as `fmviz.learning.backprop.Gradient` computes those of one.

    Args:
        architecture: of all networks.
        weights: of C networks, read at each call.
        batch: number of points B of each network.

    Attributes:
        gradient: overwritten by each call.
    """

    def __init__(self, architecture: Architecture, weights: StackedWeights, batch: int) -> None:
        count, device = len(weights.parts[0]), weights.flat.device

        def empty(rows: int) -> Tensor:
            return torch.empty(count, rows, batch, device=device)

        self.gradient = StackedWeights(architecture, count, device)
        self._scale = architecture.output_scale
        self._activation = ACTIVATIONS[architecture.activation]
        self._weights = weights
        self._values = [empty(width) for width in architecture.hidden]
        self._slopes = [empty(width) for width in architecture.hidden]
        self._out, self._squares = empty(2), empty(2)
        self._back = [
            (matrix.mT, of_matrix, of_bias, values, values.mT, slopes)
            for matrix, of_matrix, of_bias, values, slopes in zip(
                weights.matrices[1:],
                self.gradient.matrices[1:],
                self.gradient.biases[1:],
                self._values,
                self._slopes,
                strict=True,
            )
        ][::-1]

    def __call__(self, inputs: Tensor, factor: Tensor | float, target: Tensor, loss: Tensor) -> None:
        """Overwrite `gradient` and write the losses.

        Args:
            inputs: features, and a last row of ones that is not used, (C, F + 1, B).
            factor: f, a number or (C, 1, B).
            target: y, (C, 2, B).
            loss: (C,), receives the losses.
        """
        h = features = inputs[:, :-1]
        matrices, biases = self._weights.matrices, self._weights.biases
        for matrix, bias, values, slopes in zip(matrices, biases, self._values, self._slopes, strict=False):
            torch.baddbmm(bias, matrix, h, out=values)
            self._activation.replace(values, slopes)
            h = values
        delta = self._out
        torch.baddbmm(biases[-1], matrices[-1], h, out=delta)
        scaled = factor * self._scale
        delta.mul_(scaled).sub_(target)
        points = delta.shape[-1]
        torch.mul(delta, delta, out=self._squares)
        torch.sum(self._squares, dim=(1, 2), out=loss)
        loss.div_(points)
        delta.mul_(scaled * (2.0 / points))
        for transposed, of_matrix, of_bias, values, earlier, slopes in self._back:
            torch.bmm(delta, earlier, out=of_matrix)
            torch.sum(delta, dim=2, keepdim=True, out=of_bias)
            # The values have done their work: the next delta takes their place.
            delta = torch.bmm(transposed, delta, out=values).mul_(slopes)
        torch.bmm(delta, features.mT, out=self.gradient.matrices[0])
        torch.sum(delta, dim=2, keepdim=True, out=self.gradient.biases[0])
