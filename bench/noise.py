"""The clips of the page Noise at default settings, on one thread, as they are sent to the browser."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import torch

from bench.report import Row, at_most, median_ms, note
from fmviz.app.choices import State
from fmviz.lessons.noise.compute import evidence, results
from fmviz.lessons.noise.settings import PROCESSES, ProcessName
from fmviz.lessons.noise.settings import Settings as NoiseSettings
from fmviz.scene import Scene
from fmviz.stage.payload import View

__all__ = ["rows"]

LIMIT = 150


def rows() -> Iterator[Row]:
    """Each view with noise that was never drawn before, so that nothing is taken from a cache; then the slow numbers."""
    torch.set_num_threads(1)
    seeds = itertools.count(1000)

    def build(process: ProcessName) -> bytes:
        scene = Scene(seed_noise=next(seeds))
        return results.payload(State(scene=scene, noise=NoiseSettings(process=process)), View())

    for process in PROCESSES:
        (took,) = median_ms(lambda process=process: build(process))  # type: ignore[misc]
        yield at_most(f"clip of {process}, simulated and encoded", took, "ms", LIMIT)
    (took,) = median_ms(lambda: evidence.orders(next(seeds)), repeats=3)
    yield at_most("orders of Euler-Maruyama, two equations, five step counts", took, "ms", 500)
    yield note("bytes of the largest clip", max(len(build(process)) for process in PROCESSES) / 1024, "KiB")
