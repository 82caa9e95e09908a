"""The page that Streamlit serves to every browser, with the shell's style in it from the start.

A style that came with the first run of the script would move what is on the page already, and until then visitors would
see the frame of another app.
"""

from __future__ import annotations

from importlib.resources import files

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["FRONT", "StyledFront"]

ROOT = b'<div id="root">'


class StyledFront:
    """ASGI middleware that puts a style sheet into every HTML document, before the element that the app lives in."""

    def __init__(self, app: ASGIApp, style: str) -> None:
        self._app = app
        self._style = f"<style>{style}</style>".encode()

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
            body = body.replace(ROOT, self._style + ROOT, 1)
            MutableHeaders(raw=start["headers"])["content-length"] = str(len(body))
            await send(start)
            await send({"type": "http.response.body", "body": body})

        await self._app(dict(scope, headers=plain), receive, styled)


FRONT = Middleware(StyledFront, style=(files("fmviz.app") / "css" / "shell.css").read_text(encoding="utf-8"))
"""For `st.App`."""
