"""What proves a training: the losses and errors of its networks on many fixed points."""

from __future__ import annotations

from fmviz.cache import shared
from fmviz.learning import Evaluation, LearnedModel, Report
from fmviz.scene import Scene, scenes

__all__ = ["POINTS", "reports"]

POINTS = 16_384


@shared
def _answers(scene: Scene) -> Evaluation:
    return Evaluation(scenes.path(scene), points=POINTS)


@shared
def reports(scene: Scene, models: tuple[LearnedModel, ...]) -> tuple[Report, ...]:
    """What each network does on the fixed points of `scene`, which is as `scenes.learned_part` gives it."""
    answers = _answers(scene)
    return tuple(answers.report(model) for model in models)
