"""The pictures of the page Dictionary, each computed once: pure functions of frozen arguments."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean
from typing import Literal

import torch
from torch import Tensor

from fmviz.app.catalogue import translate
from fmviz.app.choices import State
from fmviz.app.clips import labels
from fmviz.app.network import Learned
from fmviz.cache import shared
from fmviz.clips.clip import Clip, Extent, Floats, PlanePanel, Readout
from fmviz.clips.paths import as_array
from fmviz.lessons.dictionary.compute import clocks, forward, steps
from fmviz.lessons.dictionary.compute.forward import Denoise, Way
from fmviz.lessons.dictionary.compute.frames import (
    FRAMES,
    Frames,
    chosen,
    dialect_of,
    linear_path,
    pair_of_frames,
    trajectories,
)
from fmviz.lessons.dictionary.settings import BetasName, DialectName, Settings
from fmviz.scene import Scene, scenes
from fmviz.scene.scene import NOISE_STREAM
from fmviz.scene.views import Language
from fmviz.stage.payload import View, encode
from fmviz.theory.metrics import sliced_wasserstein

__all__ = ["clock", "distances", "frames", "gaussian", "payload", "span", "usable", "way_distances", "ways"]

REFERENCE_STREAM = 3_000_017
"""Added to the seed of the starting points for exact data that no particle has seen."""
PAIRS = 4
"""Sets of exact data that a distance is averaged over, and pairs of them that the baseline is."""


def gaussian(scene: Scene) -> Scene:
    """The scene with what a dialect does not see at its default: source, schedule, diffusion coefficient."""
    unseen = ("init", "init_components", "scheduler", "exponent", "alpha", "beta")
    return scenes.at_default(scenes.without_sigma(scene), *unseen)


def clock() -> Floats:
    """The times of the clip: the share of the steps that have been made."""
    return as_array(torch.linspace(0.0, 1.0, FRAMES))


def span(view: Settings) -> float:
    """The last time of the clip: the clock of the second part goes out and back."""
    return 2.0 if view.view == "forward" else 1.0


def frames(view: Settings) -> tuple[Frames, Frames]:
    """The frames of A and B."""
    return pair_of_frames(*chosen(view), aligned=view.aligned)


def payload(now: State, view: View, network: Learned | None = None) -> bytes:
    """The picture of the part that is shown, in the second with a reversal by the network as well."""
    own = now.dictionary
    if own.view == "forward":
        return _forward(now.scene, own.model_copy(update=_UNSEEN_FORWARD), usable(network), view, now.shell.language)
    if own.view == "steps":
        return _steps(gaussian(now.scene), own.model_copy(update=_UNSEEN_STEPS), view, now.shell.language)
    return _clocks(gaussian(now.scene), own.model_copy(update=_UNSEEN), view, now.shell.language)


_UNSEEN = {
    name: getattr(Settings(), name) for name in ("view", "target", "amplitude", "steps", "levels", "search", "layers")
}
"""What the picture of two clocks does not depend on."""


_UNSEEN_FORWARD = {
    name: getattr(Settings(), name)
    for name in ("b", "aligned", "scale", "click", "target", "steps", "levels", "search", "layers")
}


_UNSEEN_STEPS = {
    name: getattr(Settings(), name)
    for name in ("b", "aligned", "scale", "click", "target", "amplitude", "search", "layers")
}


def usable(network: Learned | None) -> Learned | None:
    """A network that predicts the data, which takes a Gaussian source."""
    return network if network is not None and network.model.gaussian_source else None


@shared
def ways(scene: Scene, own: Settings, network: Learned | None, language: Language) -> tuple[Tensor, tuple[Way, ...]]:
    """The forward process on the frames, data first, and each way back on them, noise first."""
    dialect, data = dialect_of(own.a, own.betas, own.shift), scenes.mixture(scene, "data")
    out = forward.forward(
        forward.grid(dialect, forward.FRAMES - 1), data, scene.count, torch.Generator().manual_seed(scene.seed_start)
    )
    fine = forward.grid(dialect, forward.STEPS * (forward.FRAMES - 1))

    def back(name: Literal["sde", "ode", "learned"], denoise: Denoise, amplitude: float, title: str) -> Way:
        noise = torch.Generator().manual_seed(NOISE_STREAM + scene.seed_noise)
        positions = forward.back(fine, denoise, out[-1], amplitude, noise)[:: forward.STEPS]
        return Way(name, name, title, positions)

    exact = forward.exact(data, dialect)
    kind: Literal["sde", "ode"] = "ode" if own.amplitude == 0.0 else "sde"
    key = "dictionary.way_ode" if kind == "ode" else "dictionary.way_other"
    found = [
        back("sde", exact, 1.0, translate(language, "dictionary.way_reversal")),
        back(kind, exact, own.amplitude, translate(language, key, a=f"{own.amplitude:g}")),
    ]
    if network is not None:
        predicted = forward.learned(network.model, scenes.scheduler(scene), dialect)
        title = translate(language, "dictionary.way_learned", step=network.step)
        found.append(back("learned", predicted, 1.0, title))
    return out, tuple(found)


@shared
def _forward(scene: Scene, own: Settings, network: Learned | None, view: View, language: Language) -> bytes:
    dialect = dialect_of(own.a, own.betas, own.shift)
    out, found = ways(scene, own, network, language)
    return encode(forward.clip(linear_path(scene), dialect, out, found), labels(language), view)


@shared
def _steps(scene: Scene, own: Settings, view: View, language: Language) -> bytes:
    dialect, data = dialect_of(own.a, own.betas, own.shift), scenes.mixture(scene, "data")
    chain = steps.chain_of(dialect, own.steps, own.levels)
    even = steps.chain_of(dialect, steps.FRAMES - 1, own.levels)
    frames = Frames(dialect, even.times.flip(0), even.alpha.flip(0), even.beta.flip(0))
    x = chain.prior_std * torch.randn(scene.count, 2, generator=torch.Generator().manual_seed(scene.seed_start))
    runs = steps.run(data, dialect, chain, x, NOISE_STREAM + scene.seed_noise)
    titles = {name: translate(language, f"dictionary.samplers.{name}") for name in steps.SAMPLERS}
    return encode(steps.clip(linear_path(scene), chain, frames, runs, titles), labels(language), view)


@shared
def _clocks(scene: Scene, own: Settings, view: View, language: Language) -> bytes:
    a, b = frames(own)
    common = own.scale == "common"
    data = scenes.mixture(scene, "data")
    extents = [clocks.extent_of(data, moment, common=common) for moment in (a, b)]
    if common:
        extents = [max(extents, key=lambda extent: extent.x1)] * 2
    path = linear_path(scene)
    panels = []
    for side, name, moment, extent in zip("ab", (own.a, own.b), (a, b), extents, strict=True):
        # Where A and B are lined up, B's frames follow from A.
        leader = own.a if own.aligned and side == "b" else name
        shown = _panel(scene, side, name, leader, own.betas, own.shift, extent, common=common)
        if own.click is not None:
            shown = replace(
                shown, layers=(*shown.layers, *clocks.clicked_layers(path, own.click, moment, extent, common=common))
            )
        panels.append(replace(shown, title=f"{side.upper()} · {translate(language, f'dictionary.dialects.{name}')}"))
    numbers = tuple(
        Readout(f"{symbol} {side}", as_array(values))
        for side, moment in (("A", a), ("B", b))
        for symbol, values in (("s", moment.times), ("λ", moment.log_snr))
    )
    return encode(Clip(clock(), tuple(panels), numbers), labels(language), view)


@shared
def _panel(
    scene: Scene,
    side: str,
    name: DialectName,
    leader: DialectName,
    betas: BetasName,
    shift: float,
    extent: Extent,
    *,
    common: bool,
) -> PlanePanel:
    own, first = dialect_of(name, betas, shift), dialect_of(leader, betas, shift)
    moment = (
        pair_of_frames(first, own, aligned=True)[1] if leader != name else pair_of_frames(own, own, aligned=False)[0]
    )
    return clocks.panel(side, linear_path(scene), trajectories(scene), moment, extent, common=common)


def way_distances(now: State, network: Learned | None) -> tuple[float, tuple[tuple[str, float], ...]]:
    """`distances` of the picture that is shown."""
    own = now.dictionary.model_copy(update=_UNSEEN_FORWARD)
    return distances(now.scene, own, usable(network), now.shell.language)


@shared
def distances(
    scene: Scene, own: Settings, network: Learned | None, language: Language
) -> tuple[float, tuple[tuple[str, float], ...]]:
    """Mean sliced Wasserstein-2 distance to exact data: of other exact data, and of where each way back ends."""
    data = scenes.mixture(scene, "data")
    generator = torch.Generator().manual_seed(REFERENCE_STREAM + scene.seed_start)
    references = [data.sample(scene.count, generator=generator) for _ in range(2 * PAIRS)]

    def distance(samples: Tensor) -> float:
        return fmean(float(sliced_wasserstein(samples, other)) for other in references[:PAIRS])

    pairs = zip(references[:PAIRS], references[PAIRS:], strict=True)
    floor = fmean(float(sliced_wasserstein(one, other)) for one, other in pairs)
    _, found = ways(scene, own, network, language)
    return floor, tuple((way.title, distance(way.positions[-1])) for way in found)
