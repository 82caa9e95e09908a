"""From the settings of the page Train to the run that they ask for."""

from __future__ import annotations

from fmviz.learning.spec import TrainSpec
from fmviz.lessons.train.settings import Settings
from fmviz.scene import Scene

__all__ = ["train_spec"]


def train_spec(scene: Scene, view: Settings) -> TrainSpec:
    """The training run that `view` asks for; its weights and draws come from the scene's network seed."""
    return TrainSpec(
        objective=view.objective,
        hidden=(view.width,) * view.depth,
        batch_size=view.batch_size,
        learning_rate=view.learning_rate,
        steps=view.steps,
        seed=scene.seed_network,
        activation=view.activation,
        time_features=view.time_features,
        scaling=view.scaling,
        schedule=view.schedule,
        warm_up=view.warm_up,
        optimizer=view.optimizer,
        ema=view.ema,
        t_sampling=view.t_sampling,
        score_weighting=view.score_weighting,
        gradient_clip=view.gradient_clip,
        device=view.device,
    )
