"""What a browser fetches by itself while something runs: pictures that no run of the script has to carry.

A run of the script costs the browser a pass of React over the page, and the server a thread that competes for the
interpreter, several times what the picture costs. A feed is a path of this server, known to one session only, that
answers with the newest picture; `fmviz/lessons/train/page/js/progress.js` asks it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import struct
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any
from weakref import WeakValueDictionary

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fmviz.runtime import one_worker

__all__ = ["FEED_ROUTES", "Answer", "Feed", "packed"]

FOLDER = "feed"
Answer = Callable[[str], bytes | None]
"""From the tag of the last answer that the browser has ("" at first) to the next one, None if there is nothing new."""


class Feed:
    """The feed of one session, gone with it.

    Attributes:
        path: relative to the address of any page of the app.
    """

    def __init__(self) -> None:
        token = secrets.token_urlsafe(24)
        self.path = f"{FOLDER}/{token}"
        self._answer: Answer = lambda tag: None
        self._asked = 0.0
        _FEEDS[token] = self

    def serve(self, answer: Answer) -> None:
        """From now on `answer` answers, in a thread that knows no session."""
        self._answer = answer
        self.heard()

    def silent_for(self) -> float:
        """Seconds since a browser last asked or was answered, or since `serve`."""
        return time.monotonic() - self._asked

    def heard(self) -> None:
        """Notes that the browser asked or was answered; with many browsers an answer may take long."""
        self._asked = time.monotonic()

    def ask(self, tag: str) -> bytes | None:
        """The next answer."""
        return self._answer(tag)


_FEEDS: WeakValueDictionary[str, Feed] = WeakValueDictionary()


def packed(header: dict[str, Any], picture: bytes = b"") -> bytes:
    """An answer: the length of the header (4 bytes, little endian), the header as JSON, a picture or nothing.

    Args:
        header: "tag" names this answer.
        picture: a payload of the stage.
    """
    text = json.dumps(header, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
    return struct.pack("<I", len(text)) + text + picture


@lru_cache(maxsize=1)
def _worker() -> ThreadPoolExecutor:
    return one_worker("fmviz-feed")  # one picture at a time for all sessions: the rest of the machine is for training


async def _respond(request: Request) -> Response:
    feed = _FEEDS.get(request.path_params["token"])
    if feed is None:
        return Response(status_code=404)
    feed.heard()
    body = await asyncio.get_running_loop().run_in_executor(_worker(), feed.ask, request.query_params.get("tag", ""))
    feed.heard()
    # Packing numbers for a second time would cost more than sending them.
    plain = {"Cache-Control": "no-store", "Content-Encoding": "identity"}
    return Response(status_code=204, headers=plain) if body is None else Response(body, headers=plain)


FEED_ROUTES = [Route(f"/{FOLDER}/{{token}}", _respond), Route(f"/{{base:path}}/{FOLDER}/{{token}}", _respond)]
"""For `st.App`, also where it is served below a base path."""
