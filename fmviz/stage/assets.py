"""The player's script and style, read once from the files beside this module.

The script is written as plain files, one concept each, that share one scope: joined in the order of `SCRIPTS` they are
one ES module whose last file holds ``export default``. There is no build step. The closed forms in ``js/law`` know no page:
they are the body of one function, which the player calls for itself and whose text it hands to its worker.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

__all__ = ["LAW_SCRIPTS", "SCRIPTS", "bare", "bare_script", "law_script", "script", "style"]

LAW_SCRIPTS = (
    "errors.js",
    "expressions.js",
    "schedules.js",
    "tables.js",
    "paths.js",
    "grids.js",
    "guidance.js",
    "flow.js",
    "scales.js",
    "exports.js",
)

SCRIPTS = (
    "decode.js",
    "theme.js",
    "dom.js",
    "symbols.js",
    "layout.js",
    "zoom.js",
    "glide.js",
    "law.js",
    "worker.js",
    "raster.js",
    "axes.js",
    "ground.js",
    "density.js",
    "signed.js",
    "contours.js",
    "vectors.js",
    "particles.js",
    "marks.js",
    "mesh.js",
    "box.js",
    "mathml.js",
    "bars.js",
    "draw.js",
    "clock.js",
    "controls.js",
    "messages.js",
    "mixture.js",
    "slider.js",
    "toolbar.js",
    "local.js",
    "pointer.js",
    "keys.js",
    "export.js",
    "present.js",
    "ink.js",
    "pair.js",
    "main.js",
)


@cache
def script() -> str:
    """The whole player as one ES module."""
    folder = files("fmviz.stage") / "js"
    return "\n".join([law_script(), *((folder / name).read_text(encoding="utf-8") for name in SCRIPTS)])


@cache
def bare_script() -> str:
    """The same as `bare` has it, for a file that is handed on."""
    return bare(script())


def bare(source: str) -> str:
    """A script without indentation and without the comments that stand on lines of their own.

    No text in the script may run over several lines: its indentation would be lost.
    """
    plain = re.sub(r"^[ \t]*(?://[^\n]*|/\*\*.*?\*/[ \t]*)\n", "", source, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^[ \t]+", "", plain, flags=re.MULTILINE)


@cache
def law_script() -> str:
    """The closed forms: a function `lawModules`, and ``LAW``, the object of what it makes."""
    folder = files("fmviz.stage") / "js" / "law"
    body = "\n".join((folder / name).read_text(encoding="utf-8") for name in LAW_SCRIPTS)
    return f"function lawModules() {{\n{body}}}\nconst LAW = lawModules();\n"


@cache
def style() -> str:
    """The player's style sheet."""
    return (files("fmviz.stage") / "js" / "stage.css").read_text(encoding="utf-8")
