"""The script of the widget: the player of the stage and the few lines that put it into a notebook, one ES module."""

from __future__ import annotations

__all__ = ["widget_script"]

import json
from functools import cache
from importlib.resources import files

from fmviz.stage.assets import bare, script, style
from fmviz.stage.standalone import theme_variables

ENTRY = "export default function stage("


@cache
def widget_script() -> str:
    """What anywidget loads. The player's entry becomes a function of the same scope, and the widget's the only export."""
    player = script()
    if player.count(ENTRY) != 1:
        raise ValueError("the player's script must export its entry once")
    own = (files("fmviz.notebook") / "widget.js").read_text(encoding="utf-8")
    return bare("\n".join([player.replace(ENTRY, "function stage("), f"const STYLE = {json.dumps(_style())};", own]))


def _style() -> str:
    fonts = '--st-font: system-ui, "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif;'
    light, dark = theme_variables("light"), theme_variables("dark")
    return f":host {{ display: block; {light} {fonts} }} :host(.dark) {{ {dark} }} {style()}"
