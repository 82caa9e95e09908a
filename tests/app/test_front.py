"""The document that the browser gets first: it has the shell's style, and nothing else is touched."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import streamlit
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message

from fmviz.app.front import FONTS, FRONT, StyledFront

DOCUMENT = f'<body>{"<p>text</p>" * 200}<div id="root"></div></body>'


async def document(_: Request) -> Response:
    return HTMLResponse(DOCUMENT)


async def plain(_: Request) -> Response:
    return PlainTextResponse(DOCUMENT)


LAYERS = [Middleware(StyledFront, style="p { margin: 0 }", extra={"far": "<i>more</i>"}), Middleware(GZipMiddleware)]
APP = Starlette(routes=[Route("/", document), Route("/under/far", document), Route("/plain", plain)], middleware=LAYERS)


def ask(path: str, accept: str, *, encoding: str = "") -> tuple[Headers, str]:
    """Headers and text of an answer."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"accept", accept.encode()), (b"accept-encoding", encoding.encode())]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers}
    asyncio.run(APP(scope, receive, send))
    return Headers(raw=sent[0]["headers"]), b"".join(message["body"] for message in sent[1:]).decode()


def test_a_document_has_the_style_before_the_element_of_the_app() -> None:
    headers, text = ask("/", "text/html,*/*", encoding="gzip")
    assert text == DOCUMENT.replace('<div id="root">', '<style>p { margin: 0 }</style><div id="root">')
    assert int(headers["content-length"]) == len(text)


def test_what_is_no_document_or_not_asked_for_as_one_stays_as_it_is() -> None:
    assert ask("/plain", "text/html")[1] == DOCUMENT
    assert ask("/", "application/json")[1] == DOCUMENT


def test_the_style_of_the_app_cannot_end_its_element() -> None:
    assert "</" not in FRONT.kwargs["style"]


def test_a_page_may_have_more_there_than_the_others() -> None:
    _, text = ask("/under/far", "text/html")
    assert text.replace("<i>more</i>", "") == ask("/", "text/html")[1]
    assert '</style><i>more</i><div id="root">' in text


def test_theory_asks_for_the_script_and_the_fonts_that_streamlit_has() -> None:
    folder = Path(streamlit.__file__).parent / "static" / "static"
    asked = FRONT.kwargs["extra"]["theory"]
    (script,) = re.findall(r'<link rel="modulepreload" crossorigin href="./static/([^"]+)">', asked)
    assert (folder / script).is_file()
    style = "".join(path.read_text(encoding="utf-8") for path in folder.glob("css/*.css"))
    for font in FONTS:
        assert f"font-family:{font.split()[-1]};" in style
        assert json.dumps(font) in asked
