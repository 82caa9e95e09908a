"""The player as a widget of a notebook, by anywidget. It needs the extra ``fmviz[notebook]``."""

from __future__ import annotations

__all__ = ["Player"]

import base64
import math
from dataclasses import replace
from typing import Any

import anywidget
import torch
import traitlets

from fmviz.app.clips import labels
from fmviz.clips.clip import Clip
from fmviz.notebook.cells import Cells
from fmviz.notebook.pictures import Picture, path_picture
from fmviz.notebook.script import loader_script, packed_script
from fmviz.notebook.still import still
from fmviz.scene.views import Language
from fmviz.stage.events import Clicked, Edited, Moved, StageEvents, read
from fmviz.stage.payload import View, encode, layer_names
from fmviz.stage.standalone import standalone_html
from fmviz.theory import GaussianMixture, ProbabilityPath
from fmviz.theory.sigmas import Sigma

CELLS = Cells()


class Player(anywidget.AnyWidget):
    """A moving picture. Its traits can be set and observed.

    When the only cell that shows it runs again, it is closed; displayed once more, it opens anew.

    Attributes:
        t: where the clock stands; while it plays it is told when it stops.
        playing: whether the clock runs.
        clicked: the last clicked point, as `fmviz.stage.events.Clicked`; None before.
        mixture: p_data of a path or the mixture that is shown, as it has been edited; None for other pictures.
        path: the path that is shown, with that p_data; None for other pictures.
    """

    _esm = loader_script()
    script = traitlets.Bytes(b"").tag(sync=True)
    payload = traitlets.Bytes(b"").tag(sync=True)
    t = traitlets.Float(0.0).tag(sync=True)
    playing = traitlets.Bool(False).tag(sync=True)
    read_only = traitlets.Bool(False).tag(sync=True)
    event = traitlets.Dict().tag(sync=True)
    clicked = traitlets.Instance(Clicked, allow_none=True)
    mixture = traitlets.Instance(GaussianMixture, allow_none=True)
    path = traitlets.Instance(ProbabilityPath, allow_none=True)

    def __init__(
        self,
        picture: Picture,
        *,
        language: Language = "en",
        t: float | None = None,
        playing: bool = False,
        alive: bool = False,
        read_only: bool = False,
        particles: int = 300,
        sigma: Sigma | None = None,
    ) -> None:
        """A player of `picture`; if it is `alive`, it is that of its path, and answers to drags and clicks."""
        start = picture.t if t is None else float(t)
        self._language, self._particles, self._sigma, self._alive = language, particles, sigma, alive
        self._click: tuple[float, float, float] | None = None
        self._z: tuple[float, float] | None = None
        self._view = View(t=start, playing=playing)
        self._picture = picture
        super().__init__(
            script=packed_script(),
            payload=self._encoded(picture.clip),
            t=start,
            playing=playing,
            read_only=read_only,
            path=picture.path if alive else None,
            mixture=picture.path.p_data if alive and picture.path is not None else None,
        )
        self.on_msg(self._greeted)

    def put(self, picture: Picture) -> None:
        """Show another picture in the place of this one; clock, zoom and layers stay as they are."""
        self._picture = picture
        self.payload = self._encoded(picture.clip)

    def to_html(self, title: str = "fmviz") -> str:
        """A page of its own that plays the picture, without Python and without a network."""
        return standalone_html(self.payload, title, {"en": "en", "zh": "zh-CN"}[self._language])

    def still(self) -> bytes:
        """A PNG of a few frames."""
        return still(self._picture.clip, self._picture.path)

    def _encoded(self, clip: Clip) -> bytes:
        words = labels(self._language)
        named = {name: words.layers.get(name, name) for name in layer_names(clip)}
        return encode(clip, replace(words, layers=named), self._view)

    @traitlets.validate("t")
    def _within(self, proposal: dict[str, Any]) -> float:
        first, last = float(self._picture.clip.times[0]), float(self._picture.clip.times[-1])
        value = float(proposal["value"])
        if not math.isfinite(value):
            raise traitlets.TraitError(f"t: expected a time from {first:g} to {last:g}, got {value}")
        return min(last, max(first, value))

    # ------------------------------------------------------------- messages

    def _greeted(self, _widget: object, content: object, _buffers: object) -> None:
        if isinstance(content, dict) and content.get("kind") == "hello":
            self.send({"kind": "here"})

    @traitlets.observe("event")
    def _heard(self, change: dict[str, Any]) -> None:
        told = change["new"]
        name = told.get("name")
        if isinstance(name, str):
            self._answer(read({name: told.get("value")}))

    def _answer(self, told: StageEvents) -> None:
        if told.clicked is not None:
            self._click = (told.clicked.x, told.clicked.y, min(1.0, max(0.0, told.clicked.t)))
            self.clicked = told.clicked
            self._redraw()
        if told.edited is not None and told.edited.phase == "done":
            self._edit(told.edited)
        if told.moved is not None and told.moved.phase == "done" and told.moved.name == "z":
            self._move(told.moved)

    def _edit(self, edited: Edited) -> None:
        if edited.mixture == "data" and self.path is not None:
            self.mixture = _mixture(edited, self.path.p_data)

    def _move(self, moved: Moved) -> None:
        self._z = (moved.x, moved.y)
        self._redraw()

    @traitlets.observe("mixture")
    def _followed(self, change: dict[str, Any]) -> None:
        if self.path is not None and change["new"] is not None and change["new"] is not self.path.p_data:
            self.path = replace(self.path, p_data=change["new"])

    @traitlets.observe("path")
    def _taken(self, change: dict[str, Any]) -> None:
        if self._alive and change["new"] is not None and change["new"] is not self._picture.path:
            self.mixture = change["new"].p_data
            self._redraw()

    def _redraw(self) -> None:
        if self._alive and self.path is not None:
            self.put(path_picture(self.path, self._z, self._click, self._language, self._particles, self._sigma))

    # --------------------------------------------------------------- output

    def close(self) -> None:
        """Take the picture out of the front end, with its layout; displayed once more, it opens anew."""
        if self.comm is not None:
            super().close()
            self.__dict__.pop("_repr_mimebundle_", None)  # ipywidgets would not have a closed widget displayed
            self.layout.close()

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        if self.comm is None:
            self.layout.open()
            self.open()
        CELLS.displayed(self)
        found = super()._repr_mimebundle_(**options)
        if found is None:
            return None
        data, metadata = found
        return data | {"image/png": base64.b64encode(self.still()).decode()}, metadata

    def __repr__(self) -> str:
        return f"Player(t={self.t:.3g}, playing={self.playing})"


def _mixture(edited: Edited, before: GaussianMixture) -> GaussianMixture:
    """The mixture of edited rows, in the dtype of the one before; a component of no weight keeps a little."""
    rows = torch.tensor([row[:6] for row in edited.components], dtype=torch.float64)
    weight, x, y, xx, xy, yy = rows.unbind(-1)
    labels = [int(row[6]) for row in edited.components if len(row) == 7]
    return GaussianMixture(
        torch.stack([x, y], -1),
        torch.stack([xx, xy, xy, yy], -1).reshape(-1, 2, 2),
        weight.clamp(min=1e-6),
        torch.tensor(labels) if len(labels) == len(rows) else None,
    ).to(before.dtype)
