"""The settings that reach a good field soonest."""

from __future__ import annotations

__all__ = ["recommended"]

from fmviz.learning.spec import TrainSpec


def recommended(seed: int = 0) -> TrainSpec:
    """The settings that bring the relative error of the field below 0.5 % soonest, on the course's data and path.

    Few steps are planned, so that the learning rate comes down within them; small batches make a step cheap and a high rate
    makes it long; the average of the weights takes out the noise that both bring.

    Args:
        seed: of the weights and the draws.
    """
    return TrainSpec(batch_size=128, learning_rate=0.03, steps=400, ema=0.95, seed=seed)
