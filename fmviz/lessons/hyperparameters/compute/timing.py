"""How long the cells will take on this machine, from a few steps of each shape, which are really taken and timed."""

from __future__ import annotations

import time
from dataclasses import replace

from fmviz.cache import shared
from fmviz.errors import FmvizError
from fmviz.learning import Evaluation, Trainer, TrainSpec, objectives
from fmviz.learning.runs import snapshot_steps
from fmviz.lessons.hyperparameters.compute.plan import Job
from fmviz.scene import Scene, scenes

__all__ = ["POINTS", "Shape", "job_seconds", "job_shape"]

WARM, LEAST, MOST_SECONDS, MOST_STEPS = 3, 2, 0.04, 60
POINTS = 1024

Shape = tuple[Scene, TrainSpec]


def job_shape(job: Job) -> Shape:
    """What the time of a run depends on; equal for runs that take as long."""
    scene, spec = job
    return scene, replace(spec, seed=0, learning_rate=1e-3, schedule="constant")


@shared
def job_seconds(shapes: tuple[Shape, ...]) -> tuple[float, ...]:
    """Seconds for a run of each shape, its measurements included, on one core that does nothing else; 0 for one that cannot be."""
    return tuple(_seconds(scene, spec) for scene, spec in shapes)


def _seconds(scene: Scene, spec: TrainSpec) -> float:
    path = scenes.path(scene)
    try:
        objectives.require_trainable(path, spec)
    except FmvizError:
        return 0.0
    evaluation = _evaluation(scene)
    long = replace(spec, steps=max(spec.steps, WARM + MOST_STEPS))
    trainer = Trainer(path, long)
    trainer.advance(WARM)
    began, steps = time.perf_counter(), 0
    while steps < LEAST or (steps < MOST_STEPS and time.perf_counter() - began < MOST_SECONDS):
        steps += trainer.advance(1)
    step = (time.perf_counter() - began) / steps
    model = trainer.snapshot().model
    began = time.perf_counter()
    evaluation.report(model)
    return spec.steps * step + len(snapshot_steps(path, spec)) * (time.perf_counter() - began)


@shared
def _evaluation(scene: Scene) -> Evaluation:
    return Evaluation(scenes.path(scene), points=POINTS)
