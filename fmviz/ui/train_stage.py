"""The stage of the page Train: exact, learned and error, coarser while a network trains."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from fmviz import scenes
from fmviz.clips import learned
from fmviz.clips.clip import Clip
from fmviz.clips.paths import Starts
from fmviz.learning import LearnedModel
from fmviz.specs import Scene
from fmviz.specs.views import Language
from fmviz.stage.payload import Labels, View, encode
from fmviz.ui.i18n import section, translate

__all__ = ["payload"]


@lru_cache(maxsize=12)
def _truth(scene: Scene, live: bool) -> learned.Truth:
    starts = Starts(scene.count, scene.seed_start, scene.seed_noise)
    return learned.truth(scenes.path(scene), scenes.extent(scene), starts, learned.LIVE if live else learned.STILL)


@lru_cache(maxsize=12)
def payload(scene: Scene, model: LearnedModel, live: bool, view: View, language: Language) -> bytes:
    """The stage for one network; `live` takes the coarse picture that can be made several times a second."""
    clip = learned.learned_clip(_truth(scene, live), model)
    titled = (replace(p, title=translate(language, f"train.panel_{p.name}")) for p in clip.panels)
    return encode(Clip(clip.times, tuple(titled), clip.readouts), _labels(language), view)


@lru_cache(maxsize=4)
def _labels(language: Language) -> Labels:
    return Labels.from_mapping(section(language, "stage"), section(language, "layer"))
