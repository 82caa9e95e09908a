"""The picture of the start page, computed once for all sessions."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from fmviz.app.catalogue import translate
from fmviz.app.clips import grid_of, labels, marginal_panel
from fmviz.clips import paths
from fmviz.clips.clip import Clip
from fmviz.scene import Scene, scenes
from fmviz.scene.views import Language
from fmviz.stage.payload import View, encode

__all__ = ["payload"]


@lru_cache(maxsize=12)
def payload(scene: Scene, view: View, language: Language, *, draft: bool = False) -> bytes:
    """The stage of the start page: the marginal path alone. A `draft` has a coarser density."""
    panel = replace(marginal_panel(scene, draft=draft), title=translate(language, "start.marginal"), clickable=False)
    grid = grid_of(scene)
    clip = Clip(paths.as_array(grid.times()), (panel,), paths.readouts(scenes.path(scene), scenes.sigma(scene), grid))
    return encode(clip, labels(language), view)
