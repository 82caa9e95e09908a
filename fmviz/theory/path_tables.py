"""What all methods of a probability path need: its laws, its clock, and the tables of its times."""

__all__ = ["PathTables", "checked", "layout_of", "single"]

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.theory import gaussians
from fmviz.theory.arrays import Time
from fmviz.theory.mixture import GaussianMixture
from fmviz.theory.path_at_times import PathAtTimes, PathTimesCache
from fmviz.theory.reprs import one_line
from fmviz.theory.schedulers import Scheduler, ScheduleValues


@dataclass(frozen=True, eq=False)
class PathTables:
    """The data of a `fmviz.theory.path.ProbabilityPath`, which says what they are, and the tables of its times."""

    p_init: GaussianMixture
    p_data: GaussianMixture
    scheduler: Scheduler
    gamma: float = 0.0
    _cache: PathTimesCache = field(init=False, repr=False)

    __repr__ = one_line

    def __post_init__(self) -> None:
        if self.p_init.device != self.p_data.device:
            raise ParameterError("p_init", f"a mixture on {self.p_data.device}, as p_data", str(self.p_init.device))
        if not (math.isfinite(self.gamma) and self.gamma >= 0.0):
            raise ParameterError("gamma", "a finite number, at least 0", self.gamma, key="gamma")
        object.__setattr__(self, "_cache", PathTimesCache(self.p_init, self.p_data, self.scheduler, self.gamma))

    @property
    def dtype(self) -> torch.dtype:
        """The wider of the mixtures' floating types."""
        return torch.promote_types(self.p_init.dtype, self.p_data.dtype)

    @property
    def device(self) -> torch.device:
        """Device of both mixtures."""
        return self.p_data.device

    @property
    def n_pairs(self) -> int:
        """J K, how many pairs of components there are: what one evaluation at one point costs is proportional to it."""
        return self.p_init.n_components * self.p_data.n_components

    def prepare(self, times: Iterable[float], dtype: torch.dtype | None = None) -> None:
        """Work out the tables of many times at once, so that later calls with exactly these floats are quick.

        Changes no result. Worth it before a solver steps through a known grid of times.

        Args:
            times: the floats.
            dtype: of the points to come; by default that of p_data.
        """
        wanted = [float(t) for t in times]
        for t in wanted:
            checked(t)
        self._cache.prepare(wanted, dtype or self.p_data.dtype)

    # ------------------------------------------------------------- internals

    def _slice(self, t: Time) -> PathAtTimes:
        return self._cache.at(checked(t))

    def _at(self, x: Tensor, t: Time) -> tuple[PathAtTimes, gaussians.Layout]:
        layout = layout_of(x, t)
        return self._slice(layout.repeated(t)), layout

    def _values(self, t: Time) -> ScheduleValues:
        checked(t)
        return self.scheduler.evaluate(torch.as_tensor(t, dtype=torch.float64, device=self.p_data.device))


def layout_of(x: Tensor, t: Time) -> gaussians.Layout:
    """How points (..., 2) and times lie on a grid."""
    return gaussians.to_grid(x, tuple(t.shape) if isinstance(t, Tensor) else ())


def single(t: Time) -> Time:
    """Refuse several times; one is a float or has no axes."""
    if isinstance(t, Tensor) and t.numel() != 1:
        raise ParameterError("t", "one time", f"shape {tuple(t.shape)}", key="time_shape")
    return t.reshape(()) if isinstance(t, Tensor) else t


def checked(t: Time) -> Time:
    """Refuse times outside [0, 1], nan included."""
    inside = bool(((t >= 0) & (t <= 1)).all()) if isinstance(t, Tensor) else 0.0 <= t <= 1.0
    if not inside:
        raise ParameterError("t", "a time in [0, 1]", t)
    return t
