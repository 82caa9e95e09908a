"""Learning a field: networks, objectives, the training loop, the pool that runs it, checkpoints. Torch, no interface.

Start reading in `spec` (what a run is) and `training` (the loop, a generator).
"""

from fmviz.learning import checkpoint
from fmviz.learning.evaluation import Evaluation, Report
from fmviz.learning.export import training_script
from fmviz.learning.model import LearnedModel
from fmviz.learning.pace import log_spaced_steps
from fmviz.learning.pool import TrainingPool
from fmviz.learning.recommendation import recommended
from fmviz.learning.reflow import next_round
from fmviz.learning.runs import RunStatus
from fmviz.learning.spec import Reflow, TrainSpec
from fmviz.learning.sweeps import Cell, frame, sweep
from fmviz.learning.training import Control, Snapshot, Trainer, TrainingDivergedError, train

__all__ = [
    "Cell",
    "Control",
    "Evaluation",
    "LearnedModel",
    "Reflow",
    "Report",
    "RunStatus",
    "Snapshot",
    "TrainSpec",
    "Trainer",
]
__all__ += [
    "TrainingDivergedError",
    "TrainingPool",
    "checkpoint",
    "frame",
    "log_spaced_steps",
    "next_round",
    "recommended",
    "sweep",
    "train",
    "training_script",
]
