"""The printable sheet: the six formulas of lecture 2, each with its live picture of the scene (T12 to T19).

It is a stage of its own below the lesson, opened by a switch that is in the link. While it is open the browser prints the
sheet and nothing else, on one page.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path

import streamlit as st

from fmviz.app import bound
from fmviz.app.catalogue import translate
from fmviz.app.choices import State
from fmviz.app.clips import conditional_point, labels
from fmviz.app.explain import explain
from fmviz.app.i18n import tr
from fmviz.cache import shared
from fmviz.clips.extents import extent
from fmviz.clips.paths import Grid
from fmviz.errors import FmvizError
from fmviz.lessons.conservation.compute.summary import LAYERS, NAMES, summary_clip
from fmviz.scene import Scene, scenes
from fmviz.scene.views import Language
from fmviz.stage.component import stage
from fmviz.stage.payload import View, encode
from fmviz.stage.standalone import standalone_html

__all__ = ["sheet"]

FRAMES, CELLS, ARROWS = 41, 56, 13
KEY = "summary_sheet"
WIDTH = 1000
"""Pixels: the width of A4 in landscape between its margins, of which 96 make an inch, is 1062."""
Point = tuple[float, float]
PRINT_STYLE = f"""<style>
@media print {{
  html {{ print-color-adjust: exact; }}
  @page {{ size: A4 landscape; margin: 8mm; }}
  [data-testid="stHeader"], [data-testid="stSidebar"],
  [data-testid="stMainBlockContainer"] > [data-testid="stVerticalBlock"] > :not(:has(.st-key-{KEY})) {{ display: none !important; }}
  .stApp, .stApp :has(.st-key-{KEY}) {{ position: static !important; height: auto !important; overflow: visible !important; }}
  [data-testid="stMainBlockContainer"] {{ padding: 0 !important; max-width: none !important; }}
}}
</style>"""


def sheet(current: State) -> None:
    """The switch, and the sheet while it is on."""
    if current.shell.present:
        return
    with st.container(key="summary_tools"):
        bound.switch("conservation", "sheet", tr("conservation_summary.open"))
    if not current.conservation.sheet:
        return
    st.html(PRINT_STYLE)
    z = conditional_point(current.scene, current.conservation.z)
    try:
        payload = _payload(current.scene, z, current.clock.t, current.shell.language)
    except FmvizError as error:
        st.error(explain(error))
        return
    with st.container(key=KEY, width=WIDTH):
        st.subheader(tr("conservation_summary.title"), anchor=False)
        stage(payload, key="summary_stage")
    with st.container(key="summary_download"):
        st.caption(tr("conservation_summary.what"))
        title, language = tr("conservation_summary.title"), current.shell.language
        st.download_button(
            tr("conservation_summary.download"),
            lambda: standalone_html(payload, title, language, width=WIDTH).encode(),
            "fmviz-summary.html",
            "text/html",
            icon=":material/print:",
            help=tr("conservation_summary.download_help"),
            key="summary_standalone",
            on_click="ignore",
        )


@lru_cache(maxsize=1)
def _formulas() -> dict[str, dict[str, str]]:
    """MathML of each panel, for a standard Gaussian source and for a general one."""
    with (Path(__file__).parents[1] / "summary_formulas.toml").open("rb") as file:
        table = tomllib.load(file)
    general = table.pop("general")
    return {"gaussian": table, "general": table | general}


@shared
def _payload(scene: Scene, z: Point, t: float, language: Language) -> bytes:
    formulas = _formulas()["gaussian" if scene.gaussian_source else "general"]
    texts = {name: (translate(language, f"conservation_summary.{name}"), formulas[name]) for name in NAMES}
    grid = Grid(extent(scene), frames=FRAMES, cells=CELLS, arrows=ARROWS)
    clip = summary_clip(scenes.path(scene), scenes.sigma(scene), z, grid, texts)
    view = View(t=t, playing=t == 0.0, layers_on=LAYERS)
    return encode(clip, labels(language), view)
