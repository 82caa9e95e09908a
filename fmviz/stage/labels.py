"""Every text that the stage shows, in the user's language: the player itself knows no words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from fmviz.errors import ParameterError

__all__ = ["Labels"]


@dataclass(frozen=True)
class Labels:
    """Every text that the stage shows, in the user's language. ``{}`` names are filled in by the browser.

    Attributes:
        layers: layer name (and trail name) to the text on its chip.
        clock: such as ``"t = {t}"``.
        component: such as ``"Component {k} of {n}: mean ({x}, {y}), weight {w}"``.
        marker: such as ``"{name} at ({x}, {y})"``.
        box: such as ``"{name}: x from {x0} to {x1}, y from {y0} to {y1}, mass {mass}, out {left}, {right}, {bottom}, {top}"``.
        panel: such as ``"{title}: {x} from {x0} to {x1}, {y} from {y0} to {y1}"``; x and y are what the axes are called.
    """

    layers: Mapping[str, str]
    stage: str
    summary: str
    play: str
    pause: str
    back: str
    forward: str
    time: str
    clock: str
    speed: str
    loop: str
    layers_group: str
    density_group: str
    density: str
    signed_group: str
    signed: str
    scale_linear: str
    scale_sqrt: str
    scale_log: str
    signed_sqrt: str
    signed_log: str
    scale_all: str
    scale_frame: str
    png: str
    record: str
    stop: str
    no_recording: str
    pen: str
    laser: str
    fullscreen: str
    exit_fullscreen: str
    help: str
    close: str
    panel: str
    component: str
    marker: str
    box: str
    edit_group: str
    add: str
    add_hint: str
    delete: str
    undo: str
    heavier: str
    lighter: str
    key_play: str
    key_dark_room: str
    key_controls: str
    key_frames: str
    key_ten_frames: str
    key_ends: str
    key_zoom: str
    key_pan: str
    key_all: str
    key_fullscreen: str
    key_layers: str
    key_values: str
    key_pen: str
    key_laser: str
    key_move: str
    key_weight: str
    key_size: str
    key_turn: str
    key_delete: str
    key_undo: str
    key_add: str
    key_box: str
    key_box_size: str

    @classmethod
    def from_mapping(cls, texts: Mapping[str, str], layers: Mapping[str, str]) -> Labels:
        """Labels from a locale section whose keys are the field names.

        Raises:
            ParameterError: a field has no text, or a text no field.
        """
        wanted = cls.text_names()
        if set(texts) != set(wanted):
            odd = sorted(set(texts) ^ set(wanted))
            raise ParameterError("texts", "one text for each field of Labels", odd)
        return cls(layers=dict(layers), **{name: texts[name] for name in wanted})

    @classmethod
    def text_names(cls) -> tuple[str, ...]:
        """The names of all texts but `layers`: the keys a locale file must have."""
        return tuple(f.name for f in dataclasses.fields(cls) if f.name != "layers")
