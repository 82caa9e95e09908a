"""The feed: what it answers, to whom, and that it goes with its session."""

import asyncio
import gc
import json
import struct
import threading
from types import SimpleNamespace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from fmviz.app import feed as feeds
from fmviz.app.feed import FEED_ROUTES, Feed, packed


def get(path: str, tag: str = "") -> Response:
    """The server's answer to a browser that has `tag`."""
    scope = {"type": "http", "method": "GET", "path": f"/{path}", "headers": [], "query_string": f"tag={tag}".encode()}
    route = next(route for route in FEED_ROUTES if route.matches(scope)[0] == Match.FULL)
    _, found = route.matches(scope)
    return asyncio.run(route.endpoint(Request(scope | found)))


def test_an_answer_is_a_header_and_a_picture():
    body = packed({"tag": "7", "text": "训练"}, b"picture")
    (length,) = struct.unpack("<I", body[:4])
    assert json.loads(body[4 : 4 + length]) == {"tag": "7", "text": "训练"}
    assert body[4 + length :] == b"picture"


def test_it_answers_what_is_new_in_another_thread():
    threads = []

    def answer(tag: str) -> bytes | None:
        threads.append(threading.current_thread())
        return None if tag == "2" else b"2"

    feed = Feed()
    assert get(feed.path).status_code == 204, "it serves nothing yet"
    feed.serve(answer)
    first, second = get(feed.path, "1"), get(feed.path, "2")
    assert (first.status_code, first.body) == (200, b"2")
    assert (second.status_code, second.body) == (204, b"")
    assert threading.current_thread() not in threads
    assert first.headers["content-encoding"] == "identity"
    assert first.headers["cache-control"] == "no-store"


def test_a_feed_is_known_by_its_whole_path_and_gone_with_its_session():
    mine, other = Feed(), Feed()
    assert mine.path != other.path
    assert len(mine.path.partition("/")[2]) >= 32, "nobody guesses it"
    path = mine.path
    assert get(path[:-1]).status_code == 404
    del mine
    gc.collect()
    assert get(path).status_code == 404
    assert get(other.path).status_code == 204
    assert get(f"lectures/flow/{other.path}").status_code == 204, "below a base path"


def test_silence_is_counted_from_the_last_question_and_its_answer(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(feeds, "time", SimpleNamespace(monotonic=lambda: now[0]))
    feed = Feed()

    def slow(tag: str) -> None:
        assert feed.silent_for() == 0, "asked just now"
        now[0] += 20.0

    feed.serve(slow)
    now[0] += 7.0
    assert feed.silent_for() == 7.0
    get(feed.path)
    assert feed.silent_for() == 0
