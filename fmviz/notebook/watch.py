"""`watch`: a network while it trains."""

from __future__ import annotations

__all__ = ["watch"]

import inspect
import sys
import time
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING

import torch

from fmviz.clips.learned import LIVE, STILL, Resolution, Truth, affordable, learned_clip
from fmviz.errors import ParameterError
from fmviz.learning import Snapshot
from fmviz.learning.training import Trainer
from fmviz.notebook.pictures import Picture, compared, worded
from fmviz.notebook.show import player_class
from fmviz.scene.views import Language
from fmviz.theory import ProbabilityPath

if TYPE_CHECKING:
    from fmviz.notebook.widget import Player

LEAST_PAUSE = 0.5
"""Seconds from one picture to the next."""
SHARE = 8.0
"""A picture that took a second is followed by so many seconds of training at least."""


def watch(
    training: Iterable[Snapshot], *, path: ProbabilityPath | None = None, language: Language = "en"
) -> Snapshot | None:
    """Show a network beside the exact field while it trains, and return the last snapshot.

    In a notebook the picture is displayed at once and follows the training, which keeps seven eighths of the time or more. Interrupting
    the cell ends the training, not the session: the last snapshot is returned all the same. Without a notebook the training runs
    to its end and nothing is shown.

    Args:
        training: what `train` returned.
        path: what is learned; needed only where `training` does not say it, as `train(path, …)` does.
        language: of the texts.

    Returns:
        The last snapshot; None if there was none.

    Raises:
        ParameterError: `training` does not say its path, and none is given.
        FmvizError: there is a notebook, but anywidget is not installed.
    """
    known = path or _path_of(training)
    if known is None:
        raise ParameterError("path", "the path that is learned, where the training is not that of train(path, …)", None)
    screen = _Screen(known, language) if _in_notebook() else None  # raises before the training begins
    last: Snapshot | None = None
    due = 0.0
    try:
        for last in training:
            if screen is None or time.monotonic() < due:
                continue
            took = screen.put(last, LIVE)
            due = time.monotonic() + max(LEAST_PAUSE, SHARE * took)
    except KeyboardInterrupt:
        if isinstance(training, Generator):
            training.close()
    if screen is not None and last is not None:
        screen.put(last, STILL)
    return last


def _path_of(training: Iterable[Snapshot]) -> ProbabilityPath | None:
    """What the trainer inside the generator of `train` learns."""
    found = inspect.getgeneratorlocals(training).get("trainer") if inspect.isgenerator(training) else None
    return found.path if isinstance(found, Trainer) else None


class _Screen:
    """The picture of one training: displayed with the first snapshot, renewed with the others."""

    def __init__(self, path: ProbabilityPath, language: Language) -> None:
        self.path, self.language = path.to("cpu").to(torch.float32), language
        self._make = player_class()
        self.player: Player | None = None
        self._truths: dict[Resolution, Truth] = {}

    def put(self, snapshot: Snapshot, finest: Resolution) -> float:
        """Show a snapshot; the seconds that it took, without what only the first one costs."""
        resolution = affordable(snapshot.model, self.path.n_pairs, finest)
        if resolution not in self._truths:
            self._truths[resolution] = compared(self.path, resolution)
        start = time.perf_counter()
        picture = Picture(worded(learned_clip(self._truths[resolution], snapshot.model), self.language), self.path)
        if self.player is not None:
            self.player.put(picture)
            return time.perf_counter() - start
        took = time.perf_counter() - start
        self.player = self._make(picture, language=self.language, playing=True, read_only=True)
        from IPython.display import display

        display(self.player)  # type: ignore[no-untyped-call]
        return took


def _in_notebook() -> bool:
    """Whether what is displayed is seen: in a kernel of Jupyter, or in marimo, which has no such kernel and a `display` of its own."""
    marimo = sys.modules.get("marimo")
    if marimo is not None and marimo.running_in_notebook():
        return True
    try:
        from IPython.core.getipython import get_ipython
    except ModuleNotFoundError:
        return False
    shell = get_ipython()
    return shell is not None and getattr(shell, "kernel", None) is not None
