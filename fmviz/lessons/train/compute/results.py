"""The stage of the page Train: exact, learned and error, coarser while a network trains."""

from __future__ import annotations

from dataclasses import replace

from fmviz.app.catalogue import translate
from fmviz.app.clips import labels
from fmviz.cache import shared
from fmviz.clips.clip import Density, PlanePanel
from fmviz.clips.extents import extent
from fmviz.clips.learned import Resolution, Truth, affordable, learned_clip, truth
from fmviz.clips.paths import Starts
from fmviz.learning import LearnedModel
from fmviz.scene import Scene, scenes
from fmviz.scene.views import Language
from fmviz.stage.payload import View, encode

__all__ = ["payload"]


@shared
def _truth(scene: Scene, resolution: Resolution) -> Truth:
    starts = Starts(scene.count, scene.seed_start, scene.seed_noise)
    return truth(scenes.path(scene), extent(scene), starts, resolution)


def payload(scene: Scene, model: LearnedModel, finest: Resolution, view: View, language: Language) -> bytes:
    """The stage for one network, as fine as `finest` if the network is not too large for that."""
    # Nothing here depends on the SDE, so a change of sigma_t costs nothing.
    seen = scenes.learned_part(scene).model_copy(update={"count": scene.count, "seed_start": scene.seed_start})
    return _payload(seen, model, finest, view, language)


@shared
def _payload(scene: Scene, model: LearnedModel, finest: Resolution, view: View, language: Language) -> bytes:
    path = scenes.path(scene)
    clip = learned_clip(_truth(scene, affordable(model, path.n_pairs, finest)), model)
    titled = (_worded(panel, language) for panel in clip.panels if isinstance(panel, PlanePanel))
    return encode(replace(clip, panels=tuple(titled)), labels(language), view)


def _worded(panel: PlanePanel, language: Language) -> PlanePanel:
    error = translate(language, "layer.error")
    layers = (replace(la, label=error) if isinstance(la, Density) and la.name == "error" else la for la in panel.layers)
    return replace(panel, title=translate(language, f"train.panel_{panel.name}"), layers=tuple(layers))
