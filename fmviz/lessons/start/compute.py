"""The picture of the start page, computed once for all sessions."""

from __future__ import annotations

from dataclasses import replace

from fmviz.app.catalogue import translate
from fmviz.app.clips import conditional_point, costly, grid_of, labels, marginal_panel
from fmviz.cache import shared
from fmviz.clips import paths
from fmviz.clips.clip import Clip
from fmviz.clips.laws import law_of
from fmviz.clips.paths import Sent
from fmviz.scene import Scene, scenes
from fmviz.scene.views import Language
from fmviz.stage.payload import View, encode

__all__ = ["payload"]


@shared
def payload(scene: Scene, view: View, language: Language, sent: Sent = frozenset(), *, draft: bool = False) -> bytes:
    """The stage of the start page: the marginal path alone, with those of its simulated layers that are `sent`; a `draft` may do without trajectories."""
    panel = replace(
        marginal_panel(scene, sent, draft=draft and costly(scene)),
        title=translate(language, "start.marginal"),
        clickable=False,
    )
    grid = grid_of(scene)
    path = scenes.path(scene)
    readouts = paths.readouts(path, scenes.sigma(scene), grid)
    law = law_of(path, conditional_point(scene, None), follows=True)
    clip = Clip(paths.as_array(grid.times()), (panel,), readouts, law=law)
    return encode(clip, labels(language), view)
