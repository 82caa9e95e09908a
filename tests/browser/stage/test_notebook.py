"""The widget of a notebook in a browser, with a model that speaks the protocol of anywidget to the real Python side."""

from __future__ import annotations

import base64
import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

import fmviz
from fmviz.notebook.script import loader_script, packed_script
from fmviz.notebook.widget import Player
from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers
from tests.browser.helpers import OpenPage, Stage, heap

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>notebook</title></head>
<body style="background: #ffffff"><div id="cell"></div><script type="module">
window.modules = 0;
const make = URL.createObjectURL;
URL.createObjectURL = (blob) => { window.modules += blob.size > 150000; return make(blob); };
const bytes = (text) => new DataView(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
const read = async (name) => bytes(await (await fetch(name)).text());
const state = { payload: await read("payload.txt"), script: await read("script.txt"), t: 0.25, playing: false, read_only: false };
const handlers = {};
window.said = [];
window.keys = [];
document.addEventListener("keydown", ({ key }) => window.keys.push(key));
const model = {
  get: (name) => state[name],
  set: (name, value) => { state[name] = value; window.said.push([name, value]); },
  save_changes: () => {},
  on: (name, call) => { handlers[name] = call; },
  off: (name) => { delete handlers[name]; },
  send: (content) => window.said.push(["message", content]),
};
window.put = (name, value) => { state[name] = name === "payload" ? bytes(value) : value; handlers[`change:${name}`]?.(); };
window.answer = () => handlers["msg:custom"]({ kind: "here" });
window.model = model;
window.listening = () => Object.keys(handlers).length;
window.enter = async (n) => { // anywidget makes a module of its own for every picture
  const { default: widget } = await import(`./widget.js?${n}`);
  const [forget, leave] = [widget.initialize({ model }), await widget.render({ model, el: document.getElementById("cell") })];
  window.leave = () => { leave(); forget(); };
};
await enter(0);
</script></body></html>"""

ASKED = """() => performance.getEntriesByType("resource").map(({ name }) => new URL(name))
    .filter(({ protocol }) => protocol === "http:" || protocol === "https:").map(({ pathname }) => pathname.slice(1))"""
"""What has been loaded from a server."""
LEAK = 0.2
"""Megabytes that a re-run may leave behind: the tiny module that anywidget loads, and noise. With a module of the player it was 1.3."""
AGAIN = """async ([payload, count]) => {
  for (let n = 0; n < count; n += 1) {
    put("payload", payload);
    await enter(`${count}-${n}`);
    const stage = document.querySelector(".fmviz-host").shadowRoot.querySelector("[data-testid=fmviz-stage]");
    while (!(Number(stage.dataset.frames) > 0)) await new Promise(requestAnimationFrame);
    leave();
  }
}"""


@pytest.fixture
def player() -> Player:
    return fmviz.show(
        ProbabilityPath(GaussianMixture.standard(), presets.get("ring5"), schedulers.get("linear")), t=0.25
    )


@pytest.fixture
def notebook(tmp_path: Path, player: Player, open_plain: OpenPage) -> Iterator[Stage]:
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "widget.js").write_text(loader_script())
    (tmp_path / "script.txt").write_text(base64.b64encode(packed_script()).decode())
    (tmp_path / "payload.txt").write_text(encoded(player))
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Stage(open_plain(f"http://127.0.0.1:{server.server_port}/"))
    server.shutdown()
    server.server_close()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing."""


def encoded(player: Player) -> str:
    return base64.b64encode(player.payload).decode()


def said(notebook: Stage, name: str) -> list[Any]:
    return [value for key, value in notebook.page.evaluate("said") if key == name]


def answer(notebook: Stage, player: Player, event: str) -> None:
    """Hand the last message to Python, and its picture back."""
    page = notebook.page
    page.wait_for_function("(name) => said.some(([key, value]) => key === 'event' && value.name === name)", arg=event)
    before = notebook.data("clip")
    player.event = said(notebook, "event")[-1]
    page.evaluate("(text) => put('payload', text)", encoded(player))
    expect(notebook.root).not_to_have_attribute("data-clip", before)


def test_the_widget_plays_calls_back_follows_python_and_leaves(notebook: Stage, player: Player) -> None:
    page, stage = notebook.page, notebook.root
    expect(stage).to_have_attribute("data-t", "0.25")
    assert said(notebook, "message") == [{"kind": "hello"}]
    # The page around keeps its own style, and nothing was asked for but what the page itself reads.
    assert page.evaluate("document.styleSheets.length + document.adoptedStyleSheets.length") == 0
    assert set(page.evaluate(ASKED)) == {"payload.txt", "script.txt", "widget.js"}
    page.evaluate("answer()")

    # From Python: the clock is set, and runs.
    page.evaluate("put('t', 0.5)")
    expect(stage).to_have_attribute("data-t", "0.5")
    page.evaluate("put('playing', true)")
    expect(stage).to_have_attribute("data-playing", "true")
    notebook.wait("Number(s.t) > 0.55")

    # From the reader: Space stops it, and is not a shortcut of the notebook.
    stage.focus()
    page.keyboard.press("Space")
    expect(stage).to_have_attribute("data-playing", "false")
    page.wait_for_function("said.some(([name, value]) => name === 'playing' && !value)")
    assert page.evaluate("keys") == []
    assert said(notebook, "t")[-1] > 0.5

    # A click goes to Python, whose answer is shown.
    page.mouse.click(*notebook.place("marginal", -2.5, 2.5))
    answer(notebook, player, "clicked")
    assert player.clicked is not None
    assert (player.clicked.x, player.clicked.y) == pytest.approx((-2.5, 2.5), abs=0.05)

    # So does a component that is dragged to another place.
    assert player.mixture is not None
    mean = player.mixture.means[0].tolist()
    notebook.drag("marginal", (mean[0], mean[1]), (0.3, -0.4))
    answer(notebook, player, "edited")
    assert player.mixture.means[0].tolist() == pytest.approx([0.3, -0.4], abs=0.05)
    assert player.path is not None
    assert player.path.p_data is player.mixture

    # A dark notebook makes a dark stage, and what is closed leaves nothing behind.
    page.evaluate("document.body.style.background = '#111111'")
    expect(page.locator(".fmviz-host.dark")).to_have_count(1)
    payload = encoded(player)
    page.evaluate("leave()")
    expect(stage).to_have_count(0)
    assert page.evaluate("listening()") == 0
    assert page.evaluate("[model.get('payload').byteLength, model.get('script').byteLength]") == [0, 0]

    # One that is put into a dark page only after it has been drawn is dark before it is painted, not a second later.
    assert page.evaluate(
        """async () => {
          const { default: widget } = await import("./widget.js?late");
          const el = document.createElement("div");
          const leave = await widget.render({ model, el });
          document.body.append(el);
          for (let n = 0; n < 2; n += 1) await new Promise(requestAnimationFrame);
          const dark = el.querySelectorAll(".fmviz-host.dark").length;
          leave();
          el.remove();
          return dark;
        }"""
    )

    # A cell that runs again costs no second module of the player, and no memory: the first pictures fill what is kept, such as tables.
    def run_again(count: int) -> None:
        page.evaluate(AGAIN, [payload, count])
        expect(stage).to_have_count(0)

    run_again(3)
    settled = heap(page)
    run_again(8)
    assert page.evaluate("modules") == 1
    assert heap(page) < settled + 8 * LEAK


def test_without_python_the_picture_follows_the_finger_by_itself(notebook: Stage, player: Player) -> None:
    """A restored notebook without a kernel: nobody answers the greeting."""
    assert player.mixture is not None
    mean = player.mixture.means[0].tolist()
    before = notebook.data("clip")
    notebook.drag("marginal", (mean[0], mean[1]), (0.3, -0.4))
    expect(notebook.root).not_to_have_attribute("data-clip", before)
    assert said(notebook, "event") == []
