"""The player on pages of its own: the standalone page, and a host page that stands in for Streamlit and takes its messages."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from fmviz.clips.clip import Clip
from fmviz.stage.assets import script, style
from fmviz.stage.payload import View, encode
from fmviz.stage.standalone import standalone_html
from tests.browser.helpers import OpenPage, Stage
from tests.browser.tabs import Tabs
from tests.stage.scenes import (
    default_clip,
    english,
    small_clip,
)

HOST = """<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>host</title>
<style>:root{--st-background-color:#ffffff;--st-text-color:#1f2a44;--st-blue-color:#0b5fc0}</style></head>
<body><div id="root"></div><p id="below">below</p>
<script type="module">
import stage from "./stage.js";
const shadow = document.getElementById("root").attachShadow({mode: "open"});
const css = document.createElement("style");
css.textContent = await (await fetch("stage.css")).text();
shadow.append(css);
window.messages = [];
window.answer = true;
const load = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());
window.show = async (name) => {
  const bytes = await load(name);
  const odd = new Uint8Array(bytes.length + 1);
  odd.set(bytes, 1);
  window.cleanup = stage({data: odd.subarray(1), parentElement: shadow, key: "k", setStateValue: (name, value) => {
    window.messages.push({name, value: structuredClone(value), at: performance.now()});
  }});
};
await show("clip.bin");
window.ready = true;
</script></body></html>"""


@pytest.fixture(scope="session")
def clip() -> Clip:
    return small_clip()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, clip: Clip) -> Iterator[tuple[str, Path]]:
    """Address and folder of a small web server with the standalone pages and the host page."""
    folder = tmp_path_factory.mktemp("stage")
    labels = english(clip)
    still = encode(clip, labels, View(t=0.5))
    moved = encode(clip, labels, View(t=0.2, revision=1))
    other = encode(default_clip(frames=7, side=20, particles=10), labels, View(t=0.9))
    (folder / "still.html").write_text(standalone_html(still, "A <b>title</b>", "en"))
    (folder / "playing.html").write_text(standalone_html(encode(clip, labels, View(playing=True)), "p", "en"))
    (folder / "host.html").write_text(HOST)
    (folder / "stage.js").write_text(script())
    (folder / "stage.css").write_text(style())
    for name, payload in {"clip": still, "moved": moved, "other": other}.items():
        (folder / f"{name}.bin").write_bytes(payload)
    handler = functools.partial(_Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", folder
    server.shutdown()
    thread.join()
    server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        """What is asked for again may be another page by now, written in the same second."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def open_plain(tabs: Tabs) -> Iterator[OpenPage]:
    """``open_plain(url, **context_options)``: a page that is no Streamlit app. Any complaint of the browser fails the test."""
    taken: list[Page] = []
    complaints: list[str] = []

    def open_(url: str, **options: Any) -> Page:
        page = tabs.take(complaints, warnings=True, **options)
        taken.append(page)
        page.goto(url)
        return page

    yield open_
    for page in taken:
        tabs.give_back(page)
    assert not complaints


@pytest.fixture
def still(open_plain: OpenPage, site: tuple[str, Path]) -> Stage:
    return Stage(open_plain(f"{site[0]}/still.html"))


@pytest.fixture
def host(open_plain: OpenPage, site: tuple[str, Path]) -> Stage:
    page = open_plain(f"{site[0]}/host.html")
    page.wait_for_function("window.ready")
    return Stage(page)


@pytest.fixture
def show(open_plain: OpenPage, site: tuple[str, Path]) -> Callable[..., Stage]:
    """``show(clip, view)``: that clip on a host page that takes the messages; ``read_only`` on a page for slides."""

    def show_(clip: Clip, view: View | None = None, *, read_only: bool = False, **options: Any) -> Stage:
        url, folder = site
        payload = encode(clip, english(clip), view or View(t=0.5))
        (folder / "shown.bin").write_bytes(payload)
        (folder / "shown.html").write_text(
            standalone_html(payload, "p", "en") if read_only else HOST.replace('show("clip.bin")', 'show("shown.bin")')
        )
        page = open_plain(f"{url}/shown.html", **options)
        if not read_only:
            page.wait_for_function("window.ready")
        stage = Stage(page)
        stage.wait("Number(s.frames) > 0")
        return stage

    return show_
