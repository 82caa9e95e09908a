"""The page that Streamlit serves to every browser, with the shell's style in it from the start.

A style that came with the first run of the script would move what is on the page already, and until then visitors would
see the frame of another app. The page Theory, which is all formulas, also asks for what typesets them at once rather than
when the browser meets the first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import streamlit
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["FONTS", "FRONT", "StyledFront"]

ROOT = b'<div id="root">'


FONTS = (
    "1em KaTeX_Main",
    "italic 1em KaTeX_Math",
    *(f"1em KaTeX_{name}" for name in ("AMS", "Size1", "Size2", "Caligraphic")),
)
"""In which the formulas of the page Theory are set; the style sheet of Streamlit says where they are."""


class StyledFront:
    """ASGI middleware that puts a style sheet into every HTML document, before the element that the app lives in.

    Args:
        app: what answers.
        style: the style sheet.
        extra: for the last part of an address what else its document has there.
    """

    def __init__(self, app: ASGIApp, style: str, extra: Mapping[str, str] | None = None) -> None:
        self._app = app
        self._style = f"<style>{style}</style>".encode()
        self._extra = {page: markup.encode() for page, markup in (extra or {}).items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; all but documents pass untouched."""
        if scope["type"] != "http" or "text/html" not in Headers(scope=scope).get("accept", ""):
            await self._app(scope, receive, send)
            return
        # A document is small, and a compressed one could not be read.
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        held: list[Message] = []

        async def styled(message: Message) -> None:
            if message["type"] == "http.response.start":
                if "text/html" in Headers(raw=message["headers"]).get("content-type", ""):
                    held.append(message)
                else:
                    await send(message)
                return
            if not held:
                await send(message)
                return
            held.append(message)
            if message.get("more_body"):
                return
            start, body = held[0], b"".join(part.get("body", b"") for part in held[1:])
            extra = self._extra.get(scope["path"].rstrip("/").rpartition("/")[2], b"")
            body = body.replace(ROOT, self._style + extra + ROOT, 1)
            MutableHeaders(raw=start["headers"])["content-length"] = str(len(body))
            await send(start)
            await send({"type": "http.response.body", "body": body})

        await self._app(dict(scope, headers=plain), receive, styled)


def _typesetting() -> str:
    """Markup that asks for what typesets formulas: the fonts, and the script of this version of Streamlit."""
    folder = Path(streamlit.__file__).parent / "static" / "static"
    scripts = (path.relative_to(folder).as_posix() for path in sorted(folder.glob("js/rehype-katex.*.js")))
    links = "".join(f'<link rel="modulepreload" crossorigin href="./static/{script}">' for script in scripts)
    return f"{links}<script>for (const font of {json.dumps(FONTS)}) document.fonts.load(font);</script>"


FRONT = Middleware(
    StyledFront,
    style=(files("fmviz.app") / "css" / "shell.css").read_text(encoding="utf-8"),
    extra={"theory": _typesetting()},
)
"""For `st.App`."""
