r"""The exact marginal velocity at a thousand points of a thousand different times, in float32: the target of "fm" (T25).

`ProbabilityPath.marginal_velocity` builds float64 tables per time, which is worth it when many points share one. Here every point
has its own time, so the same regression (theory.md, "Closed forms for Gaussian mixtures"),

.. math::
    u_t(x) = \sum_{jk} r_{jk}(x) [\dot\alpha \mu_k + \dot\beta m_j + D_{jk} C_{jk}^{-1} (x - m_{jk})],

is written out on arrays of (pair, point), in the dtype of the training. Tests compare it with the theory.
"""

__all__ = ["MarginalTarget"]

import torch
from torch import Tensor

from fmviz.theory import ProbabilityPath
from fmviz.theory.schedulers import ScheduleValues

# Numbers of one (pair, point) array worked on at a time.
_BLOCK = 1 << 17


class MarginalTarget:
    """u_t(x) of a path, for training.

    Args:
        path: the path; its mixtures' dtype becomes the target's.
        device: where the target is evaluated; that of the mixtures if left out.
    """

    def __init__(self, path: ProbabilityPath, device: torch.device | None = None) -> None:
        p_init, p_data = path.p_init, path.p_data
        j, k = p_init.n_components, p_data.n_components
        device = device or p_data.device
        self._log_weights = (p_init.weights.log()[:, None] + p_data.weights.log()).reshape(-1, 1).to(device)
        self._centred_init = not bool(p_init.means.any())
        means = torch.stack((p_data.means.repeat(j, 1), p_init.means.repeat_interleave(k, 0)), dim=-1)
        spreads = torch.stack((p_data.covariances.repeat(j, 1, 1), p_init.covariances.repeat_interleave(k, 0)), dim=-1)
        # Rows: first all pairs for one entry, then for the next; columns: data, init.
        self._means = means.transpose(0, 1).reshape(-1, 2).contiguous().to(device)
        entries = torch.stack((spreads[:, 0, 0], spreads[:, 0, 1], spreads[:, 1, 1]))
        self._spreads = entries.reshape(-1, 2).contiguous().to(device)
        self.pairs = j * k

    def __call__(self, x1: Tensor, x2: Tensor, v: ScheduleValues) -> Tensor:
        """The velocity.

        Args:
            x1, x2: coordinates of the points, each (..., B).
            v: the scheduler at their times, in the same shape.

        Returns:
            (..., 2, B).
        """
        flat = [
            entry.reshape(-1)
            for entry in (x1, x2, v.alpha, v.beta, v.d_alpha, v.d_beta, v.alpha_d_alpha, v.beta_d_beta)
        ]
        width = max(1, _BLOCK // self.pairs)
        parts = [self._block(*entries) for entries in zip(*(torch.split(entry, width) for entry in flat), strict=True)]
        velocity = parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
        return velocity.reshape(2, *x1.shape).movedim(0, -2)

    def _block(
        self,
        x1: Tensor,
        x2: Tensor,
        alpha: Tensor,
        beta: Tensor,
        d_alpha: Tensor,
        d_beta: Tensor,
        alpha_d_alpha: Tensor,
        beta_d_beta: Tensor,
    ) -> Tensor:
        m1, m2 = (self._means @ torch.stack((alpha, beta))).chunk(2)
        a, b, c = (self._spreads @ torch.stack((alpha * alpha, beta * beta))).chunk(3)
        d11, d12, d22 = (self._spreads @ torch.stack((alpha_d_alpha, beta_d_beta))).chunk(3)
        # An infinite beta' times a mean of zero is zero: the product never enters.
        if self._centred_init:
            v1, v2 = (self._means[:, :1] * d_alpha).chunk(2)
        else:
            v1, v2 = (self._means @ torch.stack((d_alpha, d_beta))).chunk(2)
        e1, e2 = x1 - m1, x2 - m2
        determinant = a * c - b * b
        y1, y2 = (c * e1 - b * e2) / determinant, (a * e2 - b * e1) / determinant
        logits = self._log_weights - 0.5 * (determinant.log() + e1 * y1 + e2 * y2)
        posterior = logits.softmax(dim=0)
        u1 = (posterior * (v1 + d11 * y1 + d12 * y2)).sum(dim=0)
        u2 = (posterior * (v2 + d12 * y1 + d22 * y2)).sum(dim=0)
        return torch.stack((u1, u2))
