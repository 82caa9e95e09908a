"""The script of the widget: the player of the stage and the few lines that put it into a notebook, one ES module, and what loads it."""

from __future__ import annotations

__all__ = ["loader_script", "packed_script", "widget_script"]

import gzip
import hashlib
import json
from functools import cache
from importlib.resources import files

from fmviz.stage.assets import bare, script, style
from fmviz.stage.standalone import theme_variables

ENTRY = "export default function stage("


@cache
def widget_script() -> str:
    """The module that draws. The player's entry becomes a function of the same scope, and the widget's the only export."""
    player = script()
    if player.count(ENTRY) != 1:
        raise ValueError("the player's script must export its entry once")
    return bare(
        "\n".join(
            [player.replace(ENTRY, "function stage("), f"const STYLE = {json.dumps(_style())};", _own("widget.js")]
        )
    )


@cache
def packed_script() -> bytes:
    """The same by gzip, a quarter of the size: it travels with every picture, and is saved with it where a notebook keeps its widgets."""
    return gzip.compress(widget_script().encode(), mtime=0)


@cache
def loader_script() -> str:
    """The module that anywidget loads for every picture; it takes the other one from the picture, once for a page."""
    return bare(_own("loader.js").replace("DIGEST", hashlib.sha256(packed_script()).hexdigest()[:16]))


def _own(name: str) -> str:
    return (files("fmviz.notebook") / name).read_text(encoding="utf-8")


def _style() -> str:
    fonts = '--st-font: system-ui, "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif;'
    light, dark = theme_variables("light"), theme_variables("dark")
    return f":host {{ display: block; {light} {fonts} }} :host(.dark) {{ {dark} }} {style()}"
