"""The player and one clip as a single HTML page, to be dropped into slides or opened from a folder without a network."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fmviz.charts.palette import ROLE_COLOURS
from fmviz.clips.clip import Schedule
from fmviz.stage.assets import bare_script, style
from fmviz.stage.layers import schedule_entry
from fmviz.stage.payload import decode_header, packed

__all__ = ["Choices", "standalone_html", "theme_variables"]


@dataclass(frozen=True)
class Choices:
    """What a page without a server can show beside the clip it was made from.

    Attributes:
        data_label, schedule_label: what the two lists are called.
        data: name to components (K, 6), as in `fmviz.clips.clip.Law`.
        schedules: name to schedule.
    """

    data_label: str
    schedule_label: str
    data: Mapping[str, NDArray[np.float64]]
    schedules: Mapping[str, Schedule]


def standalone_html(payload: bytes, title: str, lang: str, *, choices: Choices | None = None, width: int = 1600) -> str:
    """A self-contained page that plays `payload`. It prints on one sheet, in landscape, on white.

    With `choices` a clip whose law follows can be changed: its components and z are dragged, data and schedule chosen, and the
    page computes everything itself, the trajectories of the ODE included. Otherwise nothing on it can be edited.

    Args:
        payload: what `fmviz.stage.payload.encode` returned.
        title: the page's title and heading.
        lang: its language tag, such as ``"en"`` or ``"zh-CN"``.
        choices: other data and schedules.
        width: the stage is at most so many pixels wide; below 1060 it fits on A4 in print.

    Raises:
        ParameterError: `payload` is not a payload of the stage.
    """
    header = decode_header(payload)
    alive = choices is not None and header["law"] is not None and header["law"]["follows"]
    return _PAGE.format(
        lang=html.escape(lang, quote=True),
        title=html.escape(title),
        light=theme_variables("light"),
        dark=theme_variables("dark"),
        style=style(),
        module=bare_script(),
        clip=base64.b64encode(_alone(payload, header) if alive else payload).decode(),
        choices=_json(_choices(choices)) if choices is not None and alive else "null",
        read_only="false" if alive else "true",
        width=width,
    )


def _alone(payload: bytes, header: dict[str, Any]) -> bytes:
    """The payload without what the page computes itself, and without layers that it could not have sent."""
    panels = []
    for panel in header["panels"]:
        if panel["kind"] == "plane":
            layers = [layer for layer in panel["layers"] if layer["kind"] != "absent"]
            panel = panel | {"layers": [layer | {"positions": None} if "way" in layer else layer for layer in layers]}
        panels.append(panel)
    return packed(header | {"panels": panels}, payload)


def _choices(choices: Choices) -> dict[str, Any]:
    def rows(components: NDArray[np.float64]) -> list[list[float]]:
        return [[float(f"{value:.5g}") for value in row] for row in components]

    return {
        "data_label": choices.data_label,
        "schedule_label": choices.schedule_label,
        "data": [{"label": label, "rows": rows(components)} for label, components in choices.data.items()],
        "schedules": [
            {"label": label, "schedule": schedule_entry(schedule)} for label, schedule in choices.schedules.items()
        ],
    }


def _json(value: object) -> str:
    """JSON that may stand inside a script element."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


_GROUND = {
    "light": {"background-color": "#ffffff", "secondary-background-color": "#f3f5f9", "text-color": "#1f2a44"},
    "dark": {"background-color": "#0f1420", "secondary-background-color": "#1a2232", "text-color": "#e6eaf2"},
}
_EDGE = {
    "light": {"border-color": "#d5dae3", "primary-color": "#0b5fc0"},
    "dark": {"border-color": "#333d50", "primary-color": "#6cb2ff"},
}


def theme_variables(theme: str) -> str:
    """Streamlit's theme variables, which this page has to bring along itself."""
    values = {**_GROUND[theme], **_EDGE[theme]}
    for entry in ROLE_COLOURS.values():
        values[f"{entry.name}-color"] = entry.light if theme == "light" else entry.dark
    return " ".join(f"--st-{name}: {value};" for name, value in values.items())


_PAGE = """<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
:root {{ color-scheme: light; {light} --st-base-radius: 8px;
  --st-font: system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ color-scheme: dark; {dark} }} }}
html, body {{ margin: 0; background: var(--st-background-color); color: var(--st-text-color); font-family: var(--st-font); }}
main {{ max-width: {width}px; margin: 0 auto; padding: 16px; }}
h1 {{ font-size: 20px; font-weight: 600; line-height: 28px; margin: 0 0 8px; }}
@page {{ size: A4 landscape; margin: 8mm; }}
@media print {{ html {{ print-color-adjust: exact; }} main {{ padding: 0; margin: 0; }} }}
{style}
</style>
</head>
<body>
<main><h1>{title}</h1><div id="stage"></div></main>
<script id="clip" type="application/octet-stream">{clip}</script>
<script type="module">
{module}
const letters = atob(document.getElementById("clip").textContent);
const data = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
stage({{ data, parentElement: document.getElementById("stage"), readOnly: {read_only}, choices: {choices} }});
</script>
</body>
</html>
"""
