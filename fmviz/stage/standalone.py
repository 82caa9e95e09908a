"""The player and one clip as a single HTML page, to be dropped into slides or opened from a folder without a network."""

from __future__ import annotations

import base64
import html

from fmviz.charts.palette import ROLE_COLOURS
from fmviz.stage.assets import script, style
from fmviz.stage.payload import decode_header

__all__ = ["standalone_html"]


def standalone_html(payload: bytes, title: str, lang: str, *, width: int = 1600) -> str:
    """A self-contained page that plays `payload`; nothing on it can be edited. It prints on one sheet, in landscape, on white.

    Args:
        payload: what `fmviz.stage.payload.encode` returned.
        title: the page's title and heading.
        lang: its language tag, such as ``"en"`` or ``"zh-CN"``.
        width: the stage is at most so many pixels wide; what shall fit on A4 keeps below 1060.

    Raises:
        ParameterError: `payload` is none.
    """
    decode_header(payload)
    return _PAGE.format(
        lang=html.escape(lang, quote=True),
        title=html.escape(title),
        light=_variables("light"),
        dark=_variables("dark"),
        style=style(),
        module=script(),
        clip=base64.b64encode(payload).decode(),
        width=width,
    )


_GROUND = {
    "light": {"background-color": "#ffffff", "secondary-background-color": "#f3f5f9", "text-color": "#1f2a44"},
    "dark": {"background-color": "#0f1420", "secondary-background-color": "#1a2232", "text-color": "#e6eaf2"},
}
_EDGE = {
    "light": {"border-color": "#d5dae3", "primary-color": "#0b5fc0"},
    "dark": {"border-color": "#333d50", "primary-color": "#6cb2ff"},
}


def _variables(theme: str) -> str:
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
stage({{ data, parentElement: document.getElementById("stage"), readOnly: true }});
</script>
</body>
</html>
"""
