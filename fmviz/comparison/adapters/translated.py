r"""What the adapters have in common: the velocity of a path from a network of another one to the same data.

The network answers at :math:`x' = \alpha' z + \beta' \epsilon` and its own time. At equal log signal-to-noise ratio our point is the same
one up to a factor (T56),

.. math:: \log\frac{\alpha_t}{\beta_t} = \log\frac{\alpha'}{\beta'}, \qquad x' = \frac{\alpha' + \beta'}{\alpha_t + \beta_t}\, x,

so the network is asked there, its answer is split into E[z|x] and E[eps|x], and the velocity is :math:`\dot\alpha z + \dot\beta\epsilon`.
"""

from __future__ import annotations

__all__ = ["TranslatedNetwork"]

import abc
from dataclasses import dataclass

import torch
from torch import Tensor

from fmviz.theory import ProbabilityPath


@dataclass(frozen=True, eq=False)
class TranslatedNetwork(abc.ABC):
    """A network of another path; call it with x (..., 2) and t for the velocity of `path`.

    Attributes:
        path: whose velocity is wanted.
    """

    path: ProbabilityPath

    def __call__(self, x: Tensor, t: float | Tensor) -> Tensor:
        """The velocity u_t(x), (..., 2) in the dtype of x; t a float or broadcastable to ``x.shape[:-1]``.

        Times whose signal-to-noise ratio the network's schedule does not reach are read at its nearest time.
        """
        v = self.path.scheduler.evaluate(torch.as_tensor(t, dtype=torch.float64, device=x.device))
        own = self.own_time(v.alpha, v.beta)
        alpha, beta = self.levels(own)
        scale = ((alpha + beta) / (v.alpha + v.beta)).unsqueeze(-1)
        points = (scale * x.double()).to(x.dtype).reshape(-1, 2)
        data, noise = self.data_and_noise(points, own.expand(x.shape[:-1]).reshape(-1))
        velocity = v.d_alpha.unsqueeze(-1) * data.reshape(x.shape) + v.d_beta.unsqueeze(-1) * noise.reshape(x.shape)
        return velocity.to(x.dtype)

    @abc.abstractmethod
    def own_time(self, alpha: Tensor, beta: Tensor) -> Tensor:
        """The network's time at which alpha' / beta' is nearest to alpha / beta, in their shape, float64."""

    @abc.abstractmethod
    def levels(self, own: Tensor) -> tuple[Tensor, Tensor]:
        """alpha' and beta' at times of the network, in their shape."""

    @abc.abstractmethod
    def data_and_noise(self, x: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
        """What the network says of z and of eps at its own points (N, 2) and times (N,), float64."""
