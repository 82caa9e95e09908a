"""The training runs of this process and of each tab: one pool for all, and what a tab's runs have learned.

The Train lesson starts and steers the runs; any page may use the network of the latest one.
"""

from __future__ import annotations

import atexit
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache

from torch import Tensor

from fmviz.app import state, tabs
from fmviz.learning import LearnedModel, RunStatus, TrainSpec
from fmviz.learning.pool import UnknownRunError
from fmviz.learning.process_pool import ProcessPool
from fmviz.runtime import cores
from fmviz.scene import Scene, scenes

__all__ = ["RUNS", "Handed", "Key", "hand_over", "handed", "pool", "runs", "trained"]

RUNS, HANDED = "runs", "handed_over"
MOST_PROCESSES = 4

Key = tuple[Scene, TrainSpec]
"""What a run belongs to: what it learns from, as `scenes.learned_part` gives it, and its settings."""


@dataclass(frozen=True, eq=False)
class Handed:
    """A run that another page has trained to its end, for the page Train to go on with.

    Attributes:
        scene: what it learned from, as `scenes.learned_part` gives it.
        spec: its settings.
        model: its last network.
        losses: of every step, (steps,).
        seconds: spent computing them.
        raw: see `fmviz.learning.RunStatus`.
    """

    scene: Scene
    spec: TrainSpec
    model: LearnedModel
    losses: Tensor
    seconds: float
    raw: LearnedModel | None = None


@lru_cache(maxsize=1)
def pool() -> ProcessPool:
    """The one pool of this server. One core is left for the pages; its processes stand back behind them on the others."""
    made = ProcessPool(processes=max(1, min(MOST_PROCESSES, cores() - 1)))
    atexit.register(made.close)
    return made


def runs() -> dict[Key, int]:
    """The runs of this tab by what they belong to, the oldest first."""
    return tabs.belonging(RUNS, dict[Key, int])


def trained() -> RunStatus | None:
    """The latest run of this tab that has learned the field of the present scene, that of independent pairs, or a part of it."""
    scene = scenes.learned_part(state.current().scene)
    for (learned_from, spec), run_id in reversed(runs().items()):
        if learned_from == scene and spec.classify is None and not spec.own_quantity_only:
            with suppress(UnknownRunError):
                run = pool().status(run_id)
                if run.model is not None and run.step > 0:
                    return run
    return None


def hand_over(found: Handed | None) -> None:
    """Holds one run ready for the page Train, in place of the one before; None holds none."""
    tabs.current().belongings[HANDED] = found


def handed(scene: Scene, spec: TrainSpec) -> Handed | None:
    """Takes the run that was handed over, if it is one of these settings, on whatever device it was trained. Once."""
    found: Handed | None = tabs.current().belongings.get(HANDED)
    if found is None or found.scene != scene or replace(found.spec, device=spec.device) != spec:
        return None
    hand_over(None)
    return found
