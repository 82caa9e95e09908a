"""Learning a field: networks, objectives, the training loop, the pool that runs it, checkpoints. Torch, no interface."""

from fmviz.learning.model import LearnedModel
from fmviz.learning.spec import TrainSpec
from fmviz.learning.training import Control, Snapshot, Trainer, TrainingDivergedError, log_spaced, train

__all__ = [
    "Control",
    "LearnedModel",
    "Snapshot",
    "TrainSpec",
    "Trainer",
    "TrainingDivergedError",
    "log_spaced",
    "train",
]
