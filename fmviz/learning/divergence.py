"""When a run counts as diverged: a loss that is no finite number, or enormous losses in a row."""

from __future__ import annotations

__all__ = ["EXPLODED", "PATIENCE", "LossWatch"]

import math
from collections.abc import Sequence

EXPLODED, PATIENCE = 100.0, 15
"""A run is given up when its loss is so many times that of predicting zero, for so many steps on end. Measured with Adam and
AdamW, four activations, three objectives: a learning rate of 100 stays there for 16 steps at least, one of 1, which is merely
too high, for 13 at most."""


class LossWatch:
    """Counts the enormous losses of one run.

    One may come from a heavy-tailed objective, and a network may recover from it; not so from many in a row.

    Attributes:
        reference: the loss of predicting zero; until it is known, a loss is judged only by being a finite number.
        high: how many enormous losses there have been up to the last one.
    """

    def __init__(self) -> None:
        self.reference, self.high = math.nan, 0

    def given_up_at(self, losses: Sequence[float]) -> int | None:
        """The place of the loss by which the run has diverged, None if it goes on; losses after that one are not counted."""
        for place, loss in enumerate(losses):
            self.high = self.high + 1 if loss > EXPLODED * self.reference else 0
            if self.high >= PATIENCE or not math.isfinite(loss):
                return place
        return None
