"""The pictures of the page Dictionary, each computed once: pure functions of frozen arguments."""

from __future__ import annotations

from dataclasses import replace

import torch

from fmviz.app.catalogue import translate
from fmviz.app.choices import State
from fmviz.app.clips import labels
from fmviz.cache import shared
from fmviz.clips.clip import Clip, Extent, Floats, PlanePanel, Readout
from fmviz.clips.paths import as_array
from fmviz.lessons.dictionary.compute import clocks
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
from fmviz.scene.views import Language
from fmviz.stage.payload import View, encode

__all__ = ["clock", "frames", "gaussian", "payload"]

Event = tuple[float, float, float]


def gaussian(scene: Scene) -> Scene:
    """The scene with what a dialect does not see at its default: source, schedule, diffusion coefficient."""
    plain = Scene()
    unseen = ("init", "init_components", "scheduler", "exponent", "alpha", "beta", "sigma", "amplitude", "seed_network")
    return scene.model_copy(update={name: getattr(plain, name) for name in unseen})


def clock() -> Floats:
    """The times of the clip: the share of the steps that have been made."""
    return as_array(torch.linspace(0.0, 1.0, FRAMES))


def frames(view: Settings) -> tuple[Frames, Frames]:
    """The frames of A and B."""
    return pair_of_frames(*chosen(view), aligned=view.aligned)


def payload(now: State, view: View) -> bytes:
    """The picture of the part that is shown."""
    own = now.dictionary
    return _clocks(gaussian(now.scene), own.model_copy(update=_UNSEEN), view, now.shell.language)


_UNSEEN = {name: getattr(Settings(), name) for name in ("view", "target", "amplitude", "steps", "layers")}
"""What the picture of two clocks does not depend on."""


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
        for symbol, values in (("s", moment.times), ("λ", moment.log_snr.clamp(-99.0, 99.0)))
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
